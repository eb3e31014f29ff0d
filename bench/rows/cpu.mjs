// The hub's own time for a keystroke: CPU time of workerd over 10,000 keystrokes, each one frame in and its echo out.

import { cpuMs } from "../lib/proc.mjs";
import { echoProgram } from "../lib/programs.mjs";
import { median } from "../lib/stats.mjs";
import { typeLetters } from "./echo.mjs";

const NAMES = ["relay", "muster"];

export const cpu = {
  name: "cpu",
  title: "the hub's time per keystroke",

  async run(scope, bench) {
    const rounds = 5;
    const strokes = bench.quick ? 500 : 2_000;
    const systems = await bench.startAll(scope, NAMES, (folder, name) => echoProgram(folder, `cpu-${name}`));
    const each = [];
    for (const { name, system } of systems) each.push({ name, system, viewer: await system.open(scope), perStroke: [] });
    for (const { viewer } of each) await typeLetters(viewer, 1_000);
    for (let round = 0; round < rounds; round += 1) {
      for (const { system, viewer, perStroke } of each) {
        const before = cpuMs(system.hubPid);
        await typeLetters(viewer, strokes);
        perStroke.push(((cpuMs(system.hubPid) - before) * 1000) / strokes);
      }
    }
    return [
      bench.result({
        what: "hub's CPU time per keystroke and echo",
        unit: "µs",
        rounds: Object.fromEntries(each.map(({ name, perStroke }) => [name, perStroke])),
        value: median,
        how: `user and system time of workerd over ${rounds * strokes} keystrokes, in ${rounds} interleaved rounds`,
        aims: [{ ratioTo: "relay", atMost: 2 }],
      }),
    ];
  },
};
