// Signing in with GitHub, and losing what let one in: over HTTP, against a stand-in held to GitHub's description.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chainOf } from "../support/audit.mjs";
import { startHub, until } from "../support/index.mjs";
import { begin, comeBack, signIn, startBoth } from "./lib/github.mjs";

const HOUR_MS = 60 * 60 * 1000;

/** What the sign-in page says to somebody who was turned away. */
const reason = (answer) => /role="alert">.*?<span>(.*?)<\/span>/s.exec(answer.text)?.[1];

const turnedAway = (answer, status, pattern) => {
  assert.equal(answer.status, status, answer.text);
  assert.match(reason(answer), pattern);
  assert.ok(!answer.headers.getSetCookie().some((cookie) => cookie.startsWith("muster_sign_in=")), "and nobody is signed in");
};

/** As if this much time had passed since GitHub last said yes. */
const letPass = (hub, ms) =>
  hub.sql("UPDATE people SET checked_ms = checked_ms - ?1, recheck_ms = recheck_ms - ?1 WHERE github <> 0", ms);

test("without an app there is no such page", async (t) => {
  const hub = await startHub(t);
  for (const path of ["/auth/github", "/auth/github/callback"]) assert.equal((await hub.anonymous().get(path)).status, 404);
  assert.equal((await hub.anonymous().post("/github/webhook", "{}")).status, 404);
});

test("a member of a team comes in", async (t) => {
  const { hub, github } = await startBoth(t);

  await t.test("with state and challenge, and no secret in sight", async () => {
    const { answer, cookie, location } = await begin(hub, "?to=/settings");
    assert.equal(answer.status, 303);
    const url = new URL(location);
    assert.equal(url.origin, github.url);
    assert.equal(url.searchParams.get("redirect_uri"), `${hub.url}/auth/github/callback`);
    assert.equal(url.searchParams.get("code_challenge_method"), "S256");
    assert.match(url.searchParams.get("code_challenge"), /^[\w-]{43}$/);
    assert.match(url.searchParams.get("state"), /^[\w-]{43}$/);
    assert.ok(!location.includes(github.app.clientSecret));
    assert.match(answer.headers.getSetCookie()[0], /HttpOnly; SameSite=Lax; Max-Age=600/);
    const [, verifier] = cookie.split("=")[1].split(".");
    assert.ok(!location.includes(verifier), "GitHub never sees the verifier");
  });

  await t.test("and goes where they wanted to go, never elsewhere", async () => {
    const { answer, api } = await signIn(hub, github, "mona", "?to=/settings");
    assert.equal(answer.headers.get("location"), "/settings");
    assert.match((await api.get("/settings")).text, /GitHub as mona/);
    for (const to of ["//evil.example", "https://evil.example", "/\\evil.example"]) {
      const { answer } = await signIn(hub, github, "mona", `?to=${encodeURIComponent(to)}`);
      assert.equal(answer.headers.get("location"), "/dashboard");
    }
  });

  await t.test("is the same person after a rename", async () => {
    const before = hub.sql("SELECT id FROM people WHERE login = 'hubot'");
    assert.deepEqual(before, []);
    await signIn(hub, github, "hubot");
    const [{ id }] = hub.sql("SELECT id FROM people WHERE login = 'hubot'");
    await github.rename("hubot", "robot");
    await signIn(hub, github, "robot");
    assert.deepEqual(hub.sql("SELECT id, login FROM people WHERE login IN ('hubot', 'robot')").map((row) => ({ ...row })), [
      { id, login: "robot" },
    ]);
  });

  await t.test("the first in is admin, the second is not", async () => {
    const mona = await signIn(hub, github, "mona");
    const robot = await signIn(hub, github, "robot");
    assert.equal((await mona.api.get("/api/access")).status, 200);
    assert.equal((await robot.api.get("/api/access")).status, 403);
    assert.equal((await robot.api.get("/settings/access")).status, 403);
  });

  await t.test("each has a hub of their own", async () => {
    const [mona, robot] = [(await signIn(hub, github, "mona")).api, (await signIn(hub, github, "robot")).api];
    const made = await mona.post("/api/tokens", { name: "laptop", scope: "runner" });
    assert.equal(made.status, 201);
    assert.equal((await mona.get("/api/runners")).json.runners.length, 1);
    assert.deepEqual((await robot.get("/api/runners")).json.runners, []);
    assert.equal((await robot.get(`/api/runners/${made.json.id}`)).status, 404);
    assert.equal((await robot.delete(`/api/tokens/${made.json.id}`)).status, 404);
  });

  await t.test("GitHub's tokens are not readable at rest", async () => {
    const rows = JSON.stringify(hub.sql("SELECT * FROM github_tokens"));
    assert.ok(rows.length > 100 && !/gh[uro]_/.test(rows));
  });
});

