// The sheet in which help is asked for, and in which its way is shown, stage by stage.

import { armed, moving } from "./armed.js";
import { build, doubt, fill, isOver, tick } from "./card.js";
import { send } from "./commands.js";
import { forgetHubClock, hubMs, link, now, on, since, state } from "./link.js";
import { element, say, tell } from "./page.js";
import { isMoved, slider } from "./slider.js";

const TICK_MS = 100;
/** As long as somebody takes to read a hint. */
const HINT_MS = 4000;
/** What was asked for no longer ago than this is still meant, whatever the hub's clock says. */
const YOUNG_MS = 10000;
/** For so long after the hub's last word of it a countdown may not be over: the hub may have been started again. */
const DOUBT_MS = 60000;
/** Why the hub refuses to cancel what does not count down. */
const NOT_COUNTING = ["too_late", "no_countdown", "unknown_incident"];
/** The state that follows a reply comes within this. */
const LATE_MS = 500;
/** Screen readers say what changes in a part of the page that they have met already. */
const SAY_MS = 200;

const sheet = element("sheet");
const title = element("sheet-title");
const silence = element("silence");
/** By incident: what is known of it, since when, and its card. What has ended stays until the sheet is closed. */
const known = new Map();
/** What had ended when the sheet was closed: it does not come back and push the sliders away. */
const dismissed = new Set();
/** By incident: what a reply said of it that has to stay in sight. */
const remarks = new Map();
let asksForMore = false;
let ticking = null;
/** The incidents that a cancel is on its way for, or that one has reached: then with the hub's reply. */
const cancelled = new Map();
/** Which question was the last one, and whether it is still asked; and what is to be said of it. */
let latest = 0;
let isAsking = false;
let progress = "";
/** What did not come about, of all that was asked for. */
let problems = [];
/** The hub's reply, as long as it stands in `progress` because no state tells of what it took on. */
let awaited = "";

const listeners = [];

const isGood = ({ outcome }) => outcome === "accepted";

/** Calls this with whether the sheet is open: when that changes, and each time the hub is asked for something. */
export const onSheet = (listener) => listeners.push(listener);

export function open() {
  if (!sheet.open) {
    moving(sheet, () => sheet.showModal());
    for (const listener of listeners) listener(true);
  }
  draw();
}

/** Forgets what ended, by what this page knew, and goes on all the same: the hub was started again and had lost its end. */
function revive(hasEnded) {
  for (const { id } of state.incidents.filter((incident) => !isOver(incident) && hasEnded(incident))) {
    dismissed.delete(id);
    forget(id);
  }
}

/** Whether more was known of an incident than that it counts down, and it counts down again; or it was over. */
function isBack({ id, stage }) {
  const before = known.get(id)?.incident;
  return dismissed.has(id) || (before && (isOver(before) || (stage === "countdown" && before.stage !== stage)));
}

function update() {
  if (awaited) {
    if (progress === awaited) progress = "";
    awaited = "";
    answer();
  }
  revive(isBack);
  const said = state.incidents.filter(({ id }) => !dismissed.has(id));
  let begun = null;
  for (const incident of said) {
    const before = known.get(incident.id);
    if (!before?.isInState && incident.stage === "countdown") begun = incident;
    known.set(incident.id, { ...before, incident, isInState: true, heard: now(), reply: "" });
  }
  for (const [id, { incident }] of known) {
    // What is over is no longer in the state after a while; what vanished otherwise is not known any more.
    const isSaid = said.some((one) => one.id === id);
    if (!isSaid && (!isOver(incident) || !sheet.open)) forget(id);
  }
  if (begun) {
    asksForMore = false;
    if (!isAsking) clear();
    open();
    const { id, message } = begun;
    setTimeout(() => known.get(id)?.incident.stage === "countdown" && tell(element("said"), message), SAY_MS);
    // Not the button "Cancel": a key that is still held down must not press it.
    if (!isMoved()) title.focus({ preventScroll: true });
  }
  draw();
  // Its "Cancel" is to be seen, whatever has ended above it.
  const card = known.get(begun?.id)?.card?.card;
  if (card && !isMoved()) moving(sheet, () => card.scrollIntoView({ block: "nearest" }));
}

function forget(id) {
  known.delete(id);
  remarks.delete(id);
  cancelled.delete(id);
}

const draw = () => moving(sheet, redraw);

/** Draws once what was heard now is too old to be believed. */
const drawLater = () => setTimeout(draw, DOUBT_MS + TICK_MS);

function redraw() {
  const isUp = link === "up";
  element("sheet-lost").hidden = link !== "down";
  // Nothing else moves under a hand that is on its way; but what is not known any more goes at once.
  if (isMoved() && isUp) return;
  // Their way back may be open still, and the hub may hear what is asked for; what it replied has to be seen.
  const isDoubtful = ({ incident, heard, reply }) =>
    link === "down" && (incident.stage === "countdown" || reply) && since(heard) < DOUBT_MS;
  const entries = [...known.values()].filter((entry) => (isUp ? entry.isInState : isDoubtful(entry)));
  const isOpen = entries.some(({ incident }) => !isOver(incident) && (isUp || !cancelled.get(incident.id)));
  place(element("cards"), entries.map(card));
  const isSilent = !isUp || !state.siren.sounding || state.phase === "countdown";
  silence.hidden = isSilent;
  element("more").hidden = !isOpen;
  element("more").setAttribute("aria-expanded", String(asksForMore));
  const hasAsked = isOpen && !asksForMore;
  if (hasAsked && element("ask").contains(document.activeElement)) title.focus({ preventScroll: true });
  element("ask").hidden = hasAsked;
  const cannot = isUp && ["denied", "unknown"].includes(state.plan.standing);
  element("warning").hidden = !cannot;
  tell(element("warning"), cannot ? say("cannotAsk") : "");
  const isCounting = isUp && entries.some(({ incident }) => incident.stage === "countdown");
  if (isCounting && !ticking) ticking = setInterval(tickAll, TICK_MS);
  if (!isCounting) {
    clearInterval(ticking);
    ticking = null;
  }
  tickAll();
}

