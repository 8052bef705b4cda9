// What the hub says, as long as it is there. Nothing is shown that is not known to be true now.

import { element, say } from "./page.js";

/** The hub gives a sign of life every two seconds. */
const SILENT_MS = 5500;
const AGAIN_MS = [300, 700, 1500, 2000];

const listeners = { state: [], event: [], link: [] };
let stream = null;
let watch = null;
let failures = 0;
let again = null;

/** The latest state; null as long as nothing is known. */
export let state = null;
/** "up", "down", or "" while it is not known yet. */
export let link = "";
let ageMs = 0;
let receivedAt = 0;

export const on = (what, listener) => listeners[what].push(listener);

/** How much of an incident's countdown is left, by the hub's own clock. */
export const remainingMs = (incident) =>
  Math.max(0, incident.remaining_ms - ageMs - (performance.now() - receivedAt));

export function connect() {
  clearTimeout(again);
  stream?.close();
  stream = new EventSource("/updates");
  stream.addEventListener("state", ({ data }) => {
    const said = JSON.parse(data);
    if (said.state.version !== document.body.dataset.version) return location.reload();
    [state, ageMs, receivedAt] = [said.state, said.age_ms, performance.now()];
    alive();
    set("up");
    for (const listener of listeners.state) listener(state);
  });
  stream.addEventListener("event", ({ data }) => {
    alive();
    for (const listener of listeners.event) listener(JSON.parse(data));
  });
  stream.addEventListener("alive", alive);
  stream.addEventListener("error", lost);
  alive();
}

function alive() {
  clearTimeout(watch);
  watch = setTimeout(lost, SILENT_MS);
}

function lost() {
  stream?.close();
  stream = null;
  clearTimeout(watch);
  clearTimeout(again);
  set("down");
  again = setTimeout(connect, AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)]);
  failures += 1;
}

function set(now) {
  if (now === "up") failures = 0;
  if (link === now) return;
  link = now;
  document.documentElement.dataset.link = now;
  const notice = element("lost");
  notice.hidden = now !== "down";
  notice.textContent = now === "down" ? `${say("lost")} ${say("lostAdvice")}` : "";
  for (const listener of listeners.link) listener(now);
}

// A page that nobody sees keeps no connection: browsers have few for one site, and the SOS needs one.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    stream = null;
    clearTimeout(watch);
    clearTimeout(again);
    set("");
  } else connect();
});
addEventListener("offline", lost);
addEventListener("online", connect);
addEventListener("pageshow", ({ persisted }) => persisted && connect());