test("who does not come in", async (t) => {
  const { hub, github } = await startBoth(t);

  await t.test("a person in no team", async () => {
    turnedAway((await signIn(hub, github, "outsider")).answer, 403, /none of the organisations and teams/);
  });

  await t.test("who says no at GitHub", async () => {
    const { location, cookie } = await begin(hub);
    await github.signInAs("outsider");
    await github.revoke("outsider");
    turnedAway(await comeBack(hub, await github.authorize(location, { cancel: true }), cookie), 403, /You said no/);
  });

  await t.test("with another browser's state, or none", async () => {
    await github.signInAs("mona");
    const [one, other] = [await begin(hub), await begin(hub)];
    const back = await github.authorize(one.location);
    turnedAway(await comeBack(hub, back, other.cookie), 400, /another sign-in/);
    turnedAway(await comeBack(hub, back, ""), 400, /another sign-in/);
    turnedAway(await comeBack(hub, back.replace(/state=.{5}/, "state=AAAAA"), one.cookie), 400, /another sign-in/);
  });

  await t.test("with a code that was used", async () => {
    const { location, cookie } = await begin(hub);
    const back = await github.authorize(location);
    assert.equal((await comeBack(hub, back, cookie)).status, 303);
    turnedAway(await comeBack(hub, back, cookie), 400, /used already/);
  });

  await t.test("with a code that expired", async () => {
    const { location, cookie } = await begin(hub);
    const back = await github.authorize(location);
    await github.expireCodes();
    turnedAway(await comeBack(hub, back, cookie), 400, /took too long/);
  });

  await t.test("without a code", async () => {
    const { location, cookie } = await begin(hub);
    const state = new URL(location).searchParams.get("state");
    turnedAway(await comeBack(hub, `${hub.url}/auth/github/callback?state=${state}`, cookie), 400, /did not accept/);
  });

  await t.test("while the secret is wrong", async () => {
    await github.setClientSecret("another");
    turnedAway((await signIn(hub, github, "mona")).answer, 502, /does not know this hub/);
    await github.setClientSecret(github.app.clientSecret);
  });
});

test("GitHub in trouble lets nobody new in, and says so", async (t) => {
  const { hub, github } = await startBoth(t);
  const kinds = ["rate-limit", "secondary-rate-limit", "too-many-requests", "server-error", "bad-gateway", "malformed-json"];
  const cases = [...kinds, "megabyte-body", "close"].map((kind, at) => [kind, ["token", "user", "team-membership"][at % 3]]);
  for (const [kind, endpoint] of cases) {
    await t.test(`${kind} at ${endpoint}`, async () => {
      await github.fail(endpoint, kind);
      turnedAway((await signIn(hub, github, "mona")).answer, 503, /cannot be asked/);
      await github.heal();
    });
  }

  await t.test("no answer in time", async () => {
    const hold = await github.hold("user");
    turnedAway((await signIn(hub, github, "mona")).answer, 503, /cannot be asked/);
    await hold.release();
  });

  await t.test("and in again once it is well", async () => {
    assert.equal((await signIn(hub, github, "mona")).answer.status, 303);
  });
});

