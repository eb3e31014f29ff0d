// One viewer stops reading while the program writes 200 MB: who notices, and what does the hub keep for it?

import { rssBytes, watchMax } from "../lib/proc.mjs";
import { bulkProgram, logFile } from "../lib/programs.mjs";
import { scoped } from "../lib/scope.mjs";
import { median } from "../lib/stats.mjs";
import { takeBulk } from "./bulk.mjs";

const NAMES = ["relay", "muster", "sshx"];
const STALL_MS = 60_000;
const MIB = 2 ** 20;
/** Runs with one viewer, and then with a second that is stalled: a garbage-collected heap differs from run to run. */
const RUNS = 3;
/** The heap is steady when so many runs differ by less than a MiB; it is not waited for longer than this. */
const STEADY_RUNS = 3;
const WARM_RUNS_MAX = 14;

export const stalled = {
  name: "stalled",
  title: "a viewer that stops reading",
  missed:
    "the hub holds no queue for a viewer beyond its window of 512 KiB; what remains is how workerd's collected heap happens to stand when " +
    "it is largest.",

  async run(scope, bench) {
    const file = logFile(bench.folder(scope), bench.quick ? 50e6 : 200e6);
    const make = (folder, name) => bulkProgram(folder, file.path, `stalled-${name}`);
    const systems = await bench.startAll(scope, NAMES, make);
    const of = {};
    for (const { name, system, program } of systems) {
      of[name] = await scoped(name, (inner) => measure(inner, bench, name, system, program, file));
    }
    const take = (key) => Object.fromEntries(Object.entries(of).map(([name, each]) => [name, each[key]]));
    const size = `${file.bytes / 1e6} MB`;
    return [
      bench.result({
        what: "a viewer that stops reading: growth of the hub's memory",
        unit: "MiB",
        values: take("grownMiB"),
        how: `largest resident size while ${size} are written and one of two viewers does not read (median of ${RUNS} runs), less the largest of ${RUNS} runs before without that viewer`,
        note: of.muster?.note,
        aims: [{ atMost: 2 }],
      }),
      bench.result({
        what: "... the other viewer's throughput against before",
        unit: "ratio",
        values: take("slowed"),
        how: "medians with the stalled viewer / without, same terminal",
        note: Object.entries(of).filter(([, each]) => !each.exact).map(([name]) => `${name}: the other viewer's SHA-256 is wrong`).join("; "),
        aims: [{ atLeast: 0.9 }],
      }),
      bench.result({
        what: "... the program's time to write against before",
        unit: "ratio",
        values: take("programSlowed"),
        how: `time to write ${size} with the stalled viewer / without`,
        aims: [{ atMost: 1.1 }],
      }),
      bench.result({
        what: "... bytes that the stalled viewer never gets once it reads again",
        unit: "MB",
        values: take("lostMB"),
        how: "Muster's stalled viewer asks for the screen and gets a fresh one; the others send bytes",
        aims: [],
      }),
    ];
  },
};

async function measure(scope, bench, name, system, program, file) {
  const fast = await system.open(scope);
  let round = 0;
  const go = async () => {
    const written = program.done((round += 1), 180_000);
    const started = performance.now();
    const watching = watchMax(() => rssBytes(system.hubPid));
    const [taken, programMs] = await Promise.all([takeBulk(fast, file.bytes), written.then(() => performance.now() - started)]);
    return { ...taken, programMs, rss: () => watching.stop(), exact: taken.sha256 === file.sha256 };
  };

  // One viewer reads until the heap has grown to what it needs: workerd's goes on growing over the first gigabyte.
  for (let sizes = []; sizes.length < WARM_RUNS_MAX; ) {
    sizes.push((await go()).rss());
    const last = sizes.slice(-STEADY_RUNS);
    if (last.length === STEADY_RUNS && Math.max(...last) - Math.min(...last) < MIB) break;
  }
  const before = [];
  for (let i = 0; i < RUNS; i += 1) {
    const run = await go();
    before.push({ ...run, rss: run.rss() });
  }
  const rssBefore = Math.max(...before.map(({ rss }) => rss));

  let slowBytes = 0;
  const slow = await system.open(scope, { from: null, delivery: "screen", drive: false, onBytes: (bytes) => (slowBytes += bytes.length) });
  const during = [];
  for (let i = 0; i < RUNS; i += 1) {
    const [seen, snapshots] = [slowBytes, slow.snapshots];
    slow.pause();
    const run = await go();
    const last = i === RUNS - 1 && !bench.quick && name === "muster";
    if (last) await new Promise((resolve) => setTimeout(resolve, Math.max(0, STALL_MS - run.programMs)));
    const rss = run.rss();
    slow.pause(false);
    await settle(() => slowBytes);
    during.push({ ...run, rss, lost: file.bytes - (slowBytes - seen), fresh: slow.snapshots - snapshots });
  }
  const middle = (list, key) => median(list.map((run) => run[key]));
  const fresh = during.every((run) => run.fresh > 0);
  const kept = name === "muster" && fresh;
  return {
    grownMiB: Math.max(0, middle(during, "rss") - rssBefore) / MIB,
    slowed: middle(before, "ms") / middle(during, "ms"),
    programSlowed: middle(during, "programMs") / middle(before, "programMs"),
    exact: [...before, ...during].every((run) => run.exact),
    lostMB: kept ? 0 : middle(during, "lost") / 1e6,
    note: name === "muster" ? `resident ${(rssBefore / MIB).toFixed(0)} MiB before; a fresh screen after each stall: ${fresh ? "yes" : "no"}` : undefined,
  };
}

/** Waits until a figure has not changed for a second. */
async function settle(figure) {
  for (let last = NaN; last !== figure(); ) {
    last = figure();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
