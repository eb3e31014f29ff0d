// /device and /api/device: a program asks, a person decides in the browser, and a token comes once. `muster login` from outside.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { filesBelow } from "../../scripts/lib/stamp.mjs";
import { Api, earlyInTheMinute, startHub, until } from "../support/index.mjs";

const HTMX = { "hx-request": "true" };
const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/;
const form = (fields) => new URLSearchParams(fields);
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

/** A program and a person at one hub. Programs send neither Origin nor a cookie. */
class Scene {
  constructor(hub, api) {
    Object.assign(this, { hub, api });
  }

  program(path, body, headers = {}) {
    return this.hub.anonymous().post(path, body, { headers: { origin: "", "sec-fetch-site": "", ...headers } });
  }

  async ask({ name = "laptop", scope = "cli", headers } = {}) {
    const answer = await this.program("/api/device", { name, scope }, headers);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  poll(asked) {
    return this.program("/api/device/token", { device_code: asked.device_code });
  }

  /** Its word when there is no token yet. */
  async word(asked) {
    const { status, json } = await this.poll(asked);
    assert.equal(status, 400);
    return json.error.code;
  }

  decide(asked, what, api = this.api) {
    return api.post(`/device/${what}`, form({ code: asked.user_code }), { headers: HTMX });
  }
}

async function scene(t, options) {
  const hub = await startHub(t, options);
  return new Scene(hub, await hub.signIn());
}

/** Another person of the same hub, whom a local hub itself does not know: put into its database while it is down. */
async function addPerson(hub, name) {
  await hub.kill9();
  const file = filesBelow(join(hub.stateDir, "d1")).find((each) => each.endsWith(".sqlite") && !each.endsWith("metadata.sqlite"));
  const database = new DatabaseSync(file);
  const { lastInsertRowid } = database.prepare("INSERT INTO people (name, origin, created_ms) VALUES (?, 'test', 1)").run(name);
  const cookie = "x".repeat(43);
  const { createHash } = await import("node:crypto");
  database
    .prepare("INSERT INTO sign_ins (person, cookie_hash, agent, created_ms, seen_ms) VALUES (?, ?, '', ?, ?)")
    .run(lastInsertRowid, createHash("sha256").update(cookie).digest("hex"), Date.now(), Date.now());
  database.close();
  await hub.start();
  return new Api(hub.url, `muster_sign_in=${cookie}`);
}

test("a program asks, a person approves, a token comes once", async (t) => {
  const at = await scene(t, { vars: { MUSTER_DEVICE_INTERVAL_S: "60" } });
  const { hub, api } = at;

  await t.test("the answer has what RFC 8628 says", async () => {
    const { device_code, user_code, verification_uri, verification_uri_complete, expires_in, interval } = await at.ask();
    assert.match(device_code, /^[\w-]{43}$/);
    assert.match(user_code, USER_CODE);
    assert.equal(verification_uri, `${hub.url}/device`);
    assert.equal(verification_uri_complete, `${hub.url}/device?code=${user_code}`);
    assert.deepEqual([expires_in, interval], [600, 60]);
  });

  await t.test("fields out of bounds are named", async () => {
    for (const [body, field] of [
      [{ name: "", scope: "cli" }, "name"],
      [{ name: "a\nb", scope: "cli" }, "name"],
      [{ name: "x".repeat(121), scope: "cli" }, "name"],
      [{ name: "x", scope: "session" }, "scope"],
      [{ name: "x", scope: "admin" }, "scope"],
    ]) {
      const answer = await at.program("/api/device", body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.equal(answer.json.error.field, field);
    }
    assert.equal((await at.program("/api/device", { name: "x" })).status, 400);
    for (const device_code of ["", "short", "!".repeat(43)]) {
      const answer = await at.program("/api/device/token", { device_code });
      assert.equal(answer.json.error.field, "device_code");
    }
  });

  await t.test("for the command line: pending, the page says what asks, approved, used, used up", async () => {
    const asked = await at.ask({ name: "atlas <b>", headers: { "cf-connecting-ip": "203.0.113.7" } });
    assert.equal(await at.word(asked), "authorization_pending");
    const page = await api.get(`/device?code=${asked.user_code}`);
    assert.equal(page.status, 200);
    for (const part of ["atlas &#60;b&#62;", asked.user_code, "203.0.113.7", "command line", "Approve", "Deny"]) {
      assert.ok(page.text.includes(part), part);
    }
    assert.equal(await at.word(asked), "slow_down", "looking at the page approves nothing");
    const approved = await at.decide(asked, "approve");
    assert.equal(approved.status, 200, approved.text);
    assert.match(approved.text, /is let in/);
    const { status, json } = await at.poll(asked);
    assert.equal(status, 200);
    assert.match(json.token, /^mst_[\w-]{48}$/);
    assert.deepEqual({ ...json, token: "", id: "" }, { token: "", id: "", name: "atlas <b>", scope: "cli", person: { id: "1", name: "You" } });
    assert.equal((await hub.anonymous().get("/api/sessions", bearer(json.token))).status, 200, "it opens the API");
    assert.equal(await at.word(asked), "expired_token", "the device code is used up");
    assert.equal((await at.decide(asked, "approve")).status, 404, "and so is the user code");
    assert.ok(!(await api.get("/api/tokens")).text.includes(json.token));
    for (const secret of [json.token, asked.device_code, asked.user_code]) assert.ok(!hub.log().includes(secret), "no log has it");
  });

  await t.test("as a runner: it appears among the runners, and its token opens no API", async () => {
    const asked = await at.ask({ name: "forge", scope: "runner" });
    assert.match((await api.get(`/device?code=${asked.user_code}`)).text, /as a runner/);
    await at.decide(asked, "approve");
    const { token, id } = (await at.poll(asked)).json;
    const { runners } = (await api.get("/api/runners")).json;
    assert.equal(runners.find((each) => each.runner === id).name, "forge");
    assert.equal((await hub.anonymous().get("/api/sessions", bearer(token))).status, 403);
    assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token))).json.runner.id, id);
  });

  await t.test("of many polls at once one gets the token", async () => {
    const asked = await at.ask();
    await at.decide(asked, "approve");
    const answers = await Promise.all(Array.from({ length: 8 }, () => at.poll(asked)));
    assert.deepEqual(answers.map((each) => each.status).sort(), [200, 400, 400, 400, 400, 400, 400, 400]);
  });

  await t.test("denied is told, again and again, and cannot be approved any more", async () => {
    const asked = await at.ask();
    assert.match((await at.decide(asked, "deny")).text, /stays out/);
    assert.equal(await at.word(asked), "access_denied");
    assert.equal(await at.word(asked), "access_denied");
    assert.equal((await at.decide(asked, "approve")).status, 404);
  });

  await t.test("codes are read as people type them", async () => {
    const asked = await at.ask();
    const typed = ` ${asked.user_code.toLowerCase().replace("-", " ")}`;
    assert.equal((await api.get(`/device?code=${encodeURIComponent(typed)}`)).status, 200);
    assert.equal((await api.post("/device/approve", form({ code: typed }), { headers: HTMX })).status, 200);
    assert.equal((await at.poll(asked)).status, 200);
  });

  await t.test("a token shows itself and gives itself up", async () => {
    for (const scope of ["cli", "runner"]) {
      const { token, id } = await hub.token("desk", scope);
      const own = await hub.anonymous().get("/api/tokens/self", bearer(token));
      assert.deepEqual(own.json, { id, name: "desk", scope, person: { id: "1", name: "You" } });
      assert.equal((await hub.anonymous().delete("/api/tokens/self", undefined, bearer(token))).status, 204);
      assert.equal((await hub.anonymous().get("/api/tokens/self", bearer(token))).status, 401);
      const { tokens } = (await api.get("/api/tokens")).json;
      assert.ok(tokens.find((each) => each.id === id).revoked_ms > 0);
    }
    for (const client of [hub.anonymous(), api]) {
      assert.equal((await client.get("/api/tokens/self")).status, 401, "a cookie is not a token");
      assert.equal((await client.delete("/api/tokens/self")).status, 401);
    }
  });

  await t.test("only the hub's own page decides", async () => {
    const asked = await at.ask();
    for (const what of ["approve", "deny"]) {
      for (const headers of [{ "x-csrf-token": "" }, { origin: "https://evil.example.com" }, { origin: "", "sec-fetch-site": "cross-site" }]) {
        const answer = await api.post(`/device/${what}`, form({ code: asked.user_code }), { headers });
        assert.equal(answer.status, 403, JSON.stringify(headers));
      }
      const { token } = await hub.token("script", "cli");
      const bySelf = await hub.anonymous().post(`/device/${what}`, form({ code: asked.user_code }), bearer(token));
      assert.equal(bySelf.status, 403, "a program cannot let a program in");
    }
    assert.equal(await at.word(asked), "authorization_pending");
  });

  await t.test("another site's link shows nothing of what asks, and decides nothing", async () => {
    const asked = await at.ask({ name: "very secret name" });
    const { text } = await api.get(`/device?code=${asked.user_code}`, { headers: { origin: "", "sec-fetch-site": "cross-site" } });
    assert.ok(text.includes(`value="${asked.user_code}"`) && !text.includes("very secret name") && !text.includes("/device/approve"));
  });
});

