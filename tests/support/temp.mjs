// Temporary folders that end with their test.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder, removed at the end of the test; kept when MUSTER_KEEP is set, for a person to look into. */
export function tempDir(t, name) {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `muster-${name}-`)));
  t?.after(() => removeDir(path));
  return path;
}

export function removeDir(path) {
  if (!process.env.MUSTER_KEEP) rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
