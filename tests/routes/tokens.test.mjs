// /api/tokens: made and shown once, exchanged, revoked.

import assert from "node:assert/strict";
import { test } from "node:test";
import { earlyInTheMinute, startHub } from "../support/index.mjs";

const LIFE_MS = 5 * 60 * 1000;

test("/api/tokens", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  const bearer = (value) => ({ headers: { authorization: `Bearer ${value}` } });
  const exchange = (token) => hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token));
  const make = async (name, scope) => (await api.post("/api/tokens", { name, scope })).json;

  await t.test("a token is shown once, and a runner's shows among the runners", async () => {
    const answer = await api.post("/api/tokens", { name: "  laptop ", scope: "runner" });
    assert.equal(answer.status, 201);
    assert.match(answer.json.token, /^mst_[\w-]{48}$/);
    assert.equal(answer.json.name, "laptop");
    const list = await api.get("/api/tokens");
    assert.ok(!list.text.includes(answer.json.token), "the list holds no secret");
    const entry = list.json.tokens.find((each) => each.id === answer.json.id);
    assert.deepEqual({ ...entry, created_ms: 0 }, { id: answer.json.id, name: "laptop", scope: "runner", created_ms: 0, used_ms: 0, revoked_ms: 0, expires_ms: 0, used_from: "", session: 0 });
    const { runners } = (await api.get("/api/runners")).json;
    assert.equal(runners.find((each) => each.runner === answer.json.id).name, "laptop");
    assert.ok(!hub.log().includes(answer.json.token), "nor does the log");
  });

  await t.test("fields out of bounds are named", async () => {
    for (const [body, field] of [
      [{ name: "", scope: "runner" }, "name"],
      [{ name: "x".repeat(121), scope: "runner" }, "name"],
      [{ name: "a\nb", scope: "cli" }, "name"],
    ]) {
      const answer = await api.post("/api/tokens", body);
      assert.equal(answer.status, 400);
      assert.equal(answer.json.error.field, field);
    }
    for (const body of [{ name: "x", scope: "admin" }, { name: "x" }, {}, []]) {
      assert.equal((await api.post("/api/tokens", body)).status, 400, JSON.stringify(body));
    }
  });

  await t.test("a runner's token is exchanged for a JWT of five minutes", async () => {
    const made = await make("desk", "runner");
    const before = Date.now();
    const answer = await exchange(made.token);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json.runner, { id: made.id, name: "desk" });
    assert.ok(answer.json.expires_at_ms > before + LIFE_MS - 2000 && answer.json.expires_at_ms <= Date.now() + LIFE_MS);
    const [header, claims] = answer.json.jwt.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
    assert.equal(header.alg, "HS256");
    assert.ok(header.kid);
    assert.equal(claims.aud, "muster/ws");
    assert.equal(claims.typ, "runner");
    assert.equal(claims.sub, made.id);
    assert.ok(!hub.log().includes(answer.json.jwt), "the log holds no JWT");
  });

  await t.test("a wrong token says whether it is mistyped or unknown", async () => {
    const { token } = await make("typo", "runner");
    const mistyped = await exchange(`${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`);
    assert.equal(mistyped.status, 401);
    assert.match(mistyped.json.error.message, /typing error/);
    assert.equal(mistyped.headers.get("www-authenticate"), "Bearer");
    for (const value of ["", "mst_", "x", `${token} `.repeat(100)]) {
      assert.equal((await exchange(value)).status, 401);
    }
    assert.equal((await hub.anonymous().post("/api/tokens/exchange")).status, 401);
    assert.equal((await api.post("/api/tokens/exchange")).status, 401, "a cookie is not a token");
  });

  await t.test("a runner's token does not open the API, a cli token does", async () => {
    const [runner, cli] = [await make("r", "runner"), await make("c", "cli")];
    const anonymous = hub.anonymous();
    const refused = await anonymous.get("/api/sessions", bearer(runner.token));
    assert.equal(refused.status, 403);
    const answer = await anonymous.get("/api/sessions", bearer(cli.token));
    assert.equal(answer.status, 200);
    assert.ok(Array.isArray(answer.json.sessions));
    const made = await anonymous.post("/api/tokens", { name: "by cli", scope: "runner" }, { headers: { authorization: `Bearer ${cli.token}`, origin: "" } });
    assert.equal(made.status, 201, "without Origin and CSRF token");
  });

  await t.test("revoking closes what the token had open, and it opens nothing again", async () => {
    const made = await make("lost laptop", "runner");
    const { jwt } = (await exchange(made.token)).json;
    const socket = await hub.anonymous().ws("/ws/connect", bearer(jwt));
    assert.equal((await api.delete(`/api/tokens/${made.id}`)).status, 204);
    assert.equal((await socket.closed()).code, 4007);
    assert.equal((await exchange(made.token)).status, 401);
    await assert.rejects(hub.anonymous().ws("/ws/connect", bearer(jwt)), { status: 401 }, "not even with a JWT that is still good");
    assert.equal((await api.delete(`/api/tokens/${made.id}`)).status, 204, "again changes nothing");
    assert.equal((await api.delete("/api/tokens/none")).status, 404);
    const { runners } = (await api.get("/api/runners")).json;
    assert.equal(runners.find((each) => each.runner === made.id).revoked, true);
  });

  await t.test("JWTs hold across a restart", async () => {
    const made = await make("steady", "runner");
    const { jwt } = (await exchange(made.token)).json;
    await hub.restart();
    const socket = await hub.anonymous().ws("/ws/connect", bearer(jwt));
    await socket.close();
  });
});

