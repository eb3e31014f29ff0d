// The crates' boundaries, proven with cargo: what each crate of this workspace may depend on. See ARCHITECTURE.md.
//
// `cargo metadata` gives every crate's direct dependencies by kind; the resolved tree of `cargo tree` shows what they pull in.

import { fileURLToPath } from "node:url";
import { Plain, main, say } from "./lib/progress.mjs";
import { must } from "./lib/run.mjs";

const PROTOCOL = "muster-protocol";
const SESSION_HUB = "muster-session-hub";
const HUB = "muster-hub";
const RUNNER = "muster";

/** Which crates of the workspace a crate may import. */
const MAY_IMPORT = {
  [PROTOCOL]: [],
  [SESSION_HUB]: [PROTOCOL],
  [HUB]: [PROTOCOL, SESSION_HUB],
  [RUNNER]: [PROTOCOL],
};

/** Third-party crates that only some may reach, directly or not, in what is shipped; the reason is the message. */
const ONLY = [
  { crate: /^worker($|-)/, allowed: [HUB], why: "only src/ knows the Workers platform" },
  { crate: /^(wasm-bindgen|js-sys|web-sys)/, allowed: [HUB], why: "only src/ runs in JavaScript's world" },
  // `worker` itself takes tokio's I/O traits, which bring no runtime; mio and the like would.
  { crate: /^tokio($|-)/, allowed: [RUNNER, HUB], why: "only the runner has an async runtime" },
  { crate: /^(mio|async-std|smol)$/, allowed: [RUNNER], why: "only the runner has an async runtime" },
  { crate: /^(pty-process|portable-pty|rustix|nix|libc)$/, allowed: [RUNNER], why: "only the runner talks to the system" },
  { crate: /^(rusqlite|libsqlite3-sys)$/, allowed: [], why: "SQLite is linked by tests only" },
  { crate: /^(getrandom|rand)($|_)/, allowed: [HUB, RUNNER], why: "randomness is an input of the pure crates" },
];

export async function checkBoundaries() {
  const metadata = JSON.parse(lastLine(await must("cargo", ["metadata", "--format-version", "1", "--no-deps", "--locked"])));
  const problems = [];
  const names = Object.keys(MAY_IMPORT);
  for (const { name, dependencies } of metadata.packages) {
    const allowed = MAY_IMPORT[name];
    if (!allowed) problems.push(`${name} is a new crate: say in scripts/check-boundaries.mjs what it may import`);
    for (const dependency of dependencies.filter((each) => each.kind !== "dev")) {
      const ours = names.includes(dependency.name);
      if (ours && !allowed?.includes(dependency.name)) problems.push(`${name} must not import ${dependency.name}`);
      if (name === HUB && /^tokio/.test(dependency.name)) problems.push(`${name} must not import ${dependency.name}`);
    }
  }
  for (const name of names) problems.push(...(await checkTree(name)));
  if (problems.length) throw new Plain(problems.join("\n"));
}

/** Everything that a crate ships with: its normal dependencies, for the target it is built for. */
async function checkTree(name) {
  const target = name === RUNNER ? [] : ["--target", "wasm32-unknown-unknown"];
  const tree = await must("cargo", ["tree", "--locked", "-p", name, "-e", "normal,no-proc-macro", "--prefix", "none", ...target]);
  const crates = new Set(tree.split("\n").map((line) => line.split(" ")[0]).filter(Boolean));
  const problems = [];
  for (const { crate, allowed, why } of ONLY) {
    if (allowed.includes(name)) continue;
    for (const found of crates) if (crate.test(found)) problems.push(`${name} reaches ${found}: ${why} (cargo tree -p ${name} -i ${found})`);
  }
  return problems;
}

/** cargo may print warnings before its JSON. */
const lastLine = (text) => text.trim().split("\n").at(-1);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await checkBoundaries();
    say("the crates' boundaries hold");
  });
}
