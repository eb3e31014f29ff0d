// The steps of `npm test`, in the order they run: quick ones first, what needs a build after it.
//
// A step returns {passed, failed, skipped?, output, note?}; a step that counts no tests of its own counts as one.

import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildAssets } from "../assets.mjs";
import { buildNative, buildWorker } from "../build.mjs";
import { checkBoundaries } from "../check-boundaries.mjs";
import { checkHygiene } from "../check-hygiene.mjs";
import { checkLicences } from "../check-licences.mjs";
import { workerBuildEnv } from "../setup.mjs";
import { at, bin } from "./paths.mjs";
import { Plain } from "./progress.mjs";
import { run } from "./run.mjs";
import { filesBelow } from "./stamp.mjs";

const WASM = "wasm32-unknown-unknown";
const DENY_WARNINGS = ["--", "-D", "warnings"];
/** The free plan's limit for a Worker is 3 MB gzipped; a third of it keeps start-up quick. */
const WORKER_GZIP_MAX = 1024 * 1024;
/** Each target; a longer run is `fuzz/short-run.sh 600`. */
const FUZZ_SECONDS = 10;
/** Of one test file; real agents take minutes in a bad moment, hanging for ever should still end. */
const TEST_TIMEOUT_MS = 15 * 60_000;

const cargo = (...args) => command("cargo", args, { env: { ...process.env, CARGO_TERM_COLOR: "never" } });

export const STEPS = [
  { name: "hygiene", what: "nothing in the repository that should not be there", run: () => one(checkHygiene) },
  { name: "fmt", what: "rustfmt", run: () => cargo("fmt", "--all", "--check", "--", "--color", "never") },
  { name: "boundaries", what: "which crate may import what", run: () => one(checkBoundaries) },
  { name: "licences", what: "of every crate that is linked", run: () => one(checkLicences) },
  { name: "assets", what: "hashed browser files", run: () => one(buildAssets) },
  { name: "static", what: "the browser's modules, without a browser", run: () => nodeTests("tests/static") },
  { name: "clippy", what: "native, warnings denied", run: () => cargo("clippy", "--workspace", "--all-targets", "--locked", ...DENY_WARNINGS) },
  {
    name: "clippy-wasm",
    what: "the Worker for its own target, warnings denied",
    run: () => cargo("clippy", "-p", "muster-hub", "--target", WASM, "--locked", ...DENY_WARNINGS),
  },
  { name: "rustdoc", what: "documentation, warnings denied", run: rustdoc },
  { name: "native", what: "tests of all crates", needs: ["assets"], run: nativeTests },
  { name: "doc-tests", what: "examples in the documentation", run: docTests },
  { name: "fuzz", what: "every decoder against arbitrary bytes, for some seconds", run: fuzz },
  { name: "binary", what: "the runner, release build", run: () => one(buildNative) },
  { name: "snapshot", what: "a snapshot and its tail equal the original", needs: ["binary"], run: () => nodeTests("tests/snapshot") },
  { name: "worker", what: "the Worker, release build to wasm", needs: ["assets"], run: () => one(() => buildWorker(workerBuildEnv())) },
  { name: "deploy", what: "wrangler's dry run, and the Worker's size", needs: ["worker"], run: dryRun },
  { name: "scripts", what: "tests of scripts and harness", needs: ["worker"], run: () => nodeTests("tests/scripts") },
  { name: "routes", what: "HTTP against the real Worker on workerd", needs: ["worker"], run: () => nodeTests("tests/routes") },
  { name: "e2e", what: "Worker, runner, Chromium and agents", needs: ["worker", "binary"], run: () => nodeTests("tests/e2e", isEveryday) },
  { name: "api", what: "schemathesis, by docs/openapi.json; skipped without Python or its packages", needs: ["worker"], run: apiTests },
  {
    name: "agents",
    what: "Codex, Gemini CLI and Aider",
    extra: true,
    needs: ["worker", "binary"],
    run: () => nodeTests("tests/e2e", (file) => !isEveryday(file)),
  },
];

/** Files of the longer run say so in their names. */
const isEveryday = (file) => !file.endsWith("-long.test.mjs");

/** A function that throws when something is wrong. */
async function one(work) {
  await work();
  return { passed: 1, failed: 0 };
}

