// Where everything lives. The only file that knows the layout of the tree and of the tools cache.
//
// Tools that take minutes to compile, and the agents of the tests, are shared by every clone of this repository:
// `$MUSTER_TOOLS`, or `~/.cache/muster`. Everything else is git-ignored, inside the clone.

import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const at = (...parts) => join(ROOT, ...parts);

const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
export const TOOLS = process.env.MUSTER_TOOLS || join(caches, "muster");
export const tool = (...parts) => join(TOOLS, ...parts);

export const MODULES = at("node_modules");
export const bin = (name) => join(MODULES, ".bin", name);

/** Built things: hashed assets and their manifest, the Worker, stamps that let a finished step be skipped. */
export const DIST = at("dist");
export const MANIFEST = at("dist", "assets.json");
export const PUBLIC = at("dist", "public");
export const WORKER_OUT = at("build");
export const STAMPS = at("target", "stamps");

/** What `npm start` persists. */
export const LOCAL_STATE = at(".muster");
const cargoTarget = process.env.CARGO_TARGET_DIR ? resolve(ROOT, process.env.CARGO_TARGET_DIR) : at("target");
export const MUSTER_BINARY = join(cargoTarget, "release", process.platform === "win32" ? "muster.exe" : "muster");
