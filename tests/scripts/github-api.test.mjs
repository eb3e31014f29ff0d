// The stand-in for GitHub answers as api.github.com does, breaks as told, remembers what came in, and fails the test of whoever
// asks it for what GitHub does not describe.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { startGitHub } from "../support/index.mjs";
import { CALLBACK, HEADERS, askForTokens, authorizeUrl, callApi, newRequest, obtainCode, signIn } from "./lib/github-client.mjs";

const ORG = "/user/memberships/orgs/acme";
const TEAM = "/orgs/acme/teams/builders/memberships/hubot";

const startAcme = (t, app) =>
  startGitHub(t, { app, people: ["hubot", "mona"], orgs: { acme: { members: { mona: "admin", hubot: "member" }, teams: { builders: ["hubot"] } } } });

test("memberships: role, state, 404 for who is not in, whatever the case of the names", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  const org = await callApi(github, "/user/memberships/orgs/ACME", token);
  assert.deepEqual([org.status, org.json.state, org.json.role, org.json.user.login], [200, "active", "member", "hubot"]);
  const team = await callApi(github, TEAM, token);
  assert.deepEqual([team.status, team.json.state, team.json.role], [200, "active", "member"]);
  assert.match(org.headers.get("x-ratelimit-remaining"), /^\d+$/);
  await github.setMember("acme", "hubot", { state: "pending", role: "admin" });
  await github.setTeamMember("acme", "builders", "hubot", { role: "maintainer" });
  assert.deepEqual([(await callApi(github, ORG, token)).json.state, (await callApi(github, ORG, token)).json.role], ["pending", "admin"]);
  assert.deepEqual((await callApi(github, TEAM, token)).json.state, "pending");
  const builders = "/orgs/acme/teams/builders/memberships";
  for (const path of ["/user/memberships/orgs/other", TEAM.replace("builders", "others"), `${builders}/mona`, `${builders}/nobody`]) {
    const missing = await callApi(github, path, token);
    assert.deepEqual([missing.status, missing.json.message], [404, "Not Found"], path);
  }
  await github.setMember("acme", "hubot");
  await github.removeTeamMember("acme", "builders", "hubot");
  assert.deepEqual([(await callApi(github, TEAM, token)).status, (await callApi(github, ORG, token)).status], [404, 200]);
  await github.setTeamMember("acme", "builders", "hubot");
  await github.removeMember("acme", "hubot");
  assert.deepEqual([(await callApi(github, TEAM, token)).status, (await callApi(github, ORG, token)).status], [404, 404]);
  await github.setMember("acme", "hubot");
  assert.equal((await callApi(github, TEAM, token)).status, 404, "who comes back to the organisation is not back in its teams");
});

test("a deleted team has no members, and nobody outside sees a team", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  await github.addPerson({ login: "outsider" });
  await github.signInAs("outsider");
  const { access_token: outside } = await signIn(github);
  assert.equal((await callApi(github, TEAM, outside)).status, 404);
  await github.deleteTeam("acme", "builders");
  assert.equal((await callApi(github, TEAM, token)).status, 404);
});

test("a person keeps their number when they take another login, and somebody else may take the old one", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  const before = (await callApi(github, "/user", token)).json;
  await github.rename("hubot", "hubert");
  await github.addPerson({ login: "hubot", name: "Somebody else" });
  const after = (await callApi(github, "/user", token)).json;
  assert.deepEqual([after.id, after.login], [before.id, "hubert"]);
  assert.notEqual(await github.id("hubot"), before.id);
  assert.equal((await callApi(github, TEAM, token)).status, 404, "the team's member is hubert now");
  assert.equal((await callApi(github, TEAM.replace("hubot", "hubert"), token)).status, 200);
});

test("no token, a wrong one, and what an organisation or a scope keeps back", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  const wrong = await callApi(github, "/user", "ghu_wrong");
  assert.deepEqual([wrong.status, wrong.json.message], [401, "Bad credentials"]);
  assert.equal((await callApi(github, "/user", "", { authorization: "" })).status, 401);
  await github.setOrg("acme", { installed: false });
  assert.deepEqual([(await callApi(github, ORG, token)).status, (await callApi(github, TEAM, token)).status], [403, 403]);

  const other = await startAcme(t, { type: "oauth-app" });
  const { access_token: narrow } = await signIn(other);
  assert.equal((await callApi(other, ORG, narrow)).status, 403, "without read:org");
  const { access_token: wide } = await signIn(other, { scope: "read:org" });
  assert.equal((await callApi(other, ORG, wide)).status, 200);
  await other.setOrg("acme", { restricted: true });
  assert.match((await callApi(other, ORG, wide)).json.message, /OAuth App access restrictions/);
});

