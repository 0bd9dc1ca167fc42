// Pictures at full size. Escape closes (the dialog's own doing), arrows go on, a click zooms.

import { $ } from "./dom.js";

const shown = new WeakMap(); // button -> {address, name, alt}
let current = null;

export function viewable(button, file) {
  shown.set(button, file);
  button.addEventListener("click", () => open(button));
}

const all = () => [...$("log").querySelectorAll("button.picture")];

function open(button) {
  show(button);
  $("viewer").showModal();
  $("viewer-stage").focus();
}

function show(button) {
  current = button;
  const { address, name, alt } = shown.get(button);
  $("viewer-picture").src = address;
  $("viewer-picture").alt = alt || name;
  $("viewer-name").textContent = brief(alt) || name;
  $("viewer-save").href = address;
  $("viewer-save").download = name;
  $("viewer").classList.remove("zoomed");
  const buttons = all();
  $("viewer-back").disabled = buttons[0] === button;
  $("viewer-next").disabled = buttons.at(-1) === button;
}

/** The first sentence of what is read out of a picture: "Comic: Tabs." */
const brief = (alt) => /^.*?(?:[.!?](?=\s|$)|[。！？]|$)/s.exec(alt || "")[0];

function step(by) {
  const buttons = all();
  const next = buttons[buttons.indexOf(current) + by];
  if (next && shown.has(next)) show(next);
}

export function setUpViewer() {
  const viewer = $("viewer");
  $("viewer-close").addEventListener("click", () => viewer.close());
  $("viewer-back").addEventListener("click", () => step(-1));
  $("viewer-next").addEventListener("click", () => step(1));
  $("viewer-picture").addEventListener("click", () => viewer.classList.toggle("zoomed"));
  $("viewer-stage").addEventListener("click", (event) => {
    if (event.target === $("viewer-stage")) viewer.close();
  });
  viewer.addEventListener("keydown", (event) => {
    if (viewer.classList.contains("zoomed")) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => {
    $("viewer-picture").removeAttribute("src");
    if (current?.isConnected) current.focus();
  });
}
