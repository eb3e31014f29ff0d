// The build: hashed assets, the native `muster` binary, the Worker. Each part is skipped when its inputs are unchanged.
//
// `node scripts/build.mjs [assets] [native] [worker]`; all three without arguments.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAssets } from "./assets.mjs";
import { withLock } from "./lib/lock.mjs";
import { MANIFEST, WORKER_OUT, at, bin, tool } from "./lib/paths.mjs";
import { main, step } from "./lib/progress.mjs";
import { must } from "./lib/run.mjs";
import { hashOf, isStamped, stamp } from "./lib/stamp.mjs";
import { setup } from "./setup.mjs";

/** Everything that ends up in the Worker's wasm. */
const WORKER_INPUTS = [
  "src", "templates", "migrations", "schema.sql", "build.rs", "Cargo.toml", "Cargo.lock",
  "crates/protocol", "crates/session-hub",
].map((path) => at(path)).concat(MANIFEST);

export async function build(parts = ["assets", "native", "worker"]) {
  const workerEnv = await setup();
  await withLock(at("target", "build.lock"), async () => {
    if (parts.includes("assets") || parts.includes("worker")) buildAssets();
    if (parts.includes("native")) await buildNative();
    if (parts.includes("worker")) await buildWorker(workerEnv);
  });
}

/** Only the Worker must be small: whole-program optimisation would take the runner's build from one minute to several. */
const NATIVE_PROFILE = { CARGO_PROFILE_RELEASE_LTO: "thin", CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "8" };

/** cargo knows by itself what changed; it answers within a second when nothing did. */
export async function buildNative() {
  await step("building the runner (some minutes the first time)", () =>
    must("cargo", ["build", "--release", "--locked", "-p", "muster"], { env: { ...process.env, ...NATIVE_PROFILE } }),
  );
}

const WASM = join(WORKER_OUT, "index_bg.wasm");
/** What workerd's V8 has had for years, and rustc emits. */
const WASM_FEATURES = ["bulk-memory", "sign-ext", "mutable-globals", "nontrapping-float-to-int", "reference-types", "multivalue"];
/** worker-build's own pass leaves a tenth behind that another one takes away. */
const SMALLER = ["-O3", ...WASM_FEATURES.map((feature) => `--enable-${feature}`)];

export async function buildWorker(env) {
  const hash = hashOf(WORKER_INPUTS, ["--release", ...SMALLER]);
  if (isStamped("worker", hash) && existsSync(join(WORKER_OUT, "index.js"))) return;
  await step("building the Worker (some minutes the first time)", () =>
    must(tool("bin", "worker-build"), ["--release", "--locked"], { env: { ...process.env, ...env } }),
  );
  await step("making it smaller", () => must(bin("wasm-opt"), [...SMALLER, WASM, "-o", WASM]));
  stamp("worker", hash);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = process.argv.slice(2);
  await main(() => build(parts.length ? parts : undefined));
}
