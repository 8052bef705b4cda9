// The incidents of the past, with their steps.

import { isOver } from "./card.js";
import { on, state } from "./link.js";
import { element, make, may, say, tell, time, within } from "./page.js";

const PATIENCE_MS = 8000;
/** Where many pages are open they do not all read the history in the moment of an alarm. */
const READ_AFTER_MS = 300;
const READ_WITHIN_MS = 700;
/** What could not be read is tried again after this. */
const AGAIN_MS = 5000;

/**
 * Draws the latest incidents into an element: `most` of them, or all that the hub tells of. They are read anew when one
 * begins or ends; the stages between come with the state.
 */
export function follow(where, most) {
  if (may === "pin") return where.replaceChildren(make("p", {}, say("pinForThis")));
  let drawn = null;
  let soon = null;
  let isFirst = true;
  const look = () => {
    if (!state) return;
    for (const incident of state.incidents) showStage(where, incident);
    const now = state.incidents.map((incident) => incident.id + isOver(incident)).join();
    if (now === drawn) return;
    const wait = isFirst ? 0 : READ_AFTER_MS + Math.random() * READ_WITHIN_MS;
    isFirst = false;
    drawn = now;
    const isUpToDate = () => now === drawn;
    clearTimeout(soon);
    soon = setTimeout(async () => {
      if ((await read(where, most, isUpToDate)) || !isUpToDate()) return;
      drawn = null;
      soon = setTimeout(look, AGAIN_MS);
    }, wait);
  };
  on("state", look);
  // Incidents may begin and end while nothing is heard of them.
  on("link", (to) => {
    if (to !== "up") drawn = null;
  });
}

/** An answer that is out of date when it comes is not drawn. Returns whether there was one. */
async function read(where, most, isUpToDate) {
  let entries;
  try {
    const answer = await fetch(`/history.json${most ? `?most=${most}` : ""}`, { signal: within(PATIENCE_MS) });
    if (!answer.ok) throw new Error(answer.status);
    entries = await answer.json();
  } catch {
    entries = null;
  }
  if (!isUpToDate()) return Boolean(entries);
  if (!entries) {
    where.replaceChildren(make("p", {}, say("historyFailed")));
    return false;
  }
  const opened = new Set([...where.querySelectorAll("details[open]")].map(({ dataset }) => dataset.incident));
  const shown = entries.slice(0, most).map((one) => entry(one, opened.has(one.id)));
  where.replaceChildren(...(shown.length ? shown : [make("p", {}, say("noHistory"))]));
  return true;
}

/** Where an incident has come to in the meantime. */
function showStage(where, incident) {
  tell(where.querySelector(`[data-incident="${CSS.escape(incident.id)}"] .tag`), standing(incident.stage, isOver(incident)));
}

const standing = (stage, isEnded) => (isEnded ? say(`stage.${stage}`) : `${say("open")}: ${say(`stage.${stage}`)}`);

function entry({ id, service, source, stage, accepted_at, clock, ended_at, steps }, isOpened) {
  const tag = make("span", { className: "tag" }, standing(stage, ended_at));
  const head = make("summary", {}, make("strong", {}, say(`service.${service}`)), " ", time(accepted_at), " ", tag);
  const unset = clock === "synced" ? null : make("p", { className: "hint" }, say("clockUnset"));
  const step = ({ at, stage: name, message }) =>
    make("li", {}, time(at), make("strong", {}, ` ${say(`stage.${name}`)} `), make("span", {}, message));
  const past = make("details", { className: "past", open: isOpened }, head, make("p", { className: "hint" }, source), unset, make("ol", {}, ...steps.map(step)));
  past.dataset.incident = id;
  return past;
}

/** The page of all incidents. */
export const start = () => follow(element("history"));
