// What GitHub publishes about itself, as checks: its OpenAPI description (npm @octokit/openapi) for the API and for webhooks,
// and schemas written from its documentation for the sign-in endpoints, which that description leaves out.
//
// Only the operations named here are compiled, from the description that still has its references: reading it takes 0.2 s, and
// what is not used is dropped again.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";

const require = createRequire(import.meta.url);

/** The API that the stand-in has. A request for anything else is a violation: the stand-in would have to guess. */
export const OPERATIONS = {
  user: { method: "GET", path: "/user" },
  "org-membership": { method: "GET", path: "/user/memberships/orgs/{org}" },
  "team-membership": { method: "GET", path: "/orgs/{org}/teams/{team_slug}/memberships/{username}" },
  team: { method: "GET", path: "/orgs/{org}/teams/{team_slug}" },
};

/**
 * Answers that any operation may give although its description does not list them, by status:
 * https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#failed-login-limit (401),
 * https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent (403),
 * https://docs.github.com/en/rest/about-the-rest-api/api-versions#specifying-an-api-version (400).
 */
const GENERAL = new Set(["400", "401", "403"]);

/** https://docs.github.com/en/rest/about-the-rest-api/api-versions#supported-api-versions */
export const API_VERSIONS = ["2022-11-28", "2026-03-10"];

const TEXT = { type: "string", minLength: 1 };
const closed = (required, optional = {}) => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
});

/**
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */
const AUTHORIZE = {
  ...closed(
    { client_id: TEXT },
    {
      redirect_uri: { type: "string", format: "uri" },
      login: TEXT,
      scope: { type: "string" },
      state: TEXT,
      code_challenge: { type: "string", pattern: "^[A-Za-z0-9_-]{43}$" },
      code_challenge_method: { const: "S256" },
      allow_signup: { enum: ["true", "false"] },
      prompt: { const: "select_account" },
    },
  ),
  dependencies: { code_challenge: ["code_challenge_method"], code_challenge_method: ["code_challenge"] },
};

/** The same pages, "Exchange this code for an access token". `grant_type` is RFC 6749's, which GitHub lets pass. */
const EXCHANGE = closed(
  { client_id: TEXT, client_secret: TEXT, code: TEXT },
  {
    redirect_uri: { type: "string", format: "uri" },
    // https://www.rfc-editor.org/rfc/rfc7636#section-4.1
    code_verifier: { type: "string", pattern: "^[A-Za-z0-9._~-]{43,128}$" },
    repository_id: TEXT,
    grant_type: { const: "authorization_code" },
  },
);

/** https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens */
const REFRESH = closed({ client_id: TEXT, client_secret: TEXT, grant_type: { const: "refresh_token" }, refresh_token: TEXT });

const ERRORS = ["incorrect_client_credentials", "redirect_uri_mismatch", "bad_verification_code", "bad_refresh_token", "unsupported_grant_type"];
/** https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors */
const REFUSAL = closed({ error: { enum: ERRORS }, error_description: TEXT, error_uri: TEXT });

const TOKENS = {
  "github-app": closed({
    access_token: { type: "string", pattern: "^ghu_[A-Za-z0-9]{36}$" },
    expires_in: { const: 28800 },
    refresh_token: { type: "string", pattern: "^ghr_[A-Za-z0-9]{76}$" },
    refresh_token_expires_in: { const: 15897600 },
    token_type: { const: "bearer" },
    scope: { const: "" },
  }),
  "oauth-app": closed({
    access_token: { type: "string", pattern: "^gho_[A-Za-z0-9]{36}$" },
    token_type: { const: "bearer" },
    scope: { type: "string" },
  }),
};

export class Description {
  #ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true });
  #document = JSON.parse(readFileSync(require.resolve("@octokit/openapi/generated/api.github.com.json"), "utf8"));
  #answers = new Map(); // "user 200" -> check
  #parameters = new Map(); // "user" -> check of the path's parameters
  #webhooks = new Map(); // "membership-removed" -> check
  #general; // check of an answer in GENERAL
  #oauth; // "token" -> check

