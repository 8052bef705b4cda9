// What an installed app shows while the hub is away. It keeps one page that says so, and never a state: a picture of
// yesterday would be taken for today's.

/** Another one whenever what is kept has changed. */
const CACHE = "panel-CONTENT";
const AWAY = "/assets/offline.html";
/** With all that it needs, by names that no other page uses: where the hub says nothing, a page that asks it stays white. */
const KEPT = [AWAY, "/assets/offline.js", "/assets/panel.css?kept"];
/** Nobody should look at a white page for longer before it says whom to call. */
const PATIENCE_MS = 3000;

const keep = async () => (await caches.open(CACHE)).addAll(KEPT.map((url) => new Request(url, { cache: "reload" })));

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const forget = (names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(forget).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, search } = new URL(request.url);
  if (request.mode === "navigate") {
    const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS));
    event.respondWith(Promise.race([fetch(request), late]).catch(() => caches.match(AWAY)));
    // Browsers throw away what they keep when they need the room, or somebody has them do it.
    event.waitUntil(caches.match(AWAY).then((kept) => kept ?? keep()).catch(() => {}));
  } else if (KEPT.includes(pathname + search)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});
