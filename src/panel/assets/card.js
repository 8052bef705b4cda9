// The card of an incident: its countdown with "Cancel", its message, and how far it has come.

import { armed } from "./armed.js";
import { remainingMs } from "./link.js";
import { make, say, tell } from "./page.js";

const ENDS = ["aborted", "cancelled_by_contact", "refused_by_center", "closed"];
const STEPS = ["requested", "acknowledged", "calling_first_contact", "dispatched", "closed"];
/** Stages that are shown as a step of another name. */
const WITHIN = { confirmed: "calling_first_contact", no_answer: "calling_first_contact", calling_other_contacts: "dispatched" };

export const isOver = ({ stage }) => ENDS.includes(stage);

/** A card that is filled by `fill`. It is kept for the incident, so that a button does not vanish under a finger. */
export function build({ id, service }, cancels, tooEarly) {
  const seconds = make("span", { className: "seconds" });
  seconds.dataset.of = id;
  const unit = make("span", { className: "unit" });
  const cancel = make("button", { type: "button", className: "cancel" }, say("cancel"));
  const name = make("h3", { id: `incident-${id}` }, say(`service.${service}`));
  cancel.setAttribute("aria-describedby", name.id);
  armed(cancel, cancels, tooEarly);
  const clock = make("p", { className: "clock" }, seconds, unit);
  clock.setAttribute("role", "timer");
  const counting = make("div", { className: "counting" }, clock, cancel);
  const message = make("p", { className: "message" });
  message.setAttribute("role", "status");
  const note = make("p", { className: "note", hidden: true });
  note.setAttribute("role", "alert");
  const steps = make("ol", { className: "steps" });
  const card = make("section", { className: `incident ${service}` }, name, message, note, counting, steps);
  card.setAttribute("aria-labelledby", name.id);
  return { card, seconds, unit, clock, counting, message, note, steps };
}

/** Shows an incident on its card, and what else has to be said of it. */
export function fill({ card, clock, counting, message, note, steps }, incident, remark) {
  clock.hidden = false;
  const { service, stage } = incident;
  card.dataset.stage = stage;
  card.classList.toggle("over", isOver(incident));
  counting.hidden = stage !== "countdown";
  tell(message, incident.resumed && stage === "countdown" ? `${say("resumed")} ${incident.message}` : incident.message);
  note.hidden = !remark;
  tell(note, remark ?? "");
  // Of what is over it is not known here which steps it took: nobody may have been dispatched.
  steps.hidden = stage === "countdown" || service === "siren" || isOver(incident);
  if (steps.dataset.at !== stage) steps.replaceChildren(...progress(stage));
  steps.dataset.at = stage;
}

/**
 * Shows the card of what counted down when the hub spoke last, or has replied since to whoever asked for it: it may count
 * down now, and then it can be cancelled. `cancelled` is the hub's reply to a cancel that leaves nothing to cancel.
 */
export function doubt({ card, clock, counting, message, steps }, { incident, reply }, cancelled) {
  const mayCount = incident.stage === "countdown" && !cancelled;
  card.dataset.stage = "unsure";
  clock.hidden = true;
  steps.hidden = true;
  counting.hidden = !mayCount;
  const advice = mayCount ? say(reply ? "unsureReply" : "unsure") : cancelled?.message;
  tell(message, [reply, advice].filter(Boolean).join(" "));
}

/** Shows what is left of a countdown. */
export function tick({ seconds, unit }, incident) {
  const left = Math.ceil(remainingMs(incident) / 1000);
  tell(seconds, String(left));
  tell(unit, say(left === 1 ? "secondLeft" : "secondsLeft"));
}

function progress(stage) {
  const at = STEPS.indexOf(WITHIN[stage] ?? stage);
  return STEPS.map((step, index) => {
    const item = make("li", { className: index < at ? "done" : index === at ? "here" : "" }, say(`stage.${step}`));
    if (index === at) item.setAttribute("aria-current", "step");
    return item;
  });
}
