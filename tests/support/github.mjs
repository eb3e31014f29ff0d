// A stand-in for GitHub for a test, as a process of its own: sign-in pages for a browser, the token endpoint, the API, webhooks.
// What the hub sends there, and what it gets, is held to GitHub's published description; a violation fails the test.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Process, showLogOnFailure } from "./process.mjs";
import { until } from "./until.mjs";

const SERVER = fileURLToPath(new URL("github-server.mjs", import.meta.url));

const APP = {
  type: "github-app", // or "oauth-app"
  name: "Muster",
  clientId: "Iv23liMusterForTests",
  // GitHub lets a loopback address come with any port, so a hub that does not run yet can be registered.
  callbackUrls: ["http://127.0.0.1/auth/github/callback"],
};

/**
 * `options`: app ({type, name, clientId, clientSecret, callbackUrls}), webhookSecret, webhookUrl, people ([{login, name?, email?, id?}] or
 * logins; the first one is signed in to GitHub), orgs ({acme: {members: {mona: "admin"}, teams: {builders: ["mona"]}}}).
 */
export async function startGitHub(t, options = {}) {
  const github = new GitHub(options);
  showLogOnFailure(t, "the stand-in for GitHub", () => github.log());
  t?.after(() => github.close());
  await github.start(options);
  return github;
}

class GitHub {
  #process;
  #waiting = new Map();
  #nextId = 1;

  constructor({ app = {}, webhookSecret = randomBytes(32).toString("hex"), webhookUrl }) {
    this.webhookUrl = webhookUrl; // may be set later, when the hub has an address
    this.app = { ...APP, clientSecret: randomBytes(20).toString("hex"), ...app };
    this.webhookSecret = webhookSecret;
  }

  /** The Worker's variables that make it use this GitHub. */
  get vars() {
    return {
      MUSTER_GITHUB_URL: this.url,
      MUSTER_GITHUB_API_URL: this.apiUrl,
      MUSTER_GITHUB_CLIENT_ID: this.app.clientId,
      MUSTER_GITHUB_CLIENT_SECRET: this.app.clientSecret,
      MUSTER_GITHUB_WEBHOOK_SECRET: this.webhookSecret,
    };
  }

  log() {
    return this.#process.log();
  }

  /** 0, or 1 when something broke the description; once it ended. */
  get exitCode() {
    return this.#process.exited.then(({ code }) => code);
  }

