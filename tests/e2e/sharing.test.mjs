// A session shared, as people see it: a colleague who may watch and then drive, a guest who opens a link, and what both see when
// it is over. Real Chromium, real runner, a real shell.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNoProblems, openBrowser, shot, signInPage, startRunner, until } from "../support/index.mjs";
import { signIn, startBoth } from "../routes/lib/github.mjs";
import { inEveryLook, judge } from "./lib/looks.mjs";
import { startStage } from "./lib/stage.mjs";
import { TerminalUi, openSession } from "./lib/ui.mjs";

/** Somebody's browser, signed in with GitHub. */
async function browserOf(another, hub, github, login, at = "/dashboard") {
  const page = await another();
  await github.signInAs(login);
  await page.goto(`${hub.url}/auth/github?to=${at}`);
  const yes = page.getByRole("button", { name: /authorize/i });
  await yes.or(page.getByRole("heading", { level: 1 })).first().waitFor();
  if (await yes.isVisible()) await yes.click();
  await page.waitForURL((url) => url.pathname === at);
  return page;
}

test("a colleague watches, then drives, then is out; each at once and without reloading", async (t) => {
  const { hub, github } = await startBoth(t);
  const { api } = await signIn(hub, github, "mona");
  await signIn(hub, github, "hubot");
  const token = async (name) => (await api.post("/api/tokens", { name, scope: "runner" })).json;
  await startRunner(t, { url: hub.url, token });
  await until(async () => (await api.get("/api/runners")).json.runners.some((each) => each.online), "the runner to be online");
  const [{ runner }] = (await api.get("/api/runners")).json.runners;
  const { json: made } = await api.post("/api/sessions", { runner, agent: "shell", name: "Ours" });
  const { another } = await openBrowser(t);
  const colleague = await browserOf(another, hub, github, "hubot");

  const owner = await browserOf(another, hub, github, "mona", `/sessions/${made.session}`);
  const hers = new TerminalUi(owner);
  await hers.shows(/[$#] /);
  await owner.getByRole("link", { name: "Share this session" }).click();
  await owner.getByRole("heading", { name: "Share this session" }).waitFor();
  await owner.getByText("Nobody but you.").waitFor();
  await owner.getByRole("combobox", { name: "Who" }).fill("hubot");
  await owner.getByRole("button", { name: "Let in" }).click();
  await owner.locator(".share").filter({ hasText: "hubot" }).waitFor();

  // His dashboard is open all the while.
  await colleague.getByRole("heading", { name: "Shared by mona" }).waitFor();
  await shot(colleague, "dashboard-shared");
  await colleague.getByRole("link", { name: "Ours" }).click();
  await colleague.getByText("mona shares it: you may watch").waitFor();
  const his = new TerminalUi(colleague);
  await his.shows(/[$#] /);
  await his.type("echo not-from-him\n");
  await colleague.getByRole("status").filter({ hasText: /watch/i }).first().waitFor();
  await shot(colleague, "session-as-a-viewer");
  const box = colleague.getByRole("textbox", { name: /^Prompt/ });
  assert.equal(await box.isVisible(), false, "who may not prompt has no box to write in");

  const right = owner.getByLabel("What hubot may do");
  await right.selectOption("driver");
  await colleague.getByText("mona shares it: you may drive").waitFor();
  await box.waitFor();
  await his.type("echo from-him-$((40+2))\n");
  await his.shows("from-him-42");
  assert.ok(!(await his.text()).includes("not-from-him"), "what a viewer typed is gone");
  await owner.goto(`${hub.url}/sessions/${made.session}`);
  await hers.shows("from-him-42");

  await owner.goto(`${hub.url}/sessions/${made.session}/people`);
  await owner.locator(".share").filter({ hasText: "here now" }).waitFor();
  await owner.getByRole("button", { name: "Withdraw from hubot" }).click();
  await owner.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await owner.getByText("Nobody but you.").waitFor();
  await colleague.getByRole("heading", { name: "This session is no longer shared with you" }).waitFor();
  await colleague.locator("#terminal-overlay").filter({ hasText: "no longer shared" }).waitFor();
  await shot(colleague, "session-withdrawn");
  for (const left of ["Stop Shell", "New terminal"]) assert.equal(await colleague.getByRole("button", { name: left }).isVisible(), false, left);
  assert.equal(await box.isVisible(), false);
  assertNoProblems(owner);
  await colleague.goto(`${hub.url}/dashboard`);
  await colleague.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await colleague.getByText("Shared by mona").count(), 0);
  assertNoProblems(colleague);
});

test("a guest opens a link, says a name and is in, until the link is withdrawn", async (t) => {
  const stage = await startStage(t);
  const { session } = await stage.session({ agent: "shell", name: "Show and tell" });
  const { page: owner, another } = await openBrowser(t);
  await signInPage(owner, stage.hub);
  await owner.goto(`${stage.hub.url}/sessions/${session}/people`);
  await owner.getByRole("textbox", { name: "For" }).fill("Gus from support");
  await owner.locator("#link-right").selectOption("driver");
  await owner.getByRole("button", { name: "Make the link" }).click();
  const link = await owner.locator("#fresh-link").textContent();
  await owner.reload();
  assert.equal(await owner.locator("#fresh-link").count(), 0, "shown this one time");

  const guest = await another();
  const asked = [];
  guest.on("request", (request) => asked.push(request.url()));
  await guest.goto(link);
  await guest.getByRole("heading", { name: "You are invited to a session" }).waitFor();
  assert.ok(!guest.url().includes("mst_"), "the secret leaves the address bar");
  await guest.getByRole("textbox", { name: "Your name" }).fill("Gus");
  await guest.keyboard.press("Enter");
  await guest.waitForURL((url) => url.pathname.startsWith("/sessions/"));
  assert.ok(!asked.some((url) => url.includes("mst_")), "and is in no address that was asked for");
  const his = new TerminalUi(guest);
  await his.shows(/[$#] /);
  await his.type("echo hi-$((40+2))\n");
  await his.shows("hi-42");

  const hers = await openSession(owner, stage.hub, session);
  await hers.shows("hi-42");
  await owner.getByRole("listitem").filter({ hasText: "Gus" }).filter({ hasText: "Drives" }).waitFor();
  await shot(owner, "session-with-a-guest");
  await shot(guest, "session-as-a-guest");
  await owner.goto(`${stage.hub.url}/sessions/${session}/people`);
  await owner.getByRole("button", { name: "Withdraw from Gus from support" }).click();
  await owner.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await guest.getByRole("heading", { name: "This session is no longer shared with you" }).waitFor();
  assert.equal(await guest.getByText("Sign in again").count(), 0, "a guest never signed in");
  assertNoProblems(owner);
  assertNoProblems(guest);
  await guest.goto(link);
  await guest.getByRole("textbox", { name: "Your name" }).fill("Gus");
  await guest.keyboard.press("Enter");
  await guest.locator("#notices").filter({ hasText: "opens nothing" }).waitFor();
  await shot(guest, "guest-link-over");
});

test("the pages of sharing are sound and accessible in every look", async (t) => {
  const stage = await startStage(t);
  const agent = await stage.instrument({ name: "Retry webhooks with backoff, and everything that goes with it" });
  await agent.program.write("\x1b[1;32m✓\x1b[0m 214 tests passed\r\n");
  const shares = `/api/sessions/${agent.session}/shares`;
  const make = async (right, name) => (await stage.api.post(shares, { kind: "guest", right, name })).json.link;
  const links = { viewer: await make("viewer", "An auditor from outside with a long name, who only looks"), driver: await make("driver", "Gus") };
  await inEveryLook(t, async ({ page, look }) => {
    await signInPage(page, stage.hub);
    await page.goto(`${stage.hub.url}/sessions/${agent.session}/people`);
    await page.getByRole("heading", { level: 1, name: "Share this session" }).waitFor();
    await judge(page, `people-${look}`);
    await page.getByRole("button", { name: "Make the link" }).click();
    await page.locator("#fresh-link").waitFor();
    await judge(page, `people-fresh-${look}`);
    assertNoProblems(page);
    await page.context().clearCookies();
    await page.goto(`${stage.hub.url}/guest`);
    await page.getByText("This address is not whole").waitFor();
    await judge(page, `guest-not-whole-${look}`);
    for (const [right, link] of Object.entries(links)) {
      await page.goto(link);
      await page.getByRole("textbox", { name: "Your name" }).waitFor();
      await judge(page, `guest-${look}`);
      await page.getByRole("textbox", { name: "Your name" }).fill("Gus");
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByRole("heading", { level: 1, name: /Retry webhooks/ }).waitFor();
      await page.locator(".xterm-rows, .xterm canvas").first().waitFor({ state: "attached" });
      await new TerminalUi(page).shows("214 tests passed");
      await judge(page, `session-guest-${right}-${look}`);
    }
    assertNoProblems(page);
  });
});
