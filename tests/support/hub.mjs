// The real Worker on workerd, as scripts/hub.mjs serves it, in a process group of its own that can be killed.

import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HUB_SCRIPT } from "../../scripts/hub.mjs";
import { makeLink } from "../../scripts/lib/sign-in.mjs";
import { Api, followLink } from "./api.mjs";
import { Process, showLogOnFailure } from "./process.mjs";
import { removeDir, tempDir } from "./temp.mjs";
import { until } from "./until.mjs";

/** Tests sign in often and from one address: the brake is tested on its own, with `rateLimit`. */
const RATE_LIMIT = 1_000_000;

export async function startHub(t, options = {}) {
  const hub = new Hub({ ...options, stateDir: options.stateDir ?? tempDir(undefined, "hub") });
  showLogOnFailure(t, "the hub", () => hub.log());
  t?.after(async () => {
    await hub.kill9();
    if (!options.stateDir) removeDir(hub.stateDir);
  });
  await hub.start();
  return hub;
}

class Hub {
  #process;
  #logs = [];
  #nextId = 1;

  constructor({ stateDir, port = 0, vars = {}, rateLimit = RATE_LIMIT }) {
    Object.assign(this, { stateDir, port, vars, rateLimit });
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process.pid;
  }

  log() {
    return this.#logs.map((log) => log()).join("\n--- restarted ---\n");
  }

  async start() {
    const vars = Object.entries(this.vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
    const args = ["--port", this.port, "--state", this.stateDir, "--rate-limit", this.rateLimit, ...vars].map(String);
    const started = new Process(process.execPath, [HUB_SCRIPT, ...args], { ipc: true });
    this.#process = started;
    this.#logs.push(() => started.log());
    const said = await until(() => announced(started), "the hub to serve", { deadlineMs: 60_000 });
    if (!said.ready) throw new Error(`the hub did not start: ${said.error}\n${started.log()}`);
    this.port = Number(new URL(said.url).port);
  }

  /** As a power cut would: no goodbye, workerd included. */
  async kill9() {
    await this.#process.endGroup("SIGKILL");
    await until(() => refuses(this.port), `port ${this.port} to be free`);
  }

  async restart() {
    await this.kill9();
    await this.start();
  }

  async stop() {
    await this.#process.end("SIGTERM");
    await this.kill9();
  }

  /** Throws hubs and lobbies out of memory, their sockets hibernating. Resolves to how many were awake. */
  evict({ name } = {}) {
    return this.#ask({ command: "evict", name });
  }

  /** What the platform does every minute, done now. */
  scheduled() {
    return this.#ask({ command: "scheduled" });
  }

  /** One statement on the hub's D1, beside it: how tests let time pass, and look at what is stored. */
  sql(statement, ...params) {
    const folder = join(this.stateDir, "d1", "miniflare-D1DatabaseObject");
    const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
    const database = new DatabaseSync(join(folder, file));
    try {
      return database.prepare(statement).all(...params);
    } finally {
      database.close();
    }
  }

  link() {
    const secrets = JSON.parse(readFileSync(join(this.stateDir, "secrets.json"), "utf8"));
    return makeLink(this.url, secrets.MUSTER_LOCAL_SECRET);
  }

  anonymous() {
    return new Api(this.url);
  }

  async signIn() {
    return new Api(this.url, await followLink(this.link()));
  }

  async token(name, scope = "runner") {
    const api = await this.signIn();
    const answer = await api.post("/api/tokens", { name, scope });
    if (answer.status >= 300) throw new Error(`POST /api/tokens answered ${answer.status}: ${answer.text}`);
    return answer.json;
  }

  #ask(message) {
    const id = this.#nextId++;
    const { child } = this.#process;
    return new Promise((resolve, reject) => {
      const hear = (answer) => {
        if (answer.id !== id) return;
        settle(() => (answer.error ? reject(new Error(answer.error)) : resolve(answer.value)));
      };
      const gone = () => settle(() => reject(new Error("the hub ended meanwhile")));
      const settle = (finish) => {
        child.off("message", hear).off("exit", gone);
        finish();
      };
      child.on("message", hear).on("exit", gone);
      child.send({ id, ...message });
    });
  }
}

/** The line of JSON that scripts/hub.mjs prints, among the logs of its Worker. */
function announced(started) {
  const line = started.log().split("\n").find((each) => each.startsWith('{"ready":'));
  if (line) return JSON.parse(line);
  if (!started.isRunning) return { ready: false, error: "it ended" };
  return undefined;
}

function refuses(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}
