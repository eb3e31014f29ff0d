// What must not be in the repository: paths of somebody's machine, addresses of a registry, secrets by accident, built things,
// files too long to read.

import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT, at } from "./lib/paths.mjs";
import { Plain, main, say } from "./lib/progress.mjs";
import { must } from "./lib/run.mjs";

/** Lines of a source file, comments and tests included: house style says about 300, this says when to stop. */
const LINES_MAX = 700;
const SOURCE = /\.(rs|mjs|js|css|html|sql)$/;
const TEXT = /\.(rs|mjs|js|json|jsonc|toml|md|css|html|sql|sh|yml|yaml|svg|txt|lock)$|(^|\/)[^.]+$|(^|\/)\.[a-z]+$/;
const BYTES_MAX = 2 * 1024 * 1024;

/** Written so that this file does not contain what it looks for. */
const FORBIDDEN = [
  { what: "a path of this machine", pattern: new RegExp(`(${escape(join(homedir(), "/"))}|${escape(join(ROOT, "/"))})[A-Za-z0-9._-]`) },
  { what: "a token", pattern: new RegExp(["gh[pousr]_[A-Za-z0-9]{36}", "xox[bp]-[0-9]{9,}", "AKIA[0-9A-Z]{16}"].join("|")) },
  { what: "a private key", pattern: new RegExp(`-----BEGIN [A-Z ]*PRIVATE${" "}KEY-----`) },
];

export async function checkHygiene() {
  const listed = await must("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  const files = listed.split("\0").filter((file) => file && existsSync(at(file)) && statSync(at(file)).isFile());
  const problems = files.flatMap(problemsOf);
  if (/"resolved"/.test(readFileSync(at("package-lock.json"), "utf8"))) {
    problems.push("package-lock.json names a registry (`resolved`): reinstall with the .npmrc of this repository");
  }
  if (problems.length) throw new Plain(problems.join("\n"));
  return files.length;
}

function problemsOf(file) {
  const problems = [];
  if (/^(node_modules|target|build|dist|\.muster|test-results)\//.test(file)) problems.push(`${file} is a built thing`);
  const { size } = statSync(at(file));
  if (size > BYTES_MAX) problems.push(`${file} has ${size} bytes; the most is ${BYTES_MAX}`);
  if (!TEXT.test(file) || size > BYTES_MAX) return problems;
  const text = readFileSync(at(file), "utf8");
  for (const { what, pattern } of FORBIDDEN) if (pattern.test(text)) problems.push(`${file} contains ${what}: ${pattern.exec(text)[0]}`);
  const lines = text.split("\n").length;
  if (SOURCE.test(file) && lines > LINES_MAX) problems.push(`${file} has ${lines} lines; split it`);
  return problems;
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => say(`${await checkHygiene()} files are clean`));
}
