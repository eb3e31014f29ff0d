// The floor of a page: a Rust Worker that always answers "ok", built as Muster's is and served with the same options.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { at, tool } from "../../scripts/lib/paths.mjs";
import { step } from "../../scripts/lib/progress.mjs";
import { must } from "../../scripts/lib/run.mjs";
import { isStamped, stamp } from "../../scripts/lib/stamp.mjs";
import { workerBuildEnv } from "../../scripts/setup.mjs";
import { start } from "../lib/children.mjs";
import { workerdOf } from "../lib/proc.mjs";

const FOLDER = at("bench", "floor", "fixed");
const SERVE = fileURLToPath(new URL("../floor/serve.mjs", import.meta.url));

async function build() {
  const inputs = ["Cargo.toml", "Cargo.lock", "src/lib.rs"].map((name) => readFileSync(join(FOLDER, name)));
  const hash = createHash("sha256").update(Buffer.concat(inputs)).digest("hex");
  if (isStamped("bench-fixed", hash) && existsSync(join(FOLDER, "build", "index.js"))) return;
  const env = { ...process.env, ...workerBuildEnv(), CARGO_TARGET_DIR: at("target") };
  await step("building the fixed Worker", () => must(tool("bin", "worker-build"), ["--release", "--locked"], { cwd: FOLDER, env }));
  stamp("bench-fixed", hash);
}

export async function startFixed(scope) {
  await build();
  const server = start(scope, process.execPath, [SERVE, join(FOLDER, "build")], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const [, url] = await server.line(/"url":"([^"]+)"/, "the fixed Worker to serve");
  return { url, hubPid: workerdOf(server.pid) };
}
