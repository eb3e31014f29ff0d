// /ws/connect: who may come in, what they must speak, and that one who misbehaves hurts only himself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startHub, until } from "../support/index.mjs";

const FRAME_BYTES_MAX = 64 * 1024;
const CONTROL_BYTES_MAX = 256 * 1024;

test("/ws/connect", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const runner = await pass("laptop");

  async function pass(name, scope = "runner") {
    const { token } = await hub.token(name, scope);
    const headers = { authorization: `Bearer ${token}` };
    const { jwt } = (await hub.anonymous().post("/api/tokens/exchange", undefined, { headers })).json;
    return { authorization: `Bearer ${jwt}` };
  }
  const refuses = (client, options, status, path = "/ws/connect") => assert.rejects(client.ws(path, options), { status });

  await t.test("lets nobody in without proof", async () => {
    await refuses(hub.anonymous(), {}, 401);
    await refuses(hub.anonymous(), { headers: { authorization: "Bearer x.y.z" } }, 401);
    await refuses(hub.anonymous(), { headers: { authorization: "Basic eA==" } }, 401);
    await refuses(hub.anonymous(), { headers: { cookie: `muster_sign_in=${"A".repeat(43)}` } }, 401);
    const { token } = await hub.token("unexchanged");
    await refuses(hub.anonymous(), { headers: { authorization: `Bearer ${token}` } }, 401);
  });

  await t.test("refuses a browser's page of another origin", async () => {
    for (const origin of ["https://evil.example.com", "null", ""]) {
      await refuses(api, { headers: { origin } }, 403);
    }
  });

  await t.test("wants the subprotocol, and names the one it speaks", async () => {
    await refuses(hub.anonymous(), { protocols: [], headers: runner }, 400);
    await refuses(hub.anonymous(), { protocols: ["muster.2"], headers: runner }, 426);
    await refuses(api, { protocols: ["muster.2"] }, 426);
    await refuses(api, { protocols: [] }, 400);
    const socket = await hub.anonymous().ws("/ws/connect", { protocols: ["muster.2", "muster.1"], headers: runner });
    assert.equal(socket.socket.protocol, "muster.1");
    await socket.close();
  });

  await t.test("speaks WebSocket only", async () => {
    const answer = await api.get("/ws/connect");
    assert.equal(answer.status, 426);
    assert.equal(answer.json.error.code, "upgrade_required");
  });

  await t.test("a page says what it shows, and gets it at once", async () => {
    const socket = await api.ws("/ws/connect?page=dashboard", { protocols: [] });
    assert.match(await socket.next(), /hx-partial/);
    await socket.close();
    for (const path of ["/ws/connect?page=other", "/ws/connect?page=session", "/ws/connect?page=session&session=x"]) {
      await refuses(api, { protocols: [] }, 400, path);
    }
  });

  await t.test("a client's own word for who it is counts for nothing", async () => {
    const peer = Buffer.from(JSON.stringify({ role: "runner", runner: "forged", name: "forged" })).toString("base64url");
    const socket = await api.ws("/ws/connect", { headers: { "x-muster-peer": peer } });
    const { runners_connected: connected, viewers } = (await api.get("/health")).json;
    assert.equal(connected, 0);
    assert.ok(viewers >= 1);
    await socket.close();
  });

  await t.test("the runtime answers keep-alives", async () => {
    const socket = await api.ws("/ws/connect");
    socket.send('{"type":"ping"}');
    assert.deepEqual(await socket.next(), { type: "pong" });
    await socket.close();
  });

  await t.test("a frame that is too large or malformed closes its own socket, by name, and no other", async () => {
    const good = await api.ws("/ws/connect");
    const header = Buffer.from([1, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    const wrong = [
      [Buffer.alloc(FRAME_BYTES_MAX + 1, 1), 4004],
      ["x".repeat(CONTROL_BYTES_MAX + 1), 4004],
      [Buffer.alloc(0), 4005],
      [Buffer.from([1, 2, 3]), 4005],
      [Buffer.concat([Buffer.from([9]), header.subarray(1)]), 4002],
      ["{", 4005],
      ['"text"', 4005],
    ];
    for (const [message, code] of wrong) {
      const bad = await api.ws("/ws/connect");
      bad.socket.send(message);
      assert.equal((await bad.closed()).code, code, `${message.length} bytes of ${typeof message}`);
    }
    good.send({ type: "of a newer version" });
    const answer = await good.next((frame) => frame.type === "error", "the answer to an unknown type");
    assert.equal(answer.code, "unknown_type");
    await good.close();
  });

  await t.test("sockets survive an eviction, with who they are", async () => {
    const socket = await api.ws("/ws/connect");
    const other = await hub.anonymous().ws("/ws/connect", { headers: await pass("second") });
    assert.ok((await hub.evict()) >= 1);
    socket.send({ type: "attach", terminal: 999, cols: 80, rows: 24 });
    const answer = await socket.next((frame) => frame.type === "error", "an answer after the eviction");
    assert.equal(answer.code, "not_found");
    const health = (await api.get("/health")).json;
    assert.ok(health.viewers >= 1);
    await socket.close();
    await other.close();
    await until(async () => (await api.get("/health")).json.viewers === health.viewers - 1, "the close to be noticed");
  });

  await t.test("sockets opened at the same moment don't keep the object in memory", async () => {
    // workerd before August 2026 never evicted an object after that (cloudflare/workerd#6862), and a page opens two.
    for (let round = 0; round < 3; round++) {
      const sockets = await Promise.all(Array.from({ length: 4 }, () => api.ws("/ws/connect")));
      assert.ok((await hub.evict()) >= 1, "an eviction that is refused rejects");
      await Promise.all(sockets.map((socket) => socket.close()));
    }
  });

  await t.test("a second connection of the same runner replaces the first", async () => {
    const headers = await pass("twice");
    const hello = { type: "hello", version: "0", hostname: "h", os: "linux", arch: "x86_64", agents: [], terminals: [] };
    const first = await hub.anonymous().ws("/ws/connect", { headers });
    first.send(hello);
    await first.next((frame) => frame.type === "welcome", "the welcome");
    const second = await hub.anonymous().ws("/ws/connect", { headers });
    second.send(hello);
    assert.equal((await first.closed()).code, 4003);
    await second.next((frame) => frame.type === "welcome", "the second welcome");
    await second.close();
  });

  await t.test("there is no other door", async () => {
    for (const path of ["/connect", "/call", "/ws", "/ws/connect/"]) await refuses(api, {}, 404, path);
  });
});
