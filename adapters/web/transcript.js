// The messages of the room that is open. What the server tells of a message replaces what is shown
// of it; hearing of the same change twice does nothing.

import { $, announce, h, icon, later } from "./dom.js";
import { chips, files, keepPictures, progress, spoken, time, words } from "./parts.js";
import { say } from "./words.js";

const SEEN = 20; // pixels of a message that must show
const NEAR = 120; // pixels from the end that still count as being at the end

export class Transcript {
  /** `press(message, data, button)`, `retry(pending)`, `drop(pending)`, `older(before)`, `go(room)` */
  constructor(actions) {
    this.actions = actions;
    this.log = $("log");
    this.scroll = $("scroll");
    this.seen = new Map(); // id -> {seq, element}
    this.pending = new Map(); // nonce -> element
    this.atEnd = true;
    this.expecting = 0;
    this.top = 0;
    const settle = () => {
      // A part of the page that grows or shrinks must not push the newest message out of sight.
      if (this.atEnd) this.toEnd();
    };
    new ResizeObserver(settle).observe(this.scroll);
    new ResizeObserver(settle).observe(this.log);
    this.scroll.addEventListener("scroll", () => {
      const left = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
      // Only a person scrolls up; what grows below leaves the place as it is.
      if (left < NEAR) this.atEnd = true;
      else if (this.scroll.scrollTop < this.top) this.atEnd = false;
      this.top = this.scroll.scrollTop;
      if (this.atEnd) $("below").hidden = true;
      if (this.scroll.scrollTop < 200) this.wantOlder();
    });
    this.wantOlder = later(() => this.loadOlder(), 60);
    this.watcher = new IntersectionObserver(
      (entries) => {
        if (entries.at(-1).isIntersecting) this.watch(null); // it was seen
      },
      { root: this.scroll, rootMargin: `-${SEEN}px 0px` },
    );
    $("below").addEventListener("click", () => this.toEnd());
    $("above").addEventListener("click", () => this.toChanged());
  }

  /** Shows a room from nothing. */
  open(room, { messages, older }) {
    this.room = room;
    this.seen.clear();
    this.pending.clear();
    this.older = older;
    this.log.replaceChildren();
    this.watch(null);
    $("below").hidden = true;
    for (const message of messages) this.put(message, { quietly: true });
    this.toEnd();
  }

  /** Older messages, above the others; whether there were any. */
  async loadOlder() {
    if (!this.older || this.loading || !this.room) return false;
    this.loading = true;
    const room = this.room;
    const first = this.log.querySelector(".message[data-id]");
    try {
      const { messages, older } = await this.actions.older(Number(first.dataset.id));
      if (this.room !== room) return false;
      this.older = older;
      const height = this.scroll.scrollHeight;
      for (const message of messages) this.put(message, { quietly: true });
      if (this.seen.has(this.far)) this.watch(this.seen.get(this.far).element);
      this.scroll.scrollTop += this.scroll.scrollHeight - height;
      return messages.length > 0;
    } catch {
      return false; // the next scroll tries again
    } finally {
      this.loading = false;
    }
  }

  /** Goes up to the message that has changed, which may not be loaded yet. */
  async toChanged() {
    this.atEnd = false; // or the page would go straight back down
    while (this.far && (await this.loadOlder()));
    if (this.far) return; // no connection: the pointer stays
    const { changed } = this;
    this.watch(null);
    changed?.scrollIntoView({ block: "start" });
    changed?.focus({ preventScroll: true });
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.atEnd = true;
    $("below").hidden = true;
  }

  /** Something was asked for: what comes in the next seconds is what the person waits to see. */
  expect() {
    this.expecting = performance.now() + 3000;
  }

  isVisible(element) {
    const box = element.getBoundingClientRect();
    const view = this.scroll.getBoundingClientRect();
    return box.top < view.bottom - SEEN && box.bottom > view.top + SEEN;
  }

  /** Points up to a message that has changed, until it is seen; null: to none. */
  watch(element) {
    this.watcher.disconnect();
    this.changed = element;
    this.far = null;
    $("above").hidden = !element;
    if (!element) return;
    $("above").textContent = say("changed_above");
    this.watcher.observe(element);
  }

  /** Points up to a message that has changed and is among the older ones, not loaded yet. */
  watchFar(id) {
    this.watch(null);
    this.far = id;
    $("above").hidden = false;
    $("above").textContent = say("changed_above");
    announce(say("changed"));
  }

  /** Shown now, it would stand right above messages that come long after it, and hide the rest. */
  isFar(message) {
    const first = this.log.querySelector(".message[data-id]");
    return this.older && first !== null && message.id < Number(first.dataset.id);
  }

  get isEmpty() {
    return !this.seen.size && !this.pending.size;
  }

  put(message, { quietly = false } = {}) {
    const before = this.seen.get(message.id);
    if (before && before.seq >= message.seq) return;
    if (!before && !quietly && this.isFar(message)) {
      this.watchFar(message.id);
      return;
    }
    this.log.querySelector(".welcome")?.remove();
    const element = this.render(message);
    const drawn = message.progress === null;
    const waiting = message.nonce && this.pending.get(message.nonce);
    if (waiting) {
      waiting.remove();
      this.pending.delete(message.nonce);
    }
    if (before) this.replace(before, element, message);
    else this.insert(element, message.id);
    this.seen.set(message.id, { seq: message.seq, element, drawn });
    this.repeat(element);
    if (quietly) return;
    const expected = !before && performance.now() < this.expecting;
    if (this.atEnd || expected || (message.mine && waiting)) this.toEnd();
    if (!message.mine) this.tell(message, element, before, drawn);
  }

