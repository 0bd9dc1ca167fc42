// Name, language, light or dark.

import { h } from "./dom.js";
import { askForm } from "./forms.js";
import { LANGUAGES, say } from "./words.js";

const THEMES = ["auto", "light", "dark"];
const KEY = "inkwell.theme";

const kept = () => {
  try {
    return localStorage.getItem(KEY) || "auto";
  } catch {
    return "auto"; // storage is switched off
  }
};

export function showTheme(theme = kept()) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // then it lasts until the page is closed
  }
}

addEventListener("storage", (event) => event.key === KEY && showTheme());

export function askSettings(me, { change, forget }) {
  const dialog = askForm({
    title: say("settings"),
    action: say("save"),
    fields: [
      { name: "name", label: say("your_name"), kind: "text", value: me.name, limit: 40, required: true },
      {
        name: "language",
        label: say("interface_language"),
        kind: "text",
        required: true,
        choices: Object.entries(LANGUAGES),
        value: me.language,
      },
      {
        name: "theme",
        label: say("theme"),
        kind: "text",
        required: true,
        choices: THEMES.map((theme) => [theme, say(`theme_${theme}`)]),
        value: kept(),
      },
    ],
    send: async ({ name, language, theme }) => {
      showTheme(theme);
      await change({ name, language });
    },
  });
  dialog.querySelector(".fields").append(
    h("p", { class: "help" }, say("known_by")),
    h(
      "details",
      {},
      h("summary", {}, say("forget")),
      h("p", {}, say("forget_more")),
      h(
        "button",
        {
          type: "button",
          class: "danger",
          click: () => {
            dialog.close();
            forget();
          },
        },
        say("forget"),
      ),
    ),
  );
}
