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
  on("event", ({ type, message }) => type === "test" && tell(element("tested"), message));
  for (const button of document.querySelectorAll("[data-test]")) {
    button.addEventListener("click", async () => tell(element("tested"), (await test(button.dataset.test)).message));
  }
  element("lock")?.addEventListener("click", async () => {
    await fetch("/lock", { method: "POST" });
    location.reload();
  });
}