test("each fault looks as GitHub's do, for as many requests as it was told, at its endpoint only", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  const failing = async (kind, options) => {
    await github.fail("user", kind, { times: 1, ...options });
    const answer = await callApi(github, "/user", token);
    assert.equal((await callApi(github, "/user", token)).status, 200, `${kind}: once`);
    return answer;
  };
  const limited = await failing("rate-limit", { resetSeconds: 120 });
  assert.deepEqual([limited.status, limited.headers.get("x-ratelimit-remaining")], [403, "0"]);
  assert.ok(Number(limited.headers.get("x-ratelimit-reset")) > Date.now() / 1000 + 60);
  const secondary = await failing("secondary-rate-limit");
  assert.deepEqual([secondary.status, secondary.headers.get("retry-after")], [403, null]);
  assert.match(secondary.json.message, /secondary rate limit/);
  const many = await failing("too-many-requests", { retryAfterSeconds: 7 });
  assert.deepEqual([many.status, many.headers.get("retry-after")], [429, "7"]);
  assert.equal((await failing("server-error")).status, 500);
  const gateway = await failing("bad-gateway");
  assert.deepEqual([gateway.status, gateway.json, gateway.text.slice(0, 9)], [502, undefined, "<!DOCTYPE"]);
  assert.ok((await failing("megabyte-body")).text.length > 1024 * 1024);
  await assert.rejects(failing("malformed-json"), SyntaxError);
  assert.equal((await callApi(github, "/user", token)).status, 200);
  for (const kind of ["close", "truncate"]) await assert.rejects(failing(kind), /fetch failed|terminated/, kind);
  await github.fail("*", "server-error");
  assert.deepEqual([(await callApi(github, ORG, token)).status, (await callApi(github, TEAM, token)).status], [500, 500]);
  await github.heal();
  await github.fail("team-membership", "server-error");
  assert.deepEqual([(await callApi(github, ORG, token)).status, (await callApi(github, TEAM, token)).status], [200, 500]);
  await assert.rejects(github.fail("user", "gremlins"), /no fault gremlins/);
});

test("the token endpoint and the page break too", async (t) => {
  const github = await startGitHub(t);
  const request = newRequest();
  const code = await obtainCode(github, request);
  await github.fail("token", "server-error", { times: 1 });
  assert.equal((await askForTokens(github, { code, redirect_uri: CALLBACK, code_verifier: request.verifier })).status, 500);
  const tokens = await askForTokens(github, { code, redirect_uri: CALLBACK, code_verifier: request.verifier });
  assert.match(tokens.access_token, /^ghu_/, "a fault uses nothing up");
  await github.fail("refresh", "too-many-requests", { times: 1 });
  assert.equal((await askForTokens(github, { grant_type: "refresh_token", refresh_token: tokens.refresh_token })).status, 429);
  await github.fail("authorize", "bad-gateway", { times: 1 });
  await assert.rejects(obtainCode(github, newRequest()), /Unicorn/);
});

test("a held request waits for its release, and is answered as things are then", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  const hold = await github.hold("org-membership");
  let answered = false;
  const answer = callApi(github, ORG, token).finally(() => (answered = true));
  const seen = await github.untilRequest("org-membership");
  assert.deepEqual([seen.fault, seen.status], ["hold", undefined]);
  assert.equal((await callApi(github, "/user", token)).status, 200, "others are not held");
  assert.equal(answered, false);
  await github.removeMember("acme", "hubot");
  await hold.release();
  assert.equal((await answer).status, 404);
  assert.equal((await callApi(github, ORG, token)).status, 404, "and no more");
});

test("whoever gives up on a held request breaks nothing", async (t) => {
  const github = await startAcme(t);
  const hold = await github.hold("user");
  const sent = httpRequest(`${github.apiUrl}/user`, { headers: { ...HEADERS, authorization: "Bearer x" } });
  sent.on("error", () => {}).end(); // it is told that it was destroyed
  const closed = new Promise((resolve) => sent.on("close", resolve));
  await github.untilRequest("user");
  sent.destroy();
  await closed;
  await hold.release();
  assert.equal((await callApi(github, "/user", "x")).status, 401);
});

