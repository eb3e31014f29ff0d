// What a browser is given: every file of the manifest exists, modules import only files that exist, names carry their hash.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { buildAssets } from "../../scripts/assets.mjs";
import { PUBLIC } from "../../scripts/lib/paths.mjs";

const manifest = buildAssets();
const fileOf = (url) => join(PUBLIC, url);

test("third parties' files are there under the names that pages use", () => {
  for (const name of ["vendor/htmx.js", "vendor/hx-ws.js", "vendor/xterm.js", "vendor/xterm.css", "vendor/addon-webgl.js"]) {
    assert.ok(manifest[name], name);
  }
});

test("every file exists, and its name carries the hash of its content", () => {
  for (const [name, url] of Object.entries(manifest)) {
    const hash = createHash("sha256").update(readFileSync(fileOf(url))).digest("hex").slice(0, 8);
    assert.ok(url.includes(`-${hash}.`), `${name}: ${url}`);
  }
});

test("modules import hashed files that exist", () => {
  for (const [name, url] of Object.entries(manifest)) {
    if (!/\.m?js$/.test(name) || name.startsWith("vendor/")) continue;
    const text = readFileSync(fileOf(url), "utf8");
    for (const [, specifier] of text.matchAll(/\bfrom\s*["'](\.[^"']+)["']|\bimport\s*\(?\s*["'](\.[^"']+)["']/g)) {
      if (!specifier) continue;
      assert.ok(existsSync(join(dirname(fileOf(url)), specifier)), `${name} imports ${specifier}`);
      assert.match(specifier, /-[0-9a-f]{8}\./, `${name} imports ${specifier}`);
    }
  }
});
