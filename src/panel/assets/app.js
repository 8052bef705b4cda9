// Every page begins here, and with nothing else: what does not come cannot say so by itself.

/** A page that fails time and again stays for long enough to be read: it says whom to call. */
const AGAIN_MS = 10000;

import("./begin.js").catch(() => {
  // Older browsers do not say how a page was loaded.
  const [load] = performance.getEntriesByType("navigation");
  const isFirst = load && load.type !== "reload";
  setTimeout(() => location.reload(), isFirst ? 0 : AGAIN_MS);
});