test("who is in is confirmed within the hour", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "hubot");
  const { json: token } = await api.post("/api/tokens", { name: "script", scope: "cli" });
  const bearer = { headers: { authorization: `Bearer ${token.token}` } };

  await t.test("GitHub is not asked before it is due", async () => {
    const before = (await github.requests("team-membership")).length;
    await hub.scheduled();
    assert.equal((await api.get("/api/sessions")).status, 200);
    assert.equal((await github.requests("team-membership")).length, before);
  });

  await t.test("the sweep asks once it is due, and refreshes an expired token first", async () => {
    await github.advance(9 * HOUR_MS);
    hub.sql("UPDATE github_tokens SET expires_ms = 1 WHERE expires_ms <> 0");
    letPass(hub, HOUR_MS);
    await hub.scheduled();
    assert.equal((await github.requests("refresh")).length, 1);
    assert.equal((await api.get("/api/sessions")).status, 200);
    const [{ checked_ms: checked }] = hub.sql("SELECT checked_ms FROM people WHERE login = 'hubot'");
    assert.ok(Date.now() - checked < HOUR_MS / 2);
  });

  await t.test("a request asks itself where the sweep does not run", async () => {
    letPass(hub, HOUR_MS);
    const before = (await github.requests("user")).length;
    assert.equal((await api.get("/api/sessions")).status, 200);
    assert.equal((await github.requests("user")).length, before + 1);
    assert.equal((await api.get("/api/sessions")).status, 200);
    assert.equal((await github.requests("user")).length, before + 1, "once");
  });

  await t.test("while GitHub is down everybody in stays in, for the grace time", async () => {
    await github.fail("*", "server-error");
    letPass(hub, HOUR_MS);
    await hub.scheduled();
    assert.equal((await api.get("/api/sessions")).status, 200);
    letPass(hub, 12 * HOUR_MS);
    await hub.scheduled();
    assert.equal((await api.get("/api/sessions")).status, 401);
    assert.equal((await hub.anonymous().get("/api/sessions", bearer)).status, 401);
    await github.heal();
  });

  await t.test("and after that their tokens work again with the next sign-in", async () => {
    await signIn(hub, github, "hubot");
    assert.equal((await hub.anonymous().get("/api/sessions", bearer)).status, 200);
  });

  await t.test("who was removed is out, with sign-in, sockets and tokens", async () => {
    const { api } = await signIn(hub, github, "hubot");
    const socket = await api.ws("/ws/connect");
    await github.removeTeamMember("acme", "builders", "hubot");
    letPass(hub, HOUR_MS);
    await hub.scheduled();
    assert.equal((await socket.closed()).code, 4001);
    assert.equal((await api.get("/api/sessions")).status, 401);
    assert.equal((await hub.anonymous().get("/api/sessions", bearer)).status, 401);
    turnedAway((await signIn(hub, github, "hubot")).answer, 403, /none of the organisations/);
    await github.setTeamMember("acme", "builders", "hubot");
    await signIn(hub, github, "hubot");
    assert.equal((await hub.anonymous().get("/api/sessions", bearer)).status, 401, "a token that was lost stays lost");
  });
});

test("a webhook ends access at once", async (t) => {
  const { hub, github } = await startBoth(t, { vars: { MUSTER_ALLOWED_ORGS: "globex" } });
  const isIn = async (api) => (await api.get("/api/sessions")).status === 200;
  await signIn(hub, github, "mona"); // the first in is admin

  await t.test("nobody but GitHub sends one", async () => {
    const { api } = await signIn(hub, github, "hubot");
    const removed = { action: "removed", org: "acme", team: "builders", login: "hubot" };
    for (const how of [{ signature: "wrong" }, { signature: "none" }, { signature: "sha1" }, { tamper: true }]) {
      assert.equal((await github.deliver("membership", removed, how)).status, 401, JSON.stringify(how));
    }
    assert.ok(await isIn(api));
  });

  await t.test("removed from the team, although the API still says otherwise", async () => {
    const { api } = await signIn(hub, github, "hubot");
    const socket = await api.ws("/ws/connect");
    const delivery = await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "hubot" });
    assert.equal(delivery.status, 204, delivery.text);
    assert.equal((await socket.closed()).code, 4001);
    assert.ok(!(await isIn(api)));
    // GitHub's own list is right again, the person came back, and the delivery comes once more.
    const again = await signIn(hub, github, "hubot");
    assert.equal((await github.redeliver(delivery)).status, 204);
    assert.ok(await isIn(again.api), "a delivery that was acted upon does nothing");
  });

  await t.test("removed from the organisation", async () => {
    const { api } = await signIn(hub, github, "hubot");
    await github.deliver("organization", { action: "member_removed", org: "acme", login: "hubot" });
    assert.ok(!(await isIn(api)));
  });

  await t.test("GitHub down at that moment: what was taken counts", async () => {
    const { api } = await signIn(hub, github, "hubot");
    await github.fail("*", "server-error");
    await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "hubot" });
    assert.ok(!(await isIn(api)));
    await github.heal();
  });

  await t.test("the team is deleted: everybody it let in is out, but who has another way in", async () => {
    const [mona, hubot] = [(await signIn(hub, github, "mona")).api, (await signIn(hub, github, "hubot")).api];
    assert.equal((await mona.post("/api/access", { kind: "user", name: "mona" })).status, 201);
    await github.deliver("team", { action: "deleted", org: "acme", team: "builders" });
    assert.ok(await isIn(mona));
    assert.ok(!(await isIn(hubot)));
  });

  await t.test("the consent was taken back", async () => {
    const { api } = await signIn(hub, github, "mona");
    await github.deliver("github_app_authorization", { action: "revoked", login: "mona", sender: "mona" });
    assert.ok(!(await isIn(api)));
  });

  await t.test("other events, and bodies beyond the bound, do nothing", async () => {
    const { api } = await signIn(hub, github, "mona");
    assert.equal((await github.deliver("ping")).status, 204);
    assert.equal((await github.deliver("star", { action: "created" })).status, 204);
    assert.equal((await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "mona" }, { padTo: 400_000 })).status, 413);
    assert.ok(await isIn(api));
  });
});

