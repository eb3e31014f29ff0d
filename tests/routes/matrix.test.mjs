// Who gets through which door: every route of the table, by everybody who could stand before it. A route without a row here
// fails the test, and so does a row without a route.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../support/index.mjs";
import { signIn, startBoth } from "./lib/github.mjs";
import { connectRunner, openNext } from "./lib/runner.mjs";
import { routes } from "./lib/table.mjs";

/** Rights that a route asks for. What a handler says to whom it lets in is other tests' matter. */
const MATRIX = {
  open: `GET /guest | GET / | GET /health | GET /static/*file | GET /device | GET /auth/access | GET /auth/github | GET /auth/github/callback
    POST /github/webhook | POST /api/device | POST /api/device/token`,
  local: "GET /auth/local | HEAD /auth/local",
  // Whoever comes proves it to the handler itself: by a token, a JWT, or the secret of a guest link.
  proof: "GET /ws/connect | POST /guest | POST /guest/leave | POST /api/tokens/exchange | GET /api/tokens/self | DELETE /api/tokens/self",
  // What a session's page needs: its owner's, and as much of it as was shared.
  session: `GET /sessions/:session | POST /sessions/:session/terminals | GET /sessions/:session/terminals/:terminal
    POST /sessions/:session/terminals/:terminal/stop | POST /sessions/:session/terminals/:terminal/restart
    POST /sessions/:session/terminals/:terminal/close | POST /sessions/:session/terminals/:terminal/prompts
    POST /prompts/:prompt/edit | POST /prompts/:prompt/cancel`,
  page: `POST /auth/logout | POST /device/approve | POST /device/deny | GET /dashboard | GET /dashboard/shared | GET /sessions | POST /sessions
    GET /sessions/new | POST /sessions/:session/rename | POST /sessions/:session/archive
    POST /sessions/:session/restore | POST /sessions/:session/delete | GET /sessions/:session/people
    POST /sessions/:session/people | POST /sessions/:session/people/link | POST /sessions/:session/people/:share/withdraw
    GET /clients | GET /clients/connect | POST /clients/connect | GET /clients/:client | POST /clients/:client/disconnect
    POST /clients/:client/refresh | POST /clients/:client/forget | POST /clients/:client/rename
    POST /clients/:client/revoke | GET /settings
    POST /settings/theme | POST /settings/sign-ins/:sign_in/end | POST /settings/sign-ins/end-others | GET /settings/tokens
    POST /settings/tokens | POST /settings/tokens/:id/revoke | GET /settings/audit`,
  admin: `GET /settings/access | POST /settings/access | POST /settings/access/:entity/remove
    POST /settings/people/:person/role | POST /settings/people/:person/end`,
  api: `GET /api/audit/hub | GET /api/tokens | POST /api/tokens | DELETE /api/tokens/:id | GET /api/sessions
    POST /api/sessions | GET /api/sessions/:session | PATCH /api/sessions/:session | DELETE /api/sessions/:session
    POST /api/sessions/:session/archive | POST /api/sessions/:session/restore | POST /api/sessions/:session/terminals
    GET /api/sessions/:session/shares | POST /api/sessions/:session/shares | DELETE /api/sessions/:session/shares/:share
    GET /api/shared
    GET /api/terminals/:terminal | DELETE /api/terminals/:terminal | POST /api/terminals/:terminal/stop
    POST /api/terminals/:terminal/restart | GET /api/terminals/:terminal/prompts | POST /api/terminals/:terminal/prompts
    PATCH /api/prompts/:prompt | DELETE /api/prompts/:prompt | GET /api/clients | GET /api/clients/:client
    DELETE /api/clients/:client | POST /api/clients/:client/disconnect | POST /api/clients/:client/refresh | GET /api/runners | GET /api/runners/:runner
    PATCH /api/runners/:runner | DELETE /api/runners/:runner`,
  "admin api": `GET /api/audit | GET /api/access | POST /api/access | DELETE /api/access/:entity | PATCH /api/people/:person
    DELETE /api/people/:person/sign-ins`,
};

