// A slider that means it: only a drag that begins on the handle and goes to the end counts. A tap, a slip, a scroll of
// the page or a stray key does nothing.

const ENOUGH = 95;
/** However narrow the page or large its letters: a finger that slips does not go this far, and a thumb does. */
const LEAST_PX = 140;
const KEY_STEP = 10;
/** A slider that was moved by keys and left alone goes back. */
const FORGOTTEN_MS = 4000;
/** Who presses a key again and again does so within this; a countdown that began elsewhere waits no longer for it. */
const KEYS_MS = 1500;

let dragged = null;
/** The track that keys have just moved. */
let keyed = null;

/** Whether a finger is on a handle, or keys move one: then nothing on the page may move. */
export const isMoved = () => dragged !== null || keyed !== null;

/** Calls `reached` when the slider was moved to its end; and `left` when it was let go of. */
export function slider(track, reached, left) {
  const handle = track.querySelector(".handle");
  let forget = null;
  let rest = null;
  let value = 0;
  /** It was moved to the end by a key that is still held down: that asks once. */
  let isHeld = false;

  const room = () => Math.max(0, track.clientWidth - handle.offsetWidth - 2 * handle.offsetLeft);

  const show = (percent) => {
    value = Math.max(0, Math.min(100, percent));
    track.setAttribute("aria-valuenow", String(Math.round(value)));
    track.style.setProperty("--moved", `${(room() * value) / 100}px`);
  };

  const end = () => {
    if (dragged?.track !== track) return;
    const { pointer } = dragged;
    dragged = null;
    if (handle.hasPointerCapture(pointer)) handle.releasePointerCapture(pointer);
    track.classList.remove("dragged");
    show(0);
    left();
  };

  const endKeys = () => {
    clearTimeout(rest);
    if (keyed !== track) return;
    keyed = null;
    left();
  };

  const atEnd = () => {
    end();
    endKeys();
    show(0);
    reached();
  };

  handle.addEventListener("pointerdown", (event) => {
    if (dragged || !event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    dragged = { track, pointer: event.pointerId, from: event.clientX };
    track.classList.add("dragged");
    track.focus({ preventScroll: true });
  });
  handle.addEventListener("pointermove", (event) => {
    if (dragged?.track !== track || dragged.pointer !== event.pointerId) return;
    show((100 * (event.clientX - dragged.from)) / Math.max(room(), LEAST_PX));
    if (value >= ENOUGH) atEnd();
  });
  for (const over of ["pointerup", "pointercancel", "lostpointercapture"]) handle.addEventListener(over, end);

  track.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dragged) return;
    const step = { ArrowRight: KEY_STEP, ArrowUp: KEY_STEP, ArrowLeft: -KEY_STEP, ArrowDown: -KEY_STEP }[event.key];
    if (step === undefined && event.key !== "Home") return;
    event.preventDefault();
    if (isHeld) return;
    clearTimeout(forget);
    forget = setTimeout(() => show(0), FORGOTTEN_MS);
    show(step === undefined ? 0 : value + step);
    keyed = track;
    clearTimeout(rest);
    rest = setTimeout(endKeys, KEYS_MS);
    if (value < 100) return;
    // Before the focus may go elsewhere, and with it the key's end.
    isHeld = true;
    atEnd();
  });
  track.addEventListener("keyup", () => {
    isHeld = false;
  });
  track.addEventListener("blur", () => {
    isHeld = false;
    if (dragged?.track !== track) show(0);
    endKeys();
  });
}
