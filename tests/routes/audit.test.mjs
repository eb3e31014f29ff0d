// /api/audit, /api/audit/hub and /settings/audit: what is done is written down, in a chain that cannot be changed unseen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf, openD1 } from "../support/audit.mjs";
import { startHub } from "../support/index.mjs";

const path = (link) => new URL(link).pathname + new URL(link).search;
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const lastOf = async (api, log = "/api/audit") => chainOf((await api.get(log)).text).at(-1);

test("the deployment's audit log", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  await t.test("tells of sign-ins, refused ones and sign-outs, from where", async () => {
    const link = path(hub.link());
    const from = { headers: { "cf-connecting-ip": "203.0.113.9", "user-agent": "Lynx" } };
    assert.equal((await hub.anonymous().get(link, from)).status, 303);
    const signedIn = await lastOf(api);
    assert.deepEqual(signedIn.actor, { kind: "person", id: "1", name: "You" });
    assert.deepEqual([signedIn.action, signedIn.via], ["signed_in", "browser"]);
    assert.deepEqual(signedIn.detail, { address: "203.0.113.9", by: "link", device: "Lynx" });

    assert.equal((await hub.anonymous().get(link, from)).status, 401);
    const refused = await lastOf(api);
    assert.deepEqual([refused.action, refused.actor.kind, refused.detail.address], ["sign_in_refused", "stranger", "203.0.113.9"]);
    assert.match(refused.detail.why, /already used/);

    const other = await hub.signIn();
    await other.post("/auth/logout");
    assert.equal((await lastOf(api)).action, "signed_out");
    const ended = await hub.signIn();
    const [, id] = /\/settings\/sign-ins\/(\d+)\/end/.exec((await api.get("/settings")).text);
    await api.post(`/settings/sign-ins/${id}/end`);
    const entry = await lastOf(api);
    assert.deepEqual([entry.action, entry.target], ["sign_in_ended", `sign-in ${id}`]);
    assert.equal((await ended.get("/api/tokens")).status, 401);
  });

  await t.test("tells of tokens: made, first exchanged, renamed, revoked, and never the secret", async () => {
    const made = (await api.post("/api/tokens", { name: "box", scope: "runner" })).json;
    for (let time = 0; time < 3; time += 1) {
      assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(made.token))).status, 200);
    }
    await api.patch(`/api/runners/${made.id}`, { name: "case" });
    assert.equal((await api.patch("/api/runners/none", { name: "case" })).status, 404);
    await api.delete(`/api/runners/${made.id}`);
    const { token, id } = (await api.post("/api/tokens", { name: "ci", scope: "cli" })).json;
    await hub.anonymous().post("/api/tokens", { name: "by ci", scope: "cli" }, bearer(token));
    await api.delete(`/api/tokens/${id}`);
    const { text } = await api.get("/api/audit");
    const told = chainOf(text).slice(-7);
    assert.deepEqual(
      told.map((entry) => [entry.action, entry.via, entry.actor.kind]),
      [
        ["token_made", "browser", "person"],
        ["token_exchanged", "runner", "token"],
        ["runner_renamed", "browser", "person"],
        ["runner_revoked", "browser", "person"],
        ["token_made", "browser", "person"],
        ["token_made", "cli", "token"],
        ["token_revoked", "browser", "person"],
      ],
    );
    assert.deepEqual(told[0].detail, { name: "box", scope: "runner" });
    assert.deepEqual(told[5].actor, { kind: "token", id, name: "ci" });
    assert.equal(told[5].detail.person, "1");
    for (const secret of [made.token, token, api.cookie.split("=")[1]]) assert.ok(!text.includes(secret));
  });

  await t.test("does not fork when 50 write at once", async () => {
    const before = chainOf((await api.get("/api/audit")).text).length;
    const names = Array.from({ length: 50 }, (_, index) => `at once ${index}`);
    const answers = await Promise.all(names.map((name) => api.post("/api/tokens", { name, scope: "cli" })));
    assert.deepEqual(answers.map((each) => each.status), names.map(() => 201));
    const added = chainOf((await api.get("/api/audit")).text).slice(before);
    assert.deepEqual(added.map((entry) => entry.detail.name).sort(), names.sort());
  });

  await t.test("is exported in pages, with its head", async () => {
    const whole = await api.get("/api/audit");
    assert.match(whole.headers.get("content-type"), /^application\/x-ndjson/);
    const entries = chainOf(whole.text);
    const newest = entries.at(-1);
    assert.equal(whole.headers.get("x-muster-audit-head"), `${newest.seq} ${newest.hash}`);
    const pages = [];
    for (let seq = 1; seq <= newest.seq; seq += 10) pages.push((await api.get(`/api/audit?from_seq=${seq}&limit=10`)).text);
    assert.equal(pages.join(""), whole.text);
    assert.equal((await api.get(`/api/audit?from_seq=${newest.seq + 1}`)).text, "");
    for (const query of ["from_seq=0", "from_seq=x", "limit=0", "limit=1001", "limit=-1"]) {
      const answer = await api.get(`/api/audit?${query}`);
      assert.deepEqual([answer.status, answer.json.error.field], [400, query.split("=")[0]]);
    }
  });

  await t.test("is shown to people, filtered and in pages", async () => {
    const shown = async (query) => [...(await api.get(`/settings/audit?${query}`)).text.matchAll(/<tr id="audit-(\d+)">/g)].map(([, seq]) => Number(seq));
    const entries = chainOf((await api.get("/api/audit")).text);
    const all = entries.map((entry) => entry.seq).reverse();
    assert.deepEqual(await shown(""), all.slice(0, 50));
    const older = /href="\/settings\/audit\?([^"]+before=\d+)"/.exec((await api.get("/settings/audit")).text)[1].replaceAll("&#38;", "&");
    assert.deepEqual(await shown(older), all.slice(50));
    const renamed = entries.filter((entry) => entry.action === "runner_renamed").map((entry) => entry.seq);
    assert.deepEqual(await shown("action=runner_renamed"), renamed);
    const byCi = entries.filter((entry) => entry.actor.name === "ci").map((entry) => entry.seq);
    assert.deepEqual(await shown("actor=CI"), byCi);
    assert.deepEqual(await shown("until=2020-01-01"), []);
    assert.deepEqual(await shown("since=2999-01-01"), []);
    const today = new Date(entries.at(-1).at_ms).toISOString().slice(0, 10);
    assert.ok((await shown(`since=${today}&until=${today}`)).includes(all[0]));
    assert.equal((await api.get("/settings/audit?since=yesterday")).status, 400);
    const { text } = await api.get("/settings/audit");
    assert.match(text, new RegExp(`id="audit-head">${entries.at(-1).hash}<`));
  });

  await t.test("is for admins; the log of one's own hub is for everyone", async () => {
    const d1 = openD1(hub);
    d1.exec("UPDATE people SET origin = 'github', role = 'member'");
    const answer = await api.get("/api/audit");
    assert.equal(answer.status, 403);
    assert.match(answer.json.error.message, /admin/);
    assert.equal((await api.get("/api/audit/hub")).status, 200);
    const page = (await api.get("/settings/audit?log=deployment")).text;
    assert.match(page, /in your own hub/);
    assert.doesNotMatch(page, /This deployment|sign_in_refused<|Token made<\/td>/);
    d1.exec("UPDATE people SET role = 'admin'");
    assert.equal((await api.get("/api/audit")).status, 200);
    d1.close();
  });

  await t.test("cannot be changed in the database, and a change past its triggers shows", async () => {
    const d1 = openD1(hub);
    for (const statement of [
      "UPDATE audit SET actor_name = 'Eve' WHERE seq = 3",
      "UPDATE audit SET hash = '' WHERE seq = 3",
      "DELETE FROM audit WHERE seq = 3",
      "DELETE FROM audit",
      "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
      "INSERT INTO audit SELECT 1000, at_ms, actor_kind, actor, actor_name, via, action, target, detail, '', '' FROM audit WHERE seq = 3",
      "INSERT INTO audit SELECT NULL, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash FROM audit WHERE seq = 3",
    ]) {
      assert.throws(() => d1.exec(statement), /append-only|added at its end/, statement);
    }
    const whole = (await api.get("/api/audit")).text;
    chainOf(whole);
    d1.exec("DROP TRIGGER audit_is_sealed_once");
    d1.exec("UPDATE audit SET actor_name = 'Eve' WHERE seq = 3");
    d1.close();
    const changed = (await api.get("/api/audit")).text;
    assert.throws(() => chainOf(changed), /entry 3 has another hash/);
  });
});

