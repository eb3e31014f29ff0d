// The answers of api.github.com to the few operations that the stand-in has, from who is on its GitHub.
//
// It returns answers as data; description.mjs holds each of them against GitHub's own description.

import { API_VERSIONS } from "./description.mjs";

const DOCS = "https://docs.github.com/rest";
const SINCE = "2020-01-02T03:04:05Z";

export class Api {
  #world;
  #base;

  constructor(world, urls) {
    this.#world = world;
    this.#base = urls;
  }

  /** An answer for a request to an operation; `parameters` are those of its path. */
  answer({ operation, parameters, headers }) {
    if (!headers["user-agent"]) return noUserAgent();
    const version = headers["x-github-api-version"];
    if (version !== undefined && !API_VERSIONS.includes(version)) return error(400, `\`${version}\` is not a supported version`);
    const [scheme, token] = (headers.authorization ?? "").split(" ");
    // GitHub names no token as "Requires authentication", a wrong one as "Bad credentials".
    if (!token) return error(401, "Requires authentication", docsOf(operation));
    const holder = /^(bearer|token)$/i.test(scheme) ? this.#world.holder(token) : undefined;
    if (!holder) return error(401, "Bad credentials");
    if (holder.person.suspended) return error(403, "Sorry. Your account was suspended.");
    const answers = { user: () => this.#user(holder), "org-membership": () => this.#org(holder, parameters) };
    const ofTeams = { "team-membership": () => this.#teamMembership(holder, parameters), team: () => this.#team(holder, parameters) };
    return { ...answers, ...ofTeams }[operation]();
  }

  #user({ person }) {
    return ok(this.privateUser(person));
  }

  #org(holder, { org: login }) {
    const org = this.#world.findOrg(login);
    const membership = org?.members.get(holder.person.id);
    const refusal = this.#mayRead(holder, org, "org-membership");
    if (refusal) return refusal;
    return membership ? ok(this.orgMembership(org, holder.person, membership)) : error(404, "Not Found", docsOf("org-membership"));
  }

