// What was typed and is on its way: one after another, kept while there is no connection. Each has
// a number of its own (nonce), so that the server takes a second try for what it is.

import { ask, nonce, Refused } from "./wire.js";

const WAIT = 3000;

export class Outbox {
  /** `show(entry)` when its state changes, `done(entry, answer)` once it was answered. */
  constructor({ show, done, busy }) {
    Object.assign(this, { show, done, busy });
    this.entries = [];
  }

  add(room, text, uploads = {}, names = []) {
    const entry = { room, text, uploads, names, nonce: nonce(), state: "sending" };
    this.entries.push(entry);
    this.show(entry);
    this.work();
  }

  retry(entry) {
    if (entry.state === "unknown") {
      this.done(entry, null);
      entry.nonce = nonce();
    }
    entry.state = "sending";
    entry.error = "";
    this.show(entry);
    this.work();
  }

  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
  }

  of(room) {
    return this.entries.filter((entry) => entry.room === room);
  }

  /** Called again when the connection is back. */
  async work() {
    if (this.working) return;
    this.working = true;
    clearTimeout(this.timer);
    try {
      let entry;
      while ((entry = this.entries.find((one) => one.state === "sending"))) {
        if (!(await this.send(entry))) {
          this.timer = setTimeout(() => this.work(), WAIT);
          return;
        }
      }
    } finally {
      this.working = false;
    }
  }

  /** Whether to go on with the next; false: there is no connection. */
  async send(entry) {
    const { text, uploads } = entry;
    const slow = setTimeout(() => this.busy(true), 500);
    try {
      const body = { nonce: entry.nonce, say: text, uploads };
      const answer = await ask("POST", `/api/rooms/${entry.room}/calls`, body);
      if (answer.state === "unknown") {
        entry.state = "unknown";
        this.show(entry);
      } else {
        this.drop(entry);
        this.done(entry, answer);
      }
      return true;
    } catch (problem) {
      if (!(problem instanceof Refused)) return false;
      if (problem.status === 503) return false;
      entry.state = "failed";
      entry.error = problem.status < 500 ? problem.message : "";
      this.show(entry);
      return true;
    } finally {
      clearTimeout(slow);
      this.busy(false);
    }
  }
}
