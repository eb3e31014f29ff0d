// `npm start`, as a person types it: a link that works once, this machine already paired, Ctrl-C that leaves only the
// agents, and a second start that finds the sessions as they were.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { at } from "../../scripts/lib/paths.mjs";
import { Api, followLink, openBrowser, tempDir, until } from "../support/index.mjs";
import { Viewer } from "../support/viewer.mjs";
import { TerminalUi } from "./lib/ui.mjs";

/** Everything is built when the tests run; checking that it is takes some seconds. */
const STARTED_MS = 120_000;

test("npm start: sign in once, work, Ctrl-C, start again, go on", async (t) => {
  const state = tempDir(t, "start");
  const port = await freePort();
  t.after(() => processesOf(state).forEach(({ pid }) => kill(pid)));

  const first = await start(t, { state, port });
  const { page } = await openBrowser(t);
  await page.goto(first.link);
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal((await fetch(first.link, { redirect: "manual" })).headers.get("set-cookie"), null, "the link works once");
  await page.getByRole("complementary", { name: "Runners" }).getByRole("listitem").first().waitFor();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "New session" });
  await dialog.getByRole("radio", { name: /Shell/ }).check();
  await dialog.getByLabel("Name").fill("Outlives Ctrl-C");
  await dialog.getByRole("button", { name: /Start session/ }).click();
  await page.waitForURL(/\/sessions\/\d+/);
  const terminal = new TerminalUi(page);
  await terminal.shows(/[$#%>]\s*$/m, "the shell's prompt");
  await terminal.type("MARK=$((40 + 2)); echo mark is $MARK\n");
  await terminal.shows("mark is 42");
  const path = new URL(page.url()).pathname;
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  await page.close();

  await first.interrupt();
  const left = processesOf(state);
  assert.ok(left.some(({ command }) => /keeper/.test(command)), "the agent's keeper goes on");
  for (const { pid, parents, command } of left) {
    const ofKeeper = /keeper/.test(command) || parents.some((parent) => /keeper/.test(parent));
    assert.ok(ofKeeper, `process ${pid} was left behind: ${command}`);
  }

  const second = await start(t, { state, port });
  const api = new Api(second.url, cookie); // signed in still: sign-ins outlive the hub's process
  const id = Number(path.match(/\/sessions\/(\d+)/)[1]);
  const detail = await until(async () => {
    const { json } = await api.get(`/api/sessions/${id}`);
    return json?.runner_view?.online && json;
  }, "the session and its runner");
  assert.equal(detail.name, "Outlives Ctrl-C");
  const viewer = new Viewer(second.url, cookie, detail.main_terminal);
  t.after(() => viewer.close());
  await viewer.until(() => viewer.tail.includes("mark is 42"), "what the shell printed before");
  viewer.type("echo still $MARK\r");
  await viewer.until(() => viewer.tail.includes("still 42"), "the very shell of before");
  assert.notEqual(await followLink(second.link), cookie, "a new start prints a new link");
  await second.interrupt();
});

/** Runs it; resolves once the link is printed. `interrupt()` is Ctrl-C: the whole foreground group hears it. */
async function start(t, { state, port }) {
  const child = spawn("npm", ["start", "--", "--port", String(port), "--state", state], {
    cwd: at(),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_CONFIG_HOME: state, SHELL: "/bin/bash" },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise((resolve) => child.on("close", resolve));
  let code;
  void ended.then((value) => (code = value ?? "a signal"));
  t.after(() => kill(-child.pid));
  const link = await until(
    () => {
      assert.equal(code, undefined, said);
      return said.match(/http:\/\/[^\s\x1b]*\/auth\/local[^\s\x1b]*/)?.[0];
    },
    "the sign-in link",
    { deadlineMs: STARTED_MS },
  ).catch((error) => {
    throw new Error(`${error.message}; it said:\n${said}`, { cause: error });
  });
  const interrupt = async () => {
    process.kill(-child.pid, "SIGINT");
    await ended;
  };
  return { link, url: new URL(link).origin, interrupt };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Processes that carry the folder in their arguments or environment, with the commands of their ancestors. */
function processesOf(folder) {
  const read = (pid, file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "latin1").replaceAll("\0", " ");
    } catch {
      return "";
    }
  };
  const parentOf = (pid) => Number(read(pid, "stat").match(/\) \S (\d+)/)?.[1] ?? 0);
  const ancestors = (pid) => {
    const found = [];
    for (let each = parentOf(pid); each > 1; each = parentOf(each)) found.push(read(each, "cmdline"));
    return found;
  };
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid)
    .filter((pid) => ["cmdline", "environ"].some((file) => read(pid, file).includes(folder)))
    .map((pid) => ({ pid, command: read(pid, "cmdline"), parents: ancestors(pid) }));
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ended meanwhile
  }
}
