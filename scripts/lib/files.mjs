// Files that are whole or not there: a power cut in the middle of a write must not leave half a secret.

import { renameSync, writeFileSync } from "node:fs";

/** Writes beside the file and renames: readers see the old text or the new. */
export function writeWhole(file, text, options = {}) {
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, text, { ...options, flush: true });
  renameSync(beside, file);
}
