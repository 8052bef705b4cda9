// Small things that all scripts of the pages need.

const words = JSON.parse(document.getElementById("words").textContent);

/** The English words for a key. */
export const say = (key) => words[key] ?? key;

export const element = (id) => document.getElementById(id);

export const may = document.body.dataset.may;

/** A new element: `make("p", { className: "hint" }, "text", child)`. */
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A time for people, in their own zone. */
export function time(text) {
  const at = new Date(text);
  const shown = at.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  return make("time", { dateTime: text }, shown);
}

/** Sets a text only where it is another one: screen readers would say it again. */
export function tell(where, text) {
  if (where && where.textContent !== text) where.textContent = text;
}

/** A signal that breaks a request off after so long. Not every old tablet has `AbortSignal.timeout`. */
export function within(milliseconds) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}

/** The hub takes its time for a PIN on purpose. */
const PIN_MS = 15000;

/** Takes PINs; a right one opens the page anew. */
export function takePins() {
  for (const form of document.querySelectorAll("form.pin")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const field = form.querySelector("input");
      const problem = form.querySelector(".problem");
      problem.textContent = "";
      try {
        const answer = await fetch("/pin", { method: "POST", body: field.value, signal: within(PIN_MS) });
        if (answer.ok) return location.reload();
        problem.textContent = await answer.text();
        field.select();
      } catch {
        problem.textContent = `${say("lost")} ${say("lostAdvice")}`;
      }
    });
  }
}
