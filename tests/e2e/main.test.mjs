// The main job, as a person does it in a browser: sign in, see the machine, start a shell, work in it, from two places at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNoProblems, openBrowser, shot, signInPage, until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";
import { TerminalUi, confirm, openSession, promptShows, sendPrompt, statusShows } from "./lib/ui.mjs";

test("from the one-time link to a working shell, and back again after a reload", async (t) => {
  const stage = await startStage(t);
  const { page } = await openBrowser(t);
  const link = stage.hub.link();
  await page.goto(link);
  await page.waitForURL(/\/dashboard$/);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const { name } = await stage.runnerOnline();
  await page.getByRole("complementary", { name: "Runners" }).getByRole("link", { name }).waitFor();

  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "New session" });
  await dialog.waitFor();
  await dialog.getByRole("radio", { name: /Shell/ }).check();
  await dialog.getByLabel("Name").fill("A shell of my own");
  await shot(page, "new-session-dialog");
  await dialog.getByRole("button", { name: /Start session/ }).click();
  await page.waitForURL(/\/sessions\/\d+/);
  await page.getByRole("heading", { level: 1, name: "A shell of my own" }).waitFor();

  const terminal = new TerminalUi(page);
  await terminal.shows(/[$#%>]\s*$/m, "the shell's prompt");
  await terminal.type("echo $((6 * 7)) is what it typed\n");
  await terminal.shows("42 is what it typed");
  await sendPrompt(page, "echo $((60 + 6)) is what was prompted");
  await terminal.shows("66 is what was prompted");
  await promptShows(page, "is what was prompted", "done");

  const before = await terminal.text();
  await page.reload();
  await terminal.shows("66 is what was prompted");
  assert.equal((await terminal.text()).trimEnd(), before.trimEnd(), "the same screen after a reload");
  await shot(page, "session-shell");
  assertNoProblems(page);
});

test("a one-time link works once", async (t) => {
  const stage = await startStage(t);
  const link = stage.hub.link();
  const { page } = await openBrowser(t);
  await page.goto(link);
  await page.waitForURL(/\/dashboard$/);
  const { page: stranger } = await openBrowser(t);
  await stranger.goto(link);
  assert.doesNotMatch(new URL(stranger.url()).pathname, /dashboard/);
  await stranger.goto(`${stage.hub.url}/dashboard`);
  assert.doesNotMatch(await stranger.content(), /New session/, "still a stranger");
});

test("two tabs see every byte, the size is the driver's, and a phone never keeps it", async (t) => {
  const stage = await startStage(t);
  const { session, program } = await stage.instrument();
  const { another } = await openBrowser(t);
  const open = async (options) => {
    const page = await another(options);
    await signInPage(page, stage.hub);
    return { page, ui: await openSession(page, stage.hub, session) };
  };
  const sizes = async () => {
    const { cols, rows } = await program.size();
    return `${cols}x${rows}`;
  };
  const people = (count) => stage.watched(session, count);

  const desk = await open({ width: 1440, height: 900 });
  await people(1);
  const deskSize = await until(async () => (await sizes()) !== "120x40" && sizes(), "the driver's size");
  const second = await open({ width: 1200, height: 700 });
  await people(2);
  const phone = await open({ width: 390, height: 844 });
  await people(3);
  await program.write("every tab sees this\r\n");
  for (const { ui } of [desk, second, phone]) await ui.shows("every tab sees this");
  assert.equal(await sizes(), deskSize, "those who only watch change nothing");

  // Typing on the phone makes it the driver: the size follows. When it leaves, the size comes back.
  await phone.ui.type("x");
  await until(async () => (await program.read()).tail.endsWith("x"), "the key");
  const phoneSize = await until(async () => (await sizes()) !== deskSize && sizes(), "the phone's size");
  await phone.page.close();
  await people(2);
  await until(async () => (await sizes()) === deskSize, `the size to be ${deskSize} again after ${phoneSize}`);
  await desk.page.close();
  await second.page.close();
  await people(0);
  await until(async () => (await sizes()) === "120x40", "the size that nobody drives");
});

