// Where the built `muster` is.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** The path of the program: `MUSTER_BIN`, or the newest build that is there. */
export function muster() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const places = [process.env.MUSTER_BIN, join(target, "release", "muster"), join(target, "debug", "muster")];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("muster is not built: run `cargo build -p muster`");
  return found;
}
