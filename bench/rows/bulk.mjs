// A program writes 200 MB as fast as it can to one viewer that keeps up. What arrives is compared by SHA-256 every time.

import { createHash } from "node:crypto";
import { bulkProgram, logFile } from "../lib/programs.mjs";
import { median } from "../lib/stats.mjs";

const NAMES = ["relay", "muster", "sshx", "wetty", "terminado"];
/** A system that sends nothing for so long has lost the rest. */
const SILENCE_MS = 5_000;

/** Types one byte and takes what comes: {ms, bytes, sha256}. Ends at `bytes`, or when nothing comes any more. */
export function takeBulk(viewer, bytes) {
  const hash = createHash("sha256");
  let got = 0;
  let last = 0n;
  const started = process.hrtime.bigint();
  return new Promise((resolve) => {
    const finish = () => {
      clearInterval(quiet);
      viewer.onBytes = null;
      resolve({ ms: Number(last - started) / 1e6, bytes: got, sha256: hash.digest("hex") });
    };
    const quiet = setInterval(() => {
      const since = Number(process.hrtime.bigint() - (last || started)) / 1e6;
      if (since > SILENCE_MS) finish();
    }, 500);
    viewer.onBytes = (piece) => {
      hash.update(piece);
      got += piece.length;
      last = process.hrtime.bigint();
      if (got >= bytes) finish();
    };
    viewer.type(Buffer.from("x"));
  });
}

export const bulk = {
  name: "bulk",
  title: "bulk output to a fast viewer",

  async run(scope, bench) {
    const rounds = bench.quick ? 2 : 4;
    const file = logFile(bench.folder(scope), bench.quick ? 50e6 : 200e6);
    const systems = await bench.startAll(scope, NAMES, (folder, name) => bulkProgram(folder, file.path, `bulk-${name}`));
    const viewers = [];
    for (const { name, system } of systems) viewers.push({ name, viewer: await system.open(scope), rates: [], wrong: 0, lost: 0 });
    for (let round = 0; round < rounds; round += 1) {
      for (const each of viewers) {
        const taken = await takeBulk(each.viewer, file.bytes);
        each.rates.push(taken.bytes / 1e3 / taken.ms);
        if (taken.sha256 !== file.sha256) {
          each.wrong += 1;
          each.lost += file.bytes - taken.bytes;
        }
      }
    }
    const ours = viewers.find(({ name }) => name === "muster");
    const notes = viewers
      .filter(({ wrong }) => wrong)
      .map(({ name, wrong, lost }) => `${name}: SHA-256 wrong in ${wrong} of ${rounds} (${(lost / 1e6).toFixed(1)} MB missing)`);
    const result = bench.result({
      what: "bulk output to a fast viewer",
      unit: "MB/s",
      rounds: Object.fromEntries(viewers.map((each) => [each.name, each.rates])),
      value: median,
      how: `${rounds} interleaved rounds of ${file.bytes / 1e6} MB of log text`,
      note: notes.join("; "),
      aims: [
        { ratioTo: "relay", atLeast: 0.7 },
        { above: "sshx" },
        { above: "wetty" },
        { above: "terminado" },
      ],
    });
    const exact = bench.result({
      what: "bulk output: rounds with another SHA-256",
      unit: "of " + rounds,
      values: Object.fromEntries(viewers.map((each) => [each.name, each.wrong])),
      how: "the viewer's bytes against the file",
      aims: ours ? [{ atMost: 0 }] : [],
    });
    return [result, exact];
  },
};