  constructor(appType, webhooks) {
    for (const [name, check] of Object.entries(FORMATS)) this.#ajv.addFormat(name, check);
    for (const [name, { method, path }] of Object.entries(OPERATIONS)) this.#addOperation(name, this.#document.paths[path][method.toLowerCase()]);
    this.#general = this.#compile({ $ref: "#/components/schemas/basic-error" });
    for (const name of webhooks) {
      const { post } = this.#document["x-webhooks"][name];
      this.#webhooks.set(name, this.#compile(post.requestBody.content["application/json"].schema));
    }
    this.#oauth = Object.fromEntries(
      Object.entries({ authorize: AUTHORIZE, token: EXCHANGE, refresh: REFRESH, refusal: REFUSAL, tokens: TOKENS[appType] }).map(
        ([name, schema]) => [name, this.#compile(schema)],
      ),
    );
    this.#document = undefined;
  }

  #addOperation(name, operation) {
    const parameters = (operation.parameters ?? []).map((each) => (each.$ref ? this.#at(each.$ref) : each));
    const inPath = parameters.filter((each) => each.in === "path").map((each) => [each.name, each.schema]);
    this.#parameters.set(name, this.#compile(closed(Object.fromEntries(inPath))));
    for (const [status, listed] of Object.entries(operation.responses)) {
      const answer = listed.$ref ? this.#at(listed.$ref) : listed;
      const schema = answer.content?.["application/json"]?.schema;
      this.#answers.set(`${name} ${status}`, this.#compile(schema ?? {}));
    }
  }

  #at(ref) {
    return ref.slice(2).split("/").reduce((node, key) => node[key], this.#document);
  }

  /** A check of a schema by itself, compiled when it is first used: references are copied in, so that the description can go. */
  #compile(schema) {
    const whole = this.#resolve(schema, []);
    let check;
    return Object.assign(
      (value) => {
        check ??= this.#ajv.compile(whole);
        return check(value);
      },
      { problems: () => check?.errors ?? [] },
    );
  }

  #resolve(node, above) {
    if (Array.isArray(node)) return node.map((each) => this.#resolve(each, above));
    if (node === null || typeof node !== "object") return node;
    if (typeof node.$ref === "string") {
      if (above.includes(node.$ref)) throw new Error(`the description is circular at ${node.$ref}`);
      return this.#resolve(this.#at(node.$ref), [...above, node.$ref]);
    }
    const entries = Object.entries(node).filter(([key]) => key !== "discriminator" && !(key === "nullable" && node.nullable === true));
    const resolved = Object.fromEntries(entries.map(([key, value]) => [key, this.#resolve(value, above)]));
    // OpenAPI 3.0 says `nullable` where JSON Schema has a type.
    return node.nullable === true ? { anyOf: [{ type: "null" }, resolved] } : resolved;
  }

  /** Each of these returns a list of what is wrong. */
  parameters(operation, values) {
    return this.#problems(this.#parameters.get(operation), values);
  }

  answer(operation, status, body) {
    const check = this.#answers.get(`${operation} ${status}`) ?? (GENERAL.has(String(status)) ? this.#general : undefined);
    return check ? this.#problems(check, body) : [`the description has no answer ${status}`];
  }

  webhook(name, payload) {
    const check = this.#webhooks.get(name);
    return check ? this.#problems(check, payload) : [`the description has no webhook ${name}`];
  }

  /** `what`: authorize, token or refresh (requests), tokens or refusal (answers). */
  oauth(what, value) {
    return this.#problems(this.#oauth[what], value);
  }

  #problems(check, value) {
    return check(value) ? [] : check.problems().map((each) => `${each.instancePath || "it"} ${each.message} ${JSON.stringify(each.params)}`);
  }
}

/** The formats that the description uses where it is held against something. */
const FORMATS = {
  uri: (text) => URL.canParse(text),
  email: /^[^@\s]+@[^@\s]+$/,
  "date-time": (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  "uri-template": (text) => URL.canParse(text.replaceAll(/[{}]/g, "")),
  int64: { type: "number", validate: Number.isSafeInteger },
};
