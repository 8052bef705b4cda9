// A button that has just come under a finger: the tap that follows at once was meant for what was there before.

/** Longer than there is between two taps of a hurried finger. */
const UNREADY_MS = 700;

/**
 * Has a button act when it is pressed: by keys at once, by a finger or a mouse when it has been there for a moment. Until
 * then it is drawn as not ready, and a tap calls `tooEarly`. Returns what to call whenever the button comes into sight.
 */
export function armed(button, act, tooEarly) {
  let ready = null;
  button.addEventListener("click", ({ detail }) => {
    // Browsers count the taps of a click, and none where a key or a screen reader pressed.
    if (detail > 0 && button.classList.contains("unready")) tooEarly();
    else act();
  });
  return () => {
    clearTimeout(ready);
    button.classList.add("unready");
    ready = setTimeout(() => button.classList.remove("unready"), UNREADY_MS);
  };
}
