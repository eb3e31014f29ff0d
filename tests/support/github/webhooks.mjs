// Webhooks as GitHub sends them: an example of npm @octokit/webhooks-examples, told of the people, teams and organisations that
// the stand-in has, signed, and posted to a hub.
//
// https://docs.github.com/en/webhooks/webhook-events-and-payloads (headers, the cap of 25 MB)
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries (the signature, over the exact bytes)

import { createHmac, randomInt, randomUUID } from "node:crypto";
import { request } from "node:http";
import { createRequire } from "node:module";
import { nodeId } from "./api.mjs";

const require = createRequire(import.meta.url);

export const PAYLOAD_BYTES_MAX = 25 * 1024 * 1024;
/** https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks#respond-within-10-seconds */
const ANSWER_WITHIN_MS = 10_000;
const USER_AGENT = "GitHub-Hookshot/044aadd";

/** By their names in the description. `star` stands for all that a hub has no use for. */
export const WEBHOOKS = [
  "membership-added", "membership-removed",
  "organization-deleted", "organization-member-added", "organization-member-invited", "organization-member-removed", "organization-renamed",
  "team-created", "team-deleted", "team-edited",
  "installation-created", "installation-deleted", "installation-new-permissions-accepted", "installation-suspend", "installation-unsuspend",
  "github-app-authorization-revoked",
  "star-created",
  "ping",
];

/** No example has these actions; GitHub documents that their payloads have the shape of another's. */
const LIKE = { "organization member_removed": "member_added", "organization deleted": "member_added" };

export class Webhooks {
  #world;
  #api;
  #examples;
  #check;
  #hookId = randomInt(100_000_000, 999_999_999);

  /** `check(name, payload)` notes what is wrong with a payload. */
  constructor(world, api, check) {
    this.#world = world;
    this.#api = api;
    this.#check = check;
  }

  /**
   * Posts an event. `change`: {action, org, team, login, sender, from}; `how`: {url, secret, signature: "right" | "wrong" | "none" |
   * "sha1", tamper, id, form, padTo}. Resolves to what was sent and what came back; a hub that takes too long, or does not
   * answer, is `status: null`.
   */
  async deliver(event, change, { url, secret, signature = "right", tamper = false, id = randomUUID(), form = false, padTo = 0 }) {
    const payload = this.payload(event, change);
    this.#check(nameOf(event, change.action), payload);
    if (padTo) pad(payload, padTo);
    const json = JSON.stringify(payload);
    const signed = form ? String(new URLSearchParams({ payload: json })) : json;
    const size = Buffer.byteLength(signed);
    if (size > PAYLOAD_BYTES_MAX) throw new Error(`GitHub sends no payload of ${size} bytes: 25 MB is the most`);
    const headers = {
      ...this.#headers(event, id, form),
      ...signatureOf(signed, signature === "wrong" ? `${secret} of somebody else` : secret, signature),
    };
    // What somebody on the way would do: other content under a signature that was right.
    const body = tamper ? signed.replace(/"id":\d+/, '"id":1') : signed;
    return this.send({ url, headers, body });
  }

  /** Exactly these bytes, as they were or again. */
  async send({ url, headers, body }) {
    const answer = await post(url, headers, body);
    return { url, headers, body, id: headers["x-github-delivery"], ...answer };
  }