  #teamMembership(holder, { org: login, team_slug: slug, username }) {
    const org = this.#world.findOrg(login);
    const refusal = this.#mayRead(holder, org, "team-membership");
    if (refusal) return refusal;
    const team = this.#world.findTeam(login, slug);
    const whose = this.#world.find(username);
    // "The team must be visible to the authenticated user": nobody outside an organisation sees its teams.
    const membership = org?.members.has(holder.person.id) && whose ? team?.members.get(whose.id) : undefined;
    if (!membership) return error(404, "Not Found", docsOf("team-membership"));
    const url = `${this.#base.api}/organizations/${org.id}/team/${team.id}/memberships/${whose.login}`;
    return ok({ url, role: membership.role, state: membership.state });
  }

  #team(holder, { org: login, team_slug: slug }) {
    const org = this.#world.findOrg(login);
    const refusal = this.#mayRead(holder, org, "team");
    if (refusal) return refusal;
    const team = org?.members.has(holder.person.id) ? this.#world.findTeam(login, slug) : undefined;
    return team ? ok(this.fullTeam(org, team)) : error(404, "Not Found", docsOf("team"));
  }

  /** The organisation's own say over the app, and the token's reach. */
  #mayRead(holder, org, operation) {
    if (this.#world.app.type === "github-app") {
      const blind = org && !org.installed;
      return blind ? error(403, "Resource not accessible by integration", docsOf(operation)) : undefined;
    }
    if (!holder.scopes.some((scope) => ["read:org", "write:org", "admin:org", "repo", "user"].includes(scope))) {
      return error(403, "You need at least read:org scope or user scope to access your organizations.", docsOf(operation));
    }
    if (!org?.restricted) return undefined;
    const credentials = "Although you appear to have the correct authorization credentials";
    const why = `the \`${org.login}\` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited.`;
    return error(403, `${credentials}, ${why}`, "https://docs.github.com/articles/restricting-access-to-your-organization-s-data/");
  }

  simpleUser({ id, login }) {
    const { api, web } = this.#base;
    const url = `${api}/users/${login}`;
    return {
      login,
      id,
      node_id: nodeId("User", id),
      avatar_url: `${web}/avatars/u/${id}?v=4`,
      gravatar_id: "",
      url,
      html_url: `${web}/${login}`,
      followers_url: `${url}/followers`,
      following_url: `${url}/following{/other_user}`,
      gists_url: `${url}/gists{/gist_id}`,
      starred_url: `${url}/starred{/owner}{/repo}`,
      subscriptions_url: `${url}/subscriptions`,
      organizations_url: `${url}/orgs`,
      repos_url: `${url}/repos`,
      events_url: `${url}/events{/privacy}`,
      received_events_url: `${url}/received_events`,
      type: "User",
      user_view_type: "public",
      site_admin: false,
    };
  }

  privateUser(person) {
    const repositories = ["public_repos", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators"];
    const counts = [...repositories, "public_gists", "private_gists", "followers", "following"];
    return {
      ...this.simpleUser(person),
      user_view_type: "private",
      name: person.name,
      company: null,
      blog: "",
      location: null,
      email: person.email,
      notification_email: person.email,
      hireable: null,
      bio: null,
      twitter_username: null,
      ...Object.fromEntries(counts.map((name) => [name, 0])),
      created_at: SINCE,
      updated_at: SINCE,
      two_factor_authentication: true,
      plan: { name: "free", space: 976562499, collaborators: 0, private_repos: 10000 },
    };
  }

  organization({ id, login }) {
    const url = `${this.#base.api}/orgs/${login}`;
    return {
      login,
      id,
      node_id: nodeId("Organization", id),
      url,
      repos_url: `${url}/repos`,
      events_url: `${url}/events`,
      hooks_url: `${url}/hooks`,
      issues_url: `${url}/issues`,
      members_url: `${url}/members{/member}`,
      public_members_url: `${url}/public_members{/member}`,
      avatar_url: `${this.#base.web}/avatars/u/${id}?v=4`,
      description: null,
    };
  }

  orgMembership(org, person, { role, state }) {
    const organization = this.organization(org);
    return {
      url: `${organization.url}/memberships/${person.login}`,
      state,
      role,
      organization_url: organization.url,
      user: this.simpleUser(person),
      organization,
    };
  }

  fullTeam(org, team) {
    const since = { created_at: SINCE, updated_at: SINCE };
    const counts = ["public_repos", "public_gists", "followers", "following"];
    return {
      ...this.team(org, team),
      description: null,
      privacy: "closed",
      notification_setting: "notifications_enabled",
      permission: "pull",
      type: "organization",
      parent: null,
      members_count: team.members.size,
      repos_count: 0,
      ...since,
      organization: {
        ...this.organization(org),
        html_url: `${this.#base.web}/${org.login}`,
        has_organization_projects: true,
        has_repository_projects: true,
        ...Object.fromEntries(counts.map((name) => [name, 0])),
        type: "Organization",
        ...since,
        archived_at: null,
      },
    };
  }

  team(org, { id, slug, name }) {
    const url = `${this.#base.api}/organizations/${org.id}/team/${id}`;
    return {
      name,
      id,
      node_id: nodeId("Team", id),
      slug,
      url,
      html_url: `${this.#base.web}/orgs/${org.login}/teams/${slug}`,
      members_url: `${url}/members{/member}`,
      repositories_url: `${url}/repos`,
    };
  }
}

export const nodeId = (kind, id) => Buffer.from(`0${kind.length}:${kind}${id}`).toString("base64");

const docsOf = (operation) =>
  ({
    user: `${DOCS}/users/users#get-the-authenticated-user`,
    "org-membership": `${DOCS}/orgs/members#get-an-organization-membership-for-the-authenticated-user`,
    team: `${DOCS}/teams/teams#get-a-team-by-name`,
    "team-membership": `${DOCS}/teams/members#get-team-membership-for-a-user`,
  })[operation];

const ok = (json) => ({ status: 200, json });

export function error(status, message, documentation_url = DOCS) {
  return { status, json: { message, documentation_url, status: String(status) } };
}

/** Before anything else looks at the request, and not as JSON. */
function noUserAgent() {
  const docs = "https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required";
  const body = `Request forbidden by administrative rules. Please make sure your request has a User-Agent header (${docs}).\r\n`;
  return { status: 403, headers: { "content-type": "text/plain" }, body };
}
