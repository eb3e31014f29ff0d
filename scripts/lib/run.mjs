// Running other programs: output captured, a missing program explained in plain words.

import { spawn, spawnSync } from "node:child_process";
import { ROOT } from "./paths.mjs";
import { Plain } from "./progress.mjs";

/** How many characters of a failed program's output a person is shown. */
const TAIL_CHARS = 6_000;

const ADVICE = {
  cargo: "Rust is missing. Install it from https://rustup.rs, then open a new shell and try again.",
  rustup: "rustup is missing. Muster needs it to add the wasm32 target: https://rustup.rs",
  rustc: "Rust is missing. Install it from https://rustup.rs, then open a new shell and try again.",
  git: "git is missing. Install it with your system's package manager.",
  npm: "npm is missing. It comes with Node.js: https://nodejs.org",
  cc: "A C compiler is missing. Debian and Ubuntu: apt install build-essential. macOS: xcode-select --install",
};

/**
 * Runs a program to its end. Resolves to {code, output}; never throws on a status. With `echo`, output is also shown
 * as it comes; with `timeoutMs` it is ended by then, and its code is "signal SIGTERM".
 */
export function run(command, args, { cwd = ROOT, env = process.env, echo = false, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        chunks.push(chunk);
        if (echo) process.stderr.write(chunk);
      });
    }
    child.on("error", (error) => reject(explain(command, error)));
    child.on("close", (code, signal) => {
      resolve({ code: code ?? `signal ${signal}`, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

/** Runs a program that has to succeed; its output otherwise becomes the message. */
export async function must(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) {
    const line = [command, ...args].join(" ");
    throw new Plain(`${line}\nended with ${code}:\n\n${output.slice(-TAIL_CHARS)}`);
  }
  return output;
}

/** Is the program there at all? Throws the advice when it is not. */
export function need(command, args = ["--version"]) {
  const { error, stdout } = spawnSync(command, args, { encoding: "utf8" });
  if (error) throw explain(command, error);
  return stdout.trim();
}

function explain(command, error) {
  if (error.code !== "ENOENT") return error;
  return new Plain(ADVICE[command] ?? `${command} is missing.`);
}
