// What every page does.

import { whenNothingIsAsked } from "./commands.js";
import { connect, link, on, state } from "./link.js";
import { element, takePins, tell } from "./page.js";
import { onSheet, start as startSheet } from "./sheet.js";
import { hold } from "./turns.js";

const AGAIN_MS = 5000;

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
// Without it the SOS can still be asked for; the next load may bring it.
page?.()
  .then(({ start }) => start())
  .catch(() => setTimeout(() => element("sheet").open || whenNothingIsAsked(() => location.reload()), AGAIN_MS));

if (window.isSecureContext) navigator.serviceWorker?.register("/worker.js").catch(() => {});
