// Dialogs with questions: a form of the bot, one made from a command's options, the settings.

import { $, h, icon, later } from "./dom.js";
import { say } from "./words.js";
import { Refused } from "./wire.js";

const drafts = new Map(); // what was typed into a form that was closed before it was sent

/**
 * Asks everything at once. A field: {name, label, help, kind, value, required, limit, long, choices,
 * lowest, highest, suggest(typed)}. `send(values, files)` may throw; then the dialog stays open.
 */
export function askForm({ title, help, fields, action, send, draft }) {
  const back = document.activeElement;
  const kept = drafts.get(draft) || {};
  const inputs = fields.map((field) => input(field, kept[field.name]));
  const error = h("p", { class: "error", role: "alert" });
  const submit = h("button", { class: "primary", type: "submit" }, action || say("send"));
  const close = () => dialog.close();
  const form = h(
    "form",
    { method: "dialog", novalidate: true },
    h(
      "header",
      {},
      h("h2", { dir: "auto" }, title),
      h("button", { type: "button", class: "icon", "aria-label": say("close"), click: close }, icon("close")),
    ),
    h(
      "div",
      { class: "fields" },
      help ? h("p", { class: "help" }, help) : null,
      ...inputs.map((one) => one.element),
    ),
    h(
      "footer",
      {},
      error,
      h("button", { type: "button", click: close }, say("cancel")),
      submit,
    ),
  );
  const dialog = h("dialog", { class: "sheet", "aria-label": title }, form);

  let sent = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const bad = inputs.find((one) => !one.check());
    if (bad) return bad.focus();
    submit.disabled = true;
    error.textContent = "";
    const values = Object.fromEntries(inputs.map((one) => [one.name, one.value()]));
    try {
      await send(values);
      sent = true;
      dialog.close();
    } catch (problem) {
      error.textContent = problem instanceof Refused ? problem.message : say("not_connected");
    } finally {
      submit.disabled = false;
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  dialog.addEventListener("close", () => {
    if (draft && !sent)
      drafts.set(draft, Object.fromEntries(inputs.map((one) => [one.name, one.draft()])));
    else drafts.delete(draft);
    dialog.remove();
    if (back?.isConnected) back.focus();
    else $("box").focus();
  });
  $("dialogs").append(dialog);
  dialog.showModal();
  (form.querySelector(".fields input, .fields textarea, .fields select") || submit).focus();
  return dialog;
}

let number = 0;

function input(field, kept) {
  const id = `field-${(number += 1)}`;
  const value = kept ?? field.value ?? "";
  const control = make(field, id, value);
  const error = h("p", { class: "error", id: `${id}-error` });
  control.setAttribute("aria-describedby", `${id}-error`);
  if (field.required) control.setAttribute("aria-required", "true");
  const is = (kind) => field.kind === kind;
  const check = () => {
    const problem = wrong(field, control);
    error.textContent = problem;
    control.setAttribute("aria-invalid", String(Boolean(problem)));
    return !problem;
  };
  control.addEventListener("change", check);
  const label = h("label", { for: id, dir: "auto" }, field.label);
  if (!field.required) label.append(h("i", {}, say("optional")));
  const help = field.help && field.help !== field.label ? h("p", { class: "help" }, field.help) : null;
  return {
    name: field.name,
    element: h("div", { class: "field" }, label, help, control, error),
    check,
    focus: () => control.focus(),
    value: () => (is("file") ? control.files[0] : control.value),
    draft: () => (is("file") ? "" : control.value),
  };
}

function make(field, id, value) {
  const common = { id, name: field.name, dir: "auto" };
  if (field.kind === "yes-no" || field.choices?.length) {
    const choices = field.choices?.length
      ? field.choices.map((one) => (Array.isArray(one) ? one : [one, one]))
      : [["yes", say("yes")], ["no", say("no")]];
    const wanted = value === true ? "yes" : value === false ? "no" : String(value);
    return h(
      "select",
      common,
      field.required && wanted ? null : h("option", { value: "" }, field.required ? "" : "–"),
      ...choices.map(([one, label]) => h("option", { value: one, selected: one === wanted }, label)),
    );
  }
  if (field.kind === "file") return h("input", { ...common, type: "file", accept: "image/*" });
  if (field.kind === "number")
    return h("input", {
      ...common,
      type: "number",
      inputmode: "numeric",
      step: "1",
      min: field.lowest,
      max: field.highest,
      value,
    });
  if (field.long) {
    const area = h("textarea", { ...common, rows: "6", spellcheck: "true" });
    area.value = value;
    return area;
  }
  const line = h("input", { ...common, type: "text", autocomplete: "off" });
  line.value = value;
  if (field.suggest) withSuggestions(line, field.suggest);
  return line;
}

function withSuggestions(line, suggest) {
  const list = h("datalist", { id: `${line.id}-list` });
  line.setAttribute("list", list.id);
  const fill = async () => {
    const found = await suggest(line.value.trim());
    list.replaceChildren(...found.map(([label, value]) => h("option", { value, label })));
  };
  const soon = later(fill, 150);
  line.addEventListener("input", soon);
  line.addEventListener("focus", () => {
    if (!list.isConnected) line.after(list);
    soon();
  });
}

/** What is wrong with what was typed, in words; "" if nothing is. */
function wrong(field, control) {
  if (field.kind === "file") return field.required && !control.files[0] ? say("fill_in") : "";
  const value = control.value;
  if (control.validity.badInput) return say("whole_number");
  if (!value.trim()) return field.required ? say("fill_in") : "";
  if (field.kind === "number") {
    const typed = Number(value);
    if (!Number.isInteger(typed)) return say("whole_number");
    if (field.lowest !== null && typed < field.lowest) return say("at_least", { limit: field.lowest });
    if (field.highest !== null && typed > field.highest) return say("at_most", { limit: field.highest });
    return "";
  }
  const length = [...value].length;
  if (field.limit && length > field.limit) return say("too_long_by", { limit: field.limit, length });
  return "";
}

/** A question with yes and no. */
export function confirmDialog(title, text, action) {
  return new Promise((resolve) => {
    const yes = h("button", { class: "danger", value: "yes" }, action);
    const dialog = h(
      "dialog",
      { class: "sheet small-sheet", "aria-label": title },
      h(
        "form",
        { method: "dialog" },
        h("header", {}, h("h2", { dir: "auto" }, title)),
        h("div", { class: "fields" }, h("p", {}, text)),
        h("footer", {}, h("button", { value: "" }, say("cancel")), yes),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    $("dialogs").append(dialog);
    dialog.showModal();
  });
}
