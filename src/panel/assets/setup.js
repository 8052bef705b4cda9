// What keeps the hub from being ready, the tests, and this browser.

import { test } from "./commands.js";
import { faults, readiness } from "./home.js";
import { on } from "./link.js";
import { element, say, tell } from "./page.js";

export function start() {
  on("state", () => {
    faults(element("obstacles"), true);
    readiness(element("readiness"));
  });
  let told = 0;
  on("event", ({ type, message }) => {
    if (type !== "test") return;
    told += 1;
    tell(element("tested"), message);
  });
  for (const button of document.querySelectorAll("[data-test]")) {
    button.addEventListener("click", async () => {
      const before = told;
      tell(element("tested"), say("sending"));
      const { message } = await test(button.dataset.test);
      // The outcome may be here before the answer to the question is.
      if (told === before) tell(element("tested"), message);
    });
  }
  element("lock")?.addEventListener("click", async () => {
    const answer = await fetch("/lock", { method: "POST" }).catch(() => null);
    if (answer?.ok) location.reload();
    else tell(element("not-locked"), say("tryAgain"));
  });
}
