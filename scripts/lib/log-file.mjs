// A log that a process appends to for as long as it lives, kept within bounds from start to start.

import { openSync, renameSync, statSync } from "node:fs";

/** A log above this is put aside at the next start: some weeks of a busy hub, and an editor still opens it. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;

/** Opens the log for appending. One that has grown too large is renamed to `<file>.1`, over the one that was there. */
export function openLog(file) {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  return openSync(file, "a", 0o600);
}
