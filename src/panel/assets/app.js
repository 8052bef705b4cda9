// Every page begins here.

import { connect, link, on, state } from "./link.js";
import { element, takePins, tell } from "./page.js";
import { onSheet, start as startSheet } from "./sheet.js";
import { hold } from "./turns.js";

const pages = {
  home: () => import("./home.js"),
  live: () => import("./live.js"),
  history: () => import("./history.js"),
  setup: () => import("./setup.js"),
};

/** What goes on, on every page. */
function now() {
  const isOn = link === "up" && state && (state.phase !== "idle" || state.siren.sounding);
  element("now").hidden = !isOn;
  tell(element("now-text"), isOn ? state.message : "");
}

startSheet();
onSheet(hold);
takePins();
on("state", now);
on("link", now);
const page = pages[document.body.dataset.page];
connect();
page?.().then(({ start }) => start());

if (window.isSecureContext) navigator.serviceWorker?.register("/worker.js").catch(() => {});
