// The hub as a process: whatever way it ends, the next one starts and knows what the last one knew.

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { at } from "../../scripts/lib/paths.mjs";
import { startHub } from "../support/index.mjs";

const isSignedIn = async (api) => (await api.get("/api/tokens")).status === 200;

test("a kill -9 of everything loses nothing that was answered", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { status } = await api.post("/api/tokens", { name: "kept", scope: "runner" });
  assert.equal(status, 201);
  const { port } = hub;
  await hub.restart();
  assert.equal(hub.port, port);
  const { json } = await api.get("/api/tokens");
  assert.deepEqual(json.tokens.map((each) => each.name), ["kept"]);
});

test("a workerd that outlived its hub's kill -9 makes way for the next one", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  process.kill(hub.pid, "SIGKILL"); // node alone: workerd stays, and keeps the port
  await hub.start();
  assert.ok(await isSignedIn(api));
});

test("two hubs on one state folder: the second is told about the first", async (t) => {
  const hub = await startHub(t);
  await assert.rejects(startHub(t, { stateDir: hub.stateDir }), new RegExp(`running already: ${hub.url}`));
  assert.ok((await hub.anonymous().get("/health")).status < 500, "the first goes on");
});

test("a port in use is said plainly", async (t) => {
  const hub = await startHub(t);
  await assert.rejects(startHub(t, { port: hub.port }), /is in use.*npm start -- --port/);
});

test("objects are evicted on demand", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  await api.get("/api/runners"); // touches the person's SessionHub
  assert.equal(await hub.evict(), 1);
  assert.equal((await api.get("/api/runners")).status, 200);
});

test("migrations are applied once and noted as wrangler notes them", async (t) => {
  const hub = await startHub(t);
  await hub.restart();
  await hub.stop();
  const folder = join(hub.stateDir, "d1", "miniflare-D1DatabaseObject");
  const [file] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  const database = new DatabaseSync(join(folder, file), { readOnly: true });
  t.after(() => database.close());
  const names = database.prepare("SELECT name FROM d1_migrations ORDER BY id").all().map((row) => row.name);
  assert.deepEqual(names, readdirSync(at("migrations")).sort());
});

test("secrets are the owner's alone", async (t) => {
  const hub = await startHub(t);
  assert.equal(statSync(join(hub.stateDir, "secrets.json")).mode & 0o777, 0o600);
});
