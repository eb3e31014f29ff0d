// Coming to a terminal that has printed a lot: milliseconds until its screen is there, and bytes on the wire.
//
// Clocked from before the connection (Muster, sshx, terminado) or the process (tmux) begins. The mark is text at the end
// of the screen: whoever has received it has everything that is visible.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { findTmux } from "../peers/install.mjs";
import { bulkProgram, logFile, ordinaryScreen, richestScreen } from "../lib/programs.mjs";
import { Skip, scoped } from "../lib/scope.mjs";
import { median } from "../lib/stats.mjs";
import { takeBulk } from "./bulk.mjs";

const run = promisify(execFile);
const MARK = "MARK-3f8a21";
const sinceMs = (start) => Number(process.hrtime.bigint() - start) / 1e6;
/** After the mark, a system may still send; this long without a byte ends the count. */
const QUIET_MS = 100;
/** A system that has not shown the mark by then will not. */
const GIVE_UP_MS = 20_000;

const CASES = [
  { history: 100e6, screen: "ordinary", limit: 8 * 1024 },
  { history: 100e6, screen: "richest", limit: 64 * 1024 },
  { history: 1e6, screen: "ordinary", limit: 8 * 1024 },
  { history: 1e6, screen: "richest", limit: 64 * 1024 },
];

export const attach = {
  name: "attach",
  title: "attach",
  missed:
    "of the milliseconds, about four are the WebSocket's handshake, in which the sign-in is looked up in D1 (locally a Worker and an " +
    "object of their own), one is the row of the viewer's writer, which the answer waits for, and half a one the snapshot. A short-lived " +
    "cache of sign-ins in the Worker, or writing that row with the first input instead of before the answer, would close it.",

  async run(scope, bench) {
    const results = [];
    for (const each of CASES) {
      results.push(...(await scoped(`attach ${each.screen}`, (inner) => measure(inner, bench, each))));
    }
    return results;
  },
};

async function measure(scope, bench, { history, screen, limit }) {
  const rounds = bench.quick ? 5 : 20;
  const painted = screen === "ordinary" ? ordinaryScreen(MARK) : richestScreen(MARK);
  const file = logFile(bench.folder(scope), history, { ending: painted });
  const make = (folder, name) => bulkProgram(folder, file.path, `attach-${name}`);
  const systems = await bench.startAll(scope, ["muster", "sshx", "terminado"], make);
  const ways = [];
  for (const { name, system, program } of systems) {
    await scoped(name, async (inner) => {
      await takeBulk(await system.open(inner), file.bytes);
      await program.done(1);
    });
    ways.push({ name, go: () => (name === "muster" ? attachMuster(system) : attachPeer(system)), ms: [], bytes: [] });
  }
  try {
    ways.push({ name: "tmux", go: await tmuxWay(scope, bench, make), ms: [], bytes: [] });
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    bench.skipped("tmux", error.message);
  }
  for (const way of ways) await way.go();
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ways) {
      const { ms, bytes } = await way.go();
      way.ms.push(ms);
      way.bytes.push(bytes);
    }
  }
  const label = `attach after ${history / 1e6} MB, ${screen} 120x40 screen`;
  const of = (key) => Object.fromEntries(ways.map((way) => [way.name, way[key]]));
  const how = `${rounds} interleaved attaches; median`;
  return [
    bench.result({ what: `${label}, time`, unit: "ms", rounds: of("ms"), value: median, how, aims: [{ ratioTo: "tmux", atMost: 2 }] }),
    bench.result({ what: `${label}, wire`, unit: "bytes", rounds: of("bytes"), value: median, how, aims: [{ atMost: limit }] }),
  ];
}

async function attachMuster(system) {
  return scoped("attach", async (scope) => {
    const started = process.hrtime.bigint();
    let seen = false;
    const viewer = await system.open(scope, {
      from: null,
      delivery: "screen",
      onSnapshot: (paint) => (seen = paint.includes(MARK)),
    });
    const ms = Number(viewer.caughtUpAt - started) / 1e6;
    if (!seen) throw new Error("Muster's snapshot does not show the mark");
    return { ms, bytes: viewer.wireBytes };
  });
}

async function attachPeer(system) {
  return scoped("attach", async (scope) => {
    const started = process.hrtime.bigint();
    let tail = Buffer.alloc(0);
    let ms = null;
    let settle;
    const over = new Promise((resolve) => (settle = resolve));
    const giveUp = setTimeout(settle, GIVE_UP_MS);
    let quiet;
    const onBytes = (bytes) => {
      tail = Buffer.concat([tail.subarray(-MARK.length), bytes]);
      if (ms === null && tail.includes(MARK)) ms = sinceMs(started);
      clearTimeout(quiet);
      if (ms !== null) quiet = setTimeout(settle, QUIET_MS);
    };
    const viewer = await system.open(scope, { onBytes });
    await over;
    clearTimeout(giveUp);
    return { ms: ms ?? NaN, bytes: viewer.wireBytes };
  });
}

async function tmuxWay(scope, bench, make) {
  const tmux = findTmux();
  const folder = bench.folder(scope);
  const program = make(folder, "tmux");
  const env = { ...process.env, TERM: "xterm-256color", TMUX: "" };
  delete env.TMUX;
  const at = ["-S", join(folder, "socket"), "-f", "/dev/null"];
  const call = (...args) => run(tmux, [...at, ...args], { env });
  await call("new-session", "-d", "-x", "120", "-y", "40", program.path);
  scope.after(() => call("kill-server"));
  await call("set", "-g", "status", "off");
  await program.ready();
  await call("send-keys", "-l", "x");
  await program.done(1, 120_000);
  return async () => {
    const probe = [120, 40, MARK, tmux, ...at, "attach"].map(String);
    const { stdout } = await run(bench.binaries.probe, probe, { env });
    return JSON.parse(stdout);
  };
}
