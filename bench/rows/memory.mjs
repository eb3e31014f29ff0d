// What the runner and its keepers hold in memory, after 1 MB and after 100 MB of history in each terminal.

import { bulkProgram, logFile } from "../lib/programs.mjs";
import { scoped } from "../lib/scope.mjs";
import { pssBytes } from "../lib/proc.mjs";
import { takeBulk } from "./bulk.mjs";

const MIB = 2 ** 20;
const BASE_MIB = 20;
const TERMINAL_MIB = 8;

export const memory = {
  name: "memory",
  title: "runner memory",

  async run(scope, bench) {
    const results = [];
    for (const [terminals, history] of [[1, 1e6], [1, 100e6], [4, 100e6]]) {
      results.push(await scoped("memory", (inner) => measure(inner, bench, terminals, history)));
    }
    return results.filter(Boolean);
  },
};

async function measure(scope, bench, terminals, history) {
  const folder = bench.folder(scope);
  const file = logFile(folder, history);
  const programs = Array.from({ length: terminals }, (_, i) => bulkProgram(folder, file.path, `memory-${i}`));
  const system = await bench.start(scope, "muster", programs);
  if (!system) return null;
  for (const [i, program] of programs.entries()) {
    await scoped("viewer", async (inner) => {
      const viewer = await system.open(inner, { terminal: system.terminals[i] });
      await takeBulk(viewer, file.bytes);
      await program.done(1, 120_000);
    });
  }
  const parts = system.memory();
  const total = parts.reduce((sum, { rss }) => sum + rss, 0) / MIB;
  const shared = parts.reduce((sum, { pid }) => sum + pssBytes(pid), 0) / MIB;
  return bench.result({
    what: `runner memory, ${terminals} terminal${terminals > 1 ? "s" : ""}, ${history / 1e6} MB of history each`,
    unit: "MiB",
    values: { muster: total },
    how: "resident sizes of the runner and its keepers, summed",
    note: `${parts.map(({ rss }) => (rss / MIB).toFixed(1)).join(" + ")}; ${shared.toFixed(1)} with shared pages counted once`,
    aims: [{ atMost: BASE_MIB + TERMINAL_MIB * terminals }],
  });
}
