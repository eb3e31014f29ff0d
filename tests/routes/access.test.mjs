// Cloudflare Access instead of GitHub, and before it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startAccess } from "../support/access.mjs";
import { startGitHub } from "../support/github.mjs";
import { Api, startHub } from "../support/index.mjs";

/** Signs in with these headers: the answer, and the sign-in's cookie if there is one. */
async function open(hub, headers, path = "/auth/access") {
  const answer = await hub.anonymous().get(path, { headers });
  const cookie = answer.headers.getSetCookie().find((each) => each.startsWith("muster_sign_in="));
  return { answer, api: cookie && new Api(hub.url, cookie.split(";")[0]) };
}

test("without Access there is no such page, and its header means nothing", async (t) => {
  const access = await startAccess(t);
  const hub = await startHub(t);
  const headers = await access.headers("ann@acme.com");
  assert.equal((await hub.anonymous().get("/auth/access", { headers })).status, 404);
  assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 401);
});

test("instead of GitHub", async (t) => {
  const access = await startAccess(t);
  const hub = await startHub(t, { vars: { MUSTER_LOCAL_SECRET: "", ...access.vars } });

  await t.test("whom Access vouches for is led in, and on", async () => {
    const headers = await access.headers("Ann@Acme.com");
    const home = await hub.anonymous().get("/?to=/settings", { headers });
    assert.equal(home.headers.get("location"), "/auth/access?to=%2Fsettings");
    const { answer, api } = await open(hub, headers, "/auth/access?to=/settings");
    assert.equal(answer.headers.get("location"), "/settings");
    assert.match((await api.get("/settings", { headers })).text, /Cloudflare Access as ann@acme.com/);
    assert.equal((await api.get("/api/access", { headers })).status, 200, "the first in is admin");
  });

  await t.test("every request needs the assertion, of the same person", async () => {
    const headers = await access.headers("ann@acme.com");
    const { api } = await open(hub, headers);
    assert.equal((await api.get("/api/sessions", { headers })).status, 200);
    assert.equal((await api.get("/api/sessions")).status, 401);
    assert.equal((await api.get("/api/sessions", { headers: await access.headers("bob@acme.com") })).status, 401);
    await assert.rejects(api.ws("/ws/connect"), { status: 401 });
    await (await api.ws("/ws/connect", { headers })).close();
  });

  await t.test("two people are two hubs", async () => {
    const [forAnn, forBob] = [await access.headers("ann@acme.com"), await access.headers("bob@acme.com")];
    const [ann, bob] = [(await open(hub, forAnn)).api, (await open(hub, forBob)).api];
    await ann.post("/api/tokens", { name: "laptop", scope: "runner" }, { headers: forAnn });
    assert.deepEqual((await bob.get("/api/runners", { headers: forBob })).json.runners, []);
    assert.equal((await bob.get("/api/access", { headers: forBob })).status, 403);
  });

  await t.test("tokens work while Access vouched within 30 days, and a browser's visit makes them work again", async () => {
    const DAY_MS = 24 * 60 * 60 * 1000;
    const headers = await access.headers("ann@acme.com");
    const { api } = await open(hub, headers);
    const { json: cli } = await api.post("/api/tokens", { name: "script", scope: "cli" }, { headers });
    const { json: runner } = await api.post("/api/tokens", { name: "box", scope: "runner" }, { headers });
    const bearer = (value) => ({ headers: { authorization: `Bearer ${value}` } });
    const ask = () => hub.anonymous().get("/api/sessions", bearer(cli.token));
    const exchange = () => hub.anonymous().post("/api/tokens/exchange", undefined, bearer(runner.token));
    const letPass = (ms) =>
      hub.sql("UPDATE people SET checked_ms = checked_ms - ?1, recheck_ms = recheck_ms - ?1 WHERE email = 'ann@acme.com'", ms);
    letPass(29 * DAY_MS);
    assert.equal((await ask()).status, 200);
    const socket = await hub.anonymous().ws("/ws/connect", bearer((await exchange()).json.jwt));

    letPass(DAY_MS);
    for (const refused of [await ask(), await exchange()]) {
      assert.equal(refused.status, 401);
      assert.match(refused.json.error.message, /not vouched .* 30 days: sign in once in the browser/);
    }
    await hub.scheduled();
    assert.equal((await socket.closed()).code, 4001, "and what is open is closed");

    assert.equal((await api.get("/api/sessions", { headers })).status, 200);
    assert.equal((await ask()).status, 200);
    assert.equal((await exchange()).status, 200);
    const [{ checked_ms: noted }] = hub.sql("SELECT checked_ms FROM people WHERE email = 'ann@acme.com'");
    await api.get("/api/sessions", { headers });
    assert.equal(hub.sql("SELECT checked_ms FROM people WHERE email = 'ann@acme.com'")[0].checked_ms, noted, "noted once an hour");

    letPass(31 * DAY_MS);
    await open(hub, headers);
    assert.equal((await ask()).status, 200, "a sign-in does as well");
  });

  const wrong = {
    "for another application": { claims: { aud: ["another"] } },
    "from another issuer": { claims: { iss: "https://evil.cloudflareaccess.com" } },
    expired: { claims: { exp: 1_700_000_000 } },
    "not valid yet": { claims: { nbf: 4_000_000_000 } },
    "of a service token": { claims: { email: undefined, common_name: "service" } },
    "signed by somebody else": { forge: true },
    "without a signature": { header: { alg: "none" } },
    "with a key's name that nobody knows": { header: { kid: "unknown" } },
  };
  for (const [what, how] of Object.entries(wrong)) {
    await t.test(`an assertion ${what} is refused`, async () => {
      const { answer, api } = await open(hub, await access.headers("ann@acme.com", how));
      assert.equal(answer.status, 401);
      assert.match(answer.text, /did not vouch/);
      assert.equal(api, undefined);
    });
  }

  await t.test("noise is refused", async () => {
    for (const text of ["x", "a.b.c", "..", "x".repeat(20_000)]) {
      assert.equal((await open(hub, { "cf-access-jwt-assertion": text })).answer.status, 401);
    }
  });

  await t.test("keys rotate, and are kept while they cannot be fetched", async () => {
    const before = await access.headers("ann@acme.com");
    await access.fail();
    assert.equal((await open(hub, before)).answer.status, 303, "the known key serves");
    await access.fail(false);
    await access.rotate();
    await hub.restart(); // a key is looked up again at most once a minute
    assert.equal((await open(hub, await access.headers("ann@acme.com"))).answer.status, 303);
    assert.equal((await open(hub, before)).answer.status, 303, "the last key is still published");
  });

  await t.test("keys that were never fetched, and cannot be: unavailable, nobody in", async () => {
    await access.fail();
    await hub.restart();
    const { answer, api } = await open(hub, await access.headers("ann@acme.com"));
    assert.equal(answer.status, 503);
    assert.equal(api, undefined);
    await access.fail(false);
  });
});

