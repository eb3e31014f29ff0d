// Every crate that is linked into the Worker or the runner carries a licence that lets people use Muster as they like.

import { fileURLToPath } from "node:url";
import { Plain, main, say } from "./lib/progress.mjs";
import { must } from "./lib/run.mjs";

const ALLOWED = new Set([
  "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
  "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "NCSA", "Unicode-3.0", "Unicode-DFS-2016", "Unlicense", "WTFPL", "Zlib",
]);

/** Crates that name no SPDX expression, looked at by hand: name to licence. */
const LOOKED_AT = {};

export async function checkLicences() {
  const output = await must("cargo", ["metadata", "--format-version", "1", "--locked"]);
  const { packages } = JSON.parse(output.trim().split("\n").at(-1));
  const problems = packages
    .map(({ name, version, license }) => ({ name, version, license: LOOKED_AT[name] ?? license }))
    .filter(({ license }) => !isAllowed(license))
    .map(({ name, version, license }) => `${name} ${version}: ${license ?? "no licence is named"}`);
  if (problems.length) throw new Plain(problems.join("\n"));
  return packages.length;
}

/** Of an SPDX expression: each part joined by AND must hold, one of those joined by OR. `/` is an old way to write OR. */
export function isAllowed(expression) {
  if (!expression) return false;
  const tokens = expression.replaceAll("/", " OR ").match(/\(|\)|[^\s()]+/g);
  let at = 0;
  const any = () => {
    let holds = all();
    while (tokens[at] === "OR") {
      at += 1;
      holds = all() || holds;
    }
    return holds;
  };
  const all = () => {
    let holds = single();
    while (tokens[at] === "AND") {
      at += 1;
      holds = single() && holds;
    }
    return holds;
  };
  const single = () => {
    if (tokens[at] === "(") {
      at += 1;
      const holds = any();
      at += 1; // the closing one
      return holds;
    }
    let name = tokens[at++];
    if (tokens[at] === "WITH") {
      name += ` WITH ${tokens[at + 1]}`;
      at += 2;
    }
    return ALLOWED.has(name);
  };
  return any();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => say(`${await checkLicences()} crates have a licence that fits`));
}
