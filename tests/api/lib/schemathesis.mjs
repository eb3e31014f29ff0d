// schemathesis (PyPI) in a Python of its own, kept with the other tools. Where it cannot be had, the reason is told instead.

import { rmSync } from "node:fs";
import { withLock } from "../../../scripts/lib/lock.mjs";
import { at, tool } from "../../../scripts/lib/paths.mjs";
import { Plain } from "../../../scripts/lib/progress.mjs";
import { run } from "../../../scripts/lib/run.mjs";
import { hashOf, isStamped, stamp } from "../../../scripts/lib/stamp.mjs";

const REQUIREMENTS = at("tests", "api", "requirements.txt");
/** The oldest Python that schemathesis runs on. */
const IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))";
/** An index that does not answer shall not hold the run up. */
const PATIENCE = ["--timeout", "10", "--retries", "1"];
/** What is wrong with the list itself, or with what came for it: never a reason to go on. */
const WRONG = /hash|invalid requirement|conflict/i;

/** {program}, or {missing}: why there is none on this machine. */
export async function schemathesis() {
  const hash = hashOf([REQUIREMENTS]);
  const folder = tool(`schemathesis-${hash.slice(0, 12)}`);
  const complete = tool(`schemathesis-${hash.slice(0, 12)}.stamp`);
  return withLock(`${folder}.lock`, async () => {
    const missing = isStamped(complete, hash) ? undefined : await install(folder);
    if (missing) return { missing };
    stamp(complete, hash);
    return { program: `${folder}/bin/schemathesis` };
  });
}

async function install(folder) {
  const python = await run("python3", ["-c", IS_NEW_ENOUGH]).catch(() => undefined);
  if (!python) return "python3 is missing";
  if (python.code !== 0) return "python3 is older than 3.11";
  rmSync(folder, { recursive: true, force: true }); // half of one, left behind
  if ((await run("python3", ["-m", "venv", folder])).code !== 0) return "python3 has no venv (Debian: apt install python3-venv)";
  const wishes = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--requirement", REQUIREMENTS];
  const { code, output } = await run(`${folder}/bin/pip`, ["install", ...PATIENCE, ...wishes]);
  if (code === 0) return undefined;
  if (WRONG.test(output)) throw new Plain(`pip did not take tests/api/requirements.txt:\n${output}`);
  return `its packages could not be had: ${output.trim().split("\n").at(-1)}`;
}
