// `node scripts/hub.mjs`: the hub as a process of its own, for `npm start`, tests and benchmarks. Build first.
//
// Prints one line of JSON to stdout: {"ready":true,"url":...} once it serves, or {"ready":false,"error":...} and ends. All
// logs go to stderr. Started with an IPC channel it takes {id, command: "evict", name?},
// {id, command: "scheduled"} and {id, command: "stop"}, and
// ends when its parent does.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ready } from "./lib/modules.mjs";
import { LOCAL_STATE } from "./lib/paths.mjs";

const HELP = `node scripts/hub.mjs [--host 127.0.0.1] [--port 8787] [--state .muster/hub] [--rate-limit N] [--var NAME=VALUE]...

Serves the built Worker on workerd. Port 0 takes a free one.
`;

export const HUB_SCRIPT = fileURLToPath(import.meta.url);

async function serve() {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8787" },
      state: { type: "string", default: join(LOCAL_STATE, "hub") },
      "rate-limit": { type: "string" },
      var: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  await ready();
  const { startLocalHub } = await import("./lib/local-hub.mjs");
  const hub = await startLocalHub({
    host: values.host,
    port: Number(values.port),
    state: values.state,
    vars: Object.fromEntries(values.var.map((pair) => [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)])),
    rateLimit: values["rate-limit"] ? Number(values["rate-limit"]) : undefined,
  });
  listen(hub);
  report({ ready: true, url: hub.url, pid: process.pid });
}

function listen(hub) {
  let stopping;
  const stop = () => (stopping ??= hub.stop().finally(() => process.exit(0)));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  process.on("disconnect", stop);
  process.on("message", async ({ id, command, name }) => {
    if (command === "stop") return stop();
    try {
      if (!["evict", "scheduled"].includes(command)) throw new Error(`unknown command ${command}`);
      process.send({ id, value: await hub[command](name) });
    } catch (error) {
      process.send({ id, error: error.message });
    }
  });
}

const report = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (process.argv[1] === HUB_SCRIPT) {
  serve().catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    report({ ready: false, error: error.message });
    process.exitCode = 1;
    process.disconnect?.();
  });
}