test("everybody whom a lost team let in is out at once, however many", async (t) => {
  const crowd = Array.from({ length: 30 }, (_, n) => `p${n}`);
  const people = ["mona", "keeper", ...crowd];
  const members = Object.fromEntries(people.map((login) => [login, "member"]));
  const { hub, github } = await startBoth(t, {
    people,
    orgs: { acme: { members, teams: { builders: ["keeper", ...crowd], keepers: ["keeper"] } } },
    vars: { MUSTER_ADMINS: "mona", MUSTER_ALLOWED_TEAMS: "acme/builders" },
  });
  const { api: mona } = await signIn(hub, github, "mona");
  const bearer = (value) => ({ headers: { authorization: `Bearer ${value}` } });
  const all = [];
  for (const login of ["keeper", ...crowd]) {
    const { api } = await signIn(hub, github, login);
    const { json } = await api.post("/api/tokens", { name: "script", scope: "cli" });
    all.push({ login, api, token: json.token, socket: await api.ws("/ws/connect") });
  }
  const [keeper, ...rest] = all;
  assert.equal((await mona.post("/api/access", { kind: "team", name: "acme/keepers" })).status, 201);
  const { jwt } = (await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(rest[0].token))).json;

  // GitHub's API goes on to say that they are in the team: what the event says counts.
  assert.equal((await github.deliver("team", { action: "deleted", org: "acme", team: "builders" })).status, 204);
  const inDoubt = () => hub.sql("SELECT count(*) AS people FROM people WHERE doubt = 'team:acme/builders'")[0].people;

  await t.test("their sockets are closed by the event itself", async () => {
    for (const { socket, login } of all) assert.equal((await socket.closed()).code, 4001, login);
    assert.equal(inDoubt(), 31);
    await assert.rejects(hub.anonymous().ws("/ws/connect", bearer(jwt)), { status: 401 }, "a pass from before opens nothing");
  });

  await t.test("the next sweep asks about them first", async () => {
    hub.sql("UPDATE people SET recheck_ms = 0 WHERE login = 'mona'");
    await hub.scheduled();
    assert.equal(inDoubt(), 31 - 8);
    assert.equal(hub.sql("SELECT recheck_ms FROM people WHERE login = 'mona'")[0].recheck_ms, 0);
  });

  await t.test("neither sign-in nor token works, but of who has another way in", async () => {
    const half = rest.length / 2;
    const bySignIn = await Promise.all(rest.slice(0, half).map(({ api }) => api.get("/api/sessions")));
    const byToken = await Promise.all(rest.slice(half).map(({ token }) => hub.anonymous().get("/api/sessions", bearer(token))));
    assert.deepEqual([...bySignIn, ...byToken].map((each) => each.status), crowd.map(() => 401));
    assert.equal((await keeper.api.get("/api/sessions")).status, 200);
    assert.equal((await hub.anonymous().get("/api/sessions", bearer(keeper.token))).status, 200);
    assert.equal(inDoubt(), 0);
    assert.equal(hub.sql("SELECT count(*) AS out FROM people WHERE lost_ms <> 0")[0].out, 30);
  });
});

