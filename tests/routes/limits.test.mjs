// Rate limits: the platform's brake on every door, and exact counts of failures. Both say how long to wait.

import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { test } from "node:test";
import { openD1 } from "../support/audit.mjs";
import { earlyInTheMinute, startHub } from "../support/index.mjs";

const from = (address, headers = {}) => ({ headers: { "cf-connecting-ip": address, ...headers } });
const bearer = (token) => ({ authorization: `Bearer ${token}` });

test("the brake", async (t) => {
  const hub = await startHub(t, { rateLimit: 3 });
  await earlyInTheMinute();
  const api = await hub.signIn();
  const statuses = async (times, ask) => {
    const found = [];
    for (let time = 0; time < times; time += 1) found.push(await ask());
    return found.map((each) => each.status);
  };

  await t.test("counts strangers by address and by door", async () => {
    const doors = [
      ["/auth/local?link=x", 401],
      ["/api/sessions", 401],
      ["/dashboard", 303],
    ];
    for (const [door, refused] of doors) {
      const found = await statuses(4, () => hub.anonymous().get(door, from("203.0.113.1")));
      assert.deepEqual(found, [refused, refused, refused, 429], door);
      assert.equal((await hub.anonymous().get(door, from("203.0.113.2"))).status, refused, "another address goes on");
    }
    const last = await hub.anonymous().get("/api/sessions", from("203.0.113.1"));
    assert.deepEqual([last.headers.get("retry-after"), last.json.error.code], ["60", "rate_limited"]);
  });

  await t.test("counts who is known by person, wherever they are", async () => {
    let last = 10;
    const ask = () => api.get("/api/sessions", from(`203.0.113.${(last += 1)}`));
    assert.deepEqual(await statuses(4, ask), [200, 200, 200, 429]);
    assert.equal((await api.get("/dashboard", from("203.0.113.99"))).status, 200, "another door is open");
  });

  await t.test("counts an IPv6 household as one, and this machine not at all", async () => {
    let last = 0;
    const ask = () => hub.anonymous().get("/api/sessions", from(`2001:db8::${(last += 1)}`));
    assert.deepEqual(await statuses(4, ask), [401, 401, 401, 429]);
    assert.deepEqual(new Set(await statuses(8, () => hub.anonymous().get("/api/sessions"))), new Set([401]));
  });
});

test("webhooks whose signature is wrong are braked by address, GitHub's never are", async (t) => {
  const secret = "a secret of the webhook";
  const hub = await startHub(t, { rateLimit: 3, vars: { MUSTER_GITHUB_WEBHOOK_SECRET: secret } });
  await earlyInTheMinute();
  const body = JSON.stringify({ zen: "Design for failure." });
  const send = async (signature, address) => {
    const headers = { "x-hub-signature-256": `sha256=${signature}`, "x-github-event": "ping", "x-github-delivery": randomUUID() };
    return (await hub.anonymous().post("/github/webhook", body, from(address, headers))).status;
  };
  const genuine = createHmac("sha256", secret).update(body).digest("hex");
  const statuses = [];
  for (let n = 0; n < 5; n += 1) statuses.push(await send("00".repeat(32), "203.0.113.5"));
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  assert.equal(await send("00".repeat(32), "203.0.113.6"), 401, "another address goes on");
  for (let n = 0; n < 5; n += 1) assert.equal(await send(genuine, "203.0.113.5"), 204);
});

test("exact counts", async (t) => {
  const hub = await startHub(t);
  const { token } = await hub.token("box");

  await t.test("of failed sign-ins: after ten, even a good link waits", async () => {
    const wrong = () => hub.anonymous().get("/auth/local?link=x", from("198.51.100.1"));
    for (let time = 0; time < 10; time += 1) assert.equal((await wrong()).status, 401);
    const refused = await hub.anonymous().get(new URL(hub.link()).pathname + new URL(hub.link()).search, from("198.51.100.1"));
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers.get("retry-after"));
    assert.ok(seconds > 800 && seconds <= 900, `${seconds}`);
    assert.equal((await hub.anonymous().get("/auth/local?link=x", from("198.51.100.2"))).status, 401);
    assert.equal((await hub.anonymous().get("/auth/local?link=x")).status, 401, "this machine is exempt");
  });

  await t.test("of failed exchanges: of fifty at once, exactly thirty are told that they are wrong", async () => {
    const post = (headers) => hub.anonymous().post("/api/tokens/exchange", undefined, from("198.51.100.3", headers));
    assert.equal((await post(bearer(token))).status, 200);
    const wrong = await Promise.all(Array.from({ length: 50 }, () => post(bearer("mst_wrong"))));
    const count = (status) => wrong.filter((each) => each.status === status).length;
    assert.deepEqual([count(401), count(429)], [30, 20]);
    assert.equal((await post(bearer(token))).status, 200, "a neighbour's old token keeps no good one out");
    const d1 = openD1(hub);
    d1.exec("UPDATE counts SET ends_ms = 1 WHERE key LIKE 'exchange 198%'");
    assert.equal((await post(bearer("mst_wrong"))).status, 401, "until its span is over");
    const left = d1.prepare("SELECT key, count FROM counts WHERE key LIKE 'exchange 198%'").all();
    assert.deepEqual(left.map((row) => [row.key, row.count]), [["exchange 198.51.100.3", 1]], "and then it counts anew");
    d1.exec("UPDATE counts SET ends_ms = 1");
    await hub.anonymous().post("/api/tokens/exchange", undefined, from("198.51.100.4", bearer("mst_wrong")));
    const keys = d1.prepare("SELECT key FROM counts ORDER BY key").all().map((row) => row.key);
    assert.deepEqual(keys, ["exchange 198.51.100.4", "refusals written"], "what is over is swept");
    d1.close();
  });
});