test("an entry whose Worker died before it was sealed is sealed by the next", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const d1 = openD1(hub);
  const insert = d1.prepare(
    "INSERT INTO audit (at_ms, actor_kind, actor, actor_name, via, action, target, detail) VALUES (?, 'system', '', '', 'system', 'signed_in', ?, '{}')",
  );
  for (let number = 0; number < 45; number += 1) insert.run(Date.now(), `left ${number}`);
  d1.close();
  assert.equal(chainOf((await api.get("/api/audit")).text).length, 46, "more than are sealed in one go");
});

test("what cannot be written down is not done, but signing out and revoking is", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { token, id } = (await api.post("/api/tokens", { name: "box", scope: "runner" })).json;
  const d1 = openD1(hub);
  d1.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  const live = () => d1.prepare("SELECT count(*) AS live FROM tokens WHERE revoked_ms = 0").get().live;

  const signIn = await hub.anonymous().get(path(hub.link()));
  assert.equal(signIn.status, 503);
  assert.deepEqual(signIn.headers.getSetCookie(), []);
  assert.equal(d1.prepare("SELECT count(*) AS all_of_them FROM sign_ins").get().all_of_them, 1);
  const made = await api.post("/api/tokens", { name: "unwritten", scope: "cli" });
  assert.equal(made.status, 503);
  assert.match(made.json.error.message, /audit log could not be written/);
  assert.equal(live(), 1);
  assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token))).status, 503);
  assert.equal((await api.patch(`/api/runners/${id}`, { name: "case" })).status, 503);
  assert.equal((await api.get(`/api/runners/${id}`)).json.name, "box");

  assert.equal((await api.delete(`/api/runners/${id}`)).status, 200);
  assert.equal(live(), 0);
  assert.equal((await api.post("/auth/logout")).status, 303);
  assert.equal((await api.get("/api/tokens")).status, 401);
  d1.exec("DROP TRIGGER full");
  d1.close();
  assert.match(hub.log(), /"event":"audit_failed"/);
  const after = await hub.signIn();
  const told = chainOf((await after.get("/api/audit")).text).map((entry) => entry.action);
  assert.deepEqual(told, ["signed_in", "token_made", "signed_in"], "and an exchange that failed is told of when it works");
});

