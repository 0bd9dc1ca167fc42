// Talking to the server: requests, and the line on which it tells what changes.

const BEAT_LIMIT = 50_000; // the server says something at least every 20 s
const FIRST_WAIT = 400;
const LONGEST_WAIT = 10_000;

/** A request that the server answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.error || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Raises TypeError where the server cannot be reached, Refused where it says no. */
export async function ask(method, path, body) {
  const options = { method, credentials: "same-origin" };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const text = await answer.text();
  let read = {};
  try {
    read = JSON.parse(text);
  } catch {
    read = { error: text };
  }
  if (!answer.ok) throw new Refused(answer.status, read);
  return read;
}

export const nonce = () =>
  [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");

/** Sends a file as it is; `progress` hears 0..1. Resolves to its token. */
export function upload(file, progress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => progress(event.loaded / (event.total || 1));
    request.onerror = () => reject(new TypeError("not connected"));
    request.onabort = () => reject(new TypeError("stopped"));
    request.onload = () => {
      let body = {};
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = { error: request.responseText };
      }
      if (request.status === 200) resolve(body.upload);
      else reject(new Refused(request.status, body));
    };
  });
  request.open("POST", `/api/uploads?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, stop: () => request.abort() };
}

/** The line of events. It comes back by itself and asks for what it missed by number. */
export class Line {
  constructor({ event, state, renew }) {
    Object.assign(this, { event, state, renew });
    this.seq = 0;
    this.wait = FIRST_WAIT;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
    addEventListener("pageshow", () => this.hurry());
  }

  start(seq) {
    this.seq = seq;
    this.wanted = true;
    this.open();
  }

  stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  open() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/events?since=${this.seq}`);
    this.socket = socket;
    const current = (work) => (event) => this.socket === socket && work(event);
    socket.onmessage = current((event) => this.heard(JSON.parse(event.data)));
    socket.onclose = current((event) => this.closed(event.code));
    this.listen();
  }

  heard(event) {
    this.listen();
    if (event.type === "ready") {
      this.wait = FIRST_WAIT;
      this.state(true);
    }
    if (event.type === "reload") {
      this.stop();
      this.renew();
      return;
    }
    this.event(event);
    if (event.seq) this.seq = event.seq;
  }

  listen() {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.watch = setTimeout(() => {
      if (this.socket !== socket) return;
      this.socket = null;
      socket.close();
      this.closed(0);
    }, BEAT_LIMIT);
  }

  closed(code) {
    clearTimeout(this.watch);
    this.socket = null;
    this.state(false);
    if (!this.wanted) return;
    if (code === 4401) {
      this.stop();
      this.renew();
      return;
    }
    this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, code === 4429 ? 60_000 : LONGEST_WAIT);
  }

  hurry() {
    if (!this.wanted || this.socket) return;
    this.wait = FIRST_WAIT;
    this.open();
  }
}
