// npm packages, and a new enough Node from among them.
//
// Runs on whatever Node the machine has (18 or newer) and imports nothing but Node itself: everything else in scripts/
// is imported after `ready()` returned. wrangler and miniflare want Node 22.12; the npm package `node` brings 24, and the
// script starts itself again with it where the system's own is older.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { withLock } from "./lock.mjs";
import { MODULES, at } from "./paths.mjs";
import { Plain, step } from "./progress.mjs";
import { must, need } from "./run.mjs";
import { hashOf, isStamped, stamp } from "./stamp.mjs";

const OLDEST_NODE = 18;
const MODERN_NODE = 24;

/** Packages installed, and this process running on a new Node (else it never returns: a newer one took over). */
export async function ready() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) throw new Plain(`Node.js ${OLDEST_NODE} or newer is needed; this is ${process.version}.`);
  await installModules();
  process.env.PATH = `${join(MODULES, ".bin")}${delimiter}${process.env.PATH}`;
  if (major < MODERN_NODE) await takeOver();
}

async function installModules() {
  const stampFile = join(MODULES, ".muster-stamp");
  const hash = hashOf([at("package-lock.json")]);
  if (isStamped(stampFile, hash) && existsSync(realNode())) return;
  await withLock(at("target", "modules.lock"), async () => {
    if (isStamped(stampFile, hash)) return;
    need("npm");
    await step("installing npm packages (about 700 MB, once)", () =>
      must("npm", ["ci", "--no-audit", "--no-fund"], { env: withoutModules() }),
    );
    stamp(stampFile, hash);
  });
}

/** npm must not run on the Node that it is about to replace. */
function withoutModules() {
  const path = process.env.PATH.split(delimiter).filter((folder) => !folder.startsWith(MODULES));
  return { ...process.env, PATH: path.join(delimiter) };
}

const realNode = () => join(MODULES, "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/** Runs this very script again, on the packaged Node, in this terminal; ends as it ends. */
async function takeOver() {
  if (process.env.MUSTER_NODE_TAKEN_OVER) throw new Plain(`${realNode()} did not start: remove node_modules and try again.`);
  const child = spawn(realNode(), process.argv.slice(1), {
    stdio: "inherit",
    env: { ...process.env, MUSTER_NODE_TAKEN_OVER: "1" },
  });
  // Ctrl-C reaches both processes by the terminal; the child decides when to end, so this one must outlast it.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  process.exit(code ?? 1);
}
