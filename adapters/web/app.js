// Puts the parts together: comes in, opens rooms, hands what happens to whom it concerns.

import { Completion } from "./completion.js";
import { Composer } from "./composer.js";
import { $, announce, h, icon } from "./dom.js";
import { askForm, confirmDialog } from "./forms.js";
import { Outbox } from "./outbox.js";
import { Rooms } from "./rooms.js";
import { askSettings, showTheme } from "./settings.js";
import { Transcript } from "./transcript.js";
import { setUpViewer } from "./viewer.js";
import { ask, Line, nonce, Refused, upload } from "./wire.js";
import { language, say, speak } from "./words.js";

let me = null;
let commands = [];
const narrow = matchMedia("(max-width: 760px)"); // as in app.css
let missed = 0; // messages that came while nobody looked

const rooms = new Rooms((id) => go(id));
const transcript = new Transcript({
  press,
  retry: (entry) => outbox.retry(entry),
  drop: (entry) => {
    outbox.drop(entry);
    transcript.dropPending(entry.nonce);
  },
  older: (before) => ask("GET", `/api/rooms/${rooms.current}/messages?before=${before}`),
  go: (id) => go(id),
});
const outbox = new Outbox({
  show: (entry) => entry.room === rooms.current && transcript.putPending(entry),
  busy: (yes) => $("send").classList.toggle("busy", yes),
  done: (entry, answer) => {
    if (!answer) transcript.dropPending(entry.nonce);
    else if (answer.state === "fill") {
      transcript.dropPending(entry.nonce);
      fillCommand(answer.command, answer.options, entry.uploads, entry.names);
    } else follow(answer);
  },
});
const completion = new Completion({
  commands: () => commands,
  suggest,
  form: (command) => fillCommand(command.name, {}),
});
const composer = new Composer({
  completion,
  problem: toast,
  send: (text, uploads, names) => outbox.add(rooms.current, text, uploads, names),
});
const line = new Line({
  event: heard,
  renew: comeIn,
  state: (connected) => {
    clearTimeout(line.notice);
    if (connected) {
      $("state").textContent = "";
      outbox.work();
    } else line.notice = setTimeout(() => ($("state").textContent = say("connecting")), 1500);
  },
});

async function comeIn() {
  line.stop();
  let session;
  try {
    session = await ask("POST", "/api/session", { language: navigator.language });
  } catch (problem) {
    if (problem instanceof Refused && problem.body.login) return showDoor();
    $("state").textContent = problem instanceof Refused ? problem.message : say("connecting");
    return void setTimeout(comeIn, 3000);
  }
  await showMe(session.me); // the commands first: what is typed before they are known gets no help
  $("door").hidden = true;
  $("app").hidden = false;
  rooms.current = null;
  rooms.set(session.rooms);
  await openRoom(wantedRoom());
  line.start(session.seq);
}

async function showMe(profile) {
  const spoke = me?.language;
  me = profile;
  if (spoke !== profile.language) {
    await speak(profile.language);
    commands = await ask("GET", `/api/commands?language=${language}`);
    rooms.show();
    showTitle();
  }
  $("me-name").textContent = me.name;
  $("me-letter").textContent = [...me.name][0];
  $("me").setAttribute("aria-label", say("settings_of", { name: me.name }));
}

function showDoor() {
  $("app").hidden = true;
  $("door").hidden = false;
  $("password").focus();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("login-error").textContent = "";
  try {
    await ask("POST", "/api/login", { password: $("password").value });
    $("password").value = "";
    await comeIn();
    $("box").focus();
  } catch (problem) {
    $("login-error").textContent = problem instanceof Refused ? problem.message : say("not_connected");
    $("password").select();
  }
});

// Rooms

const wantedRoom = () => {
  const id = location.hash.slice(2);
  return rooms.get(id) ? id : rooms.home.id;
};

function go(id) {
  if (location.hash.slice(2) === id) openRoom(id);
  else location.hash = `/${id}`; // and the back button leads back
}

addEventListener("hashchange", () => me && openRoom(wantedRoom()));

