// Who gets through which door: every route of the table, by everybody who could stand before it. A route without a row here
// fails the test, and so does a row without a route.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../support/index.mjs";
import { signIn, startBoth } from "./lib/github.mjs";
import { routes } from "./lib/table.mjs";

/** Rights that a route asks for. What a handler says to whom it lets in is other tests' matter. */
const MATRIX = {
  open: `GET / | GET /health | GET /static/*file | GET /device | GET /auth/access | GET /auth/github | GET /auth/github/callback
    POST /github/webhook | POST /api/device | POST /api/device/token`,
  local: "GET /auth/local | HEAD /auth/local",
  // Whoever comes proves it to the handler itself, by a token or a JWT.
  proof: "GET /ws/connect | POST /api/tokens/exchange | GET /api/tokens/self | DELETE /api/tokens/self",
  page: `POST /auth/logout | POST /device/approve | POST /device/deny | GET /dashboard | GET /sessions | POST /sessions
    GET /sessions/new | GET /sessions/:session | POST /sessions/:session/rename | POST /sessions/:session/archive
    POST /sessions/:session/restore | POST /sessions/:session/delete | POST /sessions/:session/terminals
    GET /sessions/:session/terminals/:terminal | POST /sessions/:session/terminals/:terminal/stop
    POST /sessions/:session/terminals/:terminal/restart | POST /sessions/:session/terminals/:terminal/close
    POST /sessions/:session/terminals/:terminal/prompts | POST /prompts/:prompt/edit | POST /prompts/:prompt/cancel
    GET /clients | GET /clients/connect | POST /clients/connect | GET /clients/:client | POST /clients/:client/disconnect
    POST /clients/:client/refresh | POST /clients/:client/rename | POST /clients/:client/revoke | GET /settings
    POST /settings/theme | POST /settings/sign-ins/:sign_in/end | POST /settings/sign-ins/end-others | GET /settings/tokens
    POST /settings/tokens | POST /settings/tokens/:id/revoke | GET /settings/audit`,
  admin: `GET /settings/access | POST /settings/access | POST /settings/access/:entity/remove
    POST /settings/people/:person/role | POST /settings/people/:person/end`,
  api: `GET /api/audit/hub | GET /api/tokens | POST /api/tokens | DELETE /api/tokens/:id | GET /api/sessions
    POST /api/sessions | GET /api/sessions/:session | PATCH /api/sessions/:session | DELETE /api/sessions/:session
    POST /api/sessions/:session/archive | POST /api/sessions/:session/restore | POST /api/sessions/:session/terminals
    GET /api/terminals/:terminal | DELETE /api/terminals/:terminal | POST /api/terminals/:terminal/stop
    POST /api/terminals/:terminal/restart | GET /api/terminals/:terminal/prompts | POST /api/terminals/:terminal/prompts
    PATCH /api/prompts/:prompt | DELETE /api/prompts/:prompt | GET /api/clients | GET /api/clients/:client
    POST /api/clients/:client/disconnect | POST /api/clients/:client/refresh | GET /api/runners | GET /api/runners/:runner
    PATCH /api/runners/:runner | DELETE /api/runners/:runner`,
  "admin api": `GET /api/audit | GET /api/access | POST /api/access | DELETE /api/access/:entity | PATCH /api/people/:person
    DELETE /api/people/:person/sign-ins`,
};

/** How each of them is answered: "in", or the status of the refusal. A page leads a stranger to the sign-in (303). */
const REFUSALS = {
  //                 page  admin  api  admin api
  stranger: ["303", "303", "401", "401"],
  "signed out": ["303", "303", "401", "401"],
  member: ["in", "403", "in", "403"],
  admin: ["in", "in", "in", "in"],
  "member's cli token": ["403", "403", "in", "403"],
  "admin's cli token": ["403", "403", "in", "in"],
  "runner token": ["403", "403", "403", "403"],
  "claudecodeui token": ["403", "403", "403", "403"],
  "revoked token": ["303", "303", "401", "401"],
  "expired token": ["303", "303", "401", "401"],
  "token of a person who is out": ["303", "303", "401", "401"],
};
const COLUMNS = ["page", "admin", "api", "admin api"];

const rows = Object.entries(MATRIX).flatMap(([rights, text]) =>
  text.split(/\s*[|\n]\s*/).map((row) => ({ rights, row: row.trim() })),
);

test("every route has its row, and every row its route", () => {
  const known = routes().map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(rows.map(({ row }) => row).sort(), known.sort());
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
    for (const { method, path, url } of table.filter((row) => row.rights === "proof" && row.path !== "/ws/connect")) {
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
  return {
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
