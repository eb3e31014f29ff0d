import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonc, wranglerConfig } from "../../scripts/lib/config.mjs";

test("comments and trailing commas go, strings stay", () => {
  const text = '{ // one\n "a": "http://x/*no*/", /* two */ "b": [1, 2,], "c": "a\\"//b", }';
  assert.deepEqual(parseJsonc(text), { a: "http://x/*no*/", b: [1, 2], c: 'a"//b' });
});

test("wrangler.jsonc is read and names every binding", () => {
  const config = wranglerConfig();
  assert.equal(config.durable_objects.bindings[0].class_name, config.migrations[0].new_sqlite_classes[0]);
  assert.equal(config.send_metrics, false);
  assert.deepEqual(
    [config.d1_databases[0].binding, config.r2_buckets[0].binding, config.assets.binding, config.ratelimits[0].name],
    ["DB", "FILES", "ASSETS", "RATE_LIMITER"],
  );
});