async function openRoom(id) {
  if (rooms.current === id) return void $("box").focus({ preventScroll: true });
  rooms.open(id);
  showTitle();
  let messages;
  try {
    messages = await ask("GET", `/api/rooms/${id}/messages`);
  } catch (problem) {
    if (rooms.current === id) rooms.current = null;
    if (problem instanceof Refused && problem.status === 401) return void comeIn();
    toast(problem instanceof Refused ? problem.message : say("not_connected"));
    return;
  }
  if (rooms.current !== id) return;
  transcript.open(id, messages);
  for (const entry of outbox.of(id)) transcript.putPending(entry);
  transcript.welcome(welcome());
  if (matchMedia("(hover: hover)").matches) $("box").focus({ preventScroll: true });
}

function showTitle() {
  const room = rooms.get(rooms.current);
  const title = room ? rooms.title(room) : "Inkwell";
  $("title").textContent = title;
  document.title = (missed ? `(${missed}) ` : "") + (room && !room.home ? `${title} · Inkwell` : "Inkwell");
  $("room-delete").hidden = !room || room.home;
  const inRoom = narrow.matches ? "say_room_short" : "say_room";
  $("box").placeholder = say(!room || room.home ? "say_home" : inRoom);
}

narrow.addEventListener("change", showTitle);

function welcome() {
  const isHome = rooms.get(rooms.current)?.home;
  const offers = firstOfEach(commands).slice(0, 6).map((one) =>
    h(
      "li",
      {},
      h("button", { click: () => choose(one) }, h("b", {}, `/${one.name}`), h("span", {}, one.help)),
    ),
  );
  return h(
    "div",
    { class: "welcome" },
    h("span", { class: "drop" }, icon("drop")),
    h("h2", {}, say(isHome ? "hello" : "empty_room")),
    h("p", {}, say(isHome ? "hello_more" : "say_room")),
    isHome ? h("ul", { class: "offers" }, ...offers) : null,
  );
}

/** One command of every group ("story new" for all of "story ..."), and no settings. */
function firstOfEach(all) {
  const group = (one) => one.name.split(" ")[0];
  const open = all.filter((one) => !one.manager_only);
  return open.filter((one, at) => open.findIndex((other) => group(other) === group(one)) === at);
}

function choose(command) {
  if (command.options.length) fillCommand(command.name, {});
  else outbox.add(rooms.current, `/${command.name}`);
}

$("room-delete").addEventListener("click", async () => {
  const room = rooms.get(rooms.current);
  if (!room) return;
  const title = say("delete_room");
  if (await confirmDialog(title, say("delete_room_sure", { title: rooms.title(room) }), title))
    await attempt(() => ask("DELETE", `/api/rooms/${room.id}`));
});

// What the server tells

function heard(event) {
  if (event.type === "me") showMe(event.me);
  if (event.type === "room") {
    rooms.put(event.room);
    if (event.room.gone) transcript.remove(event.room.id);
    if (event.room.gone && event.room.id === rooms.current) {
      if (event.room.home) transcript.welcome(welcome());
      else go(rooms.home.id);
    }
    showTitle();
  }
  if (event.type === "gone") {
    transcript.take(event.id);
    transcript.welcome(welcome());
  }
  if (event.type !== "message") return;
  const { message } = event;
  const isNews = !message.mine && message.progress === null;
  rooms.touch(message.room, isNews);
  if (message.room === transcript.room) transcript.put(message);
  if (isNews && document.hidden) {
    missed += 1;
    showTitle();
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !missed) return;
  missed = 0;
  showTitle();
});

// What people do

/** Goes where an answer leads: to a room, to a form. */
function follow(answer) {
  if (answer.room) go(answer.room);
  if (answer.form) showForm(answer.form);
}

async function call(body, room = rooms.current) {
  transcript.expect();
  const answer = await ask("POST", `/api/rooms/${room}/calls`, { nonce: nonce(), ...body });
  if (answer.state === "unknown") throw new Refused(409, { error: say("unknown_again") });
  return answer;
}

