// One set-up or build at a time per clone and per tools cache: two `npm test` in one tree take turns.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { say } from "./progress.mjs";

const RETRY_MS = 500;
const NAMELESS_MS_MAX = 10_000;

/** Runs `work` while holding the folder `path` as a lock. A holder that died is taken over. */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!take(path)) {
    if (!told) say(`  waiting for another Muster command (process ${holder(path)}) to finish its set-up`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  const release = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    release();
    process.removeListener("exit", release);
  }
}

function take(path) {
  try {
    mkdirSync(path);
    writeFileSync(join(path, "pid"), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const pid = holder(path);
    if (pid ? !isAlive(pid) : isOld(path)) rmSync(path, { recursive: true, force: true });
    return false;
  }
}

/** Taken long ago by somebody who never wrote a number: killed in between. */
function isOld(path) {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - made > NAMELESS_MS_MAX;
}

function holder(path) {
  try {
    return Number(readFileSync(join(path, "pid"), "utf8"));
  } catch {
    return 0; // taken this very moment: its owner has not written its number yet
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
