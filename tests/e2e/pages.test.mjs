// What a person sees: every page, in both themes, wide and narrow. Roles and names, axe, screenshots, a console without a word
// of complaint, and no page that asks the hub again and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible, assertNoProblems, openBrowser, shot, shown, signInPage, startHub, startInstance, until } from "../support/index.mjs";
import { assertSound, inEveryLook, judge } from "./lib/looks.mjs";
import { startStage } from "./lib/stage.mjs";

/** Names of sessions, and what their agents say. */
const CAST = [
  ["Retry webhooks with backoff", "blocked:kind=permission"],
  ["Split the billing export job, and move the rest of it into a worker of its own", "working"],
  ["Flaky login test on Safari", "idle"],
  ["Upgrade the build image", "done"],
];

/** Every page of a signed-in person: a word for its screenshot, its path, the words of its main heading. */
const pagesOf = (stage) => [
  ["dashboard", "/dashboard", /need|working|session/i],
  ["session", `/sessions/${stage.cast[0].session}`, /Retry webhooks/],
  ["session-working", `/sessions/${stage.cast[1].session}`, /Split the billing/],
  ["session-ended", `/sessions/${stage.ended.session}`, /Backfill invoice numbers/],
  ["new-session", "/sessions/new", /New session/i],
  ["runners", "/clients", /runner/i],
  ["runner", `/clients/${stage.runnerId}`, /./],
  ["instance", `/clients/${stage.instances[0].client}`, /storefront/],
  ["instance-away", `/clients/${stage.instances[1].client}`, /storefront/],
  ["connect-runner", "/clients/connect", /Connect/i],
  ["settings", "/settings", /./],
  ["tokens", "/settings/tokens", /Tokens/],
  ["access", "/settings/access", /Access/],
  ["audit", "/settings/audit", /./],
  ["not-found", "/sessions/999999", /./, 404],
];

/** A hub with a session of each kind. */
async function startCast(t) {
  const stage = await startStage(t);
  stage.cast = [];
  for (const [name, status] of CAST) {
    const agent = await stage.instrument({ name });
    await agent.program.write("\x1b[1;32m✓\x1b[0m 214 tests passed\r\n\x1b[2m… +213 lines\x1b[0m\r\n");
    await agent.program.status(status);
    stage.cast.push(agent);
  }
  await stage.queue(stage.cast[1].terminal, "When both suites pass, mark the pull request ready for review.");
  stage.ended = await stage.instrument({ name: "Backfill invoice numbers" });
  await stage.ended.program.exit(137);
  await until(async () => (await stage.terminal(stage.ended.session, stage.ended.terminal)).state === "ended", "the end of one");
  for (const [n, [, status]] of CAST.entries()) {
    const { session, terminal } = stage.cast[n];
    const word = status.split(":")[0];
    await until(async () => (await stage.terminal(session, terminal)).status.status === word, `one to be ${word}`);
  }
  stage.runnerId = (await stage.runnerOnline()).runner;
  const { token } = await stage.hub.token("instances", "claudecodeui");
  const metadata = { hostname: "build-and-preview-machine-07.eu-central.example", project: "/home/ann/work/the-whole-shop/services/storefront-of-the-northern-region", status: "busy" };
  const [there, away] = [await startInstance(stage.hub, stage.api, { token, metadata }), await startInstance(stage.hub, stage.api, { token, metadata })];
  await away.leave();
  stage.instances = [await shown(stage.api, there, (client) => client.online), await shown(stage.api, away, (client) => !client.online)];
  return stage;
}

test("a stranger sees the sign-in page, a newcomer the way to a first runner", async (t) => {
  const hub = await startHub(t);
  await inEveryLook(t, async ({ page, look }) => {
    await page.goto(hub.url);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await judge(page, `sign-in-${look}`);
    assertNoProblems(page);
    await signInPage(page, hub);
    await page.getByRole("heading", { level: 1, name: /Connect your first runner/ }).waitFor();
    await judge(page, `empty-${look}`);
    assertNoProblems(page);
  });
});

test("every page is sound and accessible", async (t) => {
  const stage = await startCast(t);
  await inEveryLook(t, async ({ page, look }) => {
    await signInPage(page, stage.hub);
    for (const [name, path, heading, status = 200] of pagesOf(stage)) {
      const response = await page.goto(stage.hub.url + path);
      assert.equal(response.status(), status, path);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      if (/^session(-working)?$/.test(name)) await page.locator(".xterm-rows, .xterm canvas").first().waitFor({ state: "attached" });
      await judge(page, `${name}-${look}`);
      if (status === 200) assertNoProblems(page);
      page.problems.length = 0; // a page that is not there is reported by the browser as an error, which it is
    }
  });
});

