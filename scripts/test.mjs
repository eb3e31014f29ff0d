// `npm test`: all set-up, then every check in sequence. A failure does not stop the rest, unless the rest stands on it.
//
// `npm test -- fmt clippy` runs only these; what they stand on is built first. Complete output goes to test-results/logs/.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ready } from "./lib/modules.mjs";
import { at } from "./lib/paths.mjs";
import { Plain, bold, dim, elapsed, green, main, red, say } from "./lib/progress.mjs";

const LOGS = at("test-results", "logs");
const TAIL_LINES = 120;

async function test() {
  const asked = process.argv.slice(2);
  await ready();
  const { STEPS } = await import("./lib/test-steps.mjs");
  if (asked.includes("--help") || asked.includes("-h")) return help(STEPS);
  const { setup } = await import("./setup.mjs");
  const steps = choose(STEPS, asked);
  mkdirSync(LOGS, { recursive: true });
  await setup();
  const results = [];
  for (const step of steps) results.push(await runStep(step, results));
  report(results);
}

function help(steps) {
  const lines = steps.map(({ name, what, extra }) => `  ${name.padEnd(12)} ${what}${extra ? " (only when asked for)" : ""}`);
  process.stdout.write(`npm test -- [STEP]...\n\n${lines.join("\n")}\n`);
}

/** The steps asked for and what they need, in the order of the list; without a word all but the extra ones. */
function choose(steps, asked) {
  const unknown = asked.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length) throw new Plain(`There is no step ${unknown.join(", ")}: npm test -- --help lists them.`);
  const wanted = new Set(asked.length ? asked : steps.filter((step) => !step.extra).map((step) => step.name));
  // Needs come before what needs them in the list, so going backwards closes over them.
  for (const step of [...steps].reverse()) {
    if (wanted.has(step.name)) (step.needs ?? []).forEach((name) => wanted.add(name));
  }
  return steps.filter((step) => wanted.has(step.name));
}

async function runStep(step, before) {
  const broken = (step.needs ?? []).find((name) => before.some((each) => each.name === name && each.failed > 0));
  if (broken) {
    say(`${red("–")} ${step.name} ${dim(`left out: ${broken} failed`)}`);
    return { name: step.name, passed: 0, failed: 1, took: "", note: `left out: ${broken} failed` };
  }
  const start = Date.now();
  say(`\n${bold(step.name)} ${dim(step.what)}`);
  const result = await step.run().catch((error) => ({
    passed: 0,
    failed: 1,
    output: error instanceof Plain ? error.message : String(error.stack ?? error),
  }));
  const took = elapsed(start);
  writeFileSync(join(LOGS, `${step.name}.log`), result.output ?? "");
  if (result.failed && !result.shown) say(tail(result.output ?? ""));
  say(`${result.failed ? red("✗") : green("✓")} ${step.name} ${counts(result)} ${dim(took)}`);
  return { name: step.name, took, ...result };
}

const tail = (text) => text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
const counts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;

function report(results) {
  say(`\n${bold("Summary")}`);
  for (const { name, took, note, ...result } of results) {
    const line = `${name.padEnd(12)} ${String(result.passed).padStart(5)} passed ${String(result.failed).padStart(3)} failed  ${took.padStart(6)}`;
    say(`  ${result.failed ? red(line) : line}  ${dim(note ?? "")}`);
  }
  const sum = (key) => results.reduce((total, each) => total + (each[key] ?? 0), 0);
  if (existsSync(at("test-results", "screenshots"))) say(dim("  screenshots: test-results/screenshots/"));
  say(`\n${sum("passed")} passed, ${sum("failed")} failed`);
  if (sum("failed")) process.exitCode = 1;
}

await main(test);
