// The network that tests break must itself be exact: what it lets through arrives as it was, in order.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { startFaultProxy, until } from "../support/index.mjs";

/** A server that echoes, behind a proxy. */
async function echoBehindProxy(t) {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return startFaultProxy(t, server.address().port);
}

async function open(t, proxy) {
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  socket.received = [];
  socket.on("data", (bytes) => socket.received.push(bytes)).on("error", (error) => (socket.problem = error));
  socket.all = () => Buffer.concat(socket.received);
  socket.ended = new Promise((resolve) => socket.on("close", resolve));
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

for (const [what, faults] of Object.entries({
  "no fault": {},
  "delay and jitter": { delayMs: 3, jitterMs: 20 },
  "small pieces": { chunkBytes: 997 },
  "all of them": { delayMs: 2, jitterMs: 5, chunkBytes: 4_001 },
})) {
  test(`bytes arrive as they were, in order: ${what}`, async (t) => {
    const proxy = await echoBehindProxy(t);
    proxy.set(faults);
    const socket = await open(t, proxy);
    const sent = randomBytes(300_000);
    socket.write(sent);
    await until(() => socket.all().length === sent.length, "everything to come back");
    assert.equal(digest(socket.all()), digest(sent));
  });
}

test("a cut resets what is open, and new connections work", async (t) => {
  const proxy = await echoBehindProxy(t);
  const socket = await open(t, proxy);
  await until(() => proxy.connections === 1, "the proxy to see it");
  proxy.cut();
  await socket.ended;
  assert.equal(socket.problem?.code, "ECONNRESET");
  const again = await open(t, proxy);
  again.write("x");
  await until(() => again.all().length === 1, "the echo");
  assert.equal(proxy.accepted, 2);
});

test("a truncation lets exactly so many bytes through, then ends", async (t) => {
  const proxy = await echoBehindProxy(t);
  const socket = await open(t, proxy);
  const cut = proxy.truncateAfter(1_234, "down");
  const sent = randomBytes(10_000);
  socket.write(sent);
  await cut;
  await socket.ended;
  assert.deepEqual(socket.all(), sent.subarray(0, 1_234));
});

test("a black hole keeps the connection and its bytes until it opens", async (t) => {
  const proxy = await echoBehindProxy(t);
  const socket = await open(t, proxy);
  proxy.blackhole(true);
  socket.write("held");
  await until(() => proxy.connections === 1, "the connection");
  assert.equal(socket.all().length, 0);
  proxy.blackhole(false);
  await until(() => String(socket.all()) === "held", "what was held");
});

test("a refusing proxy cuts new connections at once", async (t) => {
  const proxy = await echoBehindProxy(t);
  proxy.refuse(true);
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  await new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
  assert.equal(proxy.connections, 0);
});
