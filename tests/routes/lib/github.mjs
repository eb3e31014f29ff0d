// Signing in with GitHub without a browser: what one would do, step by step, over HTTP.

import { Api } from "../../support/index.mjs";
import { startGitHub } from "../../support/github.mjs";
import { startHub } from "../../support/index.mjs";

/** A GitHub of two people in two teams, and a hub that lets one team in. */
export async function startBoth(t, { vars = {}, ...options } = {}) {
  const github = await startGitHub(t, {
    people: ["mona", "hubot", "outsider"],
    orgs: { acme: { members: { mona: "admin", hubot: "member" }, teams: { builders: ["mona", "hubot"] } } },
    ...options,
  });
  const hub = await startHub(t, {
    vars: { MUSTER_LOCAL_SECRET: "", ...github.vars, MUSTER_ALLOWED_TEAMS: "acme/builders", ...vars },
  });
  github.webhookUrl = `${hub.url}/github/webhook`;
  return { hub, github };
}

/** Begins a sign-in as a browser does: where GitHub is asked, and the cookie that binds the attempt. */
export async function begin(hub, query = "") {
  const answer = await hub.anonymous().get(`/auth/github${query}`);
  const cookie = answer.headers.getSetCookie()[0]?.split(";")[0];
  return { answer, cookie, location: answer.headers.get("location") };
}

/** Takes the browser back to the hub, with the attempt's cookie and perhaps others. */
export function comeBack(hub, address, cookie) {
  const { pathname, search } = new URL(address);
  return new Api(hub.url, cookie).get(pathname + search);
}

/** The whole way. Resolves to the answer of the callback, and an Api with the new sign-in if there is one. */
export async function signIn(hub, github, login, query) {
  await github.signInAs(login);
  const { location, cookie } = await begin(hub, query);
  const answer = await comeBack(hub, await github.authorize(location), cookie);
  const made = answer.headers.getSetCookie().find((each) => each.startsWith("muster_sign_in="));
  return { answer, api: made && new Api(hub.url, made.split(";")[0]) };
}
