// The real runner, `muster runner`, paired with a hub, in a home of its own. Its keepers and agents outlive it by design, so
// the end of a test looks for them by their environment.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MUSTER_BINARY } from "../../scripts/lib/paths.mjs";
import { agentSetup } from "./agents.mjs";
import { Process, showLogOnFailure } from "./process.mjs";
import { removeDir, tempDir } from "./temp.mjs";
import { until } from "./until.mjs";

export async function startRunner(t, hub, options = {}) {
  const base = tempDir(undefined, "runner");
  const runner = new Runner(base, { url: hub.url, ...options });
  showLogOnFailure(t, "the runner", () => runner.log());
  t?.after(async () => {
    await runner.killAll();
    removeDir(base);
  });
  writeFileSync(runner.tokenFile, (await hub.token(options.name ?? "test runner")).token, { mode: 0o600 });
  await runner.start();
  return runner;
}

class Runner {
  #process;
  #logs = [];

  constructor(base, { url, stateDir = join(base, "state"), home = join(base, "home"), config = "", agents = [], model, env = {} }) {
    this.work = join(home, "work");
    Object.assign(this, { url, base, stateDir, home, env });
    for (const folder of [stateDir, home, this.work]) mkdirSync(folder, { recursive: true });
    this.tokenFile = join(base, "token");
    this.configFile = join(base, "config.toml");
    const entries = agents.map((name) => agentEntry(name, agentSetup(name, { model, home, cwd: this.work })));
    const folder = /^default_folder\s*=/m.test(config) ? "" : `default_folder = ${JSON.stringify(this.work)}\n`;
    writeFileSync(this.configFile, [folder, config, ...entries].join("\n"));
  }

  get pid() {
    return this.#process.pid;
  }

  log() {
    return this.#logs.map((log) => log()).join("\n--- restarted ---\n");
  }

  async start() {
    if (!existsSync(MUSTER_BINARY)) throw new Error(`${MUSTER_BINARY} is missing: node scripts/build.mjs native`);
    const started = new Process(MUSTER_BINARY, ["runner"], { cwd: this.work, env: this.#environment() });
    this.#process = started;
    this.#logs.push(() => started.log());
  }

  /** The runner alone: what it started goes on. */
  kill9() {
    return this.#process.end("SIGKILL");
  }

  stop() {
    return this.#process.end("SIGTERM");
  }

  async restart() {
    if (this.#process.isRunning) await this.kill9();
    await this.start();
  }

  /** Everything that came of it: keepers and agents too. */
  async killAll() {
    if (this.#process?.isRunning) await this.kill9();
    const mine = [this.base, this.stateDir, this.home];
    await until(() => {
      const left = processesNaming(mine);
      left.forEach(kill);
      return left.length === 0;
    }, "the runner's keepers and agents to end");
  }

  /** Nothing of the person's own: no CI variable either, which makes agents refuse to draw. */
  #environment() {
    return {
      PATH: process.env.PATH,
      SHELL: "/bin/bash",
      LANG: "C.UTF-8",
      HOME: this.home,
      MUSTER_HUB: this.url,
      MUSTER_TOKEN_FILE: this.tokenFile,
      MUSTER_STATE: this.stateDir,
      MUSTER_CONFIG: this.configFile,
      ...this.env,
    };
  }
}

function agentEntry(name, { command, args, env }) {
  const pairs = Object.entries(env).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[agents.${name}]\ncommand = ${JSON.stringify([command])}\nargs = ${JSON.stringify(args)}\nenv = { ${pairs.join(", ")} }\n`;
}

/** Processes that carry one of these paths in their arguments or their environment. Linux only, as the tests are. */
function processesNaming(paths) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ["cmdline", "environ"].some((file) => paths.some((path) => proc(pid, file).includes(path))))
    .map(Number);
}

function proc(pid, file) {
  try {
    return readFileSync(join("/proc", String(pid), file), "latin1");
  } catch {
    return ""; // ended meanwhile, or another user's
  }
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ended meanwhile
  }
}
