// Keeps an open page up to date, sounds alarms, sends buttons without leaving the page, and makes it work by keyboard.
// Without this script every page and button still works, by loading pages.

import { morph } from "./morph.js";
import { localise, setNow, tick } from "./time.js";

const { live, now, alarm, unattended, title } = document.body.dataset;
const element = (id) => document.getElementById(id);
/** Two keep-alives of the server. */
const SILENT_MS = 35000;
const RETRY_MS = 1000;

let stream = null;
let lastAlarm = Number(alarm);
let lastUnattended = Number(unattended);
let sounds = null;
let watch = null;

function show(state) {
  const pressed = document.activeElement?.closest("form[data-order]");
  setNow(state.now);
  morph(element("nav"), parse(state.nav));
  morph(element("health"), parse(state.health));
  if (state.main !== null) {
    const fresh = parse(state.main);
    localise(fresh);
    morph(element("main"), fresh);
  }
  // Whoever works by keyboard stays before the buttons when the step, and with it the button, has changed; not on one of
  // them, or a key that is pressed twice would take two steps.
  if (pressed && !pressed.isConnected) (element("next") ?? element("main")).focus();
  tick();
  tell(state.title ?? title, state.alarm, state.unattended);
}

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html").body;
}

function tell(name, alarms, incidents) {
  document.title = incidents ? `(${incidents}) ALARM – ${name} – sos-center` : `${name} – sos-center`;
  if (alarms > lastAlarm && incidents) {
    element("announce").textContent =
      `New alarm. ${incidents} ${incidents === 1 ? "incident cries" : "incidents cry"} for an operator.`;
  }
  [lastAlarm, lastUnattended] = [alarms, incidents];
  sounds?.heard(alarms, incidents);
}

function setConnected(is) {
  document.documentElement.dataset.connected = is;
  element("connection").textContent = is ? "Live" : "Not connected";
  element("stale").hidden = is;
  element("stale").textContent = is ? "" : "Not connected: what you see may be old.";
}

function connect() {
  stream = new EventSource(live);
  const lost = () => {
    disconnect();
    setConnected(false);
    setTimeout(again, RETRY_MS);
  };
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(lost, SILENT_MS);
  };
  stream.addEventListener("page", ({ data }) => {
    alive();
    show(JSON.parse(data));
    setConnected(true);
  });
  stream.addEventListener("alive", alive);
  stream.addEventListener("over", () => {
    disconnect();
    logIn();
  });
  stream.addEventListener("error", lost);
  alive();
}

function disconnect() {
  stream?.close();
  clearTimeout(watch);
}

async function again() {
  try {
    if ((await fetch("/session")).status === 401) return logIn();
  } catch {
    return setTimeout(again, RETRY_MS);
  }
  connect();
}

function logIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

function refuse(message) {
  const banner = document.createElement("p");
  banner.className = "banner bad";
  banner.textContent = message;
  element("refusal").replaceChildren(...(message ? [banner] : []));
}

async function send(form) {
  const seen = lastAlarm;
  form.dataset.busy = "true";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (answer.status === 401) return logIn();
    const json = answer.headers.get("content-type")?.includes("json");
    const { ok, message } = json ? await answer.json() : { ok: false, message: await answer.text() };
    refuse(ok ? "" : message);
    if (!ok) return;
    form.reset();
    // Not what has cried since it was pressed; and a note is no act.
    if (form.matches("[data-order]")) sounds?.silence(seen);
  } catch {
    refuse("The center was not reached, and it is not known whether it was done. Look again before you go on.");
  } finally {
    delete form.dataset.busy;
  }
}

function walk(step) {
  const rows = [...document.querySelectorAll("#main a[data-row]")];
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
}

function press(key) {
  if (key === "j") walk(1);
  else if (key === "k") walk(-1);
  else if (key === "n") element("note")?.focus();
  else if (key === "q") location.assign("/");
  else if (key === "s") sounds?.silence(lastAlarm);
  else if (/^[1-8]$/.test(key)) {
    const button = document.querySelector(`button[data-digit="${key}"]`);
    const field = button?.form.querySelector("input:not([type=hidden])");
    (field?.value === "" ? field : button)?.focus();
  } else return false;
  return true;
}

// A page that the browser keeps for its "back" button would keep its connection, too, and there are six of them.
function rest() {
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    setConnected(false);
    again();
  });
}

if (live) {
  rest();
  setNow(Number(now));
  localise(document);
  tick();
  setInterval(tick, 1000);
  import("./sound.js").then((module) => {
    sounds = module;
    // More may have come while this was on its way.
    module.heard(lastAlarm, lastUnattended);
  });
  tell(title, Number(alarm), Number(unattended));
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-order], form#note-form")) return;
    event.preventDefault();
    if (!event.target.dataset.busy) send(event.target);
  });
  // A double click, or a key that is held, is one press: under the pointer there may be the next step already.
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest("form[data-order]")) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.target.closest("form[data-order] button")) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
    } else if (press(event.key)) event.preventDefault();
  });
  connect();
}
