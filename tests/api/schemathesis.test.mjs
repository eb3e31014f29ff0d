// docs/openapi.json against the real Worker, by schemathesis (PyPI): generated requests, good and bad, and every answer held to
// what the file says. Where schemathesis cannot be had the tests are skipped, and say why.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { at } from "../../scripts/lib/paths.mjs";
import { run } from "../../scripts/lib/run.mjs";
import { connectRunner, openNext } from "../routes/lib/runner.mjs";
import { shown, startHub, startInstance, tempDir } from "../support/index.mjs";
import { schemathesis } from "./lib/schemathesis.mjs";

const SEED = process.env.MUSTER_API_SEED ?? "20261121";
/** Of each operation. More find more: `MUSTER_API_EXAMPLES=200 npm test -- api`. */
const EXAMPLES = process.env.MUSTER_API_EXAMPLES ?? "12";
/** Of one run, which takes some 15 s: no busy machine shall make an everyday check last for minutes. */
const RUN_MS_MAX = process.env.MUSTER_API_EXAMPLES ? undefined : 45_000;
/** What an answer must be, whatever was asked; that data which fits is taken is not among it: a name can fit and not exist. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];
/** A socket, and what would end the token that the run itself shows. */
const NEVER = ["connect", "exchangeToken", "showOwnToken", "revokeOwnToken", "revokeToken", "endSignIns"];
/** What would take away that which the other operations are tried on. */
const ENDING = ["deleteSession", "archiveSession", "closeTerminal", "cancelPrompt", "revokeRunner", "disconnectClient", "withdrawShare"];

/** The description against a hub, with `settings` in schemathesis' own form; skips where it cannot be done. */
async function judge(t, hub, { without, settings = "" }) {
  const { program, missing } = await schemathesis();
  if (missing) return t.skip(`schemathesis was not run, so no answer was compared with docs/openapi.json: ${missing}`);
  const { token } = await hub.token("schemathesis", "cli");
  const config = join(tempDir(t, "api"), "schemathesis.toml");
  writeFileSync(config, settings);
  const { code, output } = await run(
    program,
    [
      ...["--config-file", config, "run", at("docs", "openapi.json")],
      ...["--url", hub.url, "--header", `Authorization: Bearer ${token}`, "--request-timeout", "10"],
      ...["--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES],
      // The same requests each time, and nothing left behind that would change the next.
      ...["--seed", SEED, "--generation-database", "none", "--no-shrink", "--no-color"],
      ...["--exclude-operation-id-regex", `^(${without.join("|")})$`],
    ],
    { timeoutMs: RUN_MS_MAX },
  );
  if (code === "signal SIGTERM" && !output.includes("❌")) {
    return t.skip(`schemathesis was cut off after ${RUN_MS_MAX / 1000} s on this machine; until then nothing was wrong`);
  }
  assert.equal(code, 0, output.slice(-8_000));
  assert.match(output, /Test cases:\s+\d{3,} generated, (\d+) passed/, "it asked for something");
  t.diagnostic(/Test cases:\s+(.*)/.exec(output)[1]);
  return output;
}

test("every answer is as the description says, where there is nothing", async (t) => {
  const hub = await startHub(t);
  await judge(t, hub, { without: NEVER });
});

test("every answer is as the description says, where there is something of each kind", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const runner = await connectRunner(hub, api, "forge");
  const { json: made } = await api.post("/api/sessions", { runner: runner.id, agent: "shell", name: "of each kind" });
  const terminal = await openNext(runner);
  runner.socket.send({ type: "status", terminal, status: "working", evidence: "osc7501", since_ms: 1 });
  const { json: queued } = await api.post(`/api/terminals/${terminal}/prompts`, { text: "next" });
  const { json: shared } = await api.post(`/api/sessions/${made.session}/shares`, { kind: "guest", right: "viewer" });
  const instance = await startInstance(hub, api, { token: (await hub.token("instances", "claudecodeui")).token });
  const { client } = await shown(api, instance, (client) => client);
  const ids = { session: made.session, terminal, prompt: queued.prompt, share: shared.share, client, runner: runner.id };
  const lines = Object.entries(ids).map(([name, id]) => `"path.${name}" = "${id}"`);
  const output = await judge(t, hub, { without: [...NEVER, ...ENDING], settings: `[parameters]\n${lines.join("\n")}\n` });
  if (output) assert.doesNotMatch(output, /repeatedly returned 404|returned only 401/, "each was there");
  assert.equal((await api.get(`/api/sessions/${made.session}`)).status, 200);
  await instance.leave();
  await runner.socket.close();
});
