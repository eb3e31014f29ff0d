// Skipping what is done: a stamp holds the hash of a step's inputs, written after the step succeeded.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ROOT, STAMPS } from "./paths.mjs";

/** Every file below the given files and folders, sorted; missing ones are left out. */
export function filesBelow(...paths) {
  const found = [];
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) readdirSync(path).forEach((name) => visit(join(path, name)));
    else found.push(path);
  };
  paths.forEach(visit);
  return found.sort();
}

/** One hash over names and contents of files, and over `extra` strings (versions, flags). */
export function hashOf(paths, extra = []) {
  const hash = createHash("sha256");
  for (const file of filesBelow(...paths)) {
    hash.update(`${relative(ROOT, file)}\0`).update(readFileSync(file)).update("\0");
  }
  for (const text of extra) hash.update(`${text}\0`);
  return hash.digest("hex");
}

const fileOf = (name) => (name.includes("/") ? name : join(STAMPS, name));

/** Does the stamp (a name, or a path) hold this hash? */
export function isStamped(name, hash) {
  const file = fileOf(name);
  return existsSync(file) && readFileSync(file, "utf8") === hash;
}

export function stamp(name, hash) {
  const file = fileOf(name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, hash);
}
