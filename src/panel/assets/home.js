// The first page: the hub's state in words, what is wrong, what happened lately.

import { follow } from "./history.js";
import { link, on, state } from "./link.js";
import { element, make, say, tell, time } from "./page.js";

const RECENT = 3;

export function readiness(list) {
  const item = (isGood, text) => make("li", { className: isGood ? "good" : "bad" }, text);
  const { plan, center, clock } = state;
  list.replaceChildren(
    item(plan.standing === "active", say(`plan.${plan.standing}`)),
    item(center.link === "up", say(`center.${center.link}`)),
    item(clock === "synced", say(`clock.${clock}`)),
  );
}

/** The faults, each with what to do about it. */
export function faults(where, withAdvice) {
  const fault = ({ code, since, message }) => {
    const advice = withAdvice ? make("p", { className: "advice" }, say(`mend.${code}`)) : null;
    const from = make("p", { className: "hint" }, `${say("since")} `, time(since));
    return make("li", {}, make("p", {}, message), advice, from);
  };
  const none = withAdvice ? make("p", { className: "good" }, say("noFaults")) : "";
  where.replaceChildren(state.faults.length ? make("ul", { className: "faults" }, ...state.faults.map(fault)) : none);
}

function draw() {
  const overview = element("overview");
  if (link !== "up") {
    overview.dataset.mood = "unknown";
    tell(element("headline"), say(link === "down" ? "lost" : "connecting"));
    tell(element("message"), link === "down" ? say("lostAdvice") : "");
    return;
  }
  const mood = state.phase === "idle" ? (state.ready ? "ready" : "notReady") : state.phase;
  overview.dataset.mood = mood;
  tell(element("headline"), say(mood));
  const isPlain = mood === "ready" && !state.siren.sounding;
  tell(element("message"), isPlain ? say("readyText") : state.message.replace(/^Not ready\. /, ""));
  readiness(element("readiness"));
  faults(element("faults"), false);
}

export function start() {
  on("link", draw);
  on("state", draw);
  if (element("recent")) follow(element("recent"), RECENT);
}