test("requests are kept with their secrets, so that a test can say where those went", async (t) => {
  const github = await startAcme(t);
  const { access_token: token } = await signIn(github);
  await callApi(github, ORG, token);
  const all = await github.requests();
  assert.deepEqual(all.map(({ host, endpoint, status }) => [host, endpoint, status]), [
    ["web", "authorize", 200],
    ["web", "consent", 302],
    ["web", "token", 200],
    ["api", "org-membership", 200],
  ]);
  const where = (secret) => all.filter((each) => JSON.stringify(each).includes(secret)).map(({ endpoint }) => endpoint);
  assert.deepEqual(where(github.app.clientSecret), ["token"]);
  assert.deepEqual(where(token), ["org-membership"]);
  assert.equal((await github.requests("token"))[0].form.grant_type, undefined);
});

/** Requests that GitHub's description does not have, and what the stand-in says of them. */
const OUTSIDE = {
  "no User-Agent": [{ headers: { ...HEADERS, "user-agent": undefined } }, 403, /no User-Agent/],
  "another Accept": [{ headers: { ...HEADERS, accept: "application/json" } }, 401, /Accept is application\/json/],
  "no version": [{ headers: { ...HEADERS, "x-github-api-version": undefined } }, 401, /X-GitHub-Api-Version is undefined/],
  "a version that is none": [{ headers: { ...HEADERS, "x-github-api-version": "2001-01-01" } }, 400, /X-GitHub-Api-Version is 2001-01-01/],
  "an unknown address": [{ path: "/users/mona/orgs" }, 404, /no such endpoint/],
  "another method": [{ method: "POST" }, 404, /no such endpoint/],
  "a query": [{ path: "/user?access_token=x" }, 401, /a query .*access_token/],
};

for (const [what, [{ path = "/user", method = "GET", headers = HEADERS }, status, violation]] of Object.entries(OUTSIDE)) {
  test(`outside the description, and noticed: ${what}`, async (t) => {
    const github = await startGitHub(t);
    assert.equal(await plainStatus(github.apiUrl + path, method, headers), status);
    const found = await github.takeViolations();
    assert.equal(found.length, 1);
    assert.match(found[0], violation);
  });
}

/** fetch would add a User-Agent of its own. */
async function plainStatus(url, method, headers) {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const sent = httpRequest(url, { method, headers: given }).end();
  const [answer] = await once(sent, "response");
  answer.resume();
  return answer.statusCode;
}

test("requests for sign-in outside the documentation are noticed too", async (t) => {
  const github = await startGitHub(t);
  const plain = await github.authorize(authorizeUrl(github, newRequest(), { code_challenge_method: undefined, response_type: "code" }));
  assert.match(plain, /error=invalid_request/);
  const found = await github.takeViolations();
  assert.equal(found.length, 2);
  assert.match(found.join("\n"), /additionalProperty":"response_type"/);
  assert.match(found.join("\n"), /must have property code_challenge_method/);
  await askForTokens(github, { code: "x", code_verifier: "short" });
  assert.match((await github.takeViolations()).join("\n"), /code_verifier must match pattern/);
  const url = `${github.url}/login/oauth/access_token?${new URLSearchParams({ client_secret: github.app.clientSecret })}`;
  await fetch(url, { method: "POST" });
  assert.match((await github.takeViolations()).join("\n"), /not in its address/);
});

test("what nobody took note of fails the test, and the process", async () => {
  const github = await startGitHub(undefined);
  await plainStatus(`${github.apiUrl}/user`, "GET", {});
  await assert.rejects(github.close(), /keep to GitHub's description/);
  assert.match(github.log(), /violation: GET \/user: no User-Agent/);
  assert.equal(await github.exitCode, 1);
});

test("an answer of ours that GitHub would not give is a violation like any other", async (t) => {
  const github = await startGitHub(t, { people: [{ login: "mona", email: "no address" }] });
  const { access_token: token } = await signIn(github);
  await callApi(github, "/user", token);
  assert.match((await github.takeViolations()).join("\n"), /our answer 200: \/email must match format "email"/);
});