/** How each of them is answered: "in", or the status of the refusal. A page leads a stranger to the sign-in (303). */
const REFUSALS = {
  //              session  page  admin  api  admin api
  stranger: ["303", "303", "303", "401", "401"],
  "signed out": ["303", "303", "303", "401", "401"],
  member: ["in", "in", "403", "in", "403"],
  admin: ["in", "in", "in", "in", "in"],
  guest: ["in", "303", "303", "401", "401"],
  "guest whose link was withdrawn": ["303", "303", "303", "401", "401"],
  "member's cli token": ["403", "403", "403", "in", "403"],
  "admin's cli token": ["403", "403", "403", "in", "in"],
  "runner token": ["403", "403", "403", "403", "403"],
  "token for one session": ["403", "403", "403", "403", "403"],
  "claudecodeui token": ["403", "403", "403", "403", "403"],
  "revoked token": ["303", "303", "303", "401", "401"],
  "expired token": ["303", "303", "303", "401", "401"],
  "token of a person who is out": ["303", "303", "303", "401", "401"],
};
const COLUMNS = ["session", "page", "admin", "api", "admin api"];

/**
 * Routes that lead into a session, and what somebody needs who was invited to it: the least right, or "owner". Whoever has less
 * is refused (403), and to whom it is not shared it does not exist (404).
 */
const NEEDS = {
  viewer: `GET /sessions/:session | GET /sessions/:session/terminals/:terminal | GET /api/sessions/:session
    GET /api/terminals/:terminal | GET /api/terminals/:terminal/prompts`,
  prompter: "POST /sessions/:session/terminals/:terminal/prompts | POST /api/terminals/:terminal/prompts",
  // The prompt is its owner's: whoever sent one may take it back with less, which tests/routes/sharing.test.mjs shows.
  driver: `POST /sessions/:session/terminals | POST /sessions/:session/terminals/:terminal/stop
    POST /sessions/:session/terminals/:terminal/restart | POST /sessions/:session/terminals/:terminal/close
    POST /prompts/:prompt/edit | POST /prompts/:prompt/cancel | POST /api/sessions/:session/terminals
    DELETE /api/terminals/:terminal | POST /api/terminals/:terminal/stop | POST /api/terminals/:terminal/restart
    PATCH /api/prompts/:prompt | DELETE /api/prompts/:prompt`,
  owner: `POST /sessions/:session/rename | POST /sessions/:session/archive | POST /sessions/:session/restore
    POST /sessions/:session/delete | GET /sessions/:session/people | POST /sessions/:session/people
    POST /sessions/:session/people/link | POST /sessions/:session/people/:share/withdraw | PATCH /api/sessions/:session
    DELETE /api/sessions/:session | POST /api/sessions/:session/archive | POST /api/sessions/:session/restore
    GET /api/sessions/:session/shares | POST /api/sessions/:session/shares | DELETE /api/sessions/:session/shares/:share`,
};
const RIGHTS = ["viewer", "prompter", "approver", "driver", "owner"];

const listed = (lists) =>
  Object.entries(lists).flatMap(([rights, text]) => text.split(/\s*[|\n]\s*/).map((row) => ({ rights, row: row.trim() })));
const rows = listed(MATRIX);

test("every route has its row, and every row its route", () => {
  const known = routes().map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(rows.map(({ row }) => row).sort(), known.sort());
  // A route into a session that nobody says a right for would be one that everybody has.
  const into = known.filter((row) => /\/(sessions\/:session|terminals\/:|prompts\/:)/.test(row));
  assert.deepEqual(listed(NEEDS).map(({ row }) => row).sort(), into.sort());
});

