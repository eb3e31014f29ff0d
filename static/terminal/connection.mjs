//! One WebSocket to the hub, for as long as the page wants it: opened again after every loss, as the close code says.
//! It knows messages only as text and bytes, and never which terminal they are for.

import { whyRefused } from "../signed-out.mjs";
import { PING, PING_EVERY_S, PONG, SUBPROTOCOL } from "./limits.mjs";

const BACKOFF_MS = { first: 250, most: 15_000 };
/** How often a tab that is looked at measures the hop. The hub's runtime answers; the hub itself sleeps on. */
const LOOKED_AT_PING_MS = 5_000;
/** Without an answer for this long the socket is dead, whatever the browser says. */
const SILENCE_MS_MAX = 10_000;

/** Where the terminals of a hub are, from the address of a page: of person `hub`, or one's own. */
export function socketAddress(page, hub) {
  const url = new URL("/ws/connect", page);
  url.protocol = url.protocol.replace("http", "ws");
  if (hub) url.searchParams.set("hub", hub);
  return url.href;
}

/** What to do after a close, by code: "never", "now" or "backoff". As crates/protocol/src/close.rs. */
export function afterClose(code) {
  if (code === 4002 || code === 4003 || code === 4007) return "never";
  // 4001, signed out, closes every socket of the browser; this one's own sign-in may still hold, and the handshake tells.
  if (code === 4001 || code === 4008) return "now";
  return "backoff";
}

/** Milliseconds to wait before attempt `n` (from 0): full jitter over a doubling ceiling. */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(BACKOFF_MS.first * 2 ** Math.min(attempt, 16), BACKOFF_MS.most);
  return Math.round(ceiling * (0.5 + random() / 2));
}

/**
 * Handlers: `open()`, `text(string)`, `bytes(ArrayBuffer)`, `closed(what, code)` with what follows, `rtt(ms)`.
 * What follows is as [`afterClose`] says, or once a handshake was refused and the hub says why, as [`whyRefused`].
 * The environment is a parameter, so that tests need neither a browser nor time.
 */
export class Connection {
  #url;
  #handlers;
  #env;
  #socket = null;
  #attempt = 0;
  #timer = null;
  #pingTimer = null;
  #pingAt = null;
  #ended = false;
  #wasOpen = false; // the socket at hand, or the last one

  constructor(url, handlers, env = browser()) {
    this.#url = url;
    this.#handlers = handlers;
    this.#env = env;
  }

  get isOpen() {
    return this.#socket?.readyState === 1;
  }

  open() {
    if (this.#ended || this.#socket) return;
    this.#env.clearTimeout(this.#timer);
    const socket = new this.#env.WebSocket(this.#url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#wasOpen = false;
    this.#socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#received(data);
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  /** Sends if there is a socket; the caller keeps what must not be lost. */
  send(message) {
    if (this.isOpen) this.#socket.send(message);
  }

  /** The network or the tab is back: find out at once whether the socket still lives. */
  wake() {
    if (this.#ended) return;
    if (this.isOpen) return this.#ping();
    if (!this.#socket) {
      this.#attempt = 0;
      this.open();
    }
  }

  end() {
    this.#ended = true;
    this.#env.clearTimeout(this.#timer);
    this.#env.clearTimeout(this.#pingTimer);
    this.#socket?.close(1000);
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    this.#wasOpen = true;
    this.#handlers.open();
    this.#ping();
  }

  #received(data) {
    this.#attempt = 0; // not before: a hub that accepts and closes at once must not be hammered
    if (data === PONG) return this.#ponged();
    this.#heard();
    if (typeof data === "string") this.#handlers.text(data);
    else this.#handlers.bytes(data);
  }

  #ping() {
    if (!this.isOpen || this.#pingAt !== null) return;
    this.#env.clearTimeout(this.#pingTimer);
    this.#pingAt = this.#env.now();
    this.#socket.send(PING);
    this.#pingTimer = this.#env.setTimeout(() => this.#lost(), SILENCE_MS_MAX);
  }

  /** On a slow link the pong waits behind a window of output, which is a sign of life as good. */
  #heard() {
    if (this.#pingAt === null) return;
    this.#env.clearTimeout(this.#pingTimer);
    this.#pingTimer = this.#env.setTimeout(() => this.#lost(), SILENCE_MS_MAX);
  }

  #ponged() {
    if (this.#pingAt === null) return;
    const rtt = this.#env.now() - this.#pingAt;
    this.#pingAt = null;
    this.#env.clearTimeout(this.#pingTimer);
    const every = this.#env.isHidden() ? PING_EVERY_S * 1000 : LOOKED_AT_PING_MS;
    this.#pingTimer = this.#env.setTimeout(() => this.#ping(), every);
    this.#handlers.rtt(rtt);
  }

  /** A close handshake on a dead network takes a minute: let go of it now. */
  #lost() {
    const socket = this.#socket;
    socket?.close();
    this.#closed(socket, 1006);
  }

  #closed(socket, code) {
    if (!socket || socket !== this.#socket) return;
    this.#socket = null;
    this.#pingAt = null;
    this.#env.clearTimeout(this.#pingTimer);
    const what = this.#ended ? "never" : afterClose(code);
    if (what === "never") this.#ended = true;
    this.#handlers.closed(what, code);
    if (this.#ended) return;
    if (!this.#wasOpen) this.#askWhy(code);
    const wait = backoff(what === "now" ? 0 : this.#attempt, this.#env.random);
    this.#attempt += 1;
    this.#timer = this.#env.setTimeout(() => this.open(), wait);
  }

  /** A handshake failed: a dead network, a busy hub, or what only a person can mend, and only then is there no point in going on. */
  async #askWhy(code) {
    const why = await this.#env.whyRefused();
    if (!why || this.#ended || this.isOpen) return;
    const socket = this.#socket;
    this.#socket = null;
    this.end();
    socket?.close();
    this.#handlers.closed(why, code);
  }
}

/** The environment of a browser. `page` is the address of a page that somebody else shared, of which the hub is asked. */
export function browser(page) {
  return {
    WebSocket: globalThis.WebSocket,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    now: () => performance.now(),
    random: Math.random,
    isHidden: () => document.hidden,
    whyRefused: () => whyRefused(page),
  };
}
