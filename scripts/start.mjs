// `npm start`: set-up, build, the hub, this machine's runner, a sign-in link. Ctrl-C ends the hub and the runner; agents go
// on in their keepers, and the next start finds them as they are.

import { fork, spawn } from "node:child_process";
import { userInfo } from "node:os";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { HUB_SCRIPT } from "./hub.mjs";
import { endLeftover, pair, startLocalRunner } from "./lib/local-runner.mjs";
import { openLog } from "./lib/log-file.mjs";
import { ready } from "./lib/modules.mjs";
import { LOCAL_STATE } from "./lib/paths.mjs";
import { Plain, bold, dim, main, red, say } from "./lib/progress.mjs";
import { makeLink } from "./lib/sign-in.mjs";

const HELP = `npm start -- [--port 8787] [--host 127.0.0.1] [--state .muster] [--no-runner] [--open]

Starts Muster on this machine: the hub, and a runner that is paired with it. Everything persists in the state folder.

  --port N       another port than 8787
  --host H       another address than 127.0.0.1; sign-in links work on this machine only
  --state DIR    another state folder than .muster
  --no-runner    the hub alone
  --open         open the sign-in link in the browser

Enter prints a new sign-in link, Ctrl-C ends.
`;

/** How long the runner may take to say goodbye before it is killed; its agents are not affected either way. */
const GOODBYE_MS = 5_000;
/** A runner that keeps ending at once would otherwise fill the screen. */
const RESTART_PAUSE_MS = 2_000;

async function start() {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8787" },
      host: { type: "string", default: "127.0.0.1" },
      state: { type: "string", default: LOCAL_STATE },
      "no-runner": { type: "boolean" },
      open: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Plain(`--port takes a number up to 65535, not ${values.port}.`);
  await ready();
  await build(values["no-runner"] ? ["assets", "worker"] : undefined);
  await run({ ...values, port });
}

async function run({ host, port, state, open, "no-runner": alone }) {
  const log = join(state, "hub.log");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const hub = await startHub({ host, port, state: join(state, "hub"), log });
  const runner = alone ? undefined : await keepRunner(hub, join(state, "runner"));
  endWell(hub, runner);
  say(`\n${bold("Muster")} is running at ${hub.url}   ${dim(`hub log: ${log}`)}`);
  const link = newLink(hub);
  if (open) openInBrowser(link);
  linkOnEnter(hub);
}

/** The hub is a process of its own, out of reach of this terminal's Ctrl-C; it ends when this one does. */
async function startHub({ host, port, state, log }) {
  // Whoever is shown a session here is told whose it is.
  const name = process.env.MUSTER_LOCAL_NAME ?? userInfo().username;
  const child = fork(HUB_SCRIPT, ["--host", host, "--port", String(port), "--state", state, "--var", `MUSTER_LOCAL_NAME=${name}`], {
    detached: true,
    stdio: ["ignore", "pipe", openLog(log), "ipc"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const line = await new Promise((resolve) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    ended.then((code) => resolve(JSON.stringify({ error: `The hub ended with ${code}; ${log} may say why.` })));
  });
  const { ready, url, error } = JSON.parse(line);
  if (!ready) throw new Plain(error);
  const secret = JSON.parse(readFileSync(join(state, "secrets.json"), "utf8")).MUSTER_LOCAL_SECRET;
  const stop = () => {
    if (child.connected) child.send({ command: "stop" });
    return ended;
  };
  return { url, secret, stop, ended };
}

/** Starts the runner, and starts it again should it end by itself. */
async function keepRunner(hub, state) {
  endLeftover(state);
  const tokenFile = await pair(hub, state);
  const keeper = { stopping: false };
  const launch = () => {
    keeper.child = startLocalRunner(hub, state, tokenFile);
    keeper.ended = new Promise((resolve) => {
      keeper.child.on("error", (error) => say(`the runner did not start: ${error.message}`));
      keeper.child.on("close", resolve);
    });
    keeper.child.on("close", (code, signal) => {
      if (keeper.stopping) return;
      say(`the runner ended (${signal ?? code}); starting it again`);
      setTimeout(() => keeper.stopping || launch(), RESTART_PAUSE_MS);
    });
  };
  launch();
  keeper.stop = async () => {
    keeper.stopping = true;
    keeper.child.kill("SIGTERM");
    const late = setTimeout(() => keeper.child.kill("SIGKILL"), GOODBYE_MS);
    await keeper.ended;
    clearTimeout(late);
  };
  return keeper;
}

function endWell(hub, runner) {
  let ending;
  const end = async (signal, code = 0) => {
    if (ending) return;
    ending = true;
    if (signal === "SIGINT") say("\nStopping. Agents go on; `npm start` finds them again.");
    await runner?.stop();
    await hub.stop();
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(signal));
  hub.ended.then((code) => {
    if (!ending) say(`${red("✗")} the hub ended by itself (${code}); its log may say why`);
    return end("hub", 1);
  });
}

function newLink(hub) {
  const link = makeLink(hub.url, hub.secret);
  say(`\n  Sign in, once and within 10 minutes:\n\n  ${bold(link)}\n\n  ${dim("Enter: a new link.  Ctrl-C: stop.")}\n`);
  return link;
}

function linkOnEnter(hub) {
  if (!process.stdin.isTTY) return;
  process.stdin.on("data", () => newLink(hub));
}

function openInBrowser(link) {
  const opener = { darwin: "open", win32: "explorer" }[process.platform] ?? "xdg-open";
  spawn(opener, [link], { stdio: "ignore", detached: true }).on("error", () => say(dim(`(${opener} is missing: open the link yourself)`)));
}

await main(start);
