// A hundred viewers of one busy terminal: how old is what they get?
//
// The program writes 1 KiB every 10 ms with the machine's monotonic clock in it, which every reader compares with its own.

import { rssBytes } from "../lib/proc.mjs";
import { tickProgram } from "../lib/programs.mjs";
import { scoped } from "../lib/scope.mjs";
import { median, quantile } from "../lib/stats.mjs";

const NAMES = ["relay", "muster", "sshx"];
const VIEWERS = 100;
const STAMP = 22; // T, twenty digits, a semicolon
const WARM_MS = 1_000;

export const viewers = {
  name: "viewers",
  title: "100 viewers on one busy terminal",

  async run(scope, bench) {
    const rounds = bench.quick ? 2 : 4;
    const seconds = bench.quick ? 3 : 8;
    const systems = await bench.startAll(scope, NAMES, (folder, name) => tickProgram(folder, `tick-${name}`));
    const of = Object.fromEntries(systems.map(({ name }) => [name, { p50: [], p99: [], grown: [], got: [] }]));
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, system } of systems) {
        const { samples, grownMiB, share } = await scoped(name, (inner) => watch(inner, system, seconds));
        of[name].p50.push(quantile(samples, 0.5));
        of[name].p99.push(quantile(samples, 0.99));
        of[name].grown.push(grownMiB);
        of[name].got.push(share);
      }
    }
    const take = (key) => Object.fromEntries(Object.entries(of).map(([name, each]) => [name, each[key]]));
    const how = `${rounds} interleaved rounds of ${seconds} s, ${VIEWERS} viewers, 100 pieces of 1 KiB a second; age on arrival`;
    const missing = Object.entries(take("got")).filter(([, share]) => median(share) < 0.98);
    const note = missing.map(([name, share]) => `${name}: only ${(median(share) * 100).toFixed(0)} % of the pieces arrived`).join("; ");
    return [
      bench.result({ what: "100 viewers, age p50", unit: "ms", rounds: take("p50"), value: median, how, note, aims: [] }),
      bench.result({ what: "100 viewers, age p99", unit: "ms", rounds: take("p99"), value: median, how, aims: [{ ratioTo: "relay", atMost: 3 }] }),
      bench.result({
        what: "100 viewers, growth of the hub's memory",
        unit: "MiB",
        values: Object.fromEntries(Object.entries(take("grown")).map(([name, list]) => [name, Math.max(...list)])),
        how: "resident size with 100 viewers less that without, largest round",
        aims: [{ ratioTo: "relay", atMost: 2 }],
      }),
    ];
  },
};

async function watch(scope, system, seconds) {
  const before = rssBytes(system.hubPid);
  const all = [];
  for (let i = 0; i < VIEWERS; i += 1) all.push(await system.open(scope, { from: null, drive: i === 0 }));
  const samples = [];
  let counting = false;
  let pieces = 0;
  const read = (bytes) => {
    if (!counting) return;
    const now = process.hrtime.bigint();
    for (let at = bytes.indexOf("T0"); at >= 0 && at + STAMP <= bytes.length; at = bytes.indexOf("T0", at + STAMP)) {
      pieces += 1;
      samples.push(Number(now - BigInt(bytes.toString("latin1", at + 1, at + STAMP - 1))) / 1e6);
    }
  };
  for (const viewer of all) viewer.onBytes = read;
  all[0].type(Buffer.from("s"));
  await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  counting = true;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  counting = false;
  const grownMiB = (rssBytes(system.hubPid) - before) / 2 ** 20;
  all[0].type(Buffer.from("p"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { samples, grownMiB, share: pieces / (VIEWERS * seconds * 100) };
}
