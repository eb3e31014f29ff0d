// The stand-in for GitHub behind its two listeners: takes a request, writes it down, holds it against the description, answers
// it or breaks it as told, and holds the answer against the description too.
//
// Invariant: nothing is answered that was not checked, but for faults, and every violation is kept until somebody takes it.

import { randomBytes } from "node:crypto";
import { Api, error } from "./api.mjs";
import { API_VERSIONS, Description, OPERATIONS } from "./description.mjs";
import { FAULTS, Faults } from "./faults.mjs";
import { SignIn } from "./sign-in.mjs";
import { WEBHOOKS, Webhooks } from "./webhooks.mjs";
import { World } from "./world.mjs";

/** Far more than any request here needs. */
const BODY_BYTES_MAX = 1024 * 1024;
const RATE_LIMIT = 5000;

const ROUTES = [
  { host: "web", method: "GET", path: "/login/oauth/authorize", endpoint: "authorize" },
  { host: "web", method: "POST", path: "/login/oauth/authorize", endpoint: "consent" },
  { host: "web", method: "POST", path: "/login/oauth/access_token", endpoint: "token" },
  ...Object.entries(OPERATIONS).map(([endpoint, { method, path }]) => ({ host: "api", method, path, endpoint })),
].map((route) => ({ ...route, pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`) }));

export class StandIn {
  faults = new Faults();
  requests = [];
  violations = [];
  #used = 0;

  /** `urls`: where the listeners are, {web, api}. */
  constructor(app, urls) {
    this.world = new World(app);
    this.signIn = new SignIn(this.world);
    this.api = new Api(this.world, urls);
    this.webhooks = new Webhooks(this.world, this.api, (name, payload) => this.#checkWebhook(name, payload));
    this.description = new Description(app.type, WEBHOOKS);
  }

  async handle(host, request, response) {
    const seen = await this.#read(host, request);
    this.requests.push(seen);
    if (seen.endpoint === "unknown") this.#violation(seen, ["no such endpoint in the description"]);
    else this.#checkRequest(seen);
    const fault = this.faults.take(seen.endpoint);
    seen.fault = fault?.kind;
    if (fault?.kind === "hold") await fault.gate.opened;
    if (fault && fault.kind !== "hold") return this.#break(seen, FAULTS[fault.kind](fault.options), response);
    const answer = host === "api" ? this.#answerApi(seen) : this.#answerWeb(seen);
    this.#send(seen, answer, response);
  }

  async #read(host, request) {
    const url = new URL(request.url, "http://stand-in");
    const route = ROUTES.find((each) => each.host === host && each.method === request.method && each.pattern.test(url.pathname));
    const text = await bodyOf(request);
    const form = parseForm(request.headers["content-type"], text);
    const named = route?.pattern.exec(url.pathname).groups ?? {};
    const parameters = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, decode(value)]));
    const endpoint = route?.endpoint === "token" && form.grant_type === "refresh_token" ? "refresh" : (route?.endpoint ?? "unknown");
    return {
      n: this.requests.length + 1,
      host,
      endpoint,
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      search: url.search,
      parameters,
      headers: { ...request.headers },
      body: text,
      form,
    };
  }

  #checkRequest(seen) {
    const { endpoint, host, headers, query } = seen;
    const problems = [];
    if (host === "api") {
      problems.push(...this.description.parameters(endpoint, seen.parameters));
      if (seen.search) problems.push(`a query that the operation does not take: ${Object.keys(query).join(", ")}`);
      if (seen.body) problems.push("a body that the operation does not take");
      problems.push(...headerProblems(headers));
    }
    if (endpoint === "authorize") problems.push(...this.description.oauth("authorize", query));
    if (endpoint === "token" || endpoint === "refresh") {
      problems.push(...this.description.oauth(endpoint, seen.form));
      if (seen.search) problems.push("secrets of a token request belong in its body, not in its address");
    }
    this.#violation(seen, problems);
  }

  #answerApi(seen) {
    if (seen.endpoint === "unknown") return error(404, "Not Found");
    const answer = this.api.answer({ ...seen, operation: seen.endpoint });
    const problems = answer.json ? this.description.answer(seen.endpoint, answer.status, answer.json) : [];
    this.#violation(seen, problems.map((each) => `our answer ${answer.status}: ${each}`));
    this.#used += 1;
    return { ...answer, headers: { ...this.#apiHeaders(seen), ...answer.headers } };
  }

  /** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit */
  #apiHeaders({ headers }) {
    return {
      "x-github-media-type": "github.v3; format=json",
      "x-github-api-version-selected": headers["x-github-api-version"] ?? API_VERSIONS[0],
      "x-ratelimit-limit": String(RATE_LIMIT),
      "x-ratelimit-remaining": String(Math.max(0, RATE_LIMIT - this.#used)),
      "x-ratelimit-used": String(this.#used),
      "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 3600),
      "x-ratelimit-resource": "core",
    };
  }

  #answerWeb(seen) {
    if (seen.endpoint === "authorize") return this.signIn.authorize(seen);
    if (seen.endpoint === "consent") return this.signIn.decide(seen);
    if (seen.endpoint === "unknown") return { status: 404, headers: { "content-type": "text/plain" }, body: "Not Found\n" };
    const { tokens, refusal } = this.signIn.token(seen);
    const [what, value] = tokens ? ["tokens", tokens] : ["refusal", refusal];
    this.#violation(seen, this.description.oauth(what, value).map((each) => `our ${what}: ${each}`));
    // "By default, the response takes the following form": only who asks for JSON gets it. Errors come with 200 as well.
    if (/\bapplication\/json\b/.test(seen.headers.accept ?? "")) return { status: 200, json: value };
    return { status: 200, headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }, body: String(new URLSearchParams(value)) };
  }

  #break(seen, fault, response) {
    if (!fault.act) return this.#send(seen, fault, response);
    seen.status = null;
    fault.act(response);
  }

  #send(seen, { status, headers = {}, json, body = json === undefined ? "" : JSON.stringify(json) }, response) {
    seen.status = status;
    const type = json === undefined ? {} : { "content-type": "application/json; charset=utf-8" };
    const length = { "content-length": Buffer.byteLength(body), "x-github-request-id": randomBytes(16).toString("hex") };
    response.writeHead(status, { ...type, ...length, ...headers });
    response.end(body);
  }

  #violation({ method, path }, problems) {
    for (const problem of problems) this.violations.push(`${method} ${path}: ${problem}`);
  }

  #checkWebhook(name, payload) {
    this.#violation({ method: "webhook", path: name }, this.description.webhook(name, payload));
  }
}

/** https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#headers */
function headerProblems(headers) {
  const problems = [];
  const { accept, "user-agent": agent, "x-github-api-version": version } = headers;
  if (!agent) problems.push("no User-Agent");
  if (accept !== "application/vnd.github+json") problems.push(`Accept is ${accept}, not application/vnd.github+json`);
  if (!API_VERSIONS.includes(version)) problems.push(`X-GitHub-Api-Version is ${version}, not one of ${API_VERSIONS.join(", ")}`);
  return problems;
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A form or a JSON object: GitHub takes both where it wants tokens to be asked for. */
function parseForm(type = "", text) {
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  if (!type.startsWith("application/json")) return {};
  try {
    const parsed = JSON.parse(text);
    return parsed !== null && typeof parsed === "object" ? parsed : {};
  } catch {
    return {};
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