test("while somebody in doubt is being asked about, their other requests wait", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "hubot");
  hub.sql("UPDATE people SET doubt = 'team:acme/others', recheck_ms = 0, to_close = 1 WHERE login = 'hubot'");
  const before = (await github.requests("user")).length;
  const hold = await github.hold("user", { times: 1 });
  const first = api.get("/api/sessions");
  await github.untilRequest("user", before + 1);
  const second = await api.get("/api/sessions");
  assert.deepEqual([second.status, second.headers.get("retry-after")], [503, "2"]);
  await hold.release();
  assert.equal((await first).status, 200);
  assert.equal((await api.get("/api/sessions")).status, 200);
});

test("what is lost while GitHub is asked stays lost, whatever it answered before", async (t) => {
  const { hub, github } = await startBoth(t);
  await signIn(hub, github, "mona");
  const { api } = await signIn(hub, github, "hubot");
  hub.sql("UPDATE people SET recheck_ms = 0 WHERE login = 'hubot'");
  const before = (await github.requests("team")).length;
  const hold = await github.hold("team", { times: 1 });
  const sweep = hub.scheduled();
  await github.untilRequest("team", before + 1);
  await github.deliver("team", { action: "deleted", org: "acme", team: "builders" });
  await hold.release();
  await sweep;
  assert.equal((await api.get("/api/sessions")).status, 401);
});

test("an entry means one organisation or team, whatever takes its name", async (t) => {
  const { hub, github } = await startBoth(t, {
    orgs: {
      acme: { members: { mona: "admin", hubot: "member" }, teams: { builders: ["mona", "hubot"] } },
      globex: { members: { mona: "admin" }, teams: {} },
    },
    vars: { MUSTER_ALLOWED_ORGS: "globex" },
  });
  await signIn(hub, github, "mona"); // pins the organisation
  const isIn = async (login) => (await signIn(hub, github, login)).answer.status === 303;
  assert.ok(await isIn("hubot")); // pins the team

  await t.test("a team made anew under the name", async () => {
    await github.deleteTeam("acme", "builders");
    await github.addTeam("acme", { slug: "builders" });
    await github.setTeamMember("acme", "builders", "hubot");
    assert.ok(!(await isIn("hubot")));
  });

  await t.test("an organisation that took the name", async () => {
    await github.renameOrg("globex", "initech");
    await github.addOrg({ login: "globex" });
    await github.setMember("globex", "outsider", { role: "admin" });
    assert.ok(!(await isIn("outsider")));
    assert.ok(!(await isIn("mona")), "and nobody told the hub of the new name yet");
  });

  await t.test("who renames an organisation takes its entry along", async () => {
    const renamed = await github.deliver("organization", { action: "renamed", org: "initech", from: "globex", sender: "mona" });
    assert.equal(renamed.status, 204);
    assert.ok(await isIn("mona"));
    assert.ok(!(await isIn("outsider")));
    const names = hub.sql("SELECT name FROM allowed_entities WHERE kind = 'org'").map((row) => row.name);
    assert.deepEqual(names, ["initech"]);
  });

  await t.test("removing somebody from it under its new name is understood", async () => {
    const { api } = await signIn(hub, github, "mona");
    await github.renameOrg("initech", "hooli");
    await github.deliver("organization", { action: "renamed", org: "hooli", from: "initech", sender: "mona" });
    assert.equal((await api.get("/api/sessions")).status, 200);
    assert.equal(hub.sql("SELECT allowed_by FROM people WHERE login = 'mona'")[0].allowed_by, "org:hooli");
    await github.deliver("organization", { action: "deleted", org: "hooli", sender: "mona" });
    assert.equal((await api.get("/api/sessions")).status, 401);
  });
});

test("a team's entry follows the team and its organisation to their new names", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "mona");
  await github.renameTeam("acme", "builders", "makers");
  await github.deliver("team", { action: "edited", org: "acme", team: "makers", from: "builders" });
  await github.renameOrg("acme", "globex");
  await github.deliver("organization", { action: "renamed", org: "globex", from: "acme", sender: "mona" });
  assert.deepEqual(hub.sql("SELECT name FROM allowed_entities").map((row) => row.name), ["globex/makers"]);
  letPass(hub, HOUR_MS);
  await hub.scheduled();
  assert.equal((await api.get("/api/sessions")).status, 200);
  assert.equal((await signIn(hub, github, "hubot")).answer.status, 303);
});

