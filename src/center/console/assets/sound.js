// The alarm's sound: two tones, again and again, until an operator acts or silences it. No file is needed for it.

const REPEAT_MS = 3000;
const SILENCED = "sos-center-silenced";

const context = new AudioContext();
const button = document.getElementById("sound");
let alarm = 0;
let unattended = 0;
let repeating = null;

/** What was silenced last, over all pages of this browser. */
const silenced = () => Number(localStorage.getItem(SILENCED) ?? -1);

/** Takes the number of alarms so far, and how many incidents cry for an operator. */
export function heard(alarms, incidents) {
  // The count begins anew when the center was restarted.
  if (alarms < silenced()) localStorage.setItem(SILENCED, "-1");
  [alarm, unattended] = [alarms, incidents];
  update();
}

/** No more sound until an alarm after this one. */
export function silence(upTo) {
  localStorage.setItem(SILENCED, String(Math.max(upTo, silenced())));
  update();
}

function update() {
  const rings = unattended > 0 && alarm > silenced();
  document.documentElement.dataset.ringing = rings;
  if (rings && !repeating) {
    sound();
    repeating = setInterval(sound, REPEAT_MS);
  } else if (!rings && repeating) {
    clearInterval(repeating);
    repeating = null;
  }
  const allowed = context.state === "running";
  button.hidden = false;
  button.textContent = !allowed ? "Enable sound" : rings ? "Silence alarm" : "Test sound";
  button.classList.toggle("warn", !allowed || rings);
}

function sound() {
  if (context.state !== "running") return;
  const volume = context.createGain();
  volume.connect(context.destination);
  for (let index = 0; index < 4; index++) {
    const start = context.currentTime + index * 0.22;
    const tone = context.createOscillator();
    tone.type = "triangle";
    tone.frequency.value = index % 2 ? 660 : 880;
    tone.connect(volume);
    tone.start(start);
    tone.stop(start + 0.2);
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.4, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.2);
  }
}

button.addEventListener("click", () => {
  if (context.state !== "running") return;
  if (repeating) silence(alarm);
  else sound();
});

// Browsers let a page sound only once somebody has touched it.
for (const gesture of ["pointerdown", "keydown"]) {
  document.addEventListener(gesture, () => context.resume().then(update), { passive: true });
}
context.addEventListener("statechange", update);
addEventListener("storage", update);
