// GitHub's pages and endpoint for signing in to an app: the question to the person, the code, and the tokens for it.
//
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
// It works on parsed requests and returns answers; what is wrong with a request by the description is judged elsewhere.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { ACCESS_SECONDS, REFRESH_SECONDS } from "./world.mjs";

const DOCS = "https://docs.github.com/apps/managing-oauth-apps";
const TROUBLE = `${DOCS}/troubleshooting-oauth-app-access-token-request-errors`;

/** The texts of https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors. */
const REFUSALS = {
  incorrect_client_credentials: ["The client_id and/or client_secret passed are incorrect.", `${TROUBLE}/#incorrect-client-credentials`],
  redirect_uri_mismatch: [
    "The redirect_uri MUST match the registered callback URL for this application.",
    `${DOCS}/troubleshooting-authorization-request-errors/#redirect-uri-mismatch2`,
  ],
  bad_verification_code: ["The code passed is incorrect or expired.", `${TROUBLE}/#bad-verification-code`],
  // The uri is what GitHub sends, odd as it is: https://github.com/interlink-hq/interLink/pull/262
  bad_refresh_token: ["The refresh token passed is incorrect or expired.", `${TROUBLE}/#bad-verification-code`],
  unsupported_grant_type: ["The grant type is not supported.", `${TROUBLE}/#unsupported-grant-type`],
};

export class SignIn {
  #world;
  #asked = new Map(); // id in the form -> the request that the person is asked about

  constructor(world) {
    this.#world = world;
  }

  /** GET /login/oauth/authorize */
  authorize({ query }) {
    const { app } = this.#world;
    if (query.client_id !== app.clientId) return page(404, "Page not found", "<p>There is no app with this client ID.</p>");
    const redirectUri = query.redirect_uri ?? app.callbackUrls[0];
    if (!app.callbackUrls.some((each) => isCallback(app.type, each, redirectUri))) {
      // What GitHub shows: a person is never sent to an address that nobody registered.
      return page(400, "Be careful!", "<p>The <code>redirect_uri</code> is not associated with this application.</p>");
    }
    const person = this.#world.people.get(this.#world.signedIn);
    if (!person) return page(200, "Sign in to GitHub", "<p>Sign in to continue.</p>");
    if (person.suspended) return page(403, "Your account is suspended", "<p>Contact GitHub Support.</p>");
    if (Boolean(query.code_challenge) !== (query.code_challenge_method === "S256")) {
      return back(redirectUri, { error: "invalid_request", error_description: "PKCE needs a code_challenge and the method S256.", state: query.state });
    }
    const asked = { person, redirectUri, state: query.state, challenge: query.code_challenge, scopes: scopesOf(query.scope) };
    const granted = this.#world.granted(person);
    // "For users who have authorized scopes for the application, the user won't be shown the OAuth authorization page".
    if (granted && query.prompt !== "select_account" && asked.scopes.every((scope) => granted.includes(scope))) return this.#grant(asked);
    const id = randomBytes(16).toString("hex");
    this.#asked.set(id, asked);
    return question(app, asked, id);
  }

  /** POST /login/oauth/authorize: what the person's button sends. */
  decide({ form }) {
    const asked = this.#asked.get(form.authenticity_token);
    this.#asked.delete(form.authenticity_token);
    if (!asked) return page(422, "Your browser did something unexpected", "<p>Go back and try again.</p>");
    if (form.authorize === "1") return this.#grant(asked);
    return back(asked.redirectUri, {
      error: "access_denied",
      error_description: "The user has denied your application access.",
      error_uri: `${DOCS}/troubleshooting-authorization-request-errors/#access-denied`,
      state: asked.state,
    });
  }

