// What Linux says of a process: memory, CPU time, children. Elsewhere these throw, and the rows say that they were skipped.

import { readFileSync, readdirSync } from "node:fs";

/** Resident bytes of one process. */
export const rssBytes = (pid) => statusKiB(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS") * 1024;

/** Resident bytes with shared pages divided among their users. */
export const pssBytes = (pid) => statusKiB(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss") * 1024;

function statusKiB(text, key) {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? NaN);
}

/**
 * CPU time that the living threads of a process have used, in milliseconds. The scheduler's own count in nanoseconds: that of
 * /proc/pid/stat comes in hundredths of a second, too coarse for a round.
 */
export function cpuMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ranNs = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  return threads.reduce((sum, thread) => sum + ranNs(thread), 0) / 1e6;
}

/** Fields of /proc/pid/stat after the name, which may hold blanks. */
function statFields(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

export const nameOf = (pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

/** All processes that can be seen: [{pid, parent, name, command}]. */
export function processes() {
  const ids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return ids.flatMap((entry) => {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0").join(" ").trim();
      return [{ pid: Number(entry), parent: Number(statFields(entry)[1]), name: nameOf(entry), command }];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

/** A process and all its descendants. */
export function tree(root) {
  const all = processes();
  const below = (pid) => all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}

/** The workerd below a launcher; there is exactly one. */
export function workerdOf(pid) {
  const found = tree(pid).filter(({ name }) => name === "workerd");
  if (found.length !== 1) throw new Error(`expected one workerd below process ${pid}, found ${found.length}`);
  return found[0].pid;
}

/** Calls `sample` now and then; `stop()` gives the largest value seen. */
export function watchMax(sample, everyMs = 50) {
  let max = sample();
  const timer = setInterval(() => {
    try {
      max = Math.max(max, sample());
    } catch {
      clearInterval(timer); // the process has ended; whoever waits for it will say so
    }
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(max, sample());
    },
  };
}
