//! The keyboard map. Single letters act only outside fields and terminals, and not at all when a person switched them off.
//! F6 always works: it is the way out of a terminal.

const FIRST_OF_TWO_MS = 1_000;
const REGIONS = ["#runners", "#main", "#terminal", "#terminal-keys", "#prompts", "#panel"];

let pending = 0;

export function wireKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "F6") return region(event);
    if (!isCommand(event)) return;
    const does = commandFor(event.key);
    if (!does) return;
    event.preventDefault();
    does();
  });
}

function isCommand(event) {
  if (document.body.dataset.shortcuts !== "on") return false;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (document.querySelector("dialog[open]")) return false;
  return !event.target.closest?.("input, textarea, select, [contenteditable], .terminal-body");
}

function commandFor(key) {
  if (Date.now() - pending < FIRST_OF_TWO_MS && key === "s") return () => location.assign("/dashboard");
  pending = 0;
  switch (key) {
    case "/":
      return () => document.getElementById("search")?.focus();
    case "n":
      return () => document.querySelector(".app-new")?.click();
    case "j":
      return () => move(1);
    case "k":
      return () => move(-1);
    case "g":
      return () => {
        pending = Date.now();
      };
    case "?":
      return () => document.getElementById("keys-help")?.showModal();
    default:
      return null;
  }
}

/** To the next session of the list, from the one in focus. */
function move(step) {
  const links = [...document.querySelectorAll(".session:not([hidden]) .session-name a")];
  if (links.length === 0) return;
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

/** To the next region of the page that is there and can be seen. */
function region(event) {
  event.preventDefault();
  const regions = REGIONS.flatMap((selector) => [...document.querySelectorAll(selector)]).filter((one) => one.checkVisibility());
  const parts = regions.filter((one) => one.id !== "main" || !one.querySelector("#terminal")); // the session page is its parts
  if (parts.length === 0) return;
  const at = parts.findIndex((one) => one.contains(document.activeElement));
  const step = event.shiftKey ? -1 : 1;
  const next = parts[(Math.max(at, event.shiftKey ? 0 : -1) + step + parts.length) % parts.length];
  (next.querySelector("textarea") ?? next.querySelector("a[href], button:not([disabled])") ?? next).focus();
}
