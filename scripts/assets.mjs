// The browser's files: ours from static/ and third parties' from npm, under content-hashed names, without a bundler.
//
// A file's logical name is its path below static/ (`app.css`, `terminal.js`) or `vendor/...` as listed here. Our modules
// import one another by relative logical name (`./vendor/xterm.js`), our styles name files in url(...): both are rewritten
// to hashed names, dependencies first, so that a hash covers everything below it. dist/public is what is served;
// dist/assets.json maps logical names to URLs, and build.rs makes a table of it for the templates.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { DIST, MANIFEST, MODULES, PUBLIC, at } from "./lib/paths.mjs";
import { Plain, main } from "./lib/progress.mjs";
import { filesBelow, hashOf, isStamped, stamp } from "./lib/stamp.mjs";

const HASH_CHARS = 8; // 32 bits: names stay readable, and a clash needs some 65,000 versions of one file

/** Logical name to file below node_modules. The xterm files are self-contained ES modules, htmx's are classic scripts. */
const VENDOR = {
  "vendor/htmx.js": "htmx.org/dist/htmx.min.js",
  "vendor/hx-ws.js": "htmx.org/dist/ext/hx-ws.min.js",
  "vendor/xterm.js": "@xterm/xterm/lib/xterm.mjs",
  "vendor/xterm.css": "@xterm/xterm/css/xterm.css",
  ...Object.fromEntries(
    ["webgl", "search", "unicode11", "web-links", "clipboard"].map((name) => [
      `vendor/addon-${name}.js`,
      `@xterm/addon-${name}/lib/addon-${name}.mjs`,
    ]),
  ),
};

/** `from "./x.js"`, `import "./x.js"`, `import("./x.js")` with their quotes; relative specifiers only. */
const JS_IMPORT = /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.\.?\/[^"'\n]+)\2/g;
const CSS_URL = /(url\(\s*)(["']?)([^"')#:\s]+)(?=["')#])/g;

const HEADERS = `/static/*
  Cache-Control: public, max-age=31536000, immutable
  X-Content-Type-Options: nosniff
  Cross-Origin-Resource-Policy: same-origin
  Referrer-Policy: no-referrer
`;

/** Builds dist/ when an input changed. Returns the manifest. */
export function buildAssets() {
  const hash = hashOf([at("static"), at("package-lock.json"), fileURLToPath(import.meta.url)]);
  if (!isStamped("assets", hash) || !existsSync(MANIFEST)) {
    writeAssets(readSources());
    stamp("assets", hash);
  }
  return JSON.parse(readFileSync(MANIFEST, "utf8"));
}

function readSources() {
  const sources = new Map();
  for (const [name, file] of Object.entries(VENDOR)) sources.set(name, withoutSourceMap(readFileSync(join(MODULES, file))));
  for (const file of filesBelow(at("static"))) {
    sources.set(relative(at("static"), file).replaceAll("\\", "/"), readFileSync(file));
  }
  return sources;
}

/** The maps are not served, so a browser should not ask for them. */
function withoutSourceMap(bytes) {
  return Buffer.from(bytes.toString("utf8").replace(/\n\/\/# sourceMappingURL=\S+\s*$/, "\n"));
}

function writeAssets(sources) {
  rmSync(PUBLIC, { recursive: true, force: true });
  const manifest = {};
  for (const name of [...sources.keys()].sort()) publish(name, sources, manifest, []);
  writeFileSync(join(PUBLIC, "_headers"), HEADERS);
  mkdirSync(DIST, { recursive: true });
  writeFileSync(MANIFEST, `${JSON.stringify(sorted(manifest), null, 2)}\n`);
}

/** Writes one file after those that it names; `trail` is the way that led here, to report a circle. */
function publish(name, sources, manifest, trail) {
  if (manifest[name]) return manifest[name];
  if (trail.includes(name)) {
    throw new Plain(`static/: modules import each other in a circle, which content hashes cannot name: ${[...trail, name].join(" -> ")}`);
  }
  const resolve = (specifier) => {
    const target = posix.normalize(posix.join(posix.dirname(name), specifier));
    if (!sources.has(target)) return undefined;
    const url = publish(target, sources, manifest, [...trail, name]);
    return posix.relative(posix.dirname(`/static/${name}`), url);
  };
  const bytes = rewrite(name, sources.get(name), resolve);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, HASH_CHARS);
  const hashed = `static/${name.slice(0, -extname(name).length)}-${digest}${extname(name)}`;
  mkdirSync(dirname(join(PUBLIC, hashed)), { recursive: true });
  writeFileSync(join(PUBLIC, hashed), bytes);
  manifest[name] = `/${hashed}`;
  return manifest[name];
}

function rewrite(name, bytes, resolve) {
  if (name.startsWith("vendor/")) return bytes;
  const text = () => bytes.toString("utf8");
  if (name.endsWith(".js") || name.endsWith(".mjs")) {
    return Buffer.from(text().replace(JS_IMPORT, (_all, lead, quote, specifier) => {
      const to = resolve(specifier);
      if (!to) throw new Plain(`static/${name} imports ${specifier}, which is neither in static/ nor in scripts/assets.mjs.`);
      return `${lead}${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
    }));
  }
  if (name.endsWith(".css")) {
    return Buffer.from(text().replace(CSS_URL, (all, lead, quote, target) => {
      const to = resolve(target);
      return to ? `${lead}${quote}${to}` : all;
    }));
  }
  return bytes;
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(() => console.log(buildAssets()));