test("who gets through which door", async (t) => {
  const { hub, github } = await startBoth(t);
  const everybody = await cast(hub, github);
  const rightsOf = new Map(rows.map(({ row, rights }) => [row, rights]));
  const table = routes().map((row) => ({ ...row, rights: rightsOf.get(`${row.method} ${row.path}`) }));

  for (const [name, makeClient] of Object.entries(everybody)) {
    await t.test(name, async () => {
      for (const { method, path, url, rights } of table.filter((row) => COLUMNS.includes(row.rights))) {
        const client = await makeClient();
        const { status, text } = await client.request(method, url.replace(/\b1\b/g, "9999"));
        const expected = REFUSALS[name][COLUMNS.indexOf(rights)];
        const seen = status === 401 || status === 403 || (status === 303 && expected === "303") ? String(status) : "in";
        assert.equal(seen, expected, `${method} ${path}: ${status} ${text.slice(0, 200)}`);
        assert.ok(status < 500, `${method} ${path}: ${status} ${text.slice(0, 200)}`);
      }
    });
  }

  await t.test("whoever was invited to a session", async (t) => {
    const { owner, place, share, withdraw, invited, outsider } = await sharedSession(hub, github);
    // Fields that are right for the form and for the JSON of any of these, so that what refuses is the right alone.
    const fields = { text: "x", agent: "shell", name: "n", grantee: "nobody", kind: "person", right: "viewer", hours: "1", mode: "interrupt" };
    const asked = async (client, { row }) => {
      const [method, path] = row.split(" ");
      const url = path.replace(/:(\w+)/g, (_, name) => (name === "share" || path.includes(`/terminals/:${name}`) && path.startsWith("/sessions") && name === "terminal" ? place[name].split("-")[1] : place[name]));
      const body = method === "GET" || method === "DELETE" ? undefined : path.startsWith("/api") ? fields : new URLSearchParams(fields);
      return client.request(method, url, { body });
    };
    for (const right of [undefined, ...RIGHTS.slice(0, 4)]) {
      await t.test(right ?? "before", async () => {
        if (right) await share(right);
        for (const { row, rights } of listed(NEEDS)) {
          const may = right && RIGHTS.indexOf(rights) <= RIGHTS.indexOf(right);
          const { status, text } = await asked(invited, { row });
          const expected = may ? "in" : right ? "403" : "404";
          const seen = [403, 404].includes(status) ? String(status) : "in";
          assert.equal(seen, expected, `${row}: ${status} ${text.slice(0, 200)}`);
          const other = await asked(outsider, { row });
          assert.equal(other.status, 404, `${row} for a third person: ${other.status}`);
        }
      });
    }
    await t.test("no longer", async () => {
      await withdraw();
      for (const { row } of listed(NEEDS)) assert.equal((await asked(invited, { row })).status, 404, row);
      assert.equal((await owner.get(`/api/sessions/${place.session.split("-")[1]}`)).status, 200);
    });
  });

  await t.test("a deployed hub has no local door", async () => {
    for (const { method, url } of table.filter((row) => row.rights === "local")) {
      assert.equal((await hub.anonymous().request(method, url)).status, 404);
    }
  });

  await t.test("an open door needs nobody", async () => {
    for (const { method, path, url } of table.filter((row) => row.rights === "open")) {
      const { status } = await hub.anonymous().request(method, url);
      // A webhook proves itself by its signature; Access is not configured here.
      const expected = { "POST /github/webhook": 401, "GET /auth/access": 404 }[`${method} ${path}`];
      if (expected) assert.equal(status, expected, path);
      else assert.ok(status !== 401 && status !== 403 && status < 500, `${method} ${path}: ${status}`);
    }
  });

  await t.test("what proves itself takes no proof that does not hold", async () => {
    for (const { method, path, url } of table.filter((row) => row.rights === "proof" && !/^\/(ws|guest)/.test(row.path))) {
      for (const name of ["stranger", "signed out", "revoked token", "expired token", "token of a person who is out"]) {
        const { status } = await (await everybody[name]()).request(method, url);
        assert.equal(status, 401, `${method} ${path} for ${name}`);
      }
    }
    for (const name of ["stranger", "signed out", "revoked token"]) {
      await assert.rejects((await everybody[name]()).ws("/ws/connect"), ({ status }) => status === 401 || status === 403);
    }
  });
});

