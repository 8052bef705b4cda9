// Buttons that have just come under a finger: the tap that follows at once was meant for what was there before.

/** Longer than there is between two taps of a hurried finger. */
const UNREADY_MS = 700;
/** What moves by less is still under the finger that was over it. */
const MOVED_PX = 8;

/** By button: what to call when it has come into sight, or to another place. */
const arms = new WeakMap();

/**
 * Has a button act when it is pressed: by keys at once, by a finger or a mouse when it has been there for a moment. Until
 * then it is drawn as not ready, and a tap calls `tooEarly`. What brings it into sight has to be done by `moving`.
 */
export function armed(button, act, tooEarly) {
  let ready = null;
  button.addEventListener("click", ({ detail }) => {
    // Browsers count the taps of a click, and none where a key or a screen reader pressed.
    if (detail > 0 && button.classList.contains("unready")) tooEarly();
    else act();
  });
  // A key that is held down asks once.
  button.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  arms.set(button, () => {
    clearTimeout(ready);
    button.classList.add("unready");
    ready = setTimeout(() => button.classList.remove("unready"), UNREADY_MS);
  });
}

/** Does what may bring armed buttons within this element into sight or move them: those are not ready for a moment. */
export function moving(within, change) {
  const before = places(within);
  change();
  for (const [button, place] of places(within)) {
    const was = before.get(button);
    const hasMoved = !was || Math.abs(was.x - place.x) > MOVED_PX || Math.abs(was.y - place.y) > MOVED_PX;
    if (hasMoved) arms.get(button)();
  }
}

/** Where the armed buttons are that can be seen. */
function places(within) {
  const seen = new Map();
  for (const button of within.querySelectorAll("button")) {
    const place = button.getBoundingClientRect();
    if (arms.has(button) && place.width > 0) seen.set(button, place);
  }
  return seen;
}
