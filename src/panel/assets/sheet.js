// The sheet in which help is asked for, and in which its way is shown, stage by stage.

import { send } from "./commands.js";
import { link, on, remainingMs, state } from "./link.js";
import { element, make, may, say, tell } from "./page.js";
import { isDragged, slider } from "./slider.js";

const ENDS = ["aborted", "cancelled_by_contact", "refused_by_center", "closed"];
const TICK_MS = 100;
const ORDER = ["countdown", "requested", "acknowledged", "calling_first_contact", "dispatched", "closed"];

const sheet = element("sheet");
const title = element("sheet-title");
/** By incident: what is known of it, and its card. What has ended stays until the sheet is closed. */
const known = new Map();
let asksForMore = false;
let ticking = null;

const isOver = ({ stage }) => ENDS.includes(stage);

export function open() {
  if (!sheet.open) sheet.showModal();
  draw();
}

function close() {
  sheet.close();
}

function update() {
  const said = state?.incidents ?? [];
  let isNew = false;
  for (const incident of said) {
    isNew ||= !known.has(incident.id) && incident.stage === "countdown";
    known.set(incident.id, { ...known.get(incident.id), incident });
  }
  for (const [id, { incident }] of known) {
    // What is over is no longer in the state after a while; what vanished otherwise is not known any more.
    const isSaid = said.some((one) => one.id === id);
    if (!isSaid && (!isOver(incident) || !sheet.open)) known.delete(id);
  }
  if (isNew) {
    asksForMore = false;
    element("answer").textContent = "";
    if (!sheet.open) sheet.showModal();
    // Not the button "Cancel": a key that is still held down must not press it.
    title.focus({ preventScroll: true });
  }
  draw();
}

function draw() {
  if (isDragged()) return;
  const isLost = link === "down";
  const cards = isLost ? [] : [...known.values()];
  const isOpen = cards.some(({ incident }) => !isOver(incident));
  element("sheet-lost").hidden = !isLost;
  element("cards").replaceChildren(...cards.map(card));
  element("silence").hidden = isLost || !state?.siren.sounding || state.phase === "countdown";
  element("more").hidden = isLost || !isOpen;
  element("more").setAttribute("aria-expanded", String(asksForMore));
  element("ask").hidden = isOpen && !asksForMore;
  const cannot = ["denied", "unknown"].includes(state?.plan.standing);
  element("warning").hidden = isLost || !cannot;
  tell(element("warning"), cannot ? say("cannotAsk") : "");
  const isCounting = cards.some(({ incident }) => incident.stage === "countdown");
  if (isCounting && !ticking) ticking = setInterval(tick, TICK_MS);
  if (!isCounting) {
    clearInterval(ticking);
    ticking = null;
  }
  tick();
}

/** The card of an incident. It is kept, so that a button does not vanish under a finger. */
function card(entry) {
  const { incident } = entry;
  entry.card ??= build(incident);
  const { card, seconds, counting, message, steps } = entry.card;
  card.dataset.stage = incident.stage;
  card.classList.toggle("over", isOver(incident));
  counting.hidden = incident.stage !== "countdown";
  seconds.dataset.of = incident.id;
  const text = incident.resumed && incident.stage === "countdown" ? `${say("resumed")} ${incident.message}` : incident.message;
  tell(message, text);
  steps.hidden = incident.stage === "countdown" || incident.service === "siren" || incident.stage === "aborted";
  steps.replaceChildren(...progress(incident.stage));
  return card;
}

function build({ id, service }) {
  const seconds = make("span", { className: "seconds" });
  const unit = make("span", { className: "unit" });
  const cancel = make("button", { type: "button", className: "cancel" }, say("cancel"));
  const name = make("h3", { id: `incident-${id}` }, say(`service.${service}`));
  cancel.setAttribute("aria-describedby", name.id);
  // Not the second tap of two that asked for something where the button is now.
  cancel.addEventListener("click", ({ detail }) => detail < 2 && ask("cancel", { incident: id }));
  const clock = make("p", { className: "clock" }, seconds, unit);
  clock.setAttribute("role", "timer");
  const counting = make("div", { className: "counting" }, clock, cancel);
  const message = make("p", { className: "message" });
  message.setAttribute("role", "status");
  const steps = make("ol", { className: "steps" });
  const card = make("section", { className: `incident ${service}` }, name, message, counting, steps);
  card.setAttribute("aria-labelledby", name.id);
  return { card, seconds, unit, counting, message, steps };
}

function progress(stage) {
  const shown = { confirmed: "calling_first_contact", no_answer: "calling_first_contact", calling_other_contacts: "dispatched" };
  const ends = ENDS.includes(stage) ? stage : "closed";
  const order = [...ORDER.slice(1, -1), ends];
  const at = order.indexOf(shown[stage] ?? stage);
  return order.map((step, index) => {
    const item = make("li", { className: index < at ? "done" : index === at ? "here" : "" }, say(`stage.${step}`));
    if (index === at) item.setAttribute("aria-current", "step");
    return item;
  });
}

function tick() {
  for (const { incident, card } of known.values()) {
    if (!card || incident.stage !== "countdown") continue;
    const left = Math.ceil(remainingMs(incident) / 1000);
    tell(card.seconds, String(left));
    tell(card.unit, say(left === 1 ? "secondLeft" : "secondsLeft"));
  }
}

/** Asks the hub, and says what became of it. */
async function ask(command, payload) {
  const answer = element("answer");
  tell(answer, link === "down" ? `${say("lost")} ${say("lostAdvice")}` : "");
  tell(element("said"), say("sending"));
  const reply = await send(command, payload);
  const isGood = reply.outcome === "accepted";
  tell(element("said"), isGood ? reply.message : "");
  tell(answer, isGood && reply.durable !== false ? "" : reply.message);
  answer.scrollIntoView({ block: "nearest" });
}

/** Also where the stream of states is gone: the hub may hear it all the same. */
function request(service) {
  ask("request", { service });
}

export function start() {
  element("sos").addEventListener("click", open);
  element("now-show").addEventListener("click", open);
  element("close").addEventListener("click", close);
  sheet.addEventListener("close", () => {
    for (const [id, { incident }] of known) if (isOver(incident)) known.delete(id);
    asksForMore = false;
    tell(element("answer"), "");
    element("sos").focus({ preventScroll: true });
  });
  element("more").addEventListener("click", () => {
    asksForMore = !asksForMore;
    draw();
  });
  element("silence").addEventListener("click", () => ask("silence", {}));
  element("siren-only").addEventListener("click", () => request("siren"));
  // A key that is held down asks once.
  element("siren-only").addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  for (const track of document.querySelectorAll(".slider")) {
    track.classList.toggle("cannot", may !== "act");
    slider(track, () => request(track.dataset.service), draw);
  }
  on("state", update);
  on("link", draw);
}