  #grant({ person, redirectUri, state, challenge, scopes }) {
    return back(redirectUri, { code: this.#world.issueCode(person, { redirectUri, challenge, scopes }), state });
  }

  /** POST /login/oauth/access_token: {tokens} or {refusal}. */
  token({ form }) {
    const { app } = this.#world;
    if (form.client_id !== app.clientId || !equal(form.client_secret ?? "", app.clientSecret)) return refuse("incorrect_client_credentials");
    if (form.grant_type === "refresh_token") return this.#refresh(form.refresh_token);
    if (form.grant_type !== undefined && form.grant_type !== "authorization_code") return refuse("unsupported_grant_type");
    const { redirect_uri: redirectUri, code_verifier: verifier, code } = form;
    if (redirectUri !== undefined && !app.callbackUrls.some((each) => isCallback(app.type, each, redirectUri))) return refuse("redirect_uri_mismatch");
    const grant = this.#world.takeCode(code, { redirectUri, verifier });
    return grant ? this.#answer(this.#world.issueTokens(grant.person, grant.scopes)) : refuse("bad_verification_code");
  }

  #refresh(refreshToken) {
    const issued = this.#world.refresh(refreshToken);
    return issued ? this.#answer(issued) : refuse("bad_refresh_token");
  }

  #answer({ access, refresh, scopes }) {
    const tokens = { access_token: access, scope: scopes.join(","), token_type: "bearer" };
    if (refresh === undefined) return { tokens };
    return { tokens: { ...tokens, expires_in: ACCESS_SECONDS, refresh_token: refresh, refresh_token_expires_in: REFRESH_SECONDS } };
  }
}

function refuse(error) {
  const [error_description, error_uri] = REFUSALS[error];
  return { refusal: { error, error_description, error_uri } };
}

/**
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#redirect-urls: below the registered
 * address for an OAuth App, exactly it for a GitHub App, and at any port when that is a loopback literal.
 */
function isCallback(appType, registered, given) {
  if (!URL.canParse(given)) return false;
  const [ours, theirs] = [new URL(registered), new URL(given)];
  const isLoopback = ["127.0.0.1", "[::1]"].includes(ours.hostname);
  if (ours.protocol !== theirs.protocol || ours.hostname !== theirs.hostname) return false;
  if (!isLoopback && ours.port !== theirs.port) return false;
  if (theirs.username || theirs.password || theirs.hash) return false;
  if (ours.pathname === theirs.pathname) return appType === "oauth-app" || ours.search === theirs.search;
  return appType === "oauth-app" && theirs.pathname.startsWith(`${ours.pathname.replace(/\/$/, "")}/`);
}

const scopesOf = (text) => (text ?? "").split(/[\s,]+/).filter(Boolean);

function equal(one, other) {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function back(redirectUri, parameters) {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return { status: 302, headers: { location: url.href, "cache-control": "no-store" }, body: "" };
}

function question(app, { person, redirectUri, scopes }, id) {
  const wants = scopes.length ? `<ul>${scopes.map((scope) => `<li>${text(scope)}</li>`).join("")}</ul>` : "<p>Verify your GitHub identity</p>";
  const form = `<form method="post" action="/login/oauth/authorize">
      <input type="hidden" name="authenticity_token" value="${id}">
      <button type="submit" name="authorize" value="0">Cancel</button>
      <button type="submit" name="authorize" value="1">Authorize ${text(app.name)}</button>
    </form>`;
  const who = `<p>${text(app.name)} wants to access your <strong>${text(person.login)}</strong> account (${text(person.name)})</p>`;
  const where = `<p>Authorizing will redirect to <strong>${text(new URL(redirectUri).origin)}</strong></p>`;
  return page(200, `Authorize ${app.name}`, `${who}\n    ${wants}\n    ${form}\n    ${where}`, new URL(redirectUri).origin);
}

/** Chromium holds a redirect after a form against `form-action`, so GitHub's page names where the app lives. */
function page(status, title, content, formTarget = "") {
  const body = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>${text(title)}</title><link rel="icon" href="data:,"></head>
  <body>
    <main><h1>${text(title)}</h1>
    ${content}
    </main>
  </body>
</html>
`;
  const policy = `default-src 'none'; base-uri 'none'; img-src data:; frame-ancestors 'none'; form-action 'self' ${formTarget}`.trim();
  const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "cache-control": "no-store" };
  return { status, headers, body };
}

const text = (value) => String(value).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
