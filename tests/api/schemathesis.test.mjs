// docs/openapi.json against the real Worker, by schemathesis (PyPI): generated requests, good and bad, and every answer held to
// what the file says. Its Python is kept with the other tools. Part of the longer run: `npm test -- api`.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

import { at, tool } from "../../scripts/lib/paths.mjs";
import { must, run } from "../../scripts/lib/run.mjs";
import { startHub } from "../support/index.mjs";

const VERSION = "4.32.5";
const SEED = process.env.MUSTER_API_SEED ?? "20261121";
/** What an answer must be, whatever was asked; that data which fits is taken is not among it: a name can fit and not exist. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** What would end the token that the run itself shows. */
const OWN = "tokens/self|tokens/\\{id\\}|tokens/exchange|sign-ins";

async function schemathesis() {
  const folder = tool(`schemathesis-${VERSION}`);
  const program = `${folder}/bin/schemathesis`;
  if (!existsSync(program)) {
    await must("python3", ["-m", "venv", folder]);
    await must(`${folder}/bin/pip`, ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`]);
  }
  return program;
}

test("every answer is as the description says", async (t) => {
  const program = await schemathesis();
  const hub = await startHub(t);
  const { token } = await hub.token("schemathesis", "cli");
  const { code, output } = await run(program, [
    "run",
    at("docs", "openapi.json"),
    ...["--url", hub.url, "--header", `Authorization: Bearer ${token}`],
    ...["--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", SEED],
    ...["--exclude-path", "/ws/connect", "--exclude-path-regex", OWN],
  ]);
  assert.equal(code, 0, output.slice(-8_000));
  t.diagnostic(output.trim().split("\n").at(-1));
});
