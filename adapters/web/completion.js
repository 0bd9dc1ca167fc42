// What can be typed next: commands, their options, the options' values.

import { $, h, later } from "./dom.js";
import { say } from "./words.js";

/** The command that a text begins with, and what comes after it. */
export function recognise(text, commands) {
  const match = /^[/／](\S+(?:[ ]+\S+)?)/.exec(text);
  if (!match) return null;
  for (const count of [2, 1]) {
    const words = text.slice(1).split(/(\s+)/);
    const typed = words.slice(0, count * 2 - 1).join("");
    const name = typed.replace(/\s+/g, " ").toLowerCase();
    const command = commands.find((one) => one.name === name);
    if (command) return { command, start: 1 + typed.length, rest: text.slice(1 + typed.length) };
  }
  return null;
}

/** Where the caret is in a typed command: naming a command, an option, or giving a value. */
export function analyse(text, commands) {
  if (!/^[/／]/.test(text) || text.includes("\n\n")) return null;
  const found = recognise(text, commands);
  if (!found || !/^\s/.test(found.rest)) {
    const typed = text.slice(1).replace(/\s+/g, " ").toLowerCase();
    return { kind: "command", typed, command: found?.command };
  }
  const { command, rest } = found;
  const names = command.options.map((option) => option.name);
  const marks = [...rest.matchAll(/(?:^|\s)([^\s:：]+)[:：]/g)].filter((m) => names.includes(m[1]));
  const given = marks.map((mark) => mark[1]);
  const last = marks.at(-1);
  const word = /(?:^|\s)([^\s:：]*)$/.exec(rest);
  if (last) {
    const option = command.options.find((one) => one.name === last[1]);
    const typed = rest.slice(last.index + last[0].length);
    const offers = option.choices.length || option.suggests || option.kind === "yes-no";
    // After a space another option may come; an option with offers keeps its own until one is taken.
    const complete = !offers || isOffer(option, typed.trim());
    if (!(complete && /\s\S*$/.test(typed)))
      return { kind: "value", command, option, typed, given };
  }
  return { kind: "option", command, typed: word ? word[1].toLowerCase() : null, given };
}

const isOffer = (option, typed) =>
  option.choices.includes(typed) ||
  (option.kind === "yes-no" && ["yes", "no"].includes(typed)) ||
  (option.suggests && typed !== "");

export class Completion {
  /** `commands()` gives the table, `suggest(command, option, typed)` asks the bot. */
  constructor({ commands, suggest, form }) {
    Object.assign(this, { commands, suggest, form });
    this.box = $("box");
    this.items = [];
    this.active = -1;
    this.askBot = later((place) => this.fromBot(place), 120);
    $("hint-form").addEventListener("click", () => this.form(this.place.command));
  }

  update() {
    const text = this.box.value.slice(0, this.box.selectionStart);
    const place = analyse(text, this.commands());
    this.place = place;
    if (!place) return this.close();
    this.set(this.offers(place), place);
    if (place.kind === "value" && place.option.suggests) this.askBot(place);
  }

  offers(place) {
    if (place.kind === "command") {
      const starts = this.commands().filter((one) => one.name.startsWith(place.typed));
      const others = this.commands().filter(
        (one) => !starts.includes(one) && place.typed && one.name.includes(place.typed),
      );
      return [...starts, ...others].map((one) => ({
        label: `/${one.name}`,
        help: one.help,
        insert: () => this.put(`/${one.name}${one.options.length ? " " : ""}`, 0),
      }));
    }
    if (place.kind === "option") {
      if (place.typed === null) return [];
      return place.command.options
        .filter((one) => !place.given.includes(one.name) && one.kind !== "file")
        .filter((one) => one.name.startsWith(place.typed))
        .sort((a, b) => b.required - a.required)
        .map((one) => ({
          label: `${one.name}:`,
          help: one.help,
          required: one.required,
          insert: () => this.put(`${one.name}:`, this.caret() - place.typed.length),
        }));
    }
    const { option, typed } = place;
    const values = option.kind === "yes-no" ? ["yes", "no"] : option.choices;
    return values
      .filter((value) => value.toLowerCase().startsWith(typed.trim().toLowerCase()))
      .map((value) => this.value(value, value, typed));
  }

  value(label, value, typed) {
    return { label, insert: () => this.put(`${value} `, this.caret() - typed.length) };
  }

  async fromBot(place) {
    const found = await this.suggest(place.command.name, place.option.name, place.typed.trim());
    if (this.place !== place) return;
    this.set(
      found.map(([label, value]) => this.value(label, value, place.typed)),
      place,
    );
  }

  caret() {
    return this.box.selectionStart;
  }

  put(text, from) {
    const after = this.box.value.slice(this.caret());
    this.box.setRangeText(text, from, this.caret(), "end");
    this.box.focus();
    this.box.dispatchEvent(new Event("input"));
    return after;
  }

  set(items, place) {
    this.items = items;
    const command = place.command;
    const hint =
      place.kind === "value" ? place.option.help : command ? command.help : say("all_commands");
    $("hint-text").textContent = hint;
    $("hint-form").hidden = !command?.options.length;
    const exact = items.length === 1 && place.kind === "command" && command;
    const partial = place.typed && place.typed.trim() && !exact;
    const typedAll = place.kind === "value" && isOffer(place.option, place.typed.trim());
    this.active = partial && !typedAll && items.length ? 0 : -1;
    $("options").replaceChildren(
      ...items.map((item, index) =>
        h(
          "li",
          {
            id: `option-${index}`,
            role: "option",
            "aria-selected": String(index === this.active),
            // before the box loses the focus
            mousedown: (event) => event.preventDefault(),
            click: () => item.insert(),
          },
          h("b", { dir: "auto" }, item.label),
          item.required ? h("i", {}, say("required")) : null,
          item.help ? h("span", {}, item.help) : null,
        ),
      ),
    );
    $("options").hidden = !items.length;
    $("popup").hidden = false;
    this.box.setAttribute("aria-expanded", String(Boolean(items.length)));
    this.mark();
  }

  mark() {
    [...$("options").children].forEach((item, index) =>
      item.setAttribute("aria-selected", String(index === this.active)),
    );
    const active = $(`option-${this.active}`);
    if (active) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.place = null;
    this.items = [];
    this.active = -1;
    $("popup").hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was for the list. */
  key(event) {
    if ($("popup").hidden) return false;
    if (event.key === "Escape") {
      this.close();
      return true;
    }
    if (!this.items.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const count = this.items.length;
      this.active = this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count;
      this.mark();
      return true;
    }
    if (event.key === "Tab" && !event.shiftKey && this.box.value.trim().length) {
      this.items[Math.max(0, this.active)].insert();
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey && this.active >= 0) {
      this.items[this.active].insert();
      return true;
    }
    return false;
  }
}