test("a stranger is led to the sign-in and back", async (t) => {
  const { hub } = await scene(t);
  const follow = async (path) => {
    const led = await hub.anonymous().get(path);
    assert.equal(led.status, 303);
    const to = new URL(led.headers.get("location"), hub.url);
    assert.equal(to.pathname, "/");
    assert.match(to.searchParams.get("to"), /^\/device(\?code=WDJB-MJHT)?$/, "the sign-in page knows too");
    const [cookie] = led.headers.getSetCookie();
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    return cookie.split(";", 1)[0];
  };
  const signIn = (cookie) => hub.anonymous().get(hub.link().slice(hub.url.length), { headers: { cookie } });
  for (const [path, back] of [
    ["/device", "/device"],
    ["/device?code=wdjbmjht", "/device?code=WDJB-MJHT"],
    ["/device?code=https://evil.example.com", "/device"],
    ["/device?code=WDJB-MJHT&next=//evil.example.com", "/device?code=WDJB-MJHT"],
  ]) {
    const answer = await signIn(await follow(path));
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("location"), back);
    assert.ok(answer.headers.getSetCookie().some((each) => /^muster_back=; .*Max-Age=0/.test(each)), "it is followed once");
  }
  for (const path of ["//evil.example.com", "https://evil.example.com/device", "/auth/logout", "/device/../dashboard"]) {
    assert.equal((await signIn(`muster_back=${path}`)).headers.get("location"), "/dashboard", path);
  }
});