test("an app that may no longer look into an organisation: the next sweep asks", async (t) => {
  const { hub, github } = await startBoth(t);
  for (const action of ["deleted", "suspend"]) {
    const { api } = await signIn(hub, github, "hubot");
    await github.setOrg("acme", { installed: false });
    await hub.scheduled();
    assert.equal((await api.get("/api/sessions")).status, 200, "it is not due");
    assert.equal((await github.deliver("installation", { action, org: "acme", login: "mona" })).status, 204);
    await hub.scheduled();
    assert.equal((await api.get("/api/sessions")).status, 401, action);
    await github.setOrg("acme", { installed: true });
  }
});

test("who is admin by the variable is so no longer than it says", async (t) => {
  const { hub, github } = await startBoth(t, { vars: { MUSTER_ADMINS: "mona, hubot" } });
  const [mona, hubot] = [(await signIn(hub, github, "mona")).api, (await signIn(hub, github, "hubot")).api];
  const isAdmin = async (api) => (await api.get("/api/access")).status === 200;
  const nameAdmins = async (names) => {
    hub.vars.MUSTER_ADMINS = names;
    await hub.restart();
    letPass(hub, HOUR_MS);
    await hub.scheduled();
  };
  assert.ok((await isAdmin(mona)) && (await isAdmin(hubot)));

  await t.test("at the next confirmation, and it is written down", async () => {
    await nameAdmins("mona");
    assert.ok((await isAdmin(mona)) && !(await isAdmin(hubot)));
    const [{ id }] = hub.sql("SELECT id FROM people WHERE login = 'hubot'");
    const entry = chainOf((await mona.get("/api/audit")).text).find((each) => each.action === "role_changed");
    assert.deepEqual([entry.target, entry.detail.role, entry.actor.kind], [`person ${id}`, "member", "system"]);
  });

  await t.test("at the next sign-in", async () => {
    await nameAdmins("mona, hubot");
    const { api } = await signIn(hub, github, "hubot");
    assert.ok(await isAdmin(api));
    hub.vars.MUSTER_ADMINS = "mona";
    await hub.restart();
    assert.ok(!(await isAdmin((await signIn(hub, github, "hubot")).api)));
  });

  await t.test("but the last one stays", async () => {
    await nameAdmins("somebody-else");
    assert.ok(await isAdmin(mona));
  });

  await t.test("and whom an admin made one stays", async () => {
    const [{ id }] = hub.sql("SELECT id FROM people WHERE login = 'hubot'");
    assert.equal((await mona.patch(`/api/people/${id}`, { role: "admin" })).status, 204);
    await nameAdmins("mona, hubot");
    await signIn(hub, github, "hubot");
    await nameAdmins("mona");
    assert.ok(await isAdmin((await signIn(hub, github, "hubot")).api));
  });
});

test("the list begins as the variables say, whole or not at all", async (t) => {
  const { hub, github } = await startBoth(t, { vars: { MUSTER_ALLOWED_ORGS: "globex" } });
  hub.sql("CREATE TRIGGER cut BEFORE INSERT ON allowed_entities WHEN NEW.kind = 'team' BEGIN SELECT RAISE(ABORT, 'cut off'); END");
  assert.equal((await signIn(hub, github, "mona")).answer.status, 503);
  hub.sql("DROP TRIGGER cut");
  assert.equal((await signIn(hub, github, "mona")).answer.status, 303);
  assert.deepEqual(hub.sql("SELECT name FROM allowed_entities ORDER BY id").map((row) => row.name), ["globex", "acme/builders"]);
});

