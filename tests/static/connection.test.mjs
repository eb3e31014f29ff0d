// The connection: it comes back as the close code says, notices silence, and hammers nobody. No real time passes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { whyRefused } from "../../static/signed-out.mjs";
import { Connection, afterClose, backoff } from "../../static/terminal/connection.mjs";
import { InOrder } from "../../static/terminal/inflate.mjs";
import { PING, PONG } from "../../static/terminal/limits.mjs";

/** A world with a clock of its own and sockets that do as they are told. */
function world() {
  const timers = new Map();
  let [time, next] = [0, 1];
  const sockets = [];
  const hub = { signedOut: false };
  class FakeSocket {
    readyState = 0;
    sent = [];
    constructor(url, protocol) {
      Object.assign(this, { url, protocol });
      sockets.push(this);
    }
    send(message) {
      this.sent.push(message);
    }
    close() {
      this.readyState = 3;
    }
    accept() {
      this.readyState = 1;
      this.onopen();
    }
    drop(code) {
      this.readyState = 3;
      this.onclose({ code });
    }
  }
  const env = {
    WebSocket: FakeSocket,
    setTimeout: (run, ms) => timers.set(next, { run, at: time + ms }) && next++,
    clearTimeout: (timer) => timers.delete(timer),
    now: () => time,
    random: () => 1,
    isHidden: () => false,
    whyRefused: async () => (hub.signedOut ? "sign_in" : hub.isGone ? "gone" : ""),
  };
  const pass = (ms) => {
    const until = time + ms;
    for (;;) {
      const due = [...timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      time = due[1].at;
      timers.delete(due[0]);
      due[1].run();
    }
    time = until;
  };
  return { env, hub, sockets, pass, last: () => sockets.at(-1) };
}

function connected() {
  const { env, ...rest } = world();
  const seen = { text: [], closed: [], rtt: [], opens: 0 };
  const handlers = {
    open: () => (seen.opens += 1),
    text: (text) => seen.text.push(text),
    bytes: () => {},
    closed: (what, code) => seen.closed.push([what, code]),
    rtt: (ms) => seen.rtt.push(ms),
  };
  const connection = new Connection("ws://hub/ws/connect", handlers, env);
  connection.open();
  rest.last().accept();
  return { connection, seen, ...rest };
}

/** What was asked of the hub has been answered. */
const answered = () => new Promise(setImmediate);

test("close codes mean what the protocol says", () => {
  assert.deepEqual([4001, 4002, 4003, 4007, 4008].map(afterClose), ["now", "never", "never", "never", "now"]);
  assert.deepEqual([1000, 1006, 4000, 4004, 4006, 4010, 4999].map(afterClose), new Array(7).fill("backoff"));
});

test("it names the subprotocol and measures the hop", () => {
  const { seen, last, pass } = connected();
  assert.equal(last().protocol, "muster.1");
  assert.deepEqual(last().sent, [PING]);
  pass(30);
  last().onmessage({ data: PONG });
  assert.deepEqual(seen.rtt, [30]);
  assert.deepEqual(seen.text, [], "a pong is no message");
});

test("an ordinary loss comes back, later and later", () => {
  const { sockets, last, pass } = connected();
  last().onmessage({ data: "{}" });
  const waits = [];
  for (let round = 0; round < 9; round += 1) {
    const before = sockets.length;
    last().drop(1006);
    let waited = 0;
    while (sockets.length === before) {
      pass(10);
      waited += 10;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test("a hub that accepts and closes at once is not hammered", () => {
  const { sockets, last, pass } = connected();
  for (let round = 0; round < 4; round += 1) {
    last().drop(4010);
    pass(backoff(round, () => 1));
    last().accept();
  }
  last().drop(4010);
  const before = sockets.length;
  pass(2_000);
  assert.equal(sockets.length, before, "still waiting");
});

test("a hub that speaks again is tried at once the next time", () => {
  const { sockets, last, pass } = connected();
  for (let round = 0; round < 6; round += 1) {
    last().drop(1006);
    pass(15_000);
  }
  last().accept();
  last().onmessage({ data: "{}" });
  const before = sockets.length;
  last().drop(1006);
  pass(250);
  assert.equal(sockets.length, before + 1);
});

test("a revoked sign-in does not come back", () => {
  const { seen, sockets, last, pass } = connected();
  last().drop(4007);
  pass(60_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual(seen.closed, [["never", 4007]]);
});

test("closed as signed out, it tries once more, and the hub's word ends it", async () => {
  const { hub, seen, sockets, last, pass } = connected();
  last().drop(4001);
  pass(300);
  last().accept();
  assert.equal(seen.opens, 2, "another tab's sign-out: this one goes on");
  hub.signedOut = true;
  last().drop(4001);
  pass(300);
  last().drop(1006);
  await answered();
  pass(60_000);
  assert.equal(sockets.length, 3);
  assert.deepEqual(seen.closed.at(-1), ["sign_in", 1006]);
});

test("a lost network or a busy hub after that is no sign-out", async () => {
  const { seen, sockets, last, pass } = connected();
  last().drop(4001);
  pass(300);
  for (let round = 0; round < 3; round += 1) {
    last().drop(1006);
    await answered();
    pass(15_000);
  }
  assert.ok(seen.closed.slice(1).every(([what]) => what === "backoff"), JSON.stringify(seen.closed));
  last().accept();
  assert.equal(seen.opens, 2);
  assert.equal(sockets.length, 5);
});

test("a sign-in that ended while the network was away ends it too, also while it tries again", async () => {
  const { hub, seen, sockets, last, pass } = connected();
  hub.signedOut = true;
  last().drop(1006);
  await answered();
  assert.deepEqual(seen.closed, [["backoff", 1006]], "a socket that was open is not asked about");
  pass(500);
  last().drop(1006);
  pass(1_000); // the next handshake is under way when the answer comes
  assert.equal(sockets.length, 3);
  await answered();
  pass(60_000);
  assert.equal(sockets.length, 3);
  assert.equal(last().readyState, 3);
  assert.deepEqual(seen.closed.at(-1), ["sign_in", 1006]);
});

test("a session that is not shared any more ends it too", async () => {
  const { hub, seen, sockets, last, pass } = connected();
  hub.isGone = true;
  last().drop(1006);
  pass(500);
  last().drop(1006);
  await answered();
  pass(60_000);
  assert.equal(sockets.length, 2);
  assert.deepEqual(seen.closed.at(-1), ["gone", 1006]);
});

test("of a shared page, the page is asked about, and only its own absence means gone", async () => {
  const asked = [];
  const of = (page, answer) => whyRefused(page, async (path) => {
    asked.push(path);
    if (answer instanceof Error) throw answer;
    return answer;
  });
  assert.equal(await of("/sessions/3-7", { type: "basic", status: 404 }), "gone");
  assert.equal(await of("/sessions/3-7", { type: "basic", status: 403 }), "gone");
  assert.equal(await of("/sessions/3-7", { type: "opaqueredirect", status: 0 }), "sign_in");
  assert.equal(await of("/sessions/3-7", { type: "basic", status: 401 }), "sign_in");
  for (const status of [200, 429, 500, 503]) assert.equal(await of("/sessions/3-7", { type: "basic", status }), "", `${status}`);
  assert.equal(await of("/sessions/3-7", new TypeError("Failed to fetch")), "");
  assert.ok(asked.every((path) => path === "/sessions/3-7"));
  assert.equal(await of(undefined, { type: "basic", status: 404 }), "", "one's own does not go so");
  assert.equal(await of(undefined, { type: "basic", status: 401 }), "sign_in");
  assert.equal(asked.at(-1), "/dashboard");
});

test("an answer that comes after the socket opened counts no more", async () => {
  const { hub, seen, last, pass } = connected();
  last().drop(1006);
  pass(500);
  hub.signedOut = true;
  last().drop(1006);
  pass(1_000);
  last().accept();
  await answered();
  assert.ok(seen.closed.every(([what]) => what === "backoff"));
});

test("silence is a loss, without waiting for the network to say so", () => {
  const { seen, sockets, pass } = connected();
  pass(10_300);
  assert.deepEqual(seen.closed, [["backoff", 1006]]);
  assert.equal(sockets.length, 2);
});

test("a late close of an old socket changes nothing", () => {
  const { seen, sockets, last, pass } = connected();
  const old = last();
  pass(10_300);
  last().accept();
  old.onclose({ code: 1006 });
  assert.equal(seen.closed.length, 1);
  assert.equal(sockets.length, 2);
});

test("coming back to the tab tries at once", () => {
  const { connection, sockets, last } = connected();
  last().drop(1006);
  connection.wake();
  assert.equal(sockets.length, 2);
});

test("messages keep their order while one of them still inflates", async () => {
  const got = [];
  const line = new InOrder((message) => got.push(message), (error) => got.push(`failed ${error.message}`));
  line.push("a");
  assert.deepEqual(got, ["a"], "nothing before it: at once");
  let ready;
  line.pushLater(() => new Promise((resolve) => (ready = resolve)));
  line.push("c");
  const failed = line.pushLater(() => Promise.reject(new Error("d")));
  const last = line.push("e");
  await Promise.resolve();
  assert.deepEqual(got, ["a"]);
  ready("b");
  await Promise.all([failed, last]);
  assert.deepEqual(got, ["a", "b", "c", "failed d", "e"]);
  line.push("f");
  assert.equal(got.at(-1), "f");
});

test("what throws is reported once and holds up nothing", async () => {
  const got = [];
  const line = new InOrder((message) => got.push(message), (error) => {
    throw error;
  });
  const broken = line.pushLater(() => Promise.reject(new Error("unforeseen")));
  const next = line.push("next");
  await assert.rejects(broken, /unforeseen/);
  await next;
  assert.deepEqual(got, ["next"]);
});

test("what an old socket still brings is dropped when its line is cleared", async () => {
  const got = [];
  const line = new InOrder((message) => got.push(message), () => {});
  const old = line.pushLater(() => Promise.resolve("old"));
  line.clear();
  line.push("new");
  await old;
  assert.deepEqual(got, ["new"]);
});