  #headers(event, id, form) {
    const isGitHubApp = this.#world.app.type === "github-app";
    return {
      accept: "*/*",
      "content-type": form ? "application/x-www-form-urlencoded" : "application/json",
      "user-agent": USER_AGENT,
      "x-github-delivery": id,
      "x-github-event": event,
      "x-github-hook-id": String(this.#hookId),
      "x-github-hook-installation-target-id": isGitHubApp ? "1" : String([...this.#world.orgs.values()][0]?.id ?? 0),
      "x-github-hook-installation-target-type": isGitHubApp ? "integration" : "organization",
    };
  }

  payload(event, { action, org: orgLogin, team: slug, login, sender: senderLogin = login, from }) {
    const world = this.#world;
    const org = orgLogin === undefined ? undefined : world.org(orgLogin);
    const person = login === undefined ? undefined : world.person(login);
    const sender = senderLogin === undefined ? [...world.people.values()][0] : world.person(senderLogin);
    const payload = this.#example(event, action);
    if (action !== undefined) payload.action = action;
    if (payload.sender) payload.sender = this.#api.simpleUser(sender);
    if (org && payload.organization) payload.organization = this.#organization(org);
    if (event !== "installation") this.#nameInstallation(payload, org);
    const adapt = {
      membership: () => this.#membership(payload, org, slug, person),
      organization: () => this.#inOrganization(payload, org, person, from),
      team: () => this.#team(payload, org, slug, from),
      installation: () => this.#installation(payload, org),
    }[event];
    adapt?.();
    return payload;
  }

  #example(event, action) {
    // Reading all of them takes a while, and most tests send none.
    this.#examples ??= require("@octokit/webhooks-examples");
    const wanted = LIKE[`${event} ${action}`] ?? action;
    const found = this.#examples.find(({ name }) => name === event)?.examples.filter((each) => each.action === wanted).at(-1);
    if (!found) throw new Error(`there is no example of ${event} ${action ?? ""}`);
    return structuredClone(found);
  }

  #organization(org) {
    return { ...this.#api.organization(org), description: "" };
  }

  #membership(payload, org, slug, person) {
    payload.member = this.#api.simpleUser(person);
    const team = this.#world.team(org.login, slug, { deleted: true });
    // Of a team that is gone GitHub has only this left to say, as one of the examples shows.
    if (!this.#world.findTeam(org.login, slug)) payload.team = { id: team.id, name: team.name, deleted: true };
    else Object.assign(payload.team, this.#api.team(org, team));
  }

  #inOrganization(payload, org, person, from) {
    if (payload.action === "renamed") payload.changes = { login: { from } };
    if (payload.action === "deleted") delete payload.membership;
    if (payload.action === "member_invited") {
      payload.user = this.#api.simpleUser(person);
      Object.assign(payload.invitation, { login: person.login, email: null, inviter: payload.sender });
    }
    if (!payload.membership) return;
    // Who was removed has no membership any more: GitHub says what it was.
    const was = org.members.get(person.id) ?? { role: "member", state: payload.action === "member_removed" ? "inactive" : "active" };
    const { organization, ...membership } = this.#api.orgMembership(org, person, was);
    payload.membership = membership;
  }

  #team(payload, org, slug, from) {
    Object.assign(payload.team, this.#api.team(org, this.#world.team(org.login, slug, { deleted: true })));
    if (payload.action === "edited" && from) payload.changes = { name: { from } };
  }

  #installation(payload, org) {
    const { id, node_id } = installationOf(org);
    const url = `${this.#api.organization(org).url.split("/orgs/")[0]}/app/installations/${id}/access_tokens`;
    // Examples write times as seconds here and there, and the description as text.
    const times = { created_at: new Date().toISOString(), updated_at: new Date().toISOString() };
    const suspended = payload.action === "suspend" ? { suspended_by: payload.sender } : {};
    const target = { account: this.#accountOf(org), target_id: org.id, target_type: "Organization" };
    Object.assign(payload.installation, { id, ...target, app_slug: "muster", access_tokens_url: url, ...times, ...suspended });
    if ("node_id" in payload.installation) payload.installation.node_id = node_id;
    if (payload.requester) payload.requester = payload.sender;
  }

  /** Where an installation's account is an organisation it is written like a user. */
  #accountOf(org) {
    return { ...this.#api.simpleUser(org), type: "Organization" };
  }

  /** Webhooks of a GitHub App say for which installation; those of an organisation do not. */
  #nameInstallation(payload, org) {
    delete payload.installation;
    if (org && this.#world.app.type === "github-app") payload.installation = installationOf(org);
  }
}

/** "organization", "member_removed" -> "organization-member-removed", as the description writes it. */
const nameOf = (event, action) => [event, action].filter(Boolean).join("-").replaceAll("_", "-");

const installationOf = (org) => ({ id: org.id + 40_000_000, node_id: nodeId("IntegrationInstallation", org.id) });

/** As large as an organisation's own words can make it. */
function pad(payload, size) {
  const holder = payload.organization ?? payload.installation?.account ?? payload.sender;
  holder.description = "";
  holder.description = "x".repeat(Math.max(0, size - Buffer.byteLength(JSON.stringify(payload))));
}

function signatureOf(body, secret, kind) {
  if (kind === "none") return {};
  const hmac = (algorithm) => `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`;
  const old = { "x-hub-signature": hmac("sha1") };
  return kind === "sha1" ? old : { ...old, "x-hub-signature-256": hmac("sha256") };
}

/** By hand: fetch would add headers that GitHub does not send. */
function post(url, headers, body) {
  return new Promise((resolve) => {
    const sent = request(url, { method: "POST", headers: { ...headers, "content-length": Buffer.byteLength(body) }, timeout: ANSWER_WITHIN_MS });
    const failed = (error) => resolve({ status: null, error: error.message });
    sent.on("response", async (answer) => {
      try {
        const chunks = await answer.toArray();
        resolve({ status: answer.statusCode, answerHeaders: answer.headers, text: Buffer.concat(chunks).toString("utf8") });
      } catch (error) {
        failed(error);
      }
    });
    sent.on("timeout", () => sent.destroy(new Error("timed out"))).on("error", failed);
    sent.end(body);
  });
}
