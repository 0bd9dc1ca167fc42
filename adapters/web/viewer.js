// Pictures at full size. Escape closes (the dialog's own doing), arrows go on. A click, Enter or "+"
// shows a picture's own pixels, through which the arrows then lead; the same again, or "-", fits it.

import { $ } from "./dom.js";

// Pixels. Where the stage has the focus it scrolls by itself; from a button of the bar it is led.
const ARROWS = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };
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
  zoom(false);
  const buttons = all();
  $("viewer-back").disabled = buttons[0] === button;
  $("viewer-next").disabled = buttons.at(-1) === button;
}

const isZoomed = () => $("viewer").classList.contains("zoomed");

function zoom(on) {
  $("viewer").classList.toggle("zoomed", on);
  $("viewer-zoom").setAttribute("aria-pressed", on);
  $("viewer-stage").scrollTo(0, 0);
}

const toggle = () => zoom(!isZoomed());

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return; // the browser's own
  const onStage = event.target === $("viewer-stage");
  if (event.key === "+" || event.key === "-") zoom(event.key === "+");
  else if (event.key === "Enter" && onStage && !event.repeat) toggle();
  else if (isZoomed()) {
    if (ARROWS[event.key] && !onStage) $("viewer-stage").scrollBy(...ARROWS[event.key]);
  } else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
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
  $("viewer-zoom").addEventListener("click", toggle);
  $("viewer-picture").addEventListener("click", toggle);
  $("viewer-stage").addEventListener("click", (event) => {
    if (event.target === $("viewer-stage")) viewer.close();
  });
  viewer.addEventListener("keydown", pressed);
  viewer.addEventListener("close", () => {
    $("viewer-picture").removeAttribute("src");
    if (current?.isConnected) current.focus();
  });
}