function card(entry) {
  const { incident } = entry;
  entry.card ??= build(incident, () => cancel(incident), tooEarly);
  if (link === "up") fill(entry.card, incident, remarks.get(incident.id));
  else doubt(entry.card, entry, cancelled.get(incident.id));
  return entry.card.card;
}

/** A second press says nothing new, and the hub would say that there is no countdown any more. */
async function cancel({ id, service }) {
  if (cancelled.has(id)) return;
  cancelled.set(id, null);
  const reply = await ask("cancel", { incident: id }, `${say("cancel")} (${say(`service.${service}`)})`);
  if (isGood(reply) || NOT_COUNTING.includes(reply.reason)) {
    cancelled.set(id, reply);
    // It is older, and may be true no more.
    if (known.has(id)) Object.assign(known.get(id), { reply: "", heard: now() });
    drawLater();
  } else cancelled.delete(id);
  draw();
}

/** What the hub took on while no states come: its way back may be open as well, and nothing else shows it. */
async function request(service) {
  const reply = await ask("request", { service }, say(`service.${service}`));
  const id = reply.incident;
  if (!isGood(reply) || !id || (link === "up" && known.get(id)?.isInState)) return;
  // Its end is lost to the hub, if it goes on.
  if (isGood(cancelled.get(id) ?? {}) || isOver(known.get(id)?.incident ?? {})) forget(id);
  const incident = { id, service, stage: "countdown", remaining_ms: 0 };
  known.set(id, { incident, ...known.get(id), reply: reply.message, heard: now() });
  drawLater();
  draw();
  // A connection that is believed may be dead already.
  setTimeout(() => {
    if (link !== "up" || !known.has(id) || known.get(id).isInState) return;
    awaited = progress = reply.message;
    answer();
  }, LATE_MS);
}

/** Puts these children in place. Those that stay are not touched: a press would be lost that is on its way. */
function place(where, children) {
  const isThere = children.length === where.children.length && children.every((child, at) => child === where.children[at]);
  if (!isThere) where.replaceChildren(...children);
}

function tickAll() {
  for (const { incident, card } of known.values()) if (card && incident.stage === "countdown") tick(card, incident);
}

function clear() {
  [progress, problems] = ["", []];
  answer();
}

/** Shows what is to be said of what was asked for. */
function answer() {
  moving(sheet, () => {
    tell(element("answer"), [...problems, progress].filter(Boolean).join("\n"));
    element("answer").scrollIntoView({ block: "nearest" });
  });
}

function tooEarly() {
  tell(element("asking"), say("tapAgain"));
  setTimeout(() => isAsking || tell(element("asking"), ""), HINT_MS);
}

/**
 * Asks the hub, also where the stream of states is gone: it may hear it all the same. Says what becomes of it, by the name
 * of what was asked for; what did not come about is said whatever was asked for since. Returns the reply.
 */
async function ask(command, payload, name) {
  for (const listener of listeners) listener(true);
  const mine = (latest += 1);
  const goesOn = (text) => {
    if (mine !== latest) return;
    progress = text;
    answer();
  };
  isAsking = true;
  tell(element("asking"), say("sending"));
  problems = [];
  goesOn(link === "down" ? `${say("lost")} ${say("lostAdvice")}` : "");
  const asked = now();
  const isYoung = () => {
    forgetHubClock();
    return since(asked) < YOUNG_MS;
  };
  const reply = await send(command, { ...payload, asked_ms: hubMs() }, () => goesOn(say("tryingAgain")), isYoung);
  if (mine === latest) {
    isAsking = false;
    tell(element("asking"), "");
  }
  goesOn("");
  const isDone = isGood(reply);
  tell(element("said"), isDone ? reply.message : "");
  const isRemark = isDone && reply.durable === false && reply.incident;
  if (isRemark) remarks.set(reply.incident, reply.message);
  else if (!isDone || reply.durable === false) problems.push(`${name}: ${reply.message}`);
  if (!isDone || reply.durable === false) open();
  answer();
  draw();
  return reply;
}

export function start() {
  armed(silence, () => ask("silence", {}, say("silence")), tooEarly);
  element("sos").addEventListener("click", open);
  element("now-show").addEventListener("click", open);
  element("close").addEventListener("click", () => sheet.close());
  sheet.addEventListener("close", () => {
    for (const [id, { incident }] of known) {
      if (!isOver(incident)) continue;
      forget(id);
      dismissed.add(id);
    }
    asksForMore = false;
    if (!isAsking) clear();
    if (!isAsking) tell(element("asking"), "");
    element("sos").focus({ preventScroll: true });
    for (const listener of listeners) listener(false);
  });
  element("more").addEventListener("click", () => {
    asksForMore = !asksForMore;
    draw();
  });
  armed(element("siren-only"), () => request("siren"), tooEarly);
  for (const track of document.querySelectorAll(".slider")) {
    slider(track, () => request(track.dataset.service), draw);
  }
  on("state", update);
  on("link", (to) => {
    if (to === "down") drawLater();
    // What a cancel came to is older than the first word of a connection.
    if (to === "up") revive(({ id }) => cancelled.get(id));
    draw();
  });
}