test("keys are made and kept where the deployment sets none", async (t) => {
  const hub = await startHub(t, { vars: { MUSTER_JWT_KEYS: "" } });
  const { token } = await hub.token("laptop");
  const init = { headers: { authorization: `Bearer ${token}` } };
  const answers = await Promise.all(Array.from({ length: 4 }, () => hub.anonymous().post("/api/tokens/exchange", undefined, init)));
  const kids = answers.map((each) => JSON.parse(Buffer.from(each.json.jwt.split(".")[0], "base64url")).kid);
  assert.equal(new Set(kids).size, 1, "one key, however many came first");
  await hub.restart();
  const socket = await hub.anonymous().ws("/ws/connect", { headers: { authorization: `Bearer ${answers[0].json.jwt}` } });
  await socket.close();
});

test("too many attempts from one address are told to wait", async (t) => {
  const hub = await startHub(t, { rateLimit: 3 });
  await earlyInTheMinute();
  const init = { headers: { "cf-connecting-ip": "203.0.113.7" } };
  const statuses = [];
  let last;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    last = await hub.anonymous().post("/api/tokens/exchange", undefined, init);
    statuses.push(last.status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  assert.equal(last.headers.get("retry-after"), "60");
  assert.equal(last.json.error.code, "rate_limited");
});

test("a token ends when it was said to", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  await t.test("within bounds", async () => {
    for (const expires_in_s of [0, 59, 366 * 86_400 + 1, -1, "week"]) {
      const answer = await api.post("/api/tokens", { name: "ci", scope: "cli", expires_in_s });
      assert.equal(answer.status, 400, JSON.stringify(expires_in_s));
    }
    assert.equal((await api.post("/api/tokens", { name: "ci", scope: "session" })).json.error.field, "session");
  });

  await t.test("and is told apart in the list", async () => {
    const { json: made } = await api.post("/api/tokens", { name: "ci", scope: "cli", expires_in_s: 3600 });
    assert.ok(Math.abs(made.expires_ms - Date.now() - 3_600_000) < 60_000);
    const headers = { authorization: `Bearer ${made.token}` };
    assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 200);
    assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, { headers })).status, 200);
    hub.sql("UPDATE tokens SET expires_ms = 1 WHERE id = ?1", made.id); // an hour passes
    assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 401);
    assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, { headers })).status, 401);
    assert.match((await api.get("/settings/tokens")).text, /<td>Ended<\/td>/);
  });

  await t.test("and on the page: made, shown once, revoked", async () => {
    const htmx = { headers: { "hx-request": "true" } };
    const form = new URLSearchParams({ name: "laptop script", scope: "cli", days: "30" });
    const made = await api.post("/settings/tokens", form, htmx);
    const [token] = /mst_[\w-]{48}/.exec(made.text);
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 200);
    const page = (await api.get("/settings/tokens")).text;
    assert.ok(!page.includes(token) && page.includes("30 days left"));
    const [, id] = /id="token-(\w+)"><th scope="row">laptop script/.exec(page);
    assert.equal((await api.post(`/settings/tokens/${id}/revoke`, new URLSearchParams(), htmx)).status, 200);
    assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 401);
  });
});

