// Browsers open six connections to a site, for all their tabs together. What may wait takes turns on few of them, and lets
// go of those as soon as somebody is about to ask for help.

/** So many at once in each lane: what answers does not wait behind what does not. */
export const LANES = { good: 2, doubtful: 1 };
/** How long a page leaves off after help was about to be asked for in another tab. */
const ELSEWHERE_MS = 15000;

const running = new Set();
const waiting = { good: [], doubtful: [] };
const busy = { good: 0, doubtful: 0 };
const listeners = [];
let isHeldHere = false;
let isHeldElsewhere = false;
let elsewhere = null;

/** Not every browser has this; then each page still keeps to its own few. */
const tabs = typeof BroadcastChannel === "function" ? new BroadcastChannel("help") : null;
tabs?.addEventListener("message", () => {
  clearTimeout(elsewhere);
  elsewhere = setTimeout(() => set(() => (isHeldElsewhere = false)), ELSEWHERE_MS);
  set(() => (isHeldElsewhere = true));
});

/** Whether all of it leaves off. */
export const isHeld = () => isHeldHere || isHeldElsewhere;

/** Calls this when it leaves off and when it goes on. */
export const onHold = (listener) => listeners.push(listener);

/** Has everything that may wait leave off, here and in other tabs, or go on here. */
export function hold(is) {
  if (is) tabs?.postMessage("");
  set(() => (isHeldHere = is));
}

function set(change) {
  const before = isHeld();
  change();
  if (isHeld() === before) return;
  if (isHeld()) for (const one of running) one.abort();
  for (const listener of listeners) listener(isHeld());
  for (const lane of Object.keys(LANES)) next(lane);
}

/** Does `act(signal)` when it is its turn and no longer than this; then, or when all is held, the signal breaks it off. */
export async function turn(lane, mostMs, act) {
  await new Promise((resolve) => {
    waiting[lane].push(resolve);
    next(lane);
  });
  const mine = new AbortController();
  const over = setTimeout(() => mine.abort(), mostMs);
  running.add(mine);
  try {
    return await act(mine.signal);
  } finally {
    clearTimeout(over);
    running.delete(mine);
    busy[lane] -= 1;
    next(lane);
  }
}

function next(lane) {
  while (!isHeld() && busy[lane] < LANES[lane] && waiting[lane].length) {
    busy[lane] += 1;
    waiting[lane].shift()();
  }
}