test("what admins do is written down when it is done, and only then", async (t) => {
  const { hub, github } = await startBoth(t, { vars: { MUSTER_ADMINS: "mona" } });
  const { api: mona } = await signIn(hub, github, "mona");
  const { api: hubot } = await signIn(hub, github, "hubot");
  const [[{ id: own }], [{ id: other }]] = ["mona", "hubot"].map((login) => hub.sql("SELECT id FROM people WHERE login = ?1", login));
  const told = async () => chainOf((await mona.get("/api/audit")).text).filter((each) => /^(role_changed|access_)/.test(each.action));

  await t.test("what is refused or changes nothing is not", async () => {
    assert.equal((await mona.patch(`/api/people/${own}`, { role: "member" })).status, 409);
    assert.equal((await mona.patch("/api/people/999", { role: "admin" })).status, 409);
    assert.equal((await mona.post("/api/access", { kind: "team", name: "acme/builders" })).status, 201);
    assert.equal((await mona.delete("/api/access/999")).status, 404);
    assert.deepEqual(await told(), []);
  });

  await t.test("what cannot be written down is not done", async () => {
    hub.sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    const [{ id: entry }] = hub.sql("SELECT id FROM allowed_entities");
    for (const answer of [
      await mona.patch(`/api/people/${other}`, { role: "admin" }),
      await mona.post("/api/access", { kind: "org", name: "globex" }),
      await mona.delete(`/api/access/${entry}`),
    ]) {
      assert.equal(answer.status, 503);
      assert.match(answer.json.error.message, /audit log could not be written/);
    }
    hub.sql("DROP TRIGGER full");
    assert.deepEqual(hub.sql("SELECT name FROM allowed_entities").map((row) => row.name), ["acme/builders"]);
    assert.equal((await hubot.get("/api/access")).status, 403);
    assert.equal((await hubot.get("/api/sessions")).status, 200);
  });

  await t.test("what is done is, once", async () => {
    await mona.patch(`/api/people/${other}`, { role: "admin" });
    const { json } = await mona.post("/api/access", { kind: "org", name: "globex" });
    await mona.post("/api/access", { kind: "org", name: "globex" });
    await mona.delete(`/api/access/${json.id}`);
    const all = (await told()).map((each) => [each.action, each.target, each.actor.id]);
    assert.deepEqual(all, [
      ["role_changed", `person ${other}`, String(own)],
      ["access_granted", "org:globex", String(own)],
      ["access_withdrawn", "org:globex", String(own)],
    ]);
  });
});

test("admins say who may come in", async (t) => {
  const { hub, github } = await startBoth(t, { vars: { MUSTER_ADMINS: "mona", MUSTER_ALLOWED_TEAMS: "" } });

  await t.test("named in the variables, and nobody else at first", async () => {
    turnedAway((await signIn(hub, github, "hubot")).answer, 403, /none of/);
    const { api } = await signIn(hub, github, "mona");
    assert.equal((await api.get("/api/access")).status, 200);
  });

  const { api: mona } = await signIn(hub, github, "mona");

  await t.test("an entry lets in, and its removal lets out", async () => {
    const { status, json } = await mona.post("/api/access", { kind: "team", name: "Acme/Builders" });
    assert.deepEqual([status, json.name], [201, "acme/builders"]);
    const { api: hubot } = await signIn(hub, github, "hubot");
    assert.equal((await hubot.get("/api/access")).status, 403, "the second in is no admin");
    assert.equal((await mona.delete(`/api/access/${json.id}`)).status, 204);
    assert.equal((await hubot.get("/api/sessions")).status, 401);
  });

  await t.test("a user's entry means that person, not whoever takes the name", async () => {
    await mona.post("/api/access", { kind: "user", name: "hubot" });
    assert.equal((await signIn(hub, github, "hubot")).answer.status, 303);
    await github.rename("hubot", "robot");
    await github.rename("outsider", "hubot");
    turnedAway((await signIn(hub, github, "hubot")).answer, 403, /none of/);
    assert.equal((await signIn(hub, github, "robot")).answer.status, 303);
  });

  await t.test("what cannot be is refused", async () => {
    for (const [body, field] of [
      [{ kind: "role", name: "acme" }, "kind"],
      [{ kind: "team", name: "acme" }, "name"],
      [{ kind: "org", name: "../acme" }, "name"],
      [{ kind: "user", name: "x".repeat(40) }, "name"],
    ]) {
      const answer = await mona.post("/api/access", body);
      assert.equal(answer.status, 400);
      assert.equal(answer.json.error.field, field);
    }
    assert.equal((await mona.delete("/api/access/999")).status, 404);
  });

  await t.test("there is always an admin, and nobody locks themselves out", async () => {
    const [{ id }] = hub.sql("SELECT id FROM people WHERE login = 'mona'");
    assert.equal((await mona.patch(`/api/people/${id}`, { role: "member" })).status, 409);
    const [{ id: robot }] = hub.sql("SELECT id FROM people WHERE login = 'robot'");
    assert.equal((await mona.patch(`/api/people/${robot}`, { role: "admin" })).status, 204);
    const { api } = await signIn(hub, github, "robot");
    const own = (await api.get("/api/access")).json.allowed.find((row) => row.name === "hubot");
    assert.equal((await api.delete(`/api/access/${own.id}`)).status, 409);
  });

  await t.test("an admin's login means whoever had it first", async () => {
    await github.addPerson({ login: "impostor" });
    await github.rename("mona", "lisa");
    await github.rename("impostor", "mona");
    turnedAway((await signIn(hub, github, "mona")).answer, 403, /none of/);
    await github.rename("mona", "impostor");
    await github.rename("lisa", "mona");
    assert.equal((await signIn(hub, github, "mona")).answer.status, 303);
  });

  await t.test("an admin ends another's sign-ins, sockets and tokens", async () => {
    const { api } = await signIn(hub, github, "robot");
    const { json: token } = await api.post("/api/tokens", { name: "script", scope: "cli" });
    const socket = await api.ws("/ws/connect");
    const [{ id }] = hub.sql("SELECT id FROM people WHERE login = 'robot'");
    assert.equal((await mona.delete(`/api/people/${id}/sign-ins`)).status, 204);
    assert.equal((await socket.closed()).code, 4001);
    assert.equal((await api.get("/api/sessions")).status, 401);
    const headers = { authorization: `Bearer ${token.token}` };
    assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 401);
    assert.equal((await signIn(hub, github, "robot")).answer.status, 303);
  });

  await t.test("another person signing in on the same browser closes what the first had open", async () => {
    const { api } = await signIn(hub, github, "robot");
    const socket = await api.ws("/ws/connect");
    await github.signInAs("mona");
    const begun = await begin(hub);
    await comeBack(hub, await github.authorize(begun.location), `${begun.cookie}; ${api.cookie}`);
    assert.equal((await socket.closed()).code, 4001);
  });

  await t.test("a hub that was not reached when access ended is told by the next sweep", async () => {
    const { api } = await signIn(hub, github, "robot");
    const socket = await api.ws("/ws/connect");
    // As it is left when the hub's object does not answer: out, and not closed yet.
    hub.sql("DELETE FROM sign_ins WHERE person = (SELECT id FROM people WHERE login = 'robot')");
    hub.sql("UPDATE people SET lost_ms = 1, to_close = 1 WHERE login = 'robot'");
    await hub.scheduled();
    assert.equal((await socket.closed()).code, 4001);
    assert.equal(hub.sql("SELECT to_close FROM people WHERE login = 'robot'")[0].to_close, 0, "once");
  });
});