test("a token ends with the token that made it", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const bearer = (token) => ({ headers: { authorization: `Bearer ${token}`, origin: "" } });
  const makeBy = async (token, body) => {
    const answer = await hub.anonymous().post("/api/tokens", body, bearer(token));
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  };
  const exchange = (token) => hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token));
  const connect = async (token) => hub.anonymous().ws("/ws/connect", bearer((await exchange(token)).json.jwt));

  await t.test("never later", async () => {
    const { json: maker } = await api.post("/api/tokens", { name: "ci", scope: "cli", expires_in_s: 3600 });
    for (const expires_in_s of [undefined, 7200]) {
      const made = await makeBy(maker.token, { name: "made", scope: "cli", expires_in_s });
      assert.equal(made.expires_ms, maker.expires_ms);
      const entry = (await api.get("/api/tokens")).json.tokens.find((each) => each.id === made.id);
      assert.equal(entry.expires_ms, maker.expires_ms);
    }
    const sooner = await makeBy(maker.token, { name: "sooner", scope: "runner", expires_in_s: 60 });
    assert.ok(sooner.expires_ms < maker.expires_ms && sooner.expires_ms > Date.now());
    const { json: endless } = await api.post("/api/tokens", { name: "endless", scope: "cli" });
    assert.equal((await makeBy(endless.token, { name: "made", scope: "cli" })).expires_ms, 0);
  });

  await t.test("revoked with it, and so is what that made, with their sockets", async () => {
    const { json: maker } = await api.post("/api/tokens", { name: "ci", scope: "cli" });
    const { json: other } = await api.post("/api/tokens", { name: "other", scope: "cli" });
    const second = await makeBy(maker.token, { name: "second", scope: "cli" });
    const runner = await makeBy(second.token, { name: "third", scope: "runner" });
    const apart = await makeBy(other.token, { name: "apart", scope: "runner" });
    const [socket, stays] = [await connect(runner.token), await connect(apart.token)];
    assert.equal((await api.delete(`/api/tokens/${maker.id}`)).status, 204);
    assert.equal((await socket.closed()).code, 4007);
    for (const { token } of [maker, second, runner]) assert.equal((await exchange(token)).status, 401);
    const { runners } = (await api.get("/api/runners")).json;
    assert.equal(runners.find((each) => each.runner === runner.id).revoked, true);
    assert.equal(runners.find((each) => each.runner === apart.id).revoked, false);
    for (const { token } of [other, apart]) assert.equal((await exchange(token)).status, 200);
    assert.equal(stays.how, undefined);
    await stays.close();
    assert.equal((await api.delete(`/api/tokens/${maker.id}`)).status, 204, "again changes nothing");
  });

  await t.test("many at once, a token that gives itself up", async () => {
    const { json: maker } = await api.post("/api/tokens", { name: "ci", scope: "cli" });
    const made = [];
    for (let n = 0; n < 25; n += 1) made.push(await makeBy(maker.token, { name: `box ${n}`, scope: "runner" }));
    const socket = await connect(made[24].token);
    assert.equal((await hub.anonymous().delete("/api/tokens/self", undefined, bearer(maker.token))).status, 204);
    await socket.closed();
    const { tokens } = (await api.get("/api/tokens")).json;
    assert.ok(made.every(({ id }) => tokens.find((each) => each.id === id).revoked_ms > 0));
  });
});
