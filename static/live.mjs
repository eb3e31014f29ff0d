//! The page's own socket, which brings fragments: it is kept honest, and changes of status are spoken once.
//! htmx and hx-ws open it and swap what comes; this file only watches.

import { whyRefused } from "./signed-out.mjs";

const PING = '{"type":"ping"}';
const PING_MS = 20_000;
const SILENCE_MS_MAX = 30_000;

export function watchLive() {
  keepAlive();
  speakChanges();
  sayWhenLost();
}

/** Sockets that died silently are closed, so that hx-ws opens new ones; the hub's runtime answers pings without waking it. */
function keepAlive() {
  const heardAt = new Map(); // by connection: a dashboard has one more for each person who shares something
  const heard = ({ detail: { connection } }) => heardAt.set(connection, Date.now());
  document.addEventListener("htmx:ws:after:connection", heard);
  document.addEventListener("htmx:ws:before:message:incoming", heard);
  const check = () => {
    for (const [connection, at] of heardAt) {
      if (connection.socket?.readyState !== WebSocket.OPEN) heardAt.delete(connection);
      else if (Date.now() - at > SILENCE_MS_MAX) connection.socket.close(4008);
      else connection.socket.send(PING);
    }
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
 * Where a sign-in was ended, or a handshake is refused and the hub says that nobody is signed in or that the session is not
 * shared any more, a socket will not come back by itself: say so, where errors stand. Whatever else refuses a handshake passes,
 * and hx-ws tries again.
 */
function sayWhenLost() {
  const open = new Set();
  document.addEventListener("htmx:ws:after:connection", ({ detail: { connection } }) => open.add(connection));
  document.addEventListener("htmx:ws:close", async ({ detail: { code, connection } }) => {
    const wasOpen = open.delete(connection);
    if (code === null) return; // the page itself let go of it
    const shared = sharedPage(connection);
    let why = code === 4007 ? (shared === null ? "sign_in" : "gone") : "";
    if (!why && !wasOpen) why = await whyRefused(shared || undefined);
    if (!why || open.has(connection)) return;
    connection.config.reconnect = false;
    clearTimeout(connection.timer);
    if (document.body.dataset.guest !== undefined) return notice("The link that let you in has ended, or was withdrawn.");
    if (why === "gone") return shared && notice("This session is no longer shared with you.");
    const link = Object.assign(document.createElement("a"), { href: "/", textContent: "Sign in" });
    notice("You are signed out, so this page no longer changes. ", link);
  });
  document.addEventListener("htmx:error", ({ detail }) => {
    if (detail.ctx?.request && !detail.ctx.response) notice("The hub did not answer, so nothing was done. Try again.");
  });
}

/** The page of somebody else's session that a socket is for; "" for a part of one's own page; null: all of it is one's own. */
function sharedPage({ url = "" }) {
  if (/[?&]session=\d+-\d/.test(url)) return location.pathname;
  return /[?&]shared=/.test(url) ? "" : null;
}

function notice(...content) {
  const paragraph = document.createElement("p");
  paragraph.className = "notice";
  paragraph.dataset.tone = "fail";
  paragraph.append(...content);
  document.getElementById("notices").replaceChildren(paragraph);
}