test("letting a program in is sound and accessible at each step", async (t) => {
  const hub = await startHub(t);
  const ask = async (scope) => (await hub.anonymous().post("/api/device", { name: "forge-01.example", scope })).json.user_code;
  await inEveryLook(t, async ({ page, look }) => {
    const says = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
    await signInPage(page, hub);
    await page.goto(`${hub.url}/device`);
    await says("Let a program in");
    await judge(page, `device-${look}`);
    await page.getByRole("textbox", { name: "Code" }).fill("BBBB-BBBB");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "No program waits with this code" }).waitFor();
    await judge(page, `device-wrong-${look}`);
    page.problems.length = 0; // a code that is not there is reported by the browser as an error, which it is
    for (const [scope, button, result] of [["cli", "Deny", "stays out"], ["runner", "Approve", "is let in"]]) {
      await page.goto(`${hub.url}/device?code=${await ask(scope)}`);
      await says("Let forge-01.example in?");
      await judge(page, `device-${scope}-${look}`);
      await page.getByRole("button", { name: button }).click();
      await says(`forge-01.example ${result}`);
      await judge(page, `device-${button.toLowerCase()}-${look}`);
    }
    const { json } = await hub.anonymous().post("/api/device", { name: "x".repeat(120), scope: "cli" });
    await page.goto(json.verification_uri_complete);
    await says(/^Let x+ in\?$/);
    await assertSound(page);
    assertNoProblems(page);
  });
});

test("dialogs and menus are accessible", async (t) => {
  const stage = await startStage(t);
  await inEveryLook(t, async ({ page, look }) => {
    await signInPage(page, stage.hub);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog", { name: "New session" });
    await dialog.waitFor();
    await assertAccessible(page, { except: [".xterm"] });
    await shot(page, `dialog-new-session-${look}`);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    // The browser takes focus out of a closed dialog with its next frame; a key before that still goes to its field.
    await page.waitForFunction(() => document.activeElement === document.body);
    await page.keyboard.press("?");
    const keys = page.getByRole("dialog", { name: "Keyboard" });
    await keys.waitFor();
    await assertAccessible(page, { except: [".xterm"] });
    await shot(page, `dialog-keyboard-${look}`);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Your account" }).click();
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    await assertAccessible(page, { except: [".xterm"] });
    await shot(page, `menu-account-${look}`);
    assertNoProblems(page);
  });
});

test("no page polls: between changes, which are pushed, a page asks for nothing", async (t) => {
  const stage = await startStage(t);
  const { session, program } = await stage.instrument({ name: "Watched" });
  for (const path of ["/dashboard", `/sessions/${session}`]) {
    const { page } = await openBrowser(t);
    await signInPage(page, stage.hub);
    await page.goto(stage.hub.url + path);
    const shows = (status) => page.locator(`.status[data-status="${status}"]:visible`).first().waitFor();
    await program.status("idle");
    await shows("idle");
    await page.waitForLoadState("networkidle");
    const asked = [];
    page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
    for (const status of ["working", "blocked:kind=permission", "working", "idle", "working", "idle"]) {
      await program.status(status);
      await shows(status.split(":")[0]);
    }
    assert.deepEqual(asked, [], `${path} asked for nothing`);
    assertNoProblems(page);
  }
});

test("the title counts those that wait for a person, and the status is announced once", async (t) => {
  const stage = await startStage(t);
  const { program } = await stage.instrument({ name: "Asks now and then" });
  const { page } = await openBrowser(t);
  await signInPage(page, stage.hub);
  await program.status("working");
  await page.locator('.status[data-status="working"]:visible').first().waitFor();
  assert.doesNotMatch(await page.title(), /\(\d+\)/);
  await program.status("blocked:kind=question");
  await until(async () => /^\(1\)/.test(await page.title()), "the badge in the title");
  await page.getByRole("heading", { level: 1, name: /1 session needs you/ }).waitFor();
  await until(async () => /Asks now and then/.test(await page.locator("#announcer").textContent()), "the announcement");
  await program.status("idle");
  await until(async () => !/\(\d+\)/.test(await page.title()), "the badge to go");
});