/** A session of Mona's with a terminal and a prompt, as its addresses name them for others; hubot, to whom it is shared; outsider. */
async function sharedSession(hub, github) {
  const { api: owner } = await signIn(hub, github, "mona");
  const { api: invited } = await signIn(hub, github, "hubot");
  await github.setTeamMember("acme", "builders", "outsider");
  const { api: outsider } = await signIn(hub, github, "outsider");
  const runner = await connectRunner(hub, owner, "for the matrix");
  const { json: made } = await owner.post("/api/sessions", { runner: runner.id, agent: "shell", name: "shared" });
  const terminal = await openNext(runner);
  runner.socket.send({ type: "status", terminal, status: "working", evidence: "osc7501", since_ms: 1 });
  const { json: queued } = await owner.post(`/api/terminals/${terminal}/prompts`, { text: "hers" });
  const { id } = (await owner.get("/api/access")).json.people.find(({ login }) => login === "mona");
  const shares = `/api/sessions/${made.session}/shares`;
  const share = async (right) => {
    const answer = await owner.post(shares, { kind: "person", grantee: "hubot", right });
    assert.equal(answer.status, 201, answer.text);
  };
  const withdraw = async () => {
    const { json } = await owner.get(shares);
    for (const { share: number } of json.shares) await owner.delete(`${shares}/${number}`);
  };
  const place = { session: `${id}-${made.session}`, terminal: `${id}-${terminal}`, prompt: `${id}-${queued.prompt}`, share: `${id}-1` };
  return { owner, invited, outsider, place, share, withdraw };
}

/** Everybody, by name: each call gives a client whose proof still holds, whatever an earlier request ended. */
async function cast(hub, github) {
  const bearer = (token) => new Bearer(hub.url, token);
  const browser = (login) => async () => (await signIn(hub, github, login)).api;
  const token = async (login, wish) => {
    const { api } = await signIn(hub, github, login);
    const answer = await api.post("/api/tokens", { name: "for the matrix", ...wish });
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  };
  const standing = async (login, scope) => {
    const { token: secret } = await token(login, { scope });
    return () => bearer(secret);
  };
  await signIn(hub, github, "mona"); // the first in is admin
  const { api: leaver } = await signIn(hub, github, "hubot");
  await leaver.post("/auth/logout");
  const revoked = await token("hubot", { scope: "cli" });
  await (await signIn(hub, github, "hubot")).api.delete(`/api/tokens/${revoked.id}`);
  const expired = await token("hubot", { scope: "cli", expires_in_s: 60 });
  hub.sql("UPDATE tokens SET expires_ms = 1 WHERE id = ?1", expired.id);
  await github.setTeamMember("acme", "builders", "outsider");
  const lost = await token("outsider", { scope: "cli" });
  await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "outsider" });
  const { api: owner } = await signIn(hub, github, "mona");
  const runner = await connectRunner(hub, owner, "for guests");
  const { json: session } = await owner.post("/api/sessions", { runner: runner.id, agent: "shell", name: "for guests" });
  const guest = async () => {
    const { json: made } = await owner.post(`/api/sessions/${session.session}/shares`, { kind: "guest", right: "driver" });
    const answer = await hub.anonymous().post("/guest", new URLSearchParams({ link: made.link.split("#")[1], name: "Gus" }));
    const cookie = answer.headers.getSetCookie().find((each) => each.startsWith("muster_guest="));
    return { share: made.share, api: new Api(hub.url, cookie.split(";")[0]) };
  };
  const [staying, leaving] = [await guest(), await guest()];
  await owner.delete(`/api/sessions/${session.session}/shares/${leaving.share}`);
  const { json: sandbox } = await owner.post("/api/tokens", { name: "sandbox", scope: "session", session: session.session });
  return {
    guest: () => staying.api,
    "guest whose link was withdrawn": () => leaving.api,
    "token for one session": () => bearer(sandbox.token),
    stranger: () => hub.anonymous(),
    "signed out": () => leaver,
    member: browser("hubot"),
    admin: browser("mona"),
    "member's cli token": await standing("hubot", "cli"),
    "admin's cli token": await standing("mona", "cli"),
    "runner token": await standing("hubot", "runner"),
    "claudecodeui token": await standing("hubot", "claudecodeui"),
    "revoked token": () => bearer(revoked.token),
    "expired token": () => bearer(expired.token),
    "token of a person who is out": () => bearer(lost.token),
  };
}

/** A program: a token, no cookie, no Origin. */
class Bearer extends Api {
  constructor(url, token) {
    super(url);
    this.token = token;
  }

  request(method, path, init = {}) {
    return super.request(method, path, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
  }

  ws(path, init = {}) {
    return super.ws(path, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
  }
}
