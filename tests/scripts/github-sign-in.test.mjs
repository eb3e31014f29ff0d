// The stand-in for GitHub asks a person, gives codes and tokens, and refuses, as GitHub documents it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { assertAccessible, assertNoProblems, openBrowser, startGitHub } from "../support/index.mjs";
import { CALLBACK, askForTokens, authorizeUrl, callApi, newRequest, obtainCode, signIn } from "./lib/github-client.mjs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A code and what is needed to use it. */
async function codeFor(github, more) {
  const request = newRequest();
  return { code: await obtainCode(github, request, more), redirect_uri: CALLBACK, code_verifier: request.verifier };
}

/** Where the app would be. */
async function startApp(t) {
  const shown = '<!doctype html><link rel="icon" href="data:,"><p>came back';
  const server = createServer((request, response) => response.setHeader("content-type", "text/html").end(shown));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/auth/github/callback`;
}

test("a person in Chromium is asked, authorizes, and is not asked again until they revoke", async (t) => {
  const github = await startGitHub(t, { people: [{ login: "mona", name: "Mona <b>Lisa</b>" }] });
  const redirect_uri = await startApp(t);
  const { page } = await openBrowser(t);
  const request = newRequest();
  await page.goto(authorizeUrl(github, request, { redirect_uri }));
  assert.match(await page.innerText("main"), /Muster wants to access your mona account \(Mona <b>Lisa<\/b>\)/);
  await assertAccessible(page);
  await page.getByRole("button", { name: "Authorize Muster" }).click();
  await page.waitForURL((url) => url.href.startsWith(redirect_uri));
  const { searchParams } = new URL(page.url());
  assert.deepEqual([...searchParams.keys()], ["code", "state"]);
  assert.equal(searchParams.get("state"), request.state);
  const tokens = await askForTokens(github, { code: searchParams.get("code"), redirect_uri, code_verifier: request.verifier });
  assert.match(tokens.access_token, /^ghu_/);
  await page.goto(authorizeUrl(github, newRequest(), { redirect_uri }));
  assert.ok(page.url().startsWith(redirect_uri), "the second time goes straight through");
  await github.revoke("mona");
  await page.goto(authorizeUrl(github, newRequest(), { redirect_uri }));
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForURL((url) => url.searchParams.get("error") === "access_denied");
  const denied = new URL(page.url()).searchParams;
  assert.deepEqual([...denied.keys()], ["error", "error_description", "error_uri", "state"]);
  assert.equal(denied.get("error_description"), "The user has denied your application access.");
  assertNoProblems(page);
});

test("who the browser is signed in as is who the token is for", async (t) => {
  const github = await startGitHub(t, { people: ["mona", "hubot"] });
  for (const login of ["mona", "hubot"]) {
    await github.signInAs(login);
    const { access_token } = await signIn(github);
    assert.equal((await callApi(github, "/user", access_token)).json.login, login);
  }
  await github.signInAs(null);
  await assert.rejects(obtainCode(github, newRequest()), /Sign in to GitHub/);
});

test("nobody is sent to an address that the app did not register", async (t) => {
  const github = await startGitHub(t, { app: { callbackUrls: ["https://hub.example/auth/github/callback"] } });
  for (const redirect_uri of [
    "https://evil.example/auth/github/callback",
    "https://hub.example:8443/auth/github/callback",
    "http://hub.example/auth/github/callback",
    "https://hub.example/auth/github/callback/deeper",
    "https://hub.example/auth/github/callback?next=1",
    "https://user@hub.example/auth/github/callback",
  ]) {
    await assert.rejects(obtainCode(github, newRequest(), { redirect_uri }), /not associated with this application/, redirect_uri);
  }
  const left = new URL(await github.authorize(authorizeUrl(github, newRequest(), { redirect_uri: undefined })));
  assert.equal(left.origin + left.pathname, "https://hub.example/auth/github/callback", "the registered one is the default");
  await assert.rejects(obtainCode(github, newRequest(), { client_id: "Iv23liSomebodyElse" }), /no app with this client ID/);
});

test("an OAuth App may name an address below the registered one, and gets the scopes it asked for", async (t) => {
  const github = await startGitHub(t, { app: { type: "oauth-app" } });
  const { status, ...tokens } = await signIn(github, { redirect_uri: CALLBACK, scope: "read:org user:email" });
  assert.equal(status, 200);
  assert.match(tokens.access_token, /^gho_[A-Za-z0-9]{36}$/);
  assert.deepEqual({ ...tokens, access_token: "" }, { access_token: "", scope: "read:org,user:email", token_type: "bearer" });
  const below = await github.authorize(authorizeUrl(github, newRequest(), { redirect_uri: `${CALLBACK}/deeper` }));
  assert.ok(below.startsWith(`${CALLBACK}/deeper?code=`));
  await github.advance(400 * 24 * HOUR);
  assert.equal((await callApi(github, "/user", tokens.access_token)).status, 200, "its tokens do not expire");
});

test("a code works once, for ten minutes, and only with its verifier and its address", async (t) => {
  const github = await startGitHub(t);
  const good = await codeFor(github);
  const tokens = await askForTokens(github, good);
  assert.equal(tokens.scope, "");
  assert.equal(tokens.expires_in, 28800);
  assert.equal(tokens.refresh_token_expires_in, 15897600);
  const wrong = {
    replayed: good,
    invented: { ...(await codeFor(github)), code: "0123456789abcdef0123" },
    "another verifier": { ...(await codeFor(github)), code_verifier: newRequest().verifier },
    "no verifier": { ...(await codeFor(github)), code_verifier: undefined },
    "another registered address": { ...(await codeFor(github)), redirect_uri: "http://127.0.0.1:9/auth/github/callback" },
  };
  for (const [what, fields] of Object.entries(wrong)) {
    const answer = await askForTokens(github, fields);
    assert.deepEqual([answer.status, answer.error], [200, "bad_verification_code"], what);
    assert.ok(answer.error_description && answer.error_uri, what);
  }
  const expired = await codeFor(github);
  await github.advance(10 * MINUTE);
  assert.equal((await askForTokens(github, expired)).error, "bad_verification_code");
  const atOnce = await codeFor(github);
  await github.expireCodes();
  assert.equal((await askForTokens(github, atOnce)).error, "bad_verification_code");
  const late = await codeFor(github);
  await github.advance(9 * MINUTE);
  assert.match((await askForTokens(github, late, { form: true })).access_token, /^ghu_/, "still good just before, and as a form");
});

test("wrong client credentials are told with status 200, and cost no code", async (t) => {
  const github = await startGitHub(t);
  const good = await codeFor(github);
  const { app } = github;
  for (const fields of [{ client_secret: "wrong" }, { client_secret: `${app.clientSecret}x` }, { client_id: "Iv23liSomebodyElse" }]) {
    const answer = await askForTokens(github, { ...good, ...fields });
    assert.deepEqual([answer.status, answer.error], [200, "incorrect_client_credentials"]);
  }
  assert.equal((await askForTokens(github, { ...good, redirect_uri: "https://evil.example/" })).error, "redirect_uri_mismatch");
  await github.setClientSecret("rotated");
  assert.equal((await askForTokens(github, good)).error, "incorrect_client_credentials");
  assert.match((await askForTokens(github, { ...good, client_secret: "rotated" })).access_token, /^ghu_/);
});

test("who does not ask for JSON gets a form, as documented", async (t) => {
  const github = await startGitHub(t);
  const { clientId: client_id, clientSecret: client_secret } = github.app;
  const body = new URLSearchParams({ client_id, client_secret, ...(await codeFor(github)) });
  const answer = await fetch(`${github.url}/login/oauth/access_token`, { method: "POST", body });
  const tokens = new URLSearchParams(await answer.text());
  assert.match(tokens.get("access_token"), /^ghu_/);
  assert.equal(tokens.get("token_type"), "bearer");
});

test("a refresh token works once, ends the access token that it came with, and lasts six months", async (t) => {
  const github = await startGitHub(t);
  const refresh = (refresh_token) => askForTokens(github, { grant_type: "refresh_token", refresh_token });
  const first = await signIn(github);
  await github.advance(8 * HOUR);
  const expired = await callApi(github, "/user", first.access_token);
  assert.deepEqual([expired.status, expired.json.message], [401, "Bad credentials"]);
  const second = await refresh(first.refresh_token);
  assert.equal((await callApi(github, "/user", second.access_token)).status, 200);
  const replayed = await refresh(first.refresh_token);
  assert.deepEqual([replayed.status, replayed.error], [200, "bad_refresh_token"]);
  const third = await refresh(second.refresh_token);
  assert.equal((await callApi(github, "/user", second.access_token)).status, 401, "the old access token went with its refresh token");
  assert.equal((await callApi(github, "/user", third.access_token)).status, 200);
  await github.advance(184 * 24 * HOUR);
  assert.equal((await refresh(third.refresh_token)).error, "bad_refresh_token");
});

test("a person who revokes or is suspended is out at once", async (t) => {
  const github = await startGitHub(t);
  const { access_token, refresh_token } = await signIn(github);
  await github.suspend("mona");
  assert.equal((await callApi(github, "/user", access_token)).status, 403);
  await assert.rejects(obtainCode(github, newRequest()), /suspended/);
  await github.suspend("mona", false);
  assert.equal((await callApi(github, "/user", access_token)).status, 200);
  await github.revoke("mona");
  assert.equal((await callApi(github, "/user", access_token)).status, 401);
  assert.equal((await askForTokens(github, { grant_type: "refresh_token", refresh_token })).error, "bad_refresh_token");
});
