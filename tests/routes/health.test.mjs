// /health: liveness for everyone, figures for the owner, and asking keeps nobody awake.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { startHub, until } from "../support/index.mjs";

test("/health", async (t) => {
  const hub = await startHub(t);

  await t.test("tells a stranger that it lives, and nothing of anybody's hub", async () => {
    const answer = await hub.anonymous().get("/health");
    assert.equal(answer.status, 200);
    const { status, version, hub: object, d1, d1_migration, ...rest } = answer.json;
    assert.deepEqual({ status, hub: object, d1 }, { status: "ok", hub: "reachable", d1: "reachable" });
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.match(d1_migration, /^\d{4}_\w+\.sql$/);
    assert.deepEqual(rest, {});
  });

  const api = await hub.signIn();

  await t.test("gives the owner real figures", async () => {
    const before = (await api.get("/health")).json;
    assert.ok(before.schema_version >= 1);
    const viewer = await api.ws("/ws/connect");
    const page = await api.ws("/ws/connect?page=dashboard", { protocols: [] });
    const { jwt } = await exchanged(hub);
    const runner = await hub.anonymous().ws("/ws/connect", { headers: { authorization: `Bearer ${jwt}` } });
    runner.send({ type: "hello", version: "0", hostname: "h", os: "linux", arch: "x86_64", agents: [], terminals: [] });
    await runner.next((frame) => frame.type === "welcome", "the welcome");
    const after = (await api.get("/health")).json;
    assert.equal(after.viewers, before.viewers + 1);
    assert.equal(after.pages, before.pages + 1);
    assert.equal(after.runners_connected, before.runners_connected + 1);
    assert.equal(after.runners, before.runners + 1);
    assert.equal(after.sockets, before.sockets + 3);
    assert.ok(after.messages_in > before.messages_in);
    assert.ok(after.rows_written > before.rows_written);
    for (const socket of [viewer, page, runner]) await socket.close();
    await until(async () => (await api.get("/health")).json.sockets === before.sockets, "the closes to be noticed");
  });

  await t.test("shows an eviction by its loading time", async () => {
    const { loaded_ms: first } = (await api.get("/health")).json;
    assert.equal((await api.get("/health")).json.loaded_ms, first, "asking does not load it again");
    await hub.evict();
    assert.ok((await api.get("/health")).json.loaded_ms > first);
  });

  await t.test("takes a cli token too", async () => {
    const { token } = await hub.token("monitor", "cli");
    const answer = await hub.anonymous().get("/health", { headers: { authorization: `Bearer ${token}` } });
    assert.ok(answer.json.schema_version >= 1);
    const wrong = await hub.anonymous().get("/health", { headers: { authorization: "Bearer mst_wrong" } });
    assert.equal(wrong.status, 401);
  });

  await t.test("is degraded, not broken, for the owner too while D1 fails", async () => {
    await hub.stop();
    withoutSignIns(hub.stateDir);
    await hub.start();
    const answer = await api.get("/health");
    assert.equal(answer.status, 503, answer.text);
    const { status, hub: object, d1, sockets } = answer.json;
    assert.deepEqual({ status, object, d1, sockets }, { status: "degraded", object: "reachable", d1: "unreachable", sockets: undefined });
  });
});

/** From now on every question after a cookie fails. */
function withoutSignIns(stateDir) {
  const folder = join(stateDir, "d1");
  const files = readdirSync(folder, { recursive: true }).filter((name) => /[0-9a-f]{64}\.sqlite$/.test(name));
  assert.equal(files.length, 1, files.join());
  const database = new DatabaseSync(join(folder, files[0]));
  database.exec("ALTER TABLE sign_ins RENAME TO sign_ins_elsewhere");
  database.close();
}

async function exchanged(hub) {
  const { token } = await hub.token("laptop");
  return (await hub.anonymous().post("/api/tokens/exchange", undefined, { headers: { authorization: `Bearer ${token}` } })).json;
}
