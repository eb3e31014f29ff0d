// A child process with its own group and a log in memory. Nothing that the harness starts outlives it.

import { spawn } from "node:child_process";

/** Enough for the story of a test; older text is dropped. */
const LOG_CHARS_MAX = 1_000_000;

const running = new Set();
process.on("exit", () => running.forEach((each) => each.signalGroup("SIGKILL")));

export class Process {
  #text = "";

  constructor(command, args, { cwd, env, ipc = false } = {}) {
    const stdio = ["ignore", "pipe", "pipe", ...(ipc ? ["ipc"] : [])];
    this.child = spawn(command, args, { cwd, env, detached: true, stdio });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.#text = (this.#text + text).slice(-LOG_CHARS_MAX)));
    }
    running.add(this);
    this.exited = new Promise((resolve) => {
      this.child.on("error", (error) => {
        this.#text += `\n${error.message}\n`;
        resolve({ code: null, signal: null, error });
      });
      this.child.on("exit", (code, signal) => resolve({ code, signal }));
    }).then((how) => {
      running.delete(this);
      this.how = how;
      return how;
    });
  }

  get pid() {
    return this.child.pid;
  }

  get isRunning() {
    return this.how === undefined;
  }

  log() {
    return this.#text;
  }

  /** To this process only. Resolves when it has ended. */
  async end(signal) {
    if (this.isRunning) this.child.kill(signal);
    return this.exited;
  }

  /** To it and everything it started in its group. Resolves when it has ended. */
  async endGroup(signal) {
    this.signalGroup(signal);
    return this.exited;
  }

  signalGroup(signal) {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // the whole group is gone already
    }
  }
}

/** Prints a log when the test that it belongs to failed. Register it before anything that removes the evidence. */
export function showLogOnFailure(t, name, log) {
  t?.after(() => {
    if (t.passed === false) process.stderr.write(`\n--- ${name} said, last part:\n${log().slice(-8_000)}\n---\n`);
  });
}
