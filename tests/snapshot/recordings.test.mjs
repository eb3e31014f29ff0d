// Snapshot plus tail equals the original, for what real agents and vttest have printed; and a snapshot is small.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { deflateRawSync, gunzipSync } from "node:zlib";
import { judge } from "./lib/oracle.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "recordings");
/** Cuts of each recording: some at even steps, some just inside an escape sequence. */
const EVEN_CUTS = 60;
const ESCAPE_CUTS = 60;
/** Bytes on the wire: of an ordinary 120x40 screen, and of the richest. */
const ORDINARY_BYTES_MAX = 8 * 1024;
const RICHEST_BYTES_MAX = 64 * 1024;

const recordings = readdirSync(folder).filter((file) => file.endsWith(".gz"));

test("there are recordings of every agent and of vttest", () => {
  for (const name of ["claude", "opencode", "codex", "gemini", "aider", "vttest"]) {
    assert.ok(recordings.some((file) => file.startsWith(name)), name);
  }
});

for (const file of recordings) {
  test(`snapshot plus tail equals the original: ${file}`, async () => {
    const [, cols, rows] = /\.(\d+)x(\d+)\.gz$/.exec(file);
    const stream = gunzipSync(readFileSync(join(folder, file)));
    const even = Array.from({ length: EVEN_CUTS }, (_, n) => Math.floor((stream.length * n) / EVEN_CUTS));
    const paints = await judge(stream, { cols: Number(cols), rows: Number(rows) }, [...even, ...insideEscapes(stream)], { what: file });
    const sizes = paints.map((paint) => deflateRawSync(paint).length);
    assert.ok(Math.max(...sizes) <= ORDINARY_BYTES_MAX, `${Math.max(...sizes)} bytes on the wire`);
  });
}

/** Places one to four bytes after an ESC, spread over the stream. */
function insideEscapes(stream) {
  const escapes = [];
  for (let at = stream.indexOf(0x1b); at >= 0; at = stream.indexOf(0x1b, at + 1)) escapes.push(at);
  const step = Math.max(1, Math.floor(escapes.length / ESCAPE_CUTS));
  return escapes.filter((_, n) => n % step === 0).map((at, n) => Math.min(stream.length, at + 1 + (n % 4)));
}

test("the richest screen fits as well: every cell with two colours of its own", async () => {
  let seed = 1;
  const byte = () => (seed = (seed * 48271) % 0x7fffffff) & 255;
  const cell = () => `\x1b[38;2;${byte()};${byte()};${byte()};48;2;${byte()};${byte()};${byte()}m▀`;
  const rows = Array.from({ length: 40 }, () => Array.from({ length: 120 }, cell).join(""));
  const [paint] = await judge(Buffer.from(rows.join("\r\n")), { cols: 120, rows: 40 }, [], { what: "the richest" });
  const size = deflateRawSync(paint).length;
  assert.ok(size <= RICHEST_BYTES_MAX, `${size} bytes on the wire`);
});
