// The incidents of the past, with their steps.

import { make, may, say, time } from "./page.js";

/** Draws the latest incidents into an element. */
export async function incidents(where, most) {
  if (may === "pin") return where.replaceChildren(make("p", {}, say("pinForThis")));
  let entries;
  try {
    const answer = await fetch("/history.json");
    if (!answer.ok) throw new Error(answer.status);
    entries = await answer.json();
  } catch {
    return where.replaceChildren(make("p", {}, say("historyFailed")));
  }
  const shown = entries.slice(0, most).map(entry);
  where.replaceChildren(...(shown.length ? shown : [make("p", {}, say("noHistory"))]));
}

function entry({ service, source, stage, accepted_at, clock, ended_at, steps }) {
  const standing = ended_at ? say(`stage.${stage}`) : `${say("open")}: ${say(`stage.${stage}`)}`;
  const head = make("summary", {}, make("strong", {}, say(`service.${service}`)), " ", time(accepted_at), " ", make("span", { className: "tag" }, standing));
  const unset = clock === "synced" ? null : make("p", { className: "hint" }, say("clockUnset"));
  const step = ({ at, stage: name, message }) =>
    make("li", {}, time(at), make("strong", {}, ` ${say(`stage.${name}`)} `), make("span", {}, message));
  return make("details", { className: "past" }, head, make("p", { className: "hint" }, source), unset, make("ol", {}, ...steps.map(step)));
}
