// Times that tick, by the server's clock, and moments in the operator's own time zone.

let ahead = 0;

/** Takes the server's clock: milliseconds since 1970. */
export function setNow(now) {
  ahead = now - Date.now();
}

/** As the server writes it: 2:05, 1:02:05, 3 d 4 h. */
function span(milliseconds) {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** Sets every timer in `root` to now. */
export function tick(root = document) {
  const now = Date.now() + ahead;
  for (const timer of root.querySelectorAll("[data-since]")) write(timer, span(now - Number(timer.dataset.since)));
  for (const timer of root.querySelectorAll("[data-until]")) write(timer, span(Number(timer.dataset.until) - now + 999));
}

const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Says every moment in `root` in the operator's time zone, with the date unless it is today. */
export function localise(root) {
  const today = new Date(Date.now() + ahead).toDateString();
  for (const clock of root.querySelectorAll("[data-clock]")) {
    const moment = new Date(clock.dateTime);
    write(clock, (moment.toDateString() === today ? time : both).format(moment));
  }
}