test("the hub's own audit log", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { id: runner } = await hub.token("laptop");
  const { main_terminal: terminal, session } = (await api.post("/api/sessions", { runner, agent: "shell", name: "first" })).json;
  const cli = (await api.post("/api/tokens", { name: "ci", scope: "cli" })).json.token;

  await t.test("tells of prompts by whom and by which way, never what they say", async () => {
    const { prompt } = (await api.post(`/api/terminals/${terminal}/prompts`, { text: "the launch code" })).json;
    await hub.anonymous().patch(`/api/prompts/${prompt}`, { text: "another" }, bearer(cli));
    await api.delete(`/api/prompts/${prompt}`);
    const { text } = await api.get("/api/audit/hub");
    const told = chainOf(text);
    assert.deepEqual(
      told.map((entry) => [entry.chain, entry.action, entry.via, entry.actor.name]),
      [
        ["hub", "prompt_queued", "browser", "You"],
        ["hub", "prompt_edited", "cli", "You"],
        ["hub", "prompt_cancelled", "browser", "You"],
      ],
    );
    assert.deepEqual(told[0].detail, { chars: "15", terminal: `terminal ${terminal} of session ${session}` });
    assert.ok(!text.includes("launch"));
  });

  await t.test("holds after an eviction, and is shown beside the deployment's", async () => {
    const before = (await api.get("/api/audit/hub")).text;
    await hub.evict();
    assert.equal((await api.get("/api/audit/hub")).text, before);
    const page = (await api.get("/settings/audit?log=hub&action=prompt_edited")).text;
    assert.deepEqual([...page.matchAll(/<tr id="audit-(\d+)">/g)].map(([, seq]) => seq), ["2"]);
    assert.match(page, new RegExp(chainOf(before).at(-1).hash));
  });
});
