//! Ticks every `<time data-at>` and shows `<time data-clock>` in the person's own zone. One timer for the page, in words that
//! src/pages/view/time.rs uses too. Clocks differ: ages count from the hub's "now" that the newest fragment carried.

/** A length of time in its largest whole unit. */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

let ahead = 0; // this clock minus the hub's
let known = "";

/** Now, by the hub's clock: what its stamps are to be compared with. */
export const hubNow = () => Date.now() - ahead;

/** Brings all times on the page up to date. */
export function tick() {
  const now = document.querySelector("[data-now]")?.dataset.now ?? "";
  if (now !== known) {
    known = now;
    ahead = now ? Date.now() - Number(now) : 0;
  }
  for (const time of document.querySelectorAll("time[data-at]")) {
    set(time, span(hubNow() - Number(time.dataset.at)));
  }
  for (const time of document.querySelectorAll("time[data-clock]")) {
    const at = new Date(Number(time.dataset.clock));
    set(time, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }));
    time.title = at.toLocaleString();
  }
}

function set(time, text) {
  if (time.textContent !== text) time.textContent = text;
}

/** Starts ticking. */
export function startAges() {
  tick();
  setInterval(tick, 1_000);
  document.addEventListener("htmx:after:swap", tick);
}
