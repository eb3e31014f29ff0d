//! The page's own socket, which brings fragments: it is kept honest, and changes of status are spoken once.
//! htmx and hx-ws open it and swap what comes; this file only watches.

import { isSignedOut } from "./signed-out.mjs";

const PING = '{"type":"ping"}';
const PING_MS = 20_000;
const SILENCE_MS_MAX = 30_000;

export function watchLive() {
  keepAlive();
  speakChanges();
  sayWhenLost();
}

/** A socket that died silently is closed, so that hx-ws opens a new one; the hub's runtime answers pings without waking it. */
function keepAlive() {
  let heardAt = Date.now();
  let connection = null;
  document.addEventListener("htmx:ws:after:connection", ({ detail }) => {
    connection = detail.connection;
    heardAt = Date.now();
  });
  document.addEventListener("htmx:ws:before:message:incoming", () => {
    heardAt = Date.now();
  });
  const check = () => {
    const socket = connection?.socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - heardAt > SILENCE_MS_MAX) socket.close(4008);
    else socket.send(PING);
  };
  setInterval(check, PING_MS);
  window.addEventListener("online", check);
}

/** Status of everything on the page, by id. */
function statuses() {
  const rows = document.querySelectorAll(".session[id], #session-head[data-status]");
  return new Map([...rows].map((row) => [row.id, { label: row.dataset.label, name: nameOf(row) }]));
}

const nameOf = (row) => row.dataset.name ?? row.querySelector(".session-name")?.textContent.trim() ?? "";

function speakChanges() {
  let before = statuses();
  document.addEventListener("htmx:after:swap", () => {
    const after = statuses();
    const changed = [...after].filter(([id, { label }]) => before.has(id) && before.get(id).label !== label);
    before = after;
    if (changed.length === 0) return;
    const words = changed.map(([, { name, label }]) => `${name}: ${label}`);
    document.getElementById("announcer").textContent = words.join(". ");
  });
}

/**
 * Where a sign-in was ended, or a handshake is refused and the hub says that nobody is signed in, the socket will not come back
 * by itself: say so, where errors stand. Whatever else refuses a handshake passes, and hx-ws tries again.
 */
function sayWhenLost() {
  let isOpen = false;
  document.addEventListener("htmx:ws:after:connection", () => {
    isOpen = true;
  });
  document.addEventListener("htmx:ws:close", async ({ detail: { code, connection } }) => {
    const wasOpen = isOpen;
    isOpen = false;
    if (code === null) return; // the page itself let go of it
    if (code !== 4007 && (wasOpen || !(await isSignedOut()) || isOpen)) return;
    connection.config.reconnect = false;
    clearTimeout(connection.timer);
    const link = Object.assign(document.createElement("a"), { href: "/", textContent: "Sign in" });
    notice("You are signed out, so this page no longer changes. ", link);
  });
  document.addEventListener("htmx:error", ({ detail }) => {
    if (detail.ctx?.request && !detail.ctx.response) notice("The hub did not answer, so nothing was done. Try again.");
  });
}

function notice(...content) {
  const paragraph = document.createElement("p");
  paragraph.className = "notice";
  paragraph.dataset.tone = "fail";
  paragraph.append(...content);
  document.getElementById("notices").replaceChildren(paragraph);
}