/** One nonce as long as the same is sent: a second try after a lost connection is no second call. */
function onceEach() {
  const given = new Map();
  return (values) => {
    const key = JSON.stringify(values);
    if (!given.has(key)) given.set(key, nonce());
    return given.get(key);
  };
}

async function press(message, data, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  await attempt(async () => follow(await call({ press: data }, message.room)));
  button.removeAttribute("aria-disabled");
}

function showForm(form) {
  const room = rooms.current;
  const once = onceEach();
  askForm({
    title: form.title,
    fields: form.fields.map((field) => ({ kind: "text", ...field })),
    draft: JSON.stringify([form.data, form.fields.map((field) => field.value)]),
    send: async (values) =>
      follow(await call({ form: form.data, options: values, nonce: once(values) }, room)),
  });
}

/** A command as a form: what is typed already is filled in. */
function fillCommand(name, typed, uploads = {}, names = []) {
  const command = commands.find((one) => one.name === name);
  const room = rooms.current;
  const once = onceEach();
  const sent = new Map(); // a file that was picked -> its token
  const fields = command.options.map((option) => ({
    ...option,
    label: option.help,
    value: typed[option.name],
    suggest: option.suggests && ((text) => suggest(name, option.name, text)),
  }));
  const waiting = Object.values(uploads);
  const fileFields = fields.filter((field) => field.kind === "file");
  fileFields.slice(0, waiting.length).forEach((field, index) => {
    Object.assign(field, { required: false, help: say("attached_name", { name: names[index] }) });
  });
  if (!typed || !Object.keys(typed).length) takeFromBox(command, fields);
  askForm({
    title: `/${name}`,
    help: command.help,
    fields,
    draft: Object.keys(typed).length ? null : `/${name} ${room}`,
    send: async (values) => {
      const options = {};
      const tokens = { ...uploads };
      for (const field of fields) {
        const value = values[field.name];
        if (field.kind !== "file") options[field.name] = value;
        else if (value) {
          if (!sent.has(value)) sent.set(value, await upload(value, () => {}).done);
          tokens[field.name] = sent.get(value);
        }
      }
      follow(await call({ command: name, options, uploads: tokens, nonce: once(options) }, room));
    },
  });
}

/** Options that stand in the box are taken over into the form. */
function takeFromBox(command, fields) {
  const text = $("box").value;
  const names = command.options.map((option) => option.name).join("|");
  if (!text.startsWith(`/${command.name}`) || !names) return;
  const rest = text.slice(command.name.length + 1);
  const marks = [...rest.matchAll(new RegExp(`(?:^|\\s)(${names})[:：]`, "g"))];
  const first = fields.find((field) => field.required && field.kind === "text");
  const before = rest.slice(0, marks[0]?.index ?? rest.length).trim();
  if (first && before) first.value = before;
  marks.forEach((mark, index) => {
    const field = fields.find((one) => one.name === mark[1]);
    field.value = rest.slice(mark.index + mark[0].length, marks[index + 1]?.index).trim();
  });
  composer.fill("");
  completion.close();
}

async function suggest(command, option, typed) {
  try {
    const body = { command, option, typed };
    return await ask("POST", `/api/rooms/${rooms.current}/suggest`, body);
  } catch {
    return [];
  }
}

async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    toast(problem instanceof Refused ? problem.message : say("not_connected"));
  }
}

function toast(words) {
  document.querySelector(".toast")?.remove();
  const shown = h("p", { class: "toast" }, words);
  $("composer").append(shown);
  announce(words);
  setTimeout(() => shown.remove(), 6000);
}

$("me").addEventListener("click", () => {
  rooms.drawer(false);
  askSettings(me, {
    change: async (changed) => showMe((await ask("POST", "/api/me", changed)).me),
    forget: async () => {
      if (!(await confirmDialog(say("forget"), say("forget_sure"), say("forget")))) return;
      await attempt(() => ask("DELETE", "/api/me"));
    },
  });
});

addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  composer.offer();
});

showTheme();
setUpViewer();
await speak(navigator.language);
comeIn();