test("a wrong code costs an attempt, and there are ten", async (t) => {
  const at = await scene(t);
  const asked = await at.ask();
  const wrong = asked.user_code === "BBBB-BBBB" ? "CCCC-CCCC" : "BBBB-BBBB";
  const look = (code) => at.api.get(`/device?code=${code}`);
  for (const code of ["", "x", "AAAA-AAAA", "WDJB-MJH"]) assert.equal((await look(code)).status, 200, "what can be no code costs none");
  for (let right = 0; right < 12; right += 1) assert.equal((await look(asked.user_code)).status, 200, "a right one costs none");
  const many = await Promise.all(
    Array.from({ length: 15 }, (_, n) => (n % 2 ? look(wrong) : at.api.post("/device/approve", form({ code: wrong }), { headers: HTMX }))),
  );
  assert.deepEqual(many.map((each) => each.status).sort(), [...Array(10).fill(404), ...Array(5).fill(429)]);
  const after = await look(asked.user_code);
  assert.equal(after.status, 429, "not even the right one any more");
  const wait = Number(after.headers.get("retry-after"));
  assert.ok(wait > 0 && wait <= 600, `${wait}`);
  assert.equal((await at.decide(asked, "approve")).status, 429);
  assert.equal(await at.word(asked), "authorization_pending");
  const other = await addPerson(at.hub, "Other");
  assert.equal((await at.decide(asked, "approve", other)).status, 200, "another person has attempts of their own");
});

