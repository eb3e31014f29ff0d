// Peers from their registries, pinned, into the tools cache, each once: `$MUSTER_TOOLS/peers` or `~/.cache/muster/peers`.
//
// A peer that cannot be installed here is left out, and the table says why.

import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { withLock } from "../../scripts/lib/lock.mjs";
import { tool } from "../../scripts/lib/paths.mjs";
import { step } from "../../scripts/lib/progress.mjs";
import { must, need } from "../../scripts/lib/run.mjs";
import { Skip } from "../lib/scope.mjs";

export const VERSIONS = { sshx: "0.4.1", wetty: "3.2.0", "cbor-x": "1.6.8", terminado: "0.18.1", tornado: "6.6.1" };

const ROOT = tool("peers");
const peer = (...parts) => tool("peers", ...parts);

async function once(done, title, work) {
  if (done()) return;
  mkdirSync(ROOT, { recursive: true });
  await withLock(peer("install.lock"), async () => {
    if (done()) return;
    try {
      await step(title, work);
    } catch (error) {
      throw new Skip(`could not be installed: ${error.message.split("\n").filter(Boolean).at(-1)}`);
    }
  });
}

const has = (command, args) => {
  try {
    need(command, args);
    return true;
  } catch {
    return false;
  }
};

/** {sshx, server}: paths of the two programs. */
export async function installSshx() {
  const paths = { sshx: peer("bin", "sshx"), server: peer("bin", "sshx-server") };
  const done = () => existsSync(paths.sshx) && existsSync(paths.server);
  if (!done() && !has("protoc")) throw new Skip("compiling it needs protoc (Debian: protobuf-compiler)");
  await once(done, `compiling sshx ${VERSIONS.sshx} and its server, once, about 5 minutes`, () =>
    must("cargo", ["install", `sshx@${VERSIONS.sshx}`, `sshx-server@${VERSIONS.sshx}`, "--locked", "--root", ROOT]),
  );
  return paths;
}

/** A `require` that finds wetty and cbor-x. */
export async function installNpm() {
  const folder = peer("npm");
  const names = ["wetty", "cbor-x"];
  const done = () => names.every((name) => existsSync(peer("npm", "node_modules", name, "package.json")));
  await once(done, "installing wetty", async () => {
    mkdirSync(folder, { recursive: true });
    const packages = names.map((name) => `${name}@${VERSIONS[name]}`);
    await must("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder, ...packages], { cwd: folder });
  });
  return createRequire(peer("npm", "node_modules", "index.js"));
}

/** The Python that has terminado. */
export async function installTerminado() {
  const python = peer("py", "bin", "python3");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const packages = ["terminado", "tornado"].map((name) => `${name}==${VERSIONS[name]}`);
  const done = () => existsSync(peer("py", "lib")) && existsSync(peer("py", ".done"));
  if (!done() && !has("python3")) throw new Skip("it needs python3");
  await once(done, "installing terminado", async () => {
    await must("python3", ["-m", "venv", peer("py")]);
    await must(python, [...pip, ...packages]);
    await must("touch", [peer("py", ".done")]);
  });
  return python;
}

export function findTmux() {
  if (!has("tmux", ["-V"])) throw new Skip("tmux is not installed");
  return "tmux";
}
