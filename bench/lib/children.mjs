// Processes that a measurement starts: output kept, ended by their own id.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

const LOG_CHARS_MAX = 100_000;

/** Starts a program that ends with the scope. */
export function start(scope, command, args, { env = process.env, cwd, stdio = ["ignore", "pipe", "pipe"] } = {}) {
  const child = spawn(command, args, { env, cwd, stdio });
  let log = "";
  const waiting = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => {
      log = (log + text).slice(-LOG_CHARS_MAX);
      for (const check of waiting) check();
    });
  }
  let ended = null;
  const over = new Promise((resolve) => {
    child.on("error", (error) => resolve((ended = error.message)));
    child.on("close", (code, signal) => resolve((ended = `ended with ${signal ?? code}`)));
  });
  over.then(() => waiting.forEach((check) => check()));
  const process_ = {
    pid: child.pid,
    child,
    log: () => log,
    ended: () => ended,
    /** The first match of `pattern` in the output. */
    line(pattern, what, deadlineMs = 30_000) {
      return new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`${command}: waited for ${what}: ${why}\n${log.slice(-2000)}`));
        const timer = setTimeout(() => settle(() => fail("deadline")), deadlineMs);
        const settle = (finish) => {
          clearTimeout(timer);
          waiting.delete(check);
          finish();
        };
        const check = () => {
          const match = pattern.exec(log);
          if (match) settle(() => resolve(match));
          else if (ended) settle(() => fail(ended));
        };
        waiting.add(check);
        check();
      });
    },
    async stop() {
      if (!ended) child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await over;
      clearTimeout(kill);
    },
  };
  scope.after(() => process_.stop());
  return process_;
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Polls until `condition` holds. */
export async function until(condition, what, deadlineMs = 30_000) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
