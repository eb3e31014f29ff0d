// From a keystroke to its echo at the same viewer: viewer - hub - PTY - hub - viewer, one at a time.

import { echoProgram } from "../lib/programs.mjs";
import { quantile, median } from "../lib/stats.mjs";

const NAMES = ["relay", "muster", "sshx", "wetty", "terminado"];
const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz", (letter) => Buffer.from(letter));

/** Types `count` letters, each after the echo of the one before; milliseconds of each. */
export async function typeLetters(viewer, count) {
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const letter = LETTERS[i % LETTERS.length];
    const echoed = new Promise((resolve) => {
      viewer.onBytes = (bytes) => bytes.includes(letter[0]) && resolve(process.hrtime.bigint());
    });
    const typed = process.hrtime.bigint();
    viewer.type(letter);
    samples[i] = Number((await echoed) - typed) / 1e6;
  }
  viewer.onBytes = null;
  return samples;
}

export const echo = {
  name: "echo",
  title: "keystroke to echo",
  missed:
    "a keystroke and its echo each pass one process more than at the floor, the keeper, which is there so that a PTY outlives its " +
    "runner. That is two more wake-ups and 20 µs of its own work; the hub's own code is 9 % of workerd's time. What is left to try is a " +
    "keeper that spins for some microseconds after a keystroke instead of sleeping, which costs a core while somebody types.",

  async run(scope, bench) {
    const rounds = bench.quick ? 4 : 12;
    const strokes = bench.quick ? 250 : 500;
    const systems = await bench.startAll(scope, NAMES, (folder, name) => echoProgram(folder, `echo-${name}`));
    const viewers = [];
    for (const { name, system } of systems) viewers.push({ name, viewer: await system.open(scope), p50: [], p99: [], all: [] });
    for (const { viewer } of viewers) await typeLetters(viewer, strokes);
    for (let round = 0; round < rounds; round += 1) {
      for (const each of viewers) {
        const samples = await typeLetters(each.viewer, strokes);
        each.p50.push(quantile(samples, 0.5));
        each.p99.push(quantile(samples, 0.99));
      }
    }
    const values = (key) => Object.fromEntries(viewers.map((each) => [each.name, each[key]]));
    const how = `${rounds} interleaved rounds of ${strokes} keystrokes; median of the rounds`;
    return ["p50", "p99"].map((key) => {
      const byName = values(key);
      return bench.result({
        what: `keystroke to echo, ${key}`,
        unit: "ms",
        rounds: byName,
        value: median,
        how,
        aims: [
          { ratioTo: "relay", atMost: 1.3 },
          { below: "sshx" },
          { below: "wetty" },
        ],
      });
    });
  },
};
