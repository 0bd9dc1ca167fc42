// The interface's own sentences, in the languages that words/ has.

export const LANGUAGES = { en: "English", zh: "中文" };
let words = {};
let fallback = {};
export let language = "en";

const load = async (code) => (await fetch(`/words/${code}.json`)).json();

/** The nearest language that there is: "zh-Hant-TW" is "zh". */
export function nearest(wanted) {
  const short = (wanted || "en").split(/[-_]/)[0].toLowerCase();
  return short in LANGUAGES ? short : "en";
}

export async function speak(wanted) {
  language = nearest(wanted);
  fallback = Object.keys(fallback).length ? fallback : await load("en");
  words = language === "en" ? fallback : await load(language);
  document.documentElement.lang = { zh: "zh-Hans" }[language] || language;
  for (const element of document.querySelectorAll("[data-words]"))
    element.textContent = say(element.dataset.words);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.matches("button, a")) element.title = say(element.dataset.label);
  }
}

export function say(key, values = {}) {
  const sentence = words[key] || fallback[key] || key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
