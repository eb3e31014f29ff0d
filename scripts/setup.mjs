// Set-up: everything that `npm start`, `npm test` and `npm run bench` need, each step skipped when done.
//
// `node scripts/setup.mjs` does it and ends. What takes minutes to compile goes to the tools cache (see lib/paths.mjs),
// so that it happens once per machine. All third-party versions are pinned: here, in package-lock.json and in Cargo.lock.

import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { withLock } from "./lib/lock.mjs";
import { ready } from "./lib/modules.mjs";
import { TOOLS, bin, tool } from "./lib/paths.mjs";
import { Plain, main, step } from "./lib/progress.mjs";
import { must, need, run } from "./lib/run.mjs";

const WASM_TARGET = "wasm32-unknown-unknown";

/** Compiled from crates.io. wasm-bindgen's version is the one that Cargo.lock holds: they must be equal. */
const CARGO_TOOLS = [
  { crate: "worker-build", version: "0.8.7", program: "worker-build", minutes: 4 },
  { crate: "wasm-bindgen-cli", version: "0.2.129", program: "wasm-bindgen", minutes: 3 },
];

export async function setup() {
  await ready();
  checkPrograms();
  await wasmTarget();
  for (const each of CARGO_TOOLS) await cargoTool(each);
  return workerBuildEnv();
}

function checkPrograms() {
  need("git");
  need("cargo");
  need("rustc");
  need("cc");
}

async function wasmTarget() {
  const sysroot = need("rustc", ["--print", "sysroot"]);
  if (existsSync(`${sysroot}/lib/rustlib/${WASM_TARGET}/lib`)) return;
  need("rustup");
  await step(`adding the Rust target ${WASM_TARGET}`, () => must("rustup", ["target", "add", WASM_TARGET]));
}

async function cargoTool({ crate, version, program, minutes }) {
  if (await hasVersion(program, version)) return;
  await withLock(tool("install.lock"), async () => {
    if (await hasVersion(program, version)) return;
    await step(`compiling ${crate} ${version}, once, about ${minutes} minutes`, () =>
      must("cargo", ["install", `${crate}@${version}`, "--locked", "--force", "--root", TOOLS]),
    );
  });
}

async function hasVersion(program, version) {
  const path = tool("bin", program);
  if (!existsSync(path)) return false;
  const { code, output } = await run(path, ["--version"]);
  return code === 0 && output.trim().split(/\s+/).includes(version);
}

/**
 * What worker-build is told, so that it downloads nothing. A path that does not resolve only makes it warn and then
 * download, so they are checked here.
 */
export function workerBuildEnv() {
  const programs = {
    WASM_BINDGEN_BIN: tool("bin", "wasm-bindgen"),
    WASM_OPT_BIN: bin("wasm-opt"),
    ESBUILD_BIN: bin("esbuild"),
  };
  for (const [name, path] of Object.entries(programs)) {
    if (!existsSync(path)) throw new Plain(`${path} (${name}) is missing: remove node_modules and try again.`);
    programs[name] = realpathSync(path);
  }
  return programs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(setup);
