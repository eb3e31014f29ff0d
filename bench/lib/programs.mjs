// The programs that run in the measured terminals, the same for every system: small executables in a temporary folder.
//
// Each puts its terminal into raw mode first, so that what it writes is what comes out of the PTY, and then creates
// `<program>.ready`.

import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./children.mjs";

/** A folder that ends with the scope. */
export function workFolder(scope) {
  const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a shell script that runs as the terminal's program. `ready()` resolves once it runs. */
export function program(folder, name, body) {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nstty raw -echo\n: > '${path}.ready'\n${body}\n`);
  chmodSync(path, 0o755);
  return { path, name, ready: () => until(() => existsSync(`${path}.ready`), `${name} to run`) };
}

/** Echoes each byte as it comes: one read, one write. */
export const echoProgram = (folder, name = "bench-echo") => program(folder, name, "exec cat");

/** Writes the file once for each byte typed, and creates `<program>.done-<n>` after the n-th time. */
export function bulkProgram(folder, file, name = "bench-bulk") {
  const body = `n=0
while [ -n "$(dd bs=1 count=1 2>/dev/null)" ]; do
  cat '${file}'
  n=$((n + 1))
  : > '${join(folder, name)}.done-'$n
done`;
  const made = program(folder, name, body);
  return { ...made, done: (n, deadlineMs) => until(() => existsSync(`${made.path}.done-${n}`), `${name} to write`, deadlineMs) };
}

/**
 * Between a typed `s` and a typed `p`, every 10 ms a piece of 1 KiB that begins with the monotonic clock in nanoseconds, so that a
 * reader can tell its age.
 */
export function tickProgram(folder, name = "bench-tick") {
  const script = `const pad = "x".repeat(1024 - 24) + "\\r\\n";
const tick = () => process.stdout.write("T" + String(process.hrtime.bigint()).padStart(20, "0") + ";" + pad);
let timer;
process.stdin.on("data", (typed) => {
  clearInterval(timer);
  if (typed.includes("s")) timer = setInterval(tick, 10);
});`;
  writeFileSync(join(folder, `${name}.cjs`), script);
  return program(folder, name, `exec '${process.execPath}' '${join(folder, name)}.cjs'`);
}

/** xorshift32: the same bytes on every machine. */
function random(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const WORDS = "building testing error warning compiled crate request response session terminal offset viewer runner in at ok 200 404 the of file".split(" ");

/** Lines as a build or a server logs them: ASCII, about 80 columns, some colour. */
function logLines(next, bytes) {
  let text = "";
  while (text.length < bytes) {
    let line = `2026-11-20T${String(next(24)).padStart(2, "0")}:${String(next(60)).padStart(2, "0")} `;
    const words = 4 + next(14);
    for (let i = 0; i < words; i += 1) {
      const word = WORDS[next(WORDS.length)];
      line += next(12) === 0 ? `\x1b[${31 + next(6)}m${word}\x1b[0m ` : `${word} `;
    }
    text += `${line}\r\n`;
  }
  return text.slice(0, bytes);
}

/** Log text comes in blocks that repeat after eight: generating 200 MB would take longer than measuring with it. */
const BLOCK_BYTES = 1 << 20;

/** A file of log lines; gives its path, size and SHA-256. */
export function logFile(folder, bytes, { name = "log.txt", ending = "" } = {}) {
  const path = join(folder, name);
  const next = random(0x9e3779b9);
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  const put = (text) => {
    hash.update(text);
    writeSync(file, text);
  };
  const blocks = Array.from({ length: 8 }, () => logLines(next, BLOCK_BYTES));
  for (let left = bytes - Buffer.byteLength(ending), i = 0; left > 0; left -= BLOCK_BYTES, i += 1) {
    put(blocks[i % blocks.length].slice(0, left));
  }
  put(ending);
  closeSync(file);
  return { path, bytes, sha256: hash.digest("hex") };
}

/** A coding agent's screen of 120x40: prose, a diff in colour, a framed prompt box, a status line with `mark` in it. */
export function ordinaryScreen(mark) {
  const next = random(7);
  const prose = () => Array.from({ length: 6 + next(9) }, () => WORDS[next(WORDS.length)]).join(" ");
  const rows = [];
  for (let row = 0; row < 34; row += 1) {
    const kind = next(6);
    if (kind === 0) rows.push(`\x1b[32m+ ${prose()}\x1b[0m`);
    else if (kind === 1) rows.push(`\x1b[31m- ${prose()}\x1b[0m`);
    else if (kind === 2) rows.push(`\x1b[1m● ${prose()}\x1b[0m`);
    else if (kind === 3) rows.push("");
    else rows.push(`  ${prose()}`);
  }
  rows.push(`╭${"─".repeat(116)}╮`, `│ > ${" ".repeat(113)}│`, `╰${"─".repeat(116)}╯`, "", `\x1b[2m  ? for shortcuts\x1b[0m   \x1b[33m${mark}\x1b[0m`);
  return `\x1b[2J\x1b[H${rows.join("\r\n")}`;
}

/** The richest screen of 120x40: every cell another character, with its own two 24-bit colours; `mark` at the end. */
export function richestScreen(mark) {
  const next = random(11);
  let text = "\x1b[0m\x1b[2J\x1b[H";
  for (let row = 0; row < 40; row += 1) {
    text += `\x1b[${row + 1};1H`;
    const columns = row === 39 ? 100 : 120;
    for (let column = 0; column < columns; column += 1) {
      const colours = Array.from({ length: 6 }, () => next(256));
      text += `\x1b[38;2;${colours.slice(0, 3).join(";")};48;2;${colours.slice(3).join(";")}m${String.fromCharCode(33 + next(94))}`;
    }
  }
  return `${text}\x1b[0m${mark}`;
}