  tell(message, element, before, drawn) {
    if (!before || (drawn && !before.drawn)) announce(spoken(message));
    else if (drawn) announce(say("changed"));
    if (this.isVisible(element)) return;
    // The end of a drawing is news below, not above.
    if (before?.drawn && drawn && element.getBoundingClientRect().top < 0) {
      this.watch(element);
    } else if (!this.atEnd && !before) {
      $("below").hidden = false;
      $("below").textContent = say("new_below");
    }
  }

  insert(element, id) {
    const after = [...this.log.children].findLast((other) => Number(other.dataset.id) < id);
    if (after) after.after(element);
    else this.log.prepend(element);
  }

  /** Several messages of one side in a row share one name and sit closer together. */
  repeat(element) {
    for (const one of [element, element.nextElementSibling]) {
      const before = one?.previousElementSibling;
      if (one) one.classList.toggle("again", Boolean(before) && side(before) === side(one));
    }
  }

  replace(before, element, message) {
    const old = before.element;
    keepPictures(old, element, message.progress !== null || !before.drawn);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(element);
    if (old === this.changed) this.watch(element);
    if (focused) {
      const same = [...element.querySelectorAll("button")].find(
        (button) => button.dataset.data === focused.dataset.data,
      );
      (same || element).focus({ preventScroll: true });
    }
    element.classList.toggle("flash", before.drawn && message.progress === null);
  }

  /** One message was taken away. */
  take(id) {
    if (id === this.far) this.watch(null);
    const element = this.seen.get(id)?.element;
    if (!element) return;
    const next = element.nextElementSibling;
    if (element === this.changed) this.watch(null);
    if (element.contains(document.activeElement)) $("box").focus({ preventScroll: true });
    element.remove();
    this.seen.delete(id);
    if (next) this.repeat(next);
  }

  remove(room) {
    if (room === this.room) this.open(room, { messages: [], older: false });
  }

  render(message) {
    const body = h("div", { class: "body" });
    if (message.opens) body.append(this.opening(message));
    else if (message.text) body.append(words(message));
    if (message.attached.length) body.append(chips(message.attached));
    if (message.progress !== null) body.append(progress(message));
    else if (message.files.length) body.append(files(message.files));
    if (message.buttons.length) body.append(this.buttons(message));
    const classes = ["message", message.mine ? "mine" : "bot"];
    if (message.progress !== null) classes.push("working");
    const wide = message.files.some((file) => file.picture) && message.progress === null;
    if (wide) classes.push("wide");
    if (message.card) classes.push("card");
    return h(
      "article",
      { class: classes.join(" "), "data-id": message.id, tabindex: "-1" },
      message.mine ? null : h("span", { class: "face" }, icon("drop")),
      h("p", { class: "unseen" }, message.mine ? say("you") : "Inkwell"),
      body,
      h("time", { datetime: new Date(message.at * 1000).toISOString() }, time(message.at)),
    );
  }

  opening(message) {
    const go = (event) => {
      event.preventDefault();
      this.actions.go(message.opens);
    };
    return h(
      "p",
      { class: "opening" },
      h(
        "a",
        { href: `#/${message.opens}`, click: go },
        icon("page"),
        h("bdi", {}, message.text),
        icon("right"),
      ),
    );
  }

  buttons(message) {
    return h(
      "div",
      { class: "buttons" },
      ...message.buttons.map((row) =>
        h(
          "div",
          { class: "row" },
          ...row.map((one) => {
            const button = h(
              "button",
              { class: one.look, "data-data": one.data, dir: "auto" },
              one.label,
            );
            button.addEventListener("click", () => this.actions.press(message, one.data, button));
            return button;
          }),
        ),
      ),
    );
  }

  /** What was typed and is on its way: "sending", "failed" or "unknown" (whether it was heard). */
  putPending(pending) {
    const { state, error } = pending;
    this.log.querySelector(".welcome")?.remove();
    const again = { failed: "try_again", unknown: "send_again" }[state];
    const note = h("p", { class: "note" });
    if (state !== "sending") {
      note.append(
        error || say(state === "failed" ? "not_sent" : "not_known"),
        h("button", { class: "small", click: () => this.actions.retry(pending) }, say(again)),
        h("button", { class: "small", click: () => this.actions.drop(pending) }, say("discard")),
      );
    }
    const element = h(
      "article",
      { class: `message mine pending ${state}` },
      h("p", { class: "unseen" }, say("you")),
      h(
        "div",
        { class: "body" },
        pending.text ? h("p", { class: "words", dir: "auto" }, pending.text) : null,
        pending.names.length ? chips(pending.names) : null,
        state === "sending" ? null : note,
      ),
    );
    const before = this.pending.get(pending.nonce);
    if (before) before.replaceWith(element);
    else this.log.append(element);
    this.pending.set(pending.nonce, element);
    this.repeat(element);
    if (!before) this.toEnd();
    if (state !== "sending") announce(note.textContent);
  }

  dropPending(nonce) {
    this.pending.get(nonce)?.remove();
    this.pending.delete(nonce);
  }

  /** What to show in an empty room. */
  welcome(element) {
    if (this.isEmpty) this.log.replaceChildren(element);
  }
}

const side = (element) => (element.classList.contains("mine") ? "mine" : "bot");
