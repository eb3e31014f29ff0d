// One hub per state folder. A hub notes its own and its workerd's process numbers there: a second hub is told so, and a
// workerd that outlived a kill -9 of its hub, still holding the port and the files, is ended.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./files.mjs";
import { isAlive } from "./lock.mjs";
import { Plain } from "./progress.mjs";

const GONE_MS_MAX = 5_000;

const fileIn = (state) => join(state, "owner.json");

/** Makes way for a new hub; throws when one is running. */
export function claim(state) {
  const file = fileIn(state);
  if (!existsSync(file)) return;
  const { hub, workerd, url } = JSON.parse(readFileSync(file, "utf8"));
  if (hub !== process.pid && isProcess(hub, "hub.mjs")) {
    throw new Plain(`A hub with the state in ${state} is running already: ${url} (process ${hub}).`);
  }
  if (workerd && isProcess(workerd, "workerd")) end(workerd);
  rmSync(file);
}

/** Kills an orphaned workerd and waits until its port is free, which is a moment after the signal. */
function end(workerd) {
  process.kill(workerd, "SIGKILL");
  const deadline = Date.now() + GONE_MS_MAX;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (isProcess(workerd, "workerd") && Date.now() < deadline) Atomics.wait(nap, 0, 0, 20);
}

export function own(state, url) {
  writeWhole(fileIn(state), JSON.stringify({ hub: process.pid, workerd: childNamed("workerd"), url }));
}

export const disown = (state) => rmSync(fileIn(state), { force: true });

/** Process numbers are reused: the name has to fit too. */
export function isProcess(pid, name) {
  return isAlive(pid) && processes().some((each) => each.pid === pid && each.name.includes(name) && !/^\(|<defunct>/.test(each.name));
}

const childNamed = (name) => processes().find((each) => each.parent === process.pid && each.name.includes(name))?.pid;

function processes() {
  try {
    const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
    return lines.map((line) => {
      const [pid, parent, ...name] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), name: name.join(" ") };
    });
  } catch {
    return []; // no ps here: nothing is recognised, and a port in use is reported as such
  }
}
