//! The dashboard: search and filters, kept in the URL, and no row that moves away under the pointer.

const search = document.getElementById("search");
const HOLD_MS = 1_500;

start();

function start() {
  const query = new URLSearchParams(location.search);
  search.value = query.get("q") ?? "";
  for (const name of ["agent", "runner"]) choose(name, query.get(name) ?? "");
  search.form.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", changed);
  search.addEventListener("keydown", escape);
  document.addEventListener("change", ({ target }) => target.closest("#filters") && changed());
  document.addEventListener("reset", ({ target }) => target.id === "filters" && setTimeout(cleared));
  document.addEventListener("htmx:after:swap", apply);
  askForInvitations();
  holdWhilePointed();
  apply();
}

/** The board says how often somebody else shared something; what that is stands apart, and asks for itself when it is more. */
function askForInvitations() {
  const count = () => document.getElementById("board")?.dataset.invitations;
  let known = count();
  document.addEventListener("htmx:after:swap", () => {
    const now = count();
    if (now === undefined || now === known) return;
    known = now;
    document.body.dispatchEvent(new Event("invitation"));
  });
}

function choose(name, value) {
  const select = document.getElementById(`filter-${name}`);
  if (select && [...select.options].some((option) => option.value === value)) select.value = value;
}

function escape(event) {
  if (event.key !== "Escape") return;
  search.value = "";
  changed();
  search.blur();
}

function cleared() {
  search.value = "";
  changed();
}

function filters() {
  const value = (name) => document.getElementById(`filter-${name}`)?.value ?? "";
  return { q: search.value.trim().toLowerCase(), agent: value("agent"), runner: value("runner") };
}

function changed() {
  const set = Object.entries(filters()).filter(([, value]) => value);
  history.replaceState(null, "", set.length ? `?${new URLSearchParams(set)}` : location.pathname);
  apply();
}

/** Hides what does not match. Every word of the search must be somewhere in the row. */
function apply() {
  const { q, agent, runner } = filters();
  const words = q.split(/\s+/).filter(Boolean);
  let shown = 0;
  const rows = document.querySelectorAll(".session");
  for (const row of rows) {
    const { search: text, agent: ofAgent, runner: onRunner } = row.dataset;
    row.hidden = !((!agent || agent === ofAgent) && (!runner || runner === onRunner) && words.every((word) => text.includes(word)));
    shown += row.hidden ? 0 : 1;
  }
  for (const group of document.querySelectorAll(".session-group")) group.hidden = !group.querySelector(".session:not([hidden])");
  document.getElementById("no-match")?.toggleAttribute("hidden", shown > 0);
  const clear = document.getElementById("filter-clear");
  if (!clear) return;
  clear.hidden = !(q || agent || runner);
  document.getElementById("filter-note").textContent = `${shown} of ${rows.length} shown`;
}

/** A fragment waits a moment while a pointer rests on a row: a click must not land on another session. */
function holdWhilePointed() {
  let movedAt = 0;
  document.addEventListener("pointermove", ({ target }) => {
    if (target.closest?.(".session")) movedAt = Date.now();
  }, { passive: true });
  document.addEventListener("pointerdown", ({ target }) => {
    if (target.closest?.(".session")) movedAt = Date.now();
  }, { passive: true });
  document.addEventListener("htmx:ws:before:message:incoming", ({ detail }) => {
    const wait = movedAt + HOLD_MS - Date.now();
    if (wait > 0 && detail.message.data !== '{"type":"pong"}') {
      detail.waitUntil(new Promise((resolve) => setTimeout(resolve, Math.min(wait, HOLD_MS))));
    }
  });
}
