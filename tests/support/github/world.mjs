// Who is on the stand-in's GitHub: people by their number, organisations, teams, and the app's grants, codes and tokens.
//
// It knows no HTTP and no JSON. Its clock is the machine's, moved ahead by `advance`, so that a test never waits for an expiry.

import { createHash, randomBytes, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/** https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: "will expire after 10 minutes". */
const CODE_MS = 10 * 60_000;
/** Same page and .../refreshing-user-access-tokens: 28800 and 15897600 seconds. */
export const ACCESS_SECONDS = 28_800;
export const REFRESH_SECONDS = 15_897_600;
/** https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#creating-multiple-tokens-for-oauth-apps */
const OAUTH_APP_TOKENS_MAX = 10;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export class World {
  people = new Map(); // number -> person
  orgs = new Map(); // login in lower case -> organisation
  signedIn = null; // number of whom the browser is signed in as
  #ids = { person: 1000, org: 5000, team: 9000 };
  #codes = new Map();
  #tokens = [];
  #grants = new Map(); // number of a person -> scopes that they granted
  #aheadMs = 0;

  constructor(app) {
    this.app = app; // {type, name, clientId, clientSecret, callbackUrls}
  }

  now() {
    return Date.now() + this.#aheadMs;
  }

  advance(ms) {
    this.#aheadMs += ms;
  }

  addPerson({ login, name = login, email = `${login}@example.com`, id = this.#ids.person++ }) {
    if (this.find(login) || this.people.has(id)) throw new Error(`there is a person ${login} or ${id} already`);
    const person = { id, login, name, email, suspended: false };
    this.people.set(id, person);
    return person;
  }

  find(login) {
    return [...this.people.values()].find((each) => same(each.login, login));
  }

  person(login) {
    return this.find(login) ?? missing(`person ${login}`);
  }

  rename(login, next) {
    if (this.find(next)) throw new Error(`${next} is taken`);
    this.person(login).login = next;
  }

  addOrg({ login, id = this.#ids.org++, installed = true, restricted = false }) {
    if (this.orgs.has(login.toLowerCase())) throw new Error(`there is an organisation ${login} already`);
    const org = { id, login, installed, restricted, members: new Map(), teams: new Map(), deletedTeams: new Map() };
    this.orgs.set(login.toLowerCase(), org);
    return org;
  }

  /** As when its owners rename it: members, teams and number stay. */
  renameOrg(login, next) {
    const org = this.org(login);
    if (this.findOrg(next)) throw new Error(`${next} is taken`);
    this.orgs.delete(login.toLowerCase());
    org.login = next;
    this.orgs.set(next.toLowerCase(), org);
  }

  findOrg(login) {
    return this.orgs.get(login.toLowerCase());
  }

  org(login) {
    return this.findOrg(login) ?? missing(`organisation ${login}`);
  }

  setMember(org, login, { role = "member", state = "active" } = {}) {
    this.org(org).members.set(this.person(login).id, { role, state });
  }

  /** Whoever leaves the organisation leaves its teams. */
  removeMember(org, login) {
    const { id } = this.person(login);
    const from = this.org(org);
    if (!from.members.delete(id)) missing(`membership of ${login} in ${org}`);
    from.teams.forEach((team) => team.members.delete(id));
  }

  addTeam(org, { slug, name = slug, id = this.#ids.team++ }) {
    const team = { id, slug, name, members: new Map() };
    this.org(org).teams.set(slug.toLowerCase(), team);
    return team;
  }

  findTeam(org, slug) {
    return this.findOrg(org)?.teams.get(slug.toLowerCase());
  }

  /** With `deleted`, also one that there was: its webhooks come after its end. */
  team(org, slug, { deleted = false } = {}) {
    const before = deleted ? this.org(org).deletedTeams.get(slug.toLowerCase()) : undefined;
    return this.findTeam(org, slug) ?? before ?? missing(`team ${org}/${slug}`);
  }

  renameTeam(org, slug, next) {
    const { teams } = this.org(org);
    const team = this.team(org, slug);
    if (teams.has(next.toLowerCase())) throw new Error(`${org}/${next} is taken`);
    teams.delete(slug.toLowerCase());
    Object.assign(team, { slug: next, name: next });
    teams.set(next.toLowerCase(), team);
  }

  deleteTeam(org, slug) {
    const { teams, deletedTeams } = this.org(org);
    deletedTeams.set(slug.toLowerCase(), this.team(org, slug));
    teams.delete(slug.toLowerCase());
  }

  /** Who is in a team is in its organisation: somebody new is invited there, which is what makes a team membership pending. */
  setTeamMember(org, slug, login, { role = "member", state } = {}) {
    const { id } = this.person(login);
    const members = this.org(org).members;
    if (!members.has(id)) members.set(id, { role: "member", state: state ?? "active" });
    this.team(org, slug).members.set(id, { role, state: state ?? members.get(id).state });
  }

  removeTeamMember(org, slug, login) {
    if (!this.team(org, slug).members.delete(this.person(login).id)) missing(`membership of ${login} in ${org}/${slug}`);
  }

  /** What the person granted to the app before; undefined when they never did, or revoked it. */
  granted(person) {
    return this.#grants.get(person.id);
  }

  issueCode(person, { redirectUri, challenge, scopes }) {
    this.#grants.set(person.id, [...new Set([...(this.granted(person) ?? []), ...scopes])]);
    const code = randomBytes(10).toString("hex");
    this.#codes.set(code, { person, redirectUri, challenge, scopes, until: this.now() + CODE_MS });
    return code;
  }

  /** The code's grant, once and for the request that it was made for, else undefined. A failed attempt uses it up too. */
  takeCode(code, { redirectUri, verifier }) {
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    if (!found || this.now() >= found.until) return undefined;
    if (redirectUri !== undefined && redirectUri !== found.redirectUri) return undefined;
    const derived = createHash("sha256").update(verifier ?? "").digest("base64url");
    if (found.challenge !== undefined && derived !== found.challenge) return undefined;
    return found;
  }

  expireCodes() {
    this.#codes.forEach((code) => (code.until = this.now()));
  }

  /** Tokens of a GitHub App expire and come with a refresh token; those of an OAuth App do neither, and carry scopes. */
  issueTokens(person, scopes) {
    const now = this.now();
    const isGitHubApp = this.app.type === "github-app";
    const issued = {
      person,
      scopes: isGitHubApp ? [] : scopes,
      access: token(isGitHubApp ? "ghu_" : "gho_", 30),
      accessUntil: isGitHubApp ? now + ACCESS_SECONDS * 1000 : Infinity,
      refresh: isGitHubApp ? token("ghr_", 70) : undefined,
      refreshUntil: isGitHubApp ? now + REFRESH_SECONDS * 1000 : 0,
    };
    this.#tokens.push(issued);
    if (!isGitHubApp) this.#dropOldest(person);
    return issued;
  }

  #dropOldest(person) {
    const own = this.#tokens.filter((each) => each.person === person);
    const dropped = new Set(own.slice(0, -OAUTH_APP_TOKENS_MAX));
    this.#tokens = this.#tokens.filter((each) => !dropped.has(each));
  }

  /** New tokens for a refresh token, which works once; the access token that it came with ends too. */
  refresh(refreshToken) {
    const found = this.#tokens.find((each) => each.refresh === refreshToken);
    if (!found) return undefined;
    this.#tokens = this.#tokens.filter((each) => each !== found);
    return this.now() < found.refreshUntil ? this.issueTokens(found.person, found.scopes) : undefined;
  }

  /** Whose access token it is, with its scopes. */
  holder(accessToken) {
    return this.#tokens.find((each) => each.access === accessToken && this.now() < each.accessUntil);
  }

  expireTokens(login, { refresh = false } = {}) {
    for (const each of this.#tokensOf(login)) {
      each.accessUntil = this.now();
      if (refresh) each.refreshUntil = this.now();
    }
  }

  /** As when the person revokes the app in their settings: the grant, and every token that came from it. */
  revoke(login) {
    const { id } = this.person(login);
    this.#grants.delete(id);
    this.#tokens = this.#tokens.filter((each) => each.person.id !== id);
  }

  #tokensOf(login) {
    const person = this.person(login);
    return this.#tokens.filter((each) => each.person === person);
  }
}

/** https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats: random, then a CRC32. */
function token(prefix, length) {
  const random = Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return prefix + random + base62(crc32(random), 6);
}

function base62(number, width) {
  let text = "";
  for (let rest = number; text.length < width; rest = Math.floor(rest / 62)) text = ALPHABET[rest % 62] + text;
  return text;
}

const same = (one, other) => one.toLowerCase() === other.toLowerCase();

function missing(what) {
  throw new Error(`the stand-in for GitHub has no ${what}`);
}