  async start({ people = ["mona"], orgs = {} }) {
    this.#process = new Process(process.execPath, [SERVER], { ipc: true });
    const { child, exited } = this.#process;
    child.on("message", ({ id, value, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    exited.then(() => this.#waiting.forEach(({ reject }) => reject(new Error(`the stand-in for GitHub ended\n${this.log()}`))));
    const { web, api } = await this.#call("start", this.app);
    Object.assign(this, { url: web, apiUrl: api });
    const all = people.map((each) => (typeof each === "string" ? { login: each } : each));
    for (const person of all) await this.addPerson(person);
    if (all.length) await this.signInAs(all[0].login);
    for (const [org, { members = {}, teams = {} }] of Object.entries(orgs)) {
      await this.addOrg({ login: org });
      for (const [login, role] of Object.entries(members)) await this.setMember(org, login, { role });
      for (const [slug, logins] of Object.entries(teams)) {
        await this.addTeam(org, { slug });
        for (const login of logins) await this.setTeamMember(org, slug, login);
      }
    }
  }

  // Who there is. Nothing of this sends a webhook: `deliver` does.

  addPerson(person) {
    return this.#call("addPerson", person);
  }

  /** The number that GitHub knows a person by, whatever their login becomes. */
  id(login) {
    return this.#call("id", login);
  }

  /** Who the browser is signed in to GitHub as; null for nobody. */
  signInAs(login) {
    return this.#call("signInAs", login);
  }

  rename(login, next) {
    return this.#call("rename", login, next);
  }

  suspend(login, on = true) {
    return this.#call("suspend", login, on);
  }

  addOrg(org) {
    return this.#call("addOrg", org);
  }

  renameOrg(login, next) {
    return this.#call("renameOrg", login, next);
  }

  /** `installed: false`: the GitHub App is not installed there. `restricted: true`: the organisation restricts OAuth Apps. */
  setOrg(login, how) {
    return this.#call("setOrg", login, how);
  }

  /** `how`: {role: "member" | "admin" | "billing_manager", state: "active" | "pending"}. */
  setMember(org, login, how) {
    return this.#call("setMember", org, login, how);
  }

  removeMember(org, login) {
    return this.#call("removeMember", org, login);
  }

  addTeam(org, team) {
    return this.#call("addTeam", org, team);
  }

  renameTeam(org, slug, next) {
    return this.#call("renameTeam", org, slug, next);
  }

  deleteTeam(org, slug) {
    return this.#call("deleteTeam", org, slug);
  }

  /** `how`: {role: "member" | "maintainer", state: "active" | "pending"}. */
  setTeamMember(org, slug, login, how) {
    return this.#call("setTeamMember", org, slug, login, how);
  }

  removeTeamMember(org, slug, login) {
    return this.#call("removeTeamMember", org, slug, login);
  }

  // The app, its codes and tokens.

  setCallbackUrls(urls) {
    return this.#call("setCallbackUrls", urls);
  }

  /** As when the secret was rotated on GitHub and not at the hub. */
  setClientSecret(secret) {
    return this.#call("setClientSecret", secret);
  }

  /** Moves the stand-in's clock ahead, for codes and tokens. */
  advance(ms) {
    return this.#call("advance", ms);
  }

  expireCodes() {
    return this.#call("expireCodes");
  }

  /** Ends a person's access tokens now; with `{refresh: true}` their refresh tokens too. */
  expireTokens(login, how) {
    return this.#call("expireTokens", login, how);
  }

  /** As when the person revokes the app: all its tokens, and it has to ask again. */
  revoke(login) {
    return this.#call("revoke", login);
  }

  /**
   * What a browser does at an authorize address, without one: answers the question and returns the address that GitHub sends
   * the browser to. Throws where GitHub shows an error page instead.
   */
  async authorize(address, { cancel = false } = {}) {
    const asked = await fetch(address, { redirect: "manual" });
    if (asked.status === 302) return asked.headers.get("location");
    const token = /name="authenticity_token" value="([^"]+)"/.exec(await asked.clone().text())?.[1];
    if (!token) throw new Error(`GitHub does not ask, but shows (${asked.status}):\n${await asked.text()}`);
    const body = new URLSearchParams({ authenticity_token: token, authorize: cancel ? "0" : "1" });
    const answer = await fetch(`${this.url}/login/oauth/authorize`, { method: "POST", body, redirect: "manual" });
    return answer.headers.get("location");
  }

  // What breaks.

  /**
   * `endpoint`: authorize, consent, token, refresh, user, org-membership, team-membership, team, or "*". `kind`: rate-limit,
   * secondary-rate-limit, too-many-requests, server-error, bad-gateway, malformed-json, megabyte-body, close, truncate.
   * `options`: {times, retryAfterSeconds, resetSeconds}.
   */
  fail(endpoint, kind, options) {
    return this.#call("fail", endpoint, kind, options);
  }

  /** Keeps requests to an endpoint waiting. `await hold.release()` lets them go on to their ordinary answer. */
  async hold(endpoint, options) {
    const id = await this.#call("fail", endpoint, "hold", options);
    return { release: () => this.#call("release", id) };
  }

  /** Ends faults, of one endpoint or all; what is held goes on. */
  heal(endpoint) {
    return this.#call("heal", endpoint);
  }

  // Webhooks.

  /**
   * Posts an event to `webhookUrl`, or `how.url`. `event`: membership, organization, team, installation,
   * github_app_authorization, star, ping. `change`: {action, org, team, login, sender, from}: whose, and what happened.
   * `how`: {signature: "right" | "wrong" | "none" | "sha1", tamper, id, form, padTo (bytes), url, secret}. Resolves to
   * {id, status, answerHeaders, text} and what was sent ({url, headers, body}); status is null when no answer came in 10 s.
   */
  deliver(event, change = {}, how = {}) {
    return this.#call("deliver", event, change, { url: this.webhookUrl, secret: this.webhookSecret, ...how });
  }

  /** The same delivery once more, with the same id and bytes: what GitHub's "Redeliver" does, and who recorded it would. */
  redeliver({ url, headers, body }) {
    return this.#call("redeliver", { url, headers, body });
  }

  // What came in.

  /** Requests so far, oldest first: {n, host: "web" | "api", endpoint, method, path, query, headers, body, form, status, fault}. */
  async requests(endpoint) {
    const all = await this.#call("requests");
    return all.filter((each) => endpoint === undefined || each.endpoint === endpoint);
  }

  /** Waits until there are `count` requests to an endpoint, and returns the last of them. */
  untilRequest(endpoint, count = 1) {
    return until(async () => (await this.requests(endpoint))[count - 1], `${count} request(s) to GitHub's ${endpoint}`);
  }

  /** What broke the description so far; whoever takes it answers for it. */
  takeViolations() {
    return this.#call("takeViolations");
  }

  /** Ends the process. It fails loudly if anything broke the description and was not taken. */
  async close() {
    if (!this.#process?.isRunning) return assert.fail(`the stand-in for GitHub ended by itself\n${this.log()}`);
    const violations = await this.#call("stop");
    const { code } = await this.#process.exited;
    assert.deepEqual(violations, [], "requests and answers keep to GitHub's description");
    assert.equal(code, 0, `the stand-in for GitHub ended with ${code}\n${this.log()}`);
  }

  #call(call, ...args) {
    return new Promise((resolve, reject) => {
      if (!this.#process.isRunning) return reject(new Error(`the stand-in for GitHub ended\n${this.log()}`));
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      // JSON would turn what is left out into null, which is not what defaults are for.
      while (args.length && args.at(-1) === undefined) args.pop();
      this.#process.child.send({ id, call, args });
    });
  }
}
