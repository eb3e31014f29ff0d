// The client of one terminal, with a hub and a page that do as they are told: when a hidden tab lets go. No real time passes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TerminalClient } from "../../static/terminal/client.mjs";
import { Kind, encode } from "../../static/terminal/frame.mjs";
import { PING, PONG } from "../../static/terminal/limits.mjs";
import { bytes } from "./support.mjs";

const TERMINAL = 3;
const WRITER = "0000000000000007";
const MINUTE_MS = 60_000;

test("a hidden tab keeps its terminal until what was typed has arrived, and then lets go", async (t) => {
  const { client, hide, hub, pass } = await attached(t);
  client.type(bytes("ls\r"));
  hide();
  pass(5 * MINUTE_MS);
  assert.deepEqual(hub.said("detach"), []);
  hub.acks(3);
  pass(MINUTE_MS);
  assert.deepEqual(hub.said("detach"), [{ type: "detach", terminal: TERMINAL }]);
  pass(5 * MINUTE_MS);
  assert.equal(hub.said("detach").length, 1, "once");
});

test("a tab that is looked at again meanwhile keeps it", async (t) => {
  const { client, hide, hub, pass, show } = await attached(t);
  client.type(bytes("ls\r"));
  hide();
  pass(2 * MINUTE_MS);
  hub.acks(3);
  show();
  pass(5 * MINUTE_MS);
  assert.deepEqual(hub.said("detach"), []);
});

async function attached(t) {
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
    }
  }
  const before = { document: globalThis.document, window: globalThis.window, WebSocket: globalThis.WebSocket };
  Object.assign(globalThis, { document, window: new EventTarget(), WebSocket: FakeSocket });
  t.after(() => Object.assign(globalThis, before));

  const quiet = new Proxy({}, { get: () => () => {} });
  const view = { room: () => ({ cols: 80, rows: 24 }), resize() {}, scale() {}, write() {}, screen() {} };
  const client = new TerminalClient({ terminal: TERMINAL, url: "ws://hub", drive: true, chrome: quiet, makeView: () => view });
  const [socket] = sockets;
  socket.readyState = 1;
  socket.onopen();
  const hears = (message) => socket.onmessage({ data: message });
  hears(JSON.stringify({ type: "attached", terminal: TERMINAL, writer: WRITER, cols: 80, rows: 24, online: true, status: {} }));
  const hub = {
    said: (type) => socket.sent.filter((message) => typeof message === "string").map((text) => JSON.parse(text)).filter((each) => each.type === type),
    acks: (offset) => hears(encode(Kind.INPUT_ACK, 0, TERMINAL, offset, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 7])).buffer),
  };
  const look = (hidden) => {
    document.hidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  return { client, hub, hide: () => look(true), show: () => look(false), pass: (ms) => t.mock.timers.tick(ms) };
}
