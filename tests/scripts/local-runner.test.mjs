import assert from "node:assert/strict";
import { test } from "node:test";
import { personsOwn } from "../../scripts/lib/local-runner.mjs";

test("agents inherit the person's environment, not npm's", () => {
  const env = {
    HOME: "/home/ann",
    PATH: "/clone/node_modules/.bin:/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/home/ann/bin:/usr/bin",
    npm_lifecycle_event: "start",
    npm_config_registry: "x",
    INIT_CWD: "/clone",
    NODE: "/usr/bin/node",
    NODE_OPTIONS: "--max-old-space-size=4096",
    MUSTER_NODE_TAKEN_OVER: "1",
    MUSTER_TOOLS: "/tools",
  };
  assert.deepEqual(personsOwn(env), {
    HOME: "/home/ann",
    PATH: "/home/ann/bin:/usr/bin",
    NODE_OPTIONS: "--max-old-space-size=4096",
    MUSTER_TOOLS: "/tools",
  });
});
