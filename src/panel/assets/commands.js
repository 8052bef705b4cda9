// Asks the hub for something. Each action has an id of its own, so that it can be asked for again and again over a
// connection that breaks without being done twice.

import { say, within } from "./page.js";

/** As long as a restart of the hub may take. Then a person has to know that nobody answers. */
const TRYING_MS = 10000;
/** The hub answers within three seconds. */
const PATIENCE_MS = 4000;
const LEAST_PATIENCE_MS = 1000;
const AGAIN_MS = 600;
/** The hub answers much sooner. An attempt that takes longer may be stuck, and a countdown waits for nobody. */
const HURRY_MS = 800;
/** What the hub, or what stands before it, says when it cannot answer in this moment. */
const NOT_NOW = [502, 503, 504];

const asking = new Set();
let afterwards = null;

/**
 * The hub's reply, or `{ outcome: "unknown" | "refused", message }` where it did not come to that. Calls `failed` after
 * each attempt that another one follows. `isYoung` says whether what came too late for the hub's clock is still meant.
 */
export async function send(command, payload, failed, isYoung) {
  const mine = { ...payload, id: id() };
  const until = performance.now() + TRYING_MS;
  const reply = await post(command, JSON.stringify(mine), TRYING_MS, failed);
  if (reply.reason !== "stale" || !isYoung()) return reply;
  // The hub's machine was started anew, and its clock with it: what was known of that clock is of before.
  delete mine.asked_ms;
  return post(command, JSON.stringify(mine), Math.max(until - performance.now(), LEAST_PATIENCE_MS), failed);
}

/** A test has no id and is asked for once. */
export function test(what) {
  return post("test", what, 0);
}

/** Does this once no answer is waited for: a page that is loaded anew would ask no more. */
export function whenNothingIsAsked(act) {
  if (asking.size === 0) act();
  else afterwards = act;
}

async function post(command, body, forMs, failed) {
  const mine = {};
  asking.add(mine);
  try {
    const until = performance.now() + forMs;
    for (;;) {
      const left = Math.max(until - performance.now(), LEAST_PATIENCE_MS);
      const reply = await (forMs ? hurried(command, body, Math.min(left, PATIENCE_MS)) : attempt(command, body, PATIENCE_MS));
      if (reply.outcome || performance.now() + AGAIN_MS >= until) {
        return { outcome: "unknown", ...reply };
      }
      failed?.();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  } finally {
    asking.delete(mine);
    if (asking.size === 0) afterwards?.();
  }
}

/** One attempt, and another one beside it where it seems to be stuck: a broken connection need not be seen as one. */
async function hurried(command, body, patienceMs) {
  const first = attempt(command, body, patienceMs);
  const early = await Promise.race([first, new Promise((resolve) => setTimeout(resolve, HURRY_MS))]);
  if (early) return early;
  const second = attempt(command, body, patienceMs);
  const replied = [first, second].map(async (one) => {
    const reply = await one;
    if (!reply.outcome) throw new Error(reply.message);
    return reply;
  });
  return Promise.any(replied).catch(() => second);
}

/** The reply; one without `outcome` is none yet. */
async function attempt(command, body, patienceMs) {
  try {
    // A page that is left or loaded anew does not take back what it has asked for.
    const options = { method: "POST", body, keepalive: true, signal: within(patienceMs) };
    const answer = await fetch(`/commands/${command}`, options);
    if (answer.headers.get("content-type")?.startsWith("application/json")) return await answer.json();
    const message = await answer.text();
    return NOT_NOW.includes(answer.status) ? { message: message || say("noReply") } : { outcome: "refused", message };
  } catch {
    return { message: say("noReply") };
  }
}

function id() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `panel-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
