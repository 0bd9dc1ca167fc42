// Making elements. Text always goes in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

/** An element: h("p", {class: "error"}, "words", child, ...). Functions become listeners. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Calls `work` once it was not called for some milliseconds. */
export function later(work, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}

/** Says something to screen readers. */
export function announce(text) {
  if (!text) return;
  const said = h("p", {}, text);
  $("announce").append(said);
  setTimeout(() => said.remove(), 5000);
}
