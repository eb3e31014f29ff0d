// What the figures were taken on and with.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { at } from "../../scripts/lib/paths.mjs";

const firstLine = (command, args) => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0].trim();
  } catch {
    return "absent";
  }
};

const versionOf = (name) => JSON.parse(readFileSync(at("node_modules", name, "package.json"), "utf8")).version;

/** Linux's policies by number. On a machine that does other work, `chrt -r 10` keeps that work out of the figures. */
const SCHEDULERS = { 0: "normal scheduling", 1: "real-time scheduling (FIFO)", 2: "real-time scheduling (round-robin)" };

export function machine() {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    scheduler: SCHEDULERS[/^policy\s*:\s*(\d+)/m.exec(readFileSync("/proc/self/sched", "utf8"))?.[1]] ?? "unknown",
    load: readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" "),
  };
}

export function versions() {
  return {
    node: process.version,
    workerd: versionOf("workerd"),
    miniflare: versionOf("miniflare"),
    rustc: firstLine("rustc", ["--version"]),
    tmux: firstLine("tmux", ["-V"]),
    git: firstLine("git", ["-C", at(), "describe", "--always", "--dirty"]),
  };
}
