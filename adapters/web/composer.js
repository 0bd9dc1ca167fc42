// The box at the bottom: typing, files to send along, what was said before.

import { $, h, icon } from "./dom.js";
import { say } from "./words.js";
import { upload } from "./wire.js";

const MEGABYTES = 20;
const REMEMBERED = 50;

export class Composer {
  /** `send(text, uploads, names)`; `problem(words)` shows a sentence. */
  constructor({ completion, send, problem }) {
    Object.assign(this, { completion, send, problem });
    this.box = $("box");
    this.files = [];
    this.said = [];
    this.at = 0;
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("blur", (event) => {
      if (!$("popup").contains(event.relatedTarget)) completion.close();
    });
    $("popup").addEventListener("focusout", (event) => {
      if (event.relatedTarget !== this.box && !$("popup").contains(event.relatedTarget))
        completion.close();
    });
    $("send").addEventListener("click", () => this.submit());
    $("commands").addEventListener("click", () => this.offer());
    $("attach").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => {
      for (const file of $("file").files) this.attach(file);
      $("file").value = "";
      this.box.focus();
    });
    this.box.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files || [])];
      if (!files.length) return;
      event.preventDefault();
      files.forEach((file) => this.attach(file));
    });
    const main = $("main");
    main.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      main.classList.add("dropping");
    });
    main.addEventListener("dragleave", (event) => {
      if (!main.contains(event.relatedTarget)) main.classList.remove("dropping");
    });
    main.addEventListener("drop", (event) => {
      event.preventDefault();
      main.classList.remove("dropping");
      for (const file of event.dataTransfer.files) this.attach(file);
    });
  }

  typed() {
    this.grow();
    this.completion.update();
  }

  grow() {
    this.box.style.height = "auto";
    if (this.box.value) this.box.style.height = `${this.box.scrollHeight}px`;
  }

  key(event) {
    if (event.isComposing) return; // Enter belongs to the input method
    if (this.completion.key(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "ArrowUp" && (!this.box.value || this.at < this.said.length)) {
      if (this.box.selectionStart === 0 || !this.box.value) this.recall(event, -1);
    } else if (event.key === "ArrowDown" && this.at < this.said.length) {
      if (this.box.selectionStart === this.box.value.length) this.recall(event, 1);
    }
  }

  recall(event, step) {
    const at = this.at + step;
    if (at < 0 || at > this.said.length) return;
    event.preventDefault();
    this.at = at;
    this.fill(this.said[at] || "");
    if (step < 0) this.box.setSelectionRange(0, 0);
    this.completion.close();
  }

  fill(text) {
    this.box.value = text;
    this.grow();
  }

  /** The button "/": every command, also for those without a keyboard. */
  offer() {
    this.box.focus();
    if (!this.box.value) this.fill("/");
    this.completion.update();
  }

  attach(file) {
    const problem = !file.size ? "empty_file" : file.size > MEGABYTES * 1e6 ? "too_big" : "";
    if (problem) return this.problem(say(problem, { name: file.name, megabytes: MEGABYTES }));
    if (this.files.length >= 4) return this.problem(say("four_files"));
    const bar = h("progress", { max: "1", value: "0", "aria-label": say("uploading") });
    const chip = h("li", {}, icon("file"), h("bdi", {}, file.name), bar);
    const { done, stop } = upload(file, (share) => (bar.value = share));
    const entry = { name: file.name, done, token: null };
    const remove = () => {
      stop();
      this.files = this.files.filter((one) => one !== entry);
      chip.remove();
    };
    const label = say("remove", { name: file.name });
    chip.append(
      h("button", { class: "icon", "aria-label": label, title: label, click: remove }, icon("close")),
    );
    entry.chip = chip;
    this.files.push(entry);
    $("attached").append(chip);
    done.then(
      (token) => {
        entry.token = token;
        bar.remove();
      },
      (problem) => {
        if (!this.files.includes(entry)) return;
        remove();
        this.problem(problem instanceof TypeError ? say("not_connected") : problem.message);
      },
    );
  }

  async submit() {
    const text = this.box.value.trim();
    const files = this.files;
    if (!text && !files.length) return;
    if (this.sending) return;
    this.sending = true;
    try {
      await Promise.all(files.map((file) => file.done));
    } catch {
      return; // said by `attach`
    } finally {
      this.sending = false;
    }
    files.forEach((file) => file.chip.remove());
    this.files = [];
    const uploads = Object.fromEntries(files.map((file, index) => [`?${index}`, file.token]));
    if (text) this.said = [...this.said.filter((one) => one !== text), text].slice(-REMEMBERED);
    this.at = this.said.length;
    this.fill("");
    this.completion.close();
    this.send(text, uploads, files.map((file) => file.name));
  }
}
