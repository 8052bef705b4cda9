// What the hub says, as long as it is there. Nothing is shown that is not known to be true now: a countdown takes five
// seconds, so what is older than three may be the opposite of the truth.

import { whenNothingIsAsked } from "./commands.js";
import { element, may, say } from "./page.js";

/** The hub gives a sign of life every second. */
const SILENT_MS = 2800;
/** A connection that has not come about by then is tried anew. */
const CONNECTING_MS = 8000;
const LOOK_MS = 250;
const AGREED_MS = 1000;
const AGAIN_MS = [300, 700, 1500, 2000];
/** Half a minute: in that time the clocks do not drift apart. */
const MOST_LEADS = 30;

const listeners = { state: [], event: [], link: [] };
let stream = null;
let failures = 0;
let again = null;
/** The last sign of life, or when the connection was asked for; and the last look at it. By both clocks: one stands still
 * in some devices' sleep, the other may be set. */
let heard = now();
let looked = now();

/** The latest state; null as long as it is not known to be true now. */
export let state = null;
/** "up", "down", or "" while it is not known yet. Nothing but "up" says that something is true. */
export let link = "";
let ageMs = 0;
let receivedAt = 0;
/** How far this page's clock was ahead of the hub's, as it seemed by the latest words of this connection. The least is the
 * truest: the way takes time, and adds to it. */
let leads = [];
/** What the hub's own clock showed when it spoke last, and when that was. */
let told = null;

/** Calls this with every state, event, or change of the link; and with the state that is known already. */
export function on(what, listener) {
  listeners[what].push(listener);
  if (what === "state" && state) listener(state);
}

/** How much of an incident's countdown is left, by the hub's own clock. */
export const remainingMs = (incident) =>
  Math.max(0, incident.remaining_ms - ageMs - (performance.now() - receivedAt));

/**
 * What the hub's clock shows now, in milliseconds since its machine was started; undefined where that is not known. Where
 * the clocks of this device do not agree on the time since, one of them slept or was set.
 */
export function hubMs() {
  if (!told) return undefined;
  const [steady, wall] = [performance.now() - told.at.steady, Date.now() - told.at.wall];
  return Math.abs(steady - wall) < AGREED_MS ? Math.floor(told.ms + steady) : undefined;
}

/** Forgets the hub's clock until it is told anew: its machine was started again. */
export function forgetHubClock() {
  told = null;
}

/** Takes what the hub's clock showed as it spoke. Returns when that was, by the clock of this page. */
function tells(ms) {
  if (!Number.isFinite(ms)) return performance.now();
  told = { ms, at: now() };
  leads = [...leads, told.at.steady - ms].slice(-MOST_LEADS);
  return ms + Math.min(...leads);
}

export function now() {
  return { steady: performance.now(), wall: Date.now() };
}

/** The time since then by the clock that says more; endless if a clock was set back. */
export function since({ steady, wall }) {
  const passed = Date.now() - wall;
  return passed < -LOOK_MS ? Infinity : Math.max(passed, performance.now() - steady);
}

/** Whether this page slept, or a clock was set: then nothing of before counts, what waits to be read included. */
function hasSlept() {
  const slept = since(looked) > SILENT_MS;
  looked = now();
  return slept;
}

export function connect() {
  // One that nobody sees waits until it is looked at.
  if (document.hidden) return;
  // A timer of before the sleep may come before the next look.
  if (hasSlept()) return anew();
  clearTimeout(again);
  stream?.close();
  leads = [];
  const opened = (stream = new EventSource("/updates"));
  const listen = (name, listener) =>
    opened.addEventListener(name, (message) => {
      if (stream !== opened) return;
      if (hasSlept()) return anew();
      heard = now();
      listener(message);
    });
  listen("state", ({ data }) => {
    const said = JSON.parse(data);
    [state, ageMs, receivedAt] = [said.state, said.age_ms, tells(said.now_ms)];
    const isOld = state.version !== document.body.dataset.version;
    if (isOld && isIdle()) whenNothingIsAsked(() => isIdle() && location.reload());
    set("up");
    for (const listener of listeners.state) listener(state);
  });
  listen("event", ({ data }) => {
    for (const listener of listeners.event) listener(JSON.parse(data));
  });
  listen("alive", ({ data }) => tells(data ? Number(data) : NaN));
  // It may act no more, or it may now.
  opened.addEventListener("standing", ({ data }) => data !== may && whenNothingIsAsked(() => location.reload()));
  opened.addEventListener("error", () => stream === opened && lost());
  heard = now();
}

function look() {
  if (document.hidden) return;
  if (hasSlept()) return anew();
  const silence = since(heard);
  if (!stream || silence < SILENT_MS) return;
  // What has not come about yet may still do.
  if (link === "up" || silence > CONNECTING_MS) lost();
  else set("down");
}

/** Whether no help is on its way, and no finger to ask for it: there is nothing to press while a page is loaded. */
const isIdle = () => state?.phase === "idle" && !document.querySelector(".slider.dragged");

/** Ends the connection; what it said is not known any more. */
function leave() {
  stream?.close();
  stream = null;
  clearTimeout(again);
}

function anew() {
  leave();
  set("");
  connect();
}

function lost() {
  leave();
  set("down");
  again = setTimeout(connect, AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)]);
  failures += 1;
}

function set(to) {
  if (to === "up") failures = 0;
  else state = null;
  if (link === to) return;
  link = to;
  document.documentElement.dataset.link = to;
  const notice = element("lost");
  notice.classList.remove("first");
  notice.hidden = to !== "down";
  notice.textContent = to === "down" ? `${say("lost")} ${say("lostAdvice")}` : "";
  for (const listener of listeners.link) listener(to);
}

// A page that nobody sees keeps no connection: browsers have few for one site, and the SOS needs one. It keeps no state
// either, so that none of before is there when it is looked at again.
function lookAway() {
  leave();
  set("");
}
document.addEventListener("visibilitychange", () => (document.hidden ? lookAway() : connect()));
addEventListener("pagehide", lookAway);
document.addEventListener("freeze", lookAway);
addEventListener("pageshow", ({ persisted }) => persisted && connect());
addEventListener("offline", lost);
addEventListener("online", connect);
setInterval(look, LOOK_MS);
