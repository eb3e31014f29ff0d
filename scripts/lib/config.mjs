// wrangler.jsonc, read once for everyone: what the Worker is bound to, turned into miniflare's options.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { WORKER_OUT, at } from "./paths.mjs";
import { Plain } from "./progress.mjs";

/** JSON with comments and trailing commas, no more. Strings are matched first, so what is inside them stays. */
export function parseJsonc(text) {
  const bare = text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_all, string) => string ?? "");
  return JSON.parse(bare.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_all, string) => string ?? ""));
}

export const wranglerConfig = () => parseJsonc(readFileSync(at("wrangler.jsonc"), "utf8"));

/** The Worker for miniflare, from wrangler's configuration. `rateLimit` replaces the configured limit of every limiter. */
export function workerOptions(config, { bindings, rateLimit }) {
  const main = at(config.main);
  if (!existsSync(main)) throw new Plain(`${config.main} is not built yet: node scripts/build.mjs`);
  return {
    name: config.name,
    modulesRoot: WORKER_OUT,
    modules: [
      { type: "ESModule", path: main },
      { type: "CompiledWasm", path: join(WORKER_OUT, "index_bg.wasm") },
    ],
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags ?? [],
    bindings: { ...config.vars, ...bindings },
    durableObjects: durableObjects(config),
    d1Databases: byBinding(config.d1_databases, (each) => each.database_name),
    r2Buckets: byBinding(config.r2_buckets, (each) => each.bucket_name),
    ratelimits: rateLimiters(config, rateLimit),
    assets: {
      workerName: config.name,
      directory: at(config.assets.directory),
      binding: config.assets.binding,
      routerConfig: { has_user_worker: true },
      assetConfig: {
        html_handling: config.assets.html_handling,
        not_found_handling: config.assets.not_found_handling,
      },
    },
  };
}

function durableObjects(config) {
  const sqlite = new Set(config.migrations.flatMap((each) => each.new_sqlite_classes ?? []));
  return Object.fromEntries(
    config.durable_objects.bindings.map(({ name, class_name: className }) => [
      name,
      { className, useSQLite: sqlite.has(className) },
    ]),
  );
}

const byBinding = (list = [], value) => Object.fromEntries(list.map((each) => [each.binding, value(each)]));

function rateLimiters(config, rateLimit) {
  return Object.fromEntries(
    (config.ratelimits ?? []).map(({ name, namespace_id, simple }) => [
      name,
      { namespace_id, simple: rateLimit ? { ...simple, limit: rateLimit } : simple },
    ]),
  );
}