test("a refresh token that was used unheard ends the sign-in, and no token for good", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "mona");
  const { json: token } = await api.post("/api/tokens", { name: "script", scope: "cli" });
  await github.expireTokens("mona", { refresh: true });
  hub.sql("UPDATE github_tokens SET expires_ms = 1");
  letPass(hub, HOUR_MS);
  await hub.scheduled();
  assert.equal((await api.get("/api/sessions")).status, 401);
  await signIn(hub, github, "mona");
  const headers = { authorization: `Bearer ${token.token}` };
  assert.equal((await hub.anonymous().get("/api/sessions", { headers })).status, 200);
});

test("an OAuth app's tokens, which do not expire, do as well", async (t) => {
  const { hub, github } = await startBoth(t, { app: { type: "oauth-app" } });
  const { api } = await signIn(hub, github, "mona");
  letPass(hub, HOUR_MS);
  await hub.scheduled();
  assert.equal((await api.get("/api/sessions")).status, 200);
  assert.equal((await github.requests("refresh")).length, 0);
});

test("a data key is rotated: tokens sealed with the old one are read, and sealed anew", async (t) => {
  const key = (byte) => Buffer.alloc(32, byte).toString("base64url");
  const keys = (current, ...kids) => JSON.stringify({ current, keys: Object.fromEntries(kids.map((kid) => [kid, key(kid)])) });
  const { hub, github } = await startBoth(t, { vars: { MUSTER_DATA_KEYS: keys("a", "a") } });
  const { api } = await signIn(hub, github, "mona");
  const kid = () => hub.sql("SELECT kid FROM github_tokens")[0].kid;
  assert.equal(kid(), "a");
  hub.vars.MUSTER_DATA_KEYS = keys("b", "a", "b");
  await hub.restart();
  letPass(hub, HOUR_MS);
  hub.sql("UPDATE github_tokens SET expires_ms = 1");
  await hub.scheduled();
  assert.equal(kid(), "b");
  hub.vars.MUSTER_DATA_KEYS = keys("b", "b");
  await hub.restart();
  letPass(hub, HOUR_MS);
  await hub.scheduled();
  assert.equal((await api.get("/api/sessions")).status, 200);
});
