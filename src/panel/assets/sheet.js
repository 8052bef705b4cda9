// The sheet in which help is asked for, and in which its way is shown, stage by stage.

import { armed } from "./armed.js";
import { build, fill, isOver, tick } from "./card.js";
import { send } from "./commands.js";
import { hubMs, link, on, state } from "./link.js";
import { element, say, tell } from "./page.js";
import { isDragged, slider } from "./slider.js";

const TICK_MS = 100;
/** As long as somebody takes to read a hint. */
const HINT_MS = 4000;

const sheet = element("sheet");
const title = element("sheet-title");
const silence = element("silence");
/** By incident: what is known of it, and its card. What has ended stays until the sheet is closed. */
const known = new Map();
/** What had ended when the sheet was closed: it does not come back and push the sliders away. */
const dismissed = new Set();
/** By incident: what a reply said of it that has to stay in sight. */
const remarks = new Map();
let asksForMore = false;
let ticking = null;
/** Which question the answer in sight belongs to, and whether it is still asked. */
let latest = 0;
let isAsking = false;
let armSilence = null;

const listeners = [];

/** Calls this with whether the sheet is open: when that changes, and each time the hub is asked for something. */
export const onSheet = (listener) => listeners.push(listener);

export function open() {
  if (!sheet.open) {
    sheet.showModal();
    for (const { card } of known.values()) card?.arm();
    armSilence();
    for (const listener of listeners) listener(true);
  }
  draw();
}

function update() {
  const said = state.incidents.filter(({ id }) => !dismissed.has(id));
  let isNew = false;
  for (const incident of said) {
    isNew ||= !known.has(incident.id) && incident.stage === "countdown";
    known.set(incident.id, { ...known.get(incident.id), incident });
  }
  for (const [id, { incident }] of known) {
    // What is over is no longer in the state after a while; what vanished otherwise is not known any more.
    const isSaid = said.some((one) => one.id === id);
    if (!isSaid && (!isOver(incident) || !sheet.open)) forget(id);
  }
  if (isNew) {
    asksForMore = false;
    if (!isAsking) tell(element("answer"), "");
    open();
    // Not the button "Cancel": a key that is still held down must not press it.
    title.focus({ preventScroll: true });
  }
  draw();
}

function forget(id) {
  known.delete(id);
  remarks.delete(id);
}

function draw() {
  const isUp = link === "up";
  element("sheet-lost").hidden = link !== "down";
  // Nothing else moves under a finger that is on its way; but what is not known any more goes at once.
  if (isDragged() && isUp) return;
  const entries = isUp ? [...known.values()] : [];
  const isOpen = entries.some(({ incident }) => !isOver(incident));
  place(element("cards"), entries.map(card));
  const isSilent = !isUp || !state.siren.sounding || state.phase === "countdown";
  if (silence.hidden && !isSilent) armSilence();
  silence.hidden = isSilent;
  element("more").hidden = !isOpen;
  element("more").setAttribute("aria-expanded", String(asksForMore));
  element("ask").hidden = isOpen && !asksForMore;
  const cannot = isUp && ["denied", "unknown"].includes(state.plan.standing);
  element("warning").hidden = !cannot;
  tell(element("warning"), cannot ? say("cannotAsk") : "");
  const isCounting = entries.some(({ incident }) => incident.stage === "countdown");
  if (isCounting && !ticking) ticking = setInterval(tickAll, TICK_MS);
  if (!isCounting) {
    clearInterval(ticking);
    ticking = null;
  }
  tickAll();
}

function card(entry) {
  const { incident } = entry;
  entry.card ??= build(incident, () => ask("cancel", { incident: incident.id }), tooEarly);
  fill(entry.card, incident, remarks.get(incident.id));
  return entry.card.card;
}

/** Puts these children in place. Those that stay are not touched: a press would be lost that is on its way. */
function place(where, children) {
  const isThere = children.length === where.children.length && children.every((child, at) => child === where.children[at]);
  if (!isThere) where.replaceChildren(...children);
}

function tickAll() {
  for (const { incident, card } of known.values()) if (card && incident.stage === "countdown") tick(card, incident);
}

function tooEarly() {
  tell(element("asking"), say("tapAgain"));
  setTimeout(() => isAsking || tell(element("asking"), ""), HINT_MS);
}

/** Asks the hub, also where the stream of states is gone: it may hear it all the same. Says what becomes of it. */
async function ask(command, payload) {
  for (const listener of listeners) listener(true);
  const mine = (latest += 1);
  const answer = (text) => {
    if (mine !== latest) return;
    tell(element("answer"), text);
    element("answer").scrollIntoView({ block: "nearest" });
  };
  isAsking = true;
  tell(element("asking"), say("sending"));
  answer(link === "down" ? `${say("lost")} ${say("lostAdvice")}` : "");
  const reply = await send(command, { ...payload, asked_ms: hubMs() }, () => answer(say("tryingAgain")));
  if (mine === latest) {
    isAsking = false;
    tell(element("asking"), "");
  }
  const isGood = reply.outcome === "accepted";
  tell(element("said"), isGood ? reply.message : "");
  const isRemark = isGood && reply.durable === false && reply.incident;
  if (isRemark) remarks.set(reply.incident, reply.message);
  answer(isRemark || (isGood && reply.durable !== false) ? "" : reply.message);
  draw();
}

export function start() {
  armSilence = armed(silence, () => ask("silence", {}), tooEarly);
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
    if (!isAsking) tell(element("answer"), "");
    if (!isAsking) tell(element("asking"), "");
    element("sos").focus({ preventScroll: true });
    for (const listener of listeners) listener(false);
  });
  element("more").addEventListener("click", () => {
    asksForMore = !asksForMore;
    draw();
  });
  const alone = element("siren-only");
  alone.addEventListener("click", () => ask("request", { service: "siren" }));
  // A key that is held down asks once.
  alone.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  for (const track of document.querySelectorAll(".slider")) {
    slider(track, () => ask("request", { service: track.dataset.service }), draw);
  }
  on("state", update);
  on("link", draw);
}