test("who approves is whom the token acts for, and nobody else is after that", async (t) => {
  const at = await scene(t);
  const other = await addPerson(at.hub, "Other");
  const asked = await at.ask({ scope: "runner", name: "shared box" });
  assert.equal((await at.decide(asked, "approve", other)).status, 200);
  for (const what of ["approve", "deny"]) assert.equal((await at.decide(asked, what)).status, 404, "it is decided");
  assert.equal((await at.api.get(`/device?code=${asked.user_code}`)).status, 404);
  const { person, id } = (await at.poll(asked)).json;
  assert.equal(person.name, "Other");
  const runnersOf = async (api) => (await api.get("/api/runners")).json.runners.map((each) => each.runner);
  assert.deepEqual(await runnersOf(other), [id]);
  assert.deepEqual(await runnersOf(at.api), []);
  assert.deepEqual((await at.api.get("/api/tokens")).json.tokens, []);
});

test("a program that polls too soon waits longer each time", async (t) => {
  const at = await scene(t, { vars: { MUSTER_DEVICE_INTERVAL_S: "60" } });
  const asked = await at.ask();
  assert.equal(asked.interval, 60);
  assert.equal(await at.word(asked), "authorization_pending");
  for (const seconds of [65, 70]) {
    const { json } = await at.poll(asked);
    assert.equal(json.error.code, "slow_down");
    assert.match(json.error.message, new RegExp(`${seconds} seconds`));
  }
  await at.decide(asked, "approve");
  assert.equal((await at.poll(asked)).status, 200, "once somebody decided, nobody waits");
});

test("a code that nobody confirmed in time is worth nothing", async (t) => {
  const at = await scene(t, { vars: { MUSTER_DEVICE_LIFE_S: "1", MUSTER_DEVICE_INTERVAL_S: "1" } });
  const asked = await at.ask();
  assert.equal(asked.expires_in, 1);
  await until(async () => (await at.poll(asked)).json.error.code === "expired_token", "the code to expire");
  assert.equal((await at.decide(asked, "approve")).status, 404);
  assert.equal((await at.api.get(`/device?code=${asked.user_code}`)).status, 404);
  const approved = await at.ask();
  assert.equal((await at.decide(approved, "approve")).status, 200);
  const later = await at.ask();
  await until(async () => (await at.poll(later)).json.error.code === "expired_token", "one that came later to expire");
  assert.equal(await at.word(approved), "expired_token", "an approval that nobody collected ends with its code");
});

test("one address cannot use up the hub's room", async (t) => {
  const at = await scene(t);
  const from = (address) => at.program("/api/device", { name: "x", scope: "cli" }, { "cf-connecting-ip": address });
  for (let n = 0; n < 20; n += 1) assert.equal((await from("203.0.113.7")).status, 200);
  const full = await from("203.0.113.7");
  assert.equal(full.status, 429);
  assert.equal(full.headers.get("retry-after"), "600");
  assert.equal((await from("203.0.113.8")).status, 200);
});

test("an IPv6 network counts as one, and only what waits counts", async (t) => {
  const at = await scene(t);
  let last = 0;
  const from = (network) => at.ask({ headers: { "cf-connecting-ip": `${network}::${(last += 1).toString(16)}` } });
  const refused = async (network) => {
    const answer = await at.program("/api/device", { name: "x", scope: "cli" }, { "cf-connecting-ip": `${network}::ffff` });
    return answer.status === 429;
  };
  const asked = [];
  for (let n = 0; n < 20; n += 1) asked.push(await from("2001:db8:1:2"));
  assert.ok(await refused("2001:db8:1:2"));
  assert.ok(!(await refused("2001:db8:1:3")), "another network goes on");
  assert.match((await at.api.get(`/device?code=${asked[0].user_code}`)).text, /2001:db8:1:2::1\b/, "the person sees the address");
  for (const [each, what] of [[asked[0], "approve"], [asked[1], "deny"]]) {
    assert.equal((await at.decide(each, what)).status, 200);
    assert.ok(!(await refused("2001:db8:1:2")), `one that was decided waits no more: ${what}`);
  }
  assert.ok(await refused("2001:db8:1:2"), "and each makes room for one");
});

test("both doors are braked", async (t) => {
  const at = await scene(t, { rateLimit: 2 });
  await earlyInTheMinute();
  const headers = { "cf-connecting-ip": "203.0.113.9" };
  for (const [path, body] of [["/api/device", { name: "x", scope: "cli" }], ["/api/device/token", { device_code: "A".repeat(43) }]]) {
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await at.program(path, body, headers)).status);
    assert.equal(statuses[2], 429, path);
    assert.notEqual(statuses[1], 429, path);
  }
});
