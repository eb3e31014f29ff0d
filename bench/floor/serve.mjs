// Serves a floor Worker on workerd as scripts/lib/local-hub.mjs serves Muster's, in a process of its own, so that miniflare's
// Node does not share a thread with the measuring client. Prints {"url":...} once it serves; ends with its parent.
//
// `node bench/floor/serve.mjs relay`, or the folder of a built Worker (index.js, index_bg.wasm).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { workerOptions, wranglerConfig } from "../../scripts/lib/config.mjs";

const what = process.argv[2];
const worker = what === "relay" ? relay() : built(what);
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  cf: false,
  log: new Log(LogLevel.NONE),
  handleRuntimeStdio: (stdout, stderr) => [stdout, stderr].forEach((stream) => stream.pipe(process.stderr)),
  workers: [{ name: "floor", compatibilityDate: wranglerConfig().compatibility_date, ...worker }],
});
const url = (await miniflare.ready).href.replace(/\/$/, "");
process.on("disconnect", () => miniflare.dispose().finally(() => process.exit(0)));
process.on("SIGTERM", () => miniflare.dispose().finally(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ url })}\n`);

function relay() {
  const path = fileURLToPath(new URL("relay.mjs", import.meta.url));
  return {
    modules: [{ type: "ESModule", path: "relay.mjs", contents: readFileSync(path, "utf8") }],
    durableObjects: { RELAY: { className: "Relay", useSQLite: true } },
  };
}

/** With Muster's assets before it, since a local hub's requests pass miniflare's asset router too. */
function built(folder) {
  const { name, assets } = workerOptions(wranglerConfig(), {});
  return {
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: join(folder, "index.js") },
      { type: "CompiledWasm", path: join(folder, "index_bg.wasm") },
    ],
    name,
    assets,
  };
}