test("stop, start again, archive, and take it back", async (t) => {
  const stage = await startStage(t);
  const { session } = await stage.instrument({ name: "Comes and goes" });
  const { page, context } = await openBrowser(t);
  await signInPage(page, stage.hub);
  await openSession(page, stage.hub, session);
  await page.getByRole("button", { name: "Stop Instrument" }).click();
  await confirm(page);
  const restart = page.getByRole("button", { name: "Restart Instrument" }).first();
  await restart.waitFor();
  assert.equal(stage.instruments.count(), 1);
  await restart.click();
  await until(() => stage.instruments.count() === 2, "a second process");
  await page.getByRole("button", { name: "Stop Instrument" }).waitFor();

  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("button", { name: "Archive" }).click();
  await confirm(page);
  const restore = page.getByRole("button", { name: "Restore" }).first();
  await restore.waitFor(); // its page stays, with the way back
  assert.equal((await stage.detail(session)).archived, true);
  const board = await context.newPage();
  await board.goto(`${stage.hub.url}/dashboard`);
  const row = board.getByRole("link", { name: "Comes and goes" });
  await board.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(await row.count(), 0, "out of sight");
  await restore.click();
  await row.waitFor(); // pushed, not asked for
  assert.equal((await stage.detail(session)).archived, false);
  assertNoProblems(page);
});

test("prompts are seen in every state, edited and taken back on the page, and survive a reload", async (t) => {
  const stage = await startStage(t);
  const { session, program } = await stage.instrument({ name: "Prompted" });
  await program.write("\x1b[?2004h");
  await program.status("working");
  const { page } = await openBrowser(t);
  await signInPage(page, stage.hub);
  await openSession(page, stage.hub, session);
  await statusShows(page, "working");
  for (const text of ["first of three", "second of three", "third of three"]) {
    await sendPrompt(page, text);
    await promptShows(page, text, "queued");
  }
  await page.locator(".prompt").filter({ hasText: "second of three" }).getByRole("button", { name: /Cancel/ }).click();
  await promptShows(page, "second of three", "cancelled");
  await page.reload();
  await promptShows(page, "first of three", "queued");
  await program.status("idle");
  await promptShows(page, "first of three", "delivered");
  await program.status("working");
  await promptShows(page, "first of three", "accepted");
  await program.status("idle");
  await promptShows(page, "first of three", "done");
  await promptShows(page, "third of three", "delivered");
  const { tail } = await program.read();
  assert.equal(tail, "\x1b[200~first of three\x1b[201~\r\x1b[200~third of three\x1b[201~\r");
  assertNoProblems(page);
});

test("an open tab outlives the hub: it says so, comes back by itself, and misses nothing", async (t) => {
  const stage = await startStage(t);
  const { session, program } = await stage.instrument();
  const { page } = await openBrowser(t);
  await signInPage(page, stage.hub);
  const ui = await openSession(page, stage.hub, session);
  await program.write("before\r\n");
  await ui.shows("before");
  await stage.hub.kill9();
  await program.write("meanwhile\r\n");
  await ui.type("typed meanwhile");
  await stage.hub.restart();
  await ui.shows("meanwhile");
  await until(async () => (await program.read()).tail === "typed meanwhile", "what was typed meanwhile, once");
  await program.write("after\r\n");
  await ui.shows("after");
});

test("the keyboard map: search, move, open, go back, leave the terminal", async (t) => {
  const stage = await startStage(t);
  for (const name of ["Apples", "Pears", "Plums"]) await stage.instrument({ name });
  const { page } = await openBrowser(t);
  await signInPage(page, stage.hub);
  await page.getByRole("link", { name: "Plums" }).waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.type("pear");
  await until(async () => (await page.locator("li.session:visible").count()) === 1, "the list to be filtered");
  await page.keyboard.press("Escape");
  await page.locator("#search").fill("");
  await page.locator("#search").blur();
  await until(async () => (await page.locator("li.session:visible").count()) === 3, "the list to be whole");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const second = await page.locator("li.session .session-name a").nth(1).textContent();
  assert.equal((await page.evaluate(() => document.activeElement.textContent)).trim(), second.trim(), "j moves");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/sessions\/\d+/);
  await page.locator(".xterm-helper-textarea").first().focus();
  await page.keyboard.press("F6");
  assert.equal(await page.evaluate(() => Boolean(document.activeElement.closest(".xterm"))), false, "F6 leaves the terminal");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForURL(/\/dashboard/);
});

test("signing out ends the tab's sockets and shows the sign-in page", async (t) => {
  const stage = await startStage(t);
  const { session } = await stage.instrument();
  const { page, context } = await openBrowser(t);
  await signInPage(page, stage.hub);
  const other = await context.newPage();
  await openSession(other, stage.hub, session);
  await until(async () => (await stage.health()).viewers === 1, "a viewer");
  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: /Every agent you run/ }).waitFor();
  await page.goto(`${stage.hub.url}/dashboard`);
  assert.doesNotMatch(await page.content(), /New session/);
  await until(async () => (await stage.health()).viewers === 0, "the other tab's terminal to be closed");
});
