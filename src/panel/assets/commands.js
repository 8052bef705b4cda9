// Asks the hub for something. Each action has an id of its own, so that it can be asked once more over a connection that
// broke without being done twice.

import { say, within } from "./page.js";

const PATIENCE_MS = 4000;
const AGAIN_MS = 600;
const ATTEMPTS = 3;

/** The hub's reply, or `{ outcome: "unknown" | "refused", message }` where it did not come to that. */
export async function send(command, payload) {
  return post(command, JSON.stringify({ ...payload, id: id() }), ATTEMPTS);
}

/** A test has no id and is asked for once. */
export async function test(what) {
  return post("test", what, 1);
}

async function post(command, body, attempts) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const signal = within(PATIENCE_MS);
      const answer = await fetch(`/commands/${command}`, { method: "POST", body, signal });
      if (answer.headers.get("content-type")?.startsWith("application/json")) return await answer.json();
      return { outcome: answer.status === 504 ? "unknown" : "refused", message: await answer.text() };
    } catch {
      if (attempt === attempts) return { outcome: "unknown", message: say("noReply") };
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

function id() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `panel-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
