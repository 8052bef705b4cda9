// Every page begins here, and with nothing else: what does not come cannot say so by itself.

/** A page that fails time and again stays for long enough to be read: it says whom to call. */
const AGAIN_MS = 10000;

import("./begin.js").catch(() => {
  const wasTried = performance.getEntriesByType("navigation")[0]?.type === "reload";
  setTimeout(() => location.reload(), wasTried ? AGAIN_MS : 0);
});
