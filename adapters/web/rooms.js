// The list of rooms: home first, then the one where something happened last.

import { $, h, icon } from "./dom.js";
import { say } from "./words.js";

export class Rooms {
  constructor(go) {
    this.go = go;
    this.rooms = [];
    this.unread = new Set();
    this.current = null;
    const app = $("app");
    $("side-open").addEventListener("click", () => this.drawer(true));
    $("side-close").addEventListener("click", () => this.drawer(false));
    $("shade").addEventListener("click", () => this.drawer(false));
    app.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && app.classList.contains("drawer")) this.drawer(false);
    });
  }

  set(rooms) {
    this.rooms = rooms;
    this.show();
  }

  get home() {
    return this.rooms.find((room) => room.home);
  }

  get(id) {
    return this.rooms.find((room) => room.id === id);
  }

  title(room) {
    return room.home ? say("home") : room.title || say("no_title");
  }

  put(room) {
    if (room.gone && !room.home) this.rooms = this.rooms.filter((one) => one.id !== room.id);
    else if (this.get(room.id)) Object.assign(this.get(room.id), room);
    else this.rooms.splice(1, 0, room);
    this.show();
  }

  /** Something happened in a room. */
  touch(id, isNews) {
    const room = this.get(id);
    if (!room) return;
    if (isNews && id !== this.current) this.unread.add(id);
    if (!room.home && this.rooms[1] !== room) {
      this.rooms = [this.home, room, ...this.rooms.filter((one) => !one.home && one !== room)];
      this.show();
    } else if (isNews) this.show();
  }

  open(id) {
    this.current = id;
    this.unread.delete(id);
    this.show();
  }

  show() {
    const focused = document.activeElement?.dataset?.room;
    $("rooms").replaceChildren(
      h(
        "ul",
        {},
        ...this.rooms.map((room) =>
          h(
            "li",
            {},
            h(
              "a",
              {
                href: `#/${room.id}`,
                "data-room": room.id,
                "aria-current": room.id === this.current ? "page" : null,
                click: (event) => {
                  event.preventDefault();
                  this.drawer(false);
                  this.go(room.id);
                },
              },
              icon(room.home ? "home" : "page"),
              h("bdi", { title: this.title(room) }, this.title(room)),
              this.unread.has(room.id) ? h("span", { class: "unread" }, say("new")) : null,
            ),
          ),
        ),
      ),
    );
    if (focused) $("rooms").querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
    $("side-open").classList.toggle("news", this.unread.size > 0);
  }

  /** The list as a drawer, on a phone. */
  drawer(open) {
    const app = $("app");
    if (app.classList.contains("drawer") === open) return;
    app.classList.toggle("drawer", open);
    $("shade").hidden = !open;
    $("main").inert = open;
    $("side-open").setAttribute("aria-expanded", String(open));
    (open ? $("side").querySelector("[aria-current]") || $("side-close") : $("side-open")).focus();
  }
}