/** A program that ends with 0 when all is well. */
async function command(program, args, options) {
  const { code, output } = await run(program, args, options);
  return code === 0 ? { passed: 1, failed: 0, output } : { passed: 0, failed: 1, output };
}

/** Written for who works on Muster: private items are documented, so links to them are right. */
function rustdoc() {
  const env = { ...process.env, RUSTDOCFLAGS: "-D warnings -A rustdoc::private_intra_doc_links", CARGO_TERM_COLOR: "never" };
  return command("cargo", ["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"], { env });
}

async function nativeTests() {
  const nextest = (await run("cargo", ["nextest", "--version"])).code === 0;
  const args = nextest ? ["nextest", "run", "--workspace", "--locked", "--no-fail-fast"] : ["test", "--workspace", "--locked", "--no-fail-fast", "--all-targets"];
  return cargoTests(args);
}

function docTests() {
  return cargoTests(["test", "--workspace", "--locked", "--doc"]);
}

async function cargoTests(args) {
  const { code, output } = await run("cargo", args, { env: { ...process.env, CARGO_TERM_COLOR: "never" } });
  // nextest: one "Summary [1s] 3 tests run: 2 passed, 1 failed", beside the shown output of failed tests, which says "1 failed" too.
  const summary = /^ *Summary .*$/m.exec(output)?.[0];
  // cargo test: "test result: ok. 3 passed; 0 failed; 1 ignored", once for each program.
  const lines = summary ?? (output.match(/^test result: .*$/gm) ?? []).join("\n");
  const sum = (pattern) => [...lines.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  const counts = { passed: sum(/(\d+) passed/g), failed: sum(/(\d+) (?:failed|timed out)/g), skipped: sum(/(\d+) (?:ignored|skipped)/g) };
  // It did not come to testing, or a test ended in a way that is not counted.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return { ...counts, output };
}

async function fuzz() {
  const { code, output } = await run("sh", [at("fuzz", "short-run.sh"), String(FUZZ_SECONDS)]);
  const passed = output.match(/ runs, nothing found$/gm)?.length ?? 0;
  return { passed, failed: code === 0 ? 0 : 1, output };
}

async function dryRun() {
  const out = at("target", "dry-run");
  rmSync(out, { recursive: true, force: true });
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" };
  const { code, output } = await run(bin("wrangler"), ["deploy", "--dry-run", "--outdir", out], { env });
  if (code !== 0) return { passed: 0, failed: 1, output };
  for (const binding of ["SESSION_HUB", "DB", "FILES", "ASSETS", "RATE_LIMITER", "RATE_LIMITER_PEOPLE"]) {
    if (!output.includes(`env.${binding} `)) throw new Plain(`The dry run lists no binding ${binding}:\n${output}`);
  }
  const uploaded = readdirSync(out).filter((name) => /\.(js|wasm)$/.test(name));
  const size = uploaded.reduce((total, name) => total + gzipSync(readFileSync(join(out, name))).length, 0);
  const note = `Worker ${(size / 1024).toFixed(0)} KiB gzipped`;
  if (size >= WORKER_GZIP_MAX) throw new Plain(`${note}; it must stay below ${WORKER_GZIP_MAX / 1024} KiB`);
  return { passed: 2, failed: 0, output, note };
}

/** What was not run, and why, stands in the summary too: nobody reads the whole of a long run. */
async function apiTests() {
  const result = await nodeTests("tests/api");
  const reason = /^﹣ .* # (.*)$/m.exec(result.output)?.[1];
  return reason ? { ...result, note: reason } : result;
}

/** node:test over every *.test.mjs below a folder, one file at a time: they share two cores with workerd and agents. */
async function nodeTests(folder, filter = () => true) {
  const files = existsSync(at(folder)) ? filesBelow(at(folder)).filter((file) => file.endsWith(".test.mjs") && filter(file)) : [];
  if (!files.length) return { passed: 0, failed: 0, note: `no tests in ${folder}` };
  const options = ["--test", "--test-concurrency=1", `--test-timeout=${TEST_TIMEOUT_MS}`, "--test-reporter=spec"];
  const { code, output } = await run(process.execPath, [...options, ...files], { echo: true });
  const count = (what) => Number(new RegExp(`^\\S+ ${what} (\\d+)`, "m").exec(output)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  return { passed: count("pass"), failed: failed || (code === 0 ? 0 : 1), skipped: count("skipped") + count("todo"), output, shown: true };
}
