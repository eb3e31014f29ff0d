// A hub on this machine: the built Worker on workerd, by miniflare's library. State, secrets, migrations, evictions.
//
// Everything persists below one state folder: D1, R2 and the objects' SQLite files as workerd writes them (in WAL mode,
// so a kill -9 loses nothing that was acknowledged), and secrets.json with what a deployment would hold as secrets.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Log, LogLevel, Miniflare } from "miniflare";
import { workerOptions, wranglerConfig } from "./config.mjs";
import { writeWhole } from "./files.mjs";
import { claim, disown, own } from "./owner.mjs";
import { at } from "./paths.mjs";
import { Plain } from "./progress.mjs";
import { splitStatements } from "./sql.mjs";

const SECRET_BYTES = 32;

/** miniflare's own messages go to stderr with everything else: stdout belongs to the script. */
class StderrLog extends Log {
  log(message) {
    process.stderr.write(`${message}\n`);
  }
}

/** Starts a hub and returns {url, secrets, evict(name?), stop()}. */
export async function startLocalHub({ host = "127.0.0.1", port = 8787, state, vars = {}, rateLimit }) {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  claim(state);
  await assertFree(host, port);
  const config = wranglerConfig();
  const secrets = loadSecrets(state);
  const worker = workerOptions(config, { bindings: { ...secrets, ...vars }, rateLimit });
  const miniflare = new Miniflare({
    host,
    port,
    cf: false, // else it asks the internet where this machine is
    log: new StderrLog(LogLevel.WARN),
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.pipe(process.stderr)),
    durableObjectsPersist: join(state, "do"),
    d1Persist: join(state, "d1"),
    r2Persist: join(state, "r2"),
    workers: [worker],
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  for (const database of config.d1_databases ?? []) {
    await migrate(await miniflare.getD1Database(database.binding), at(database.migrations_dir));
  }
  own(state, url);
  return {
    url,
    secrets,
    evict: (name) => evict(miniflare, config, name),
    scheduled: () => scheduled(miniflare),
    stop: () => miniflare.dispose().finally(() => disown(state)),
  };
}

function assertFree(host, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(error.code === "EADDRINUSE" ? inUse(host, port) : error));
    probe.listen(port, host, () => probe.close(resolve));
  });
}

const inUse = (host, port) =>
  new Plain(`Port ${port} on ${host} is in use. Is Muster running already? Else choose another: npm start -- --port ${port + 1}`);

/** Generated on the first start, readable by this user only. New keys are added to what an older version wrote. */
export function loadSecrets(state) {
  const file = join(state, "secrets.json");
  const found = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const secret = () => randomBytes(SECRET_BYTES).toString("base64url");
  const secrets = {
    MUSTER_LOCAL_SECRET: secret(),
    MUSTER_JWT_KEYS: JSON.stringify({ current: "k1", keys: { k1: secret() } }),
    ...found,
  };
  if (Object.keys(secrets).length !== Object.keys(found).length) {
    writeWhole(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  }
  return secrets;
}

/** Applies what is new, one transaction a file, and notes it in the table that `wrangler d1 migrations apply` uses. */
async function migrate(database, folder) {
  if (!existsSync(folder)) return;
  await database
    .prepare(
      "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, " +
        "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
    )
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row.name));
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql") && !applied.has(name));
  for (const name of files.sort()) {
    const statements = splitStatements(readFileSync(join(folder, name), "utf8"));
    await database.batch([
      ...statements.map((text) => database.prepare(text)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}

/** An object that sleeps already is none that was evicted. */
function notRunning(error) {
  if (!/not currently running/.test(error.message)) throw error;
  return 0;
}

/** What the platform does every minute. */
async function scheduled(miniflare) {
  const { outcome } = await (await miniflare.getWorker()).scheduled({ cron: "* * * * *" });
  if (outcome !== "ok") throw new Error(`the scheduled event ended with ${outcome}`);
}

/** Throws objects out of memory while their sockets hibernate, as the platform does after ten idle seconds. */
async function evict(miniflare, config, name) {
  const { bindings } = config.durable_objects;
  let count = 0;
  for (const { name: binding, class_name: className } of name ? bindings.slice(0, 1) : bindings) {
    const which = name ? [{ name }] : (await miniflare.listDurableObjectIds(binding)).map((id) => ({ id }));
    for (const each of which) {
      const evicted = miniflare.unsafeEvictDurableObject(config.name, className, { ...each, webSockets: "hibernate" });
      count += await evicted.then(() => 1, notRunning);
    }
  }
  return count;
}
