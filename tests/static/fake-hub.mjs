// A client of one terminal, with a hub and a page that do as they are told. No real time passes.

import { TerminalClient } from "../../static/terminal/client.mjs";
import { Kind, decode, encode } from "../../static/terminal/frame.mjs";
import { PING, PONG } from "../../static/terminal/limits.mjs";
import { text } from "./support.mjs";

export const TERMINAL = 3;
const WRITER = "0000000000000007";
const WRITER_BYTES = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 7]);

/** A client that is attached; `says` is in the hub's answer, `shared` as TerminalClient has it. */
export async function attached(t, { shared = null, says = {} } = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const document = Object.assign(new EventTarget(), { hidden: false });
  const sockets = [];
  class FakeSocket {
    readyState = 0;
    sent = [];
    constructor() {
      sockets.push(this);
    }
    send(message) {
      if (message === PING) setTimeout(() => this.onmessage({ data: PONG }), 1);
      else this.sent.push(message);
    }
    close() {
      this.readyState = 3;
      this.isClosed = true;
    }
  }
  const page = { answer: { type: "basic", status: 200 } };
  const fetch = async () => page.answer;
  const names = ["document", "window", "WebSocket", "fetch"];
  const before = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
  Object.assign(globalThis, { document, window: new EventTarget(), WebSocket: FakeSocket, fetch });
  t.after(() => Object.assign(globalThis, before));

  const shown = []; // what the chrome was told, as [what, ...with what]
  const chrome = new Proxy({}, { get: (_, what) => (...told) => shown.push([what, ...told]) });
  const room = { cols: 80, rows: 24 };
  const view = { types: null, drives: null, room: () => ({ ...room }), resize() {}, scale() {}, write() {}, screen() {} };
  let handlers;
  const makeView = (given) => {
    handlers = given;
    return view;
  };
  const client = new TerminalClient({ terminal: TERMINAL, url: "ws://hub", drive: true, shared, chrome, makeView });
  const last = () => sockets.at(-1);
  const hears = (message) => last().onmessage({ data: message });
  const hub = {
    opens() {
      last().readyState = 1;
      last().onopen();
    },
    says: (event) => hears(JSON.stringify({ terminal: TERMINAL, ...event })),
    attaches: (more = {}) =>
      hub.says({ type: "attached", writer: WRITER, cols: 80, rows: 24, online: true, status: { status: "idle" }, ...more }),
    acks: (offset, flags = 0) => hears(encode(Kind.INPUT_ACK, flags, TERMINAL, offset, WRITER_BYTES).buffer),
    closes(code) {
      last().readyState = 3;
      last().onclose({ code });
    },
    said: (type) =>
      last().sent.filter((message) => typeof message === "string").map((message) => JSON.parse(message)).filter((each) => each.type === type),
    /** What was typed, on the newest socket. */
    typed: () =>
      last().sent.filter((message) => typeof message !== "string").map(decode).filter(({ kind }) => kind === Kind.INPUT)
        .map(({ payload }) => text(payload.subarray(WRITER_BYTES.length))).join(""),
    sockets,
    page,
  };
  hub.opens();
  hub.attaches(says);
  const look = (hidden) => {
    document.hidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  return {
    client,
    hub,
    view,
    hide: () => look(true),
    show: () => look(false),
    pass: (ms) => t.mock.timers.tick(ms),
    press: () => handlers.refused(),
    resize(size) {
      Object.assign(room, size);
      handlers.resized();
      t.mock.timers.tick(100);
    },
    told: (what) => shown.filter(([name]) => name === what).map(([, ...with_]) => with_),
  };
}
