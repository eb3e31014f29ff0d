// A client of GitHub as an app's server is one, for tests of the stand-in: right in every respect unless told otherwise.

import { createHash, randomBytes } from "node:crypto";

export const CALLBACK = "http://127.0.0.1:4321/auth/github/callback";

export const HEADERS = {
  accept: "application/vnd.github+json",
  "x-github-api-version": "2022-11-28",
  "user-agent": "muster-tests",
};

/** What an app keeps while the person is away at GitHub. */
export function newRequest() {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url"), state: randomBytes(16).toString("hex") };
}

export function authorizeUrl(github, request, more = {}) {
  const parameters = {
    client_id: github.app.clientId,
    redirect_uri: CALLBACK,
    state: request.state,
    code_challenge: request.challenge,
    code_challenge_method: "S256",
    ...more,
  };
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return `${github.url}/login/oauth/authorize?${new URLSearchParams(given)}`;
}

/** A code for whoever is signed in to GitHub. */
export async function obtainCode(github, request, more) {
  const location = new URL(await github.authorize(authorizeUrl(github, request, more)));
  return location.searchParams.get("code");
}

/** The parsed answer of the token endpoint, its status beside it. */
export async function askForTokens(github, fields, { form = false } = {}) {
  const body = { client_id: github.app.clientId, client_secret: github.app.clientSecret, ...fields };
  const answer = await fetch(`${github.url}/login/oauth/access_token`, {
    method: "POST",
    headers: { accept: "application/json", ...(form ? {} : { "content-type": "application/json" }) },
    body: form ? new URLSearchParams(body) : JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
}

/** The whole sign-in: tokens for whoever is signed in to GitHub. */
export async function signIn(github, more) {
  const request = newRequest();
  const code = await obtainCode(github, request, more);
  return askForTokens(github, { code, redirect_uri: CALLBACK, code_verifier: request.verifier });
}

export async function callApi(github, path, token, headers = {}) {
  const answer = await fetch(github.apiUrl + path, { headers: { ...HEADERS, authorization: `Bearer ${token}`, ...headers } });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined };
}
