// What messages are made of: words, times, files, pictures, how far a drawing is.

import { h, icon } from "./dom.js";
import { viewable } from "./viewer.js";
import { language, say } from "./words.js";

/** What is read out of a message. */
export function spoken(message) {
  const alts = message.files.map((file) => file.alt || file.name);
  return [message.text, ...alts].filter(Boolean).join("\n").slice(0, 600);
}

export function time(seconds) {
  const when = new Date(seconds * 1000);
  const today = when.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit" };
  const system = navigator.language; // "en-GB" has another clock than "en"
  return new Intl.DateTimeFormat(
    system.startsWith(language) ? system : language,
    today ? clock : { ...clock, day: "numeric", month: "short" },
  ).format(when);
}

/** Each line finds its own direction, so an Arabic one among English ones reads right. */
export function words(message) {
  const paragraph = h("div", { class: "words" });
  for (const line of message.text.split("\n"))
    paragraph.append(line ? h("p", { dir: "auto" }, line) : h("br"));
  return paragraph;
}

export const chips = (names) =>
  h("ul", { class: "chips" }, ...names.map((name) => h("li", {}, icon("file"), h("bdi", {}, name))));

const address = (file) => `/files/${file.token}/${encodeURIComponent(file.name)}`;

export function files(all) {
  const pictures = all.filter((file) => file.picture);
  const films = all.filter(isFilm);
  const others = all.filter((file) => !file.picture && !isFilm(file));
  const box = h("div", { class: "files" });
  if (pictures.length)
    box.append(h("div", { class: pictures.length > 1 ? "grid" : "single" }, ...pictures.map(picture)));
  box.append(...films.map(film));
  for (const file of others)
    box.append(
      h(
        "a",
        { class: "download", href: address(file), download: file.name },
        icon("down"),
        h("bdi", {}, file.name),
        h("span", { class: "size" }, size(file.bytes)),
      ),
    );
  return box;
}

/** The size is known before the picture is there, so nothing jumps when it comes. */
function sized(element, file) {
  element.style.setProperty("--width", file.width || 512);
  element.style.setProperty("--height", file.height || 512);
  return element;
}

const isFilm = (file) => file.name.endsWith(".mp4");

/** A short animation: silent, and again and again. */
function film(file) {
  const video = h("video", {
    class: "film",
    src: address(file),
    "aria-label": file.alt || file.name,
    loop: true,
    autoplay: true,
    playsinline: true,
    controls: true,
  });
  video.muted = true; // the attribute alone does not make one silent that a script has made
  return video;
}

function picture(file) {
  const image = h("img", {
    src: address(file),
    alt: file.alt || file.name,
    "data-token": file.token,
  });
  const button = h("button", { class: "picture", title: say("full_size") }, image);
  sized(button, file);
  viewable(button, { address: address(file), name: file.name, alt: file.alt });
  return button;
}

/** How far a drawing is. The message itself says it in figures. */
export function progress(message) {
  const file = message.files.find((one) => one.picture);
  const preview = file
    ? sized(
        h("img", {
          class: "preview",
          src: address(file),
          alt: file.alt || say("preview"),
          "data-token": file.token,
        }),
        file,
      )
    : null;
  return h(
    "div",
    { class: "progress" },
    preview,
    h("progress", { max: "1", value: message.progress, "aria-label": say("drawing") }),
  );
}

/** Pictures that stay are not loaded again, and a new preview shows only once it is there. */
export function keepPictures(old, element, isPreview) {
  const kept = new Map([...old.querySelectorAll("img[data-token]")].map((i) => [i.dataset.token, i]));
  for (const image of element.querySelectorAll("img[data-token]")) {
    const same = kept.get(image.dataset.token);
    if (same) image.replaceWith(same);
    else if (isPreview && image.classList.contains("preview")) {
      const last = old.querySelector("img.preview");
      if (!last) continue;
      const [next, alt, token] = [image.src, image.alt, image.dataset.token];
      image.replaceWith(last);
      const loaded = new Image();
      loaded.src = next;
      loaded.decode().then(
        () => {
          last.src = next;
          last.alt = alt;
          last.dataset.token = token;
        },
        () => {}, // already replaced by the next one
      );
    }
  }
}

function size(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: unit[0],
    maximumFractionDigits: bytes < 1e6 ? 0 : 1,
  }).format(Math.max(bytes / unit[1], bytes < 1e6 ? 1 : 0));
}
