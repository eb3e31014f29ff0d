// The benchmark: each row starts its systems, measures them in interleaved rounds and states what it found.
//
// `npm run bench` comes here with everything built. bench/results/ keeps each run as JSON (git-ignored); bench/RESULTS.md shows
// the newest full measurement of each row.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { at } from "../scripts/lib/paths.mjs";
import { Plain, bold, say, step } from "../scripts/lib/progress.mjs";
import { must } from "../scripts/lib/run.mjs";
import { Bench } from "./lib/bench.mjs";
import { machine, versions } from "./lib/machine.mjs";
import { markdown, textTable } from "./lib/report.mjs";
import { scoped } from "./lib/scope.mjs";
import { VERSIONS } from "./peers/install.mjs";
import { relay } from "./peers/relay.mjs";
import { muster } from "./peers/muster.mjs";
import { sshx } from "./peers/sshx.mjs";
import { terminado } from "./peers/terminado.mjs";
import { wetty } from "./peers/wetty.mjs";
import { attach } from "./rows/attach.mjs";
import { bulk } from "./rows/bulk.mjs";
import { cpu } from "./rows/cpu.mjs";
import { echo } from "./rows/echo.mjs";
import { memory } from "./rows/memory.mjs";
import { stalled } from "./rows/stalled.mjs";
import { viewers } from "./rows/viewers.mjs";
import { worker } from "./rows/worker.mjs";

const ROWS = [echo, bulk, attach, viewers, stalled, memory, cpu, worker];
const SYSTEMS = { relay, muster, sshx, wetty, terminado };

const HELP = `npm run bench -- [--only ROW]... [--without SYSTEM]... [--quick]

Rows: ${ROWS.map(({ name }) => name).join(", ")}. Systems: ${Object.keys(SYSTEMS).join(", ")}.
--quick takes fewer rounds and writes no bench/RESULTS.md.
`;

const METHOD = `The floor is the bare relay: a JavaScript Durable Object that forwards frames with no logic (bench/floor/relay.mjs), in the
same workerd binary, served by the same miniflare, with a bare PTY owner at its end (crates/muster/examples/bare_pty_owner.rs). All
systems run the same programs (bench/lib/programs.mjs) on PTYs in raw mode on this one machine, over loopback, and are read by one
client (bench/lib/socket.mjs, Node, one thread), so that what the client costs is the same for all; sshx's client must decrypt
besides, as its page does. Rounds are interleaved between the systems, because other work on the machine moves all figures
together and ratios little.`;

export async function bench(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: "string", multiple: true, default: [] },
      without: { type: "string", multiple: true, default: [] },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  if (process.platform !== "linux") throw new Plain("The benchmark reads /proc: it runs on Linux only.");
  const rows = ROWS.filter(({ name }) => !values.only.length || values.only.includes(name));
  if (!rows.length) throw new Plain(`No such row. ${HELP}`);
  const binaries = await nativePrograms();

  const groups = [];
  for (const row of rows) {
    const group = await measure(row, { ...values, binaries });
    if (group) groups.push(group);
  }
  keep(groups, values.quick);
  if (groups.length < rows.length) process.exitCode = 1;
}

/** The PTY owner of the floor and the probe for tmux, built as Muster is. */
async function nativePrograms() {
  const folder = process.env.MUSTER_BENCH_BINARIES ?? at("target", "release", "examples");
  if (!process.env.MUSTER_BENCH_BINARIES) {
    await step("building the floor's native programs", () =>
      must("cargo", ["build", "--release", "--locked", "-p", "muster", "--examples"]),
    );
  }
  return { owner: join(folder, "bare_pty_owner"), probe: join(folder, "pty_probe") };
}

async function measure(row, { binaries, quick, without }) {
  const taken = { row: row.name, title: row.title, date: new Date().toISOString(), machine: machine(), versions: versions() };
  const context = new Bench({ systems: SYSTEMS, binaries, quick, without, say });
  say(bold(`\n${row.title}`));
  try {
    const results = await step(row.name, () => scoped(row.name, (scope) => row.run(scope, context)));
    process.stdout.write(`\n${textTable(results)}\n`);
    return { ...taken, skips: Object.fromEntries(context.skips), results };
  } catch (error) {
    say(`  ${row.name} could not be measured: ${error.stack}`);
    if (error.cause) say(`  because: ${error.cause.stack}`);
    return null;
  }
}

/** Every run as JSON; the newest of each row, unless it was a quick one, also in RESULTS.md. */
function keep(groups, quick) {
  const folder = at("bench", "results");
  mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  writeFileSync(join(folder, `${stamp}${quick ? "-quick" : ""}.json`), JSON.stringify(groups, null, 1));
  if (quick || !groups.length) return;
  const latestFile = join(folder, "latest.json");
  const latest = existsSync(latestFile) ? JSON.parse(readFileSync(latestFile, "utf8")) : {};
  for (const group of groups) latest[group.row] = group;
  writeFileSync(latestFile, JSON.stringify(latest, null, 1));
  const ordered = ROWS.filter(({ name }) => latest[name]).map(({ name, missed }) => ({ ...latest[name], missed }));
  writeFileSync(at("bench", "RESULTS.md"), markdown(ordered, { method: METHOD, peers: VERSIONS }));
  say(`\nbench/RESULTS.md holds the newest of each row.`);
}
