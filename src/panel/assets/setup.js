// What keeps the hub from being ready, the tests, and this browser.

import { test } from "./commands.js";
import { faults, readiness } from "./home.js";
import { link, on, state } from "./link.js";
import { element, tell } from "./page.js";

export function start() {
  const draw = () => {
    if (!state || link !== "up") return;
    faults(element("obstacles"), true);
    readiness(element("readiness"));
  };
  on("state", draw);
  on("link", draw);
  let told = 0;
  on("event", ({ type, message }) => {
    if (type !== "test") return;
    told += 1;
    tell(element("tested"), message);
  });
  for (const button of document.querySelectorAll("[data-test]")) {
    button.addEventListener("click", async () => {
      const before = told;
      const { message } = await test(button.dataset.test);
      // The outcome may be here before the answer to the question is.
      if (told === before) tell(element("tested"), message);
    });
  }
  element("lock")?.addEventListener("click", async () => {
    await fetch("/lock", { method: "POST" });
    location.reload();
  });
}
