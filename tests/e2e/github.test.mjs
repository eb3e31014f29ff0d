// Signing in with GitHub as a person does it: real Chromium, GitHub's own pages (a stand-in's), and a terminal that is open when
// the person is removed from the team.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNoProblems, openBrowser, shot, startRunner, until } from "../support/index.mjs";
import { signIn, startBoth } from "../routes/lib/github.mjs";
import { TerminalUi } from "./lib/ui.mjs";

const SIGN_IN = "Sign in with GitHub";

const signedIn = (page) => page.waitForURL((url) => url.pathname === "/dashboard");

const turnedAway = async (page, pattern) => {
  await page.getByRole("alert").filter({ hasText: pattern }).waitFor();
  await page.getByRole("link", { name: SIGN_IN }).waitFor();
};

test("a person says yes at GitHub and is in; says no, and is told how to go on", async (t) => {
  const { hub, github } = await startBoth(t);
  const { page } = await openBrowser(t);

  await page.goto(hub.url);
  await shot(page, "sign-in-github");
  await page.getByRole("link", { name: SIGN_IN }).click();
  await page.getByRole("button", { name: /cancel/i }).click();
  await turnedAway(page, /You said no at GitHub/);

  await page.getByRole("link", { name: SIGN_IN }).click();
  await page.getByRole("button", { name: /authorize/i }).click();
  await signedIn(page);
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByText("Signed in with GitHub as mona").waitFor();
  assertNoProblems(page, { except: [/^403 GET .*\/auth\/github\/callback/, /status of 403/] });
});

test("the browser's way back: another attempt, a code twice, nobody of a team, GitHub away", async (t) => {
  const { hub, github } = await startBoth(t);
  const { page, another } = await openBrowser(t);

  await t.test("the address of a finished sign-in, opened again", async () => {
    const back = page.waitForRequest((request) => request.url().includes("/auth/github/callback"));
    await page.goto(`${hub.url}/auth/github`);
    await page.getByRole("button", { name: /authorize/i }).click();
    const address = (await back).url();
    await signedIn(page);
    await page.goto(address);
    await turnedAway(page, /another sign-in, or came too late/);
    const elsewhere = await another();
    await elsewhere.goto(address);
    await turnedAway(elsewhere, /another sign-in, or came too late/);
  });

  await t.test("a person in no team", async () => {
    const stranger = await another();
    await github.signInAs("outsider");
    await stranger.goto(`${hub.url}/auth/github`);
    await stranger.getByRole("button", { name: /authorize/i }).click();
    await turnedAway(stranger, /none of the organisations and teams/);
    await shot(stranger, "sign-in-refused");
  });

  await t.test("GitHub fails, and is well again", async () => {
    const person = await another();
    await github.signInAs("mona");
    await github.fail("user", "server-error");
    await person.goto(`${hub.url}/auth/github`); // said yes before: GitHub does not ask again
    await turnedAway(person, /cannot be asked at the moment/);
    await github.heal();
    await person.getByRole("link", { name: SIGN_IN }).click();
    await signedIn(person);
  });
});

test("removed from the team while a terminal is open: it closes, and nothing opens again", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "mona");
  const token = async (name) => (await api.post("/api/tokens", { name, scope: "runner" })).json;
  const runner = await startRunner(t, { url: hub.url, token });
  await until(async () => (await api.get("/api/runners")).json.runners.some((each) => each.online), "the runner to be online");
  const [{ runner: id }] = (await api.get("/api/runners")).json.runners;
  const { json: made } = await api.post("/api/sessions", { runner: id, agent: "shell" });

  const { page } = await openBrowser(t);
  await page.goto(`${hub.url}/auth/github?to=/sessions/${made.session}`);
  await page.waitForURL((url) => url.pathname === `/sessions/${made.session}`);
  const ui = new TerminalUi(page);
  await ui.shows(/[$#] /);
  await ui.type("echo still-$((40+2))\n");
  await ui.shows("still-42");

  const delivery = await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "mona" });
  assert.equal(delivery.status, 204, delivery.text);
  await page.getByText(/Signed out/).first().waitFor();
  await shot(page, "removed-from-the-team");
  await page.goto(`${hub.url}/dashboard`);
  await page.getByRole("link", { name: SIGN_IN }).waitFor();
  await until(() => /4001|4002|revoked|signed out|access ended/i.test(runner.log()), "the runner to be told that it is out");
});