test("who is admin by the variable is so no longer than it says", async (t) => {
  const access = await startAccess(t);
  const hub = await startHub(t, { vars: { MUSTER_LOCAL_SECRET: "", ...access.vars, MUSTER_ADMINS: "ann@acme.com bob@acme.com eve@acme.com" } });
  const isAdmin = async (api, headers) => (await api.get("/api/access", { headers })).status === 200;
  const [ann, bob, eve] = [await access.headers("ann@acme.com"), await access.headers("bob@acme.com"), await access.headers("eve@acme.com")];
  const { api: asBob } = await open(hub, bob);
  for (const headers of [ann, bob, eve]) assert.ok(await isAdmin((await open(hub, headers)).api, headers));
  hub.vars.MUSTER_ADMINS = "ann@acme.com";
  await hub.restart();
  assert.ok(!(await isAdmin((await open(hub, eve)).api, eve)), "at the next sign-in");
  hub.sql("UPDATE people SET checked_ms = 1 WHERE email = 'bob@acme.com'");
  await asBob.get("/api/sessions", { headers: bob });
  assert.ok(!(await isAdmin(asBob, bob)), "or when it is next noted that Access vouches");
  assert.ok(await isAdmin((await open(hub, ann)).api, ann));
  hub.vars.MUSTER_ADMINS = "somebody@acme.com";
  await hub.restart();
  assert.ok(await isAdmin((await open(hub, ann)).api, ann), "the last one stays");
});

test("before GitHub: past Access nobody reaches it", async (t) => {
  const access = await startAccess(t);
  const github = await startGitHub(t, { people: ["mona"] });
  const vars = { MUSTER_LOCAL_SECRET: "", ...github.vars, ...access.vars, MUSTER_ALLOWED_USERS: "mona" };
  const hub = await startHub(t, { vars });
  const headers = await access.headers("mona@acme.com");
  assert.equal((await hub.anonymous().get("/auth/access", { headers })).status, 404);
  assert.equal((await hub.anonymous().get("/auth/github")).status, 403);
  const begun = await hub.anonymous().get("/auth/github", { headers });
  assert.equal(begun.status, 303);
  const { pathname, search } = new URL(await github.authorize(begun.headers.get("location")));
  const attempt = new Api(hub.url, begun.headers.getSetCookie()[0].split(";")[0]);
  assert.equal((await attempt.get(pathname + search)).status, 403);
  const { api } = await open(hub, { ...headers, cookie: attempt.cookie }, pathname + search);
  assert.equal((await api.get("/api/sessions", { headers })).status, 200);
  assert.equal((await api.get("/api/sessions")).status, 401);
});
