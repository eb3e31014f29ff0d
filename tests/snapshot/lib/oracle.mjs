// The judge of snapshots: a headless xterm.js that is fed the whole stream, against one that is fed a snapshot and the tail.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { muster } from "./binary.mjs";

const require = createRequire(import.meta.url);
const { Terminal } = require("@xterm/headless");

// The addon is written for browsers: it is one self-contained function of `window`.
globalThis.self ??= globalThis;
globalThis.window ??= globalThis;
const { Unicode11Addon } = require("@xterm/addon-unicode11");

const SCROLLBACK = 5000;

/** A terminal as viewers have it. */
export function terminal(size) {
  const term = new Terminal({ ...size, scrollback: SCROLLBACK, allowProposedApi: true, logLevel: "off" });
  term.loadAddon(new Unicode11Addon());
  term.unicode.activeVersion = "11";
  return term;
}

/** Feeds bytes. xterm.js 6 mistakes a character whose bytes come in two writes, so viewers keep its beginning back. */
export class Feeder {
  constructor(term) {
    this.term = term;
    this.kept = Buffer.alloc(0);
  }

  feed(bytes) {
    const all = Buffer.concat([this.kept, bytes]);
    const end = all.length - unfinished(all);
    this.kept = all.subarray(end);
    return new Promise((done) => this.term.write(all.subarray(0, end), done));
  }
}

/** How many bytes at the end begin a UTF-8 character that is not whole. */
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** Everything of a terminal that a person or a program could tell apart. */
export function state(term, scrollback = 0) {
  const core = term._core;
  const buffers = core._bufferService.buffers;
  const service = core.coreService;
  const mouse = core.coreMouseService;
  return {
    active: term.buffer.active.type,
    normal: buffer(term.buffer.normal, buffers.normal, core, term.rows, scrollback),
    alternate: term.buffer.active.type === "alternate" ? buffer(term.buffer.alternate, buffers.alt, core, term.rows) : null,
    cursor: [buffers.active.x, buffers.active.y],
    pen: attributes(core._inputHandler._curAttrData, core),
    modes: { ...service.modes, ...service.decPrivateModes, hidden: service.isCursorHidden },
    mouse: [mouse.activeProtocol, mouse.activeEncoding],
    newline: core.optionsService.options.convertEol,
    charset: [core._charsetService.glevel, name(core._charsetService.charset), [0, 1, 2, 3].map((g) => name(core._charsetService._charsets[g]))],
  };
}

function name(charset) {
  return charset ? Object.values(charset).join("") : "";
}

function buffer(api, inner, core, rows, scrollback = 0) {
  const lines = [];
  for (let y = Math.max(0, api.baseY - scrollback); y < api.baseY + rows; y++) lines.push(line(api, y, core));
  return {
    lines,
    region: [inner.scrollTop, inner.scrollBottom],
    tabs: Object.keys(inner.tabs).filter((col) => inner.tabs[col] && col < core.cols).join(),
    saved: [Math.min(inner.savedX, core.cols - 1), Math.max(inner.savedY - inner.ybase, 0), inner.savedCurAttrData.fg, inner.savedCurAttrData.bg & ~0x10000000],
  };
}

/** A row: its text with what each cell looks like where that changes. An empty cell, a space, and the second half of a wide
 * character that has lost its first look the same. */
function line(api, y, core) {
  const row = api.getLine(y);
  const inner = core._bufferService.buffers[api.type === "normal" ? "normal" : "alt"].lines.get(y);
  let text = "";
  let before = "";
  const cell = { extended: null };
  for (let x = 0; x < core.cols; x++) {
    const seen = row.getCell(x);
    const second = seen.getWidth() === 0 && seen.getChars() === "" && x > 0 && row.getCell(x - 1).getWidth() === 2;
    const looks = second ? before : attributes(inner.loadCell(x, new seen.constructor()), core);
    if (looks !== before) text += `<${looks}>`;
    before = looks;
    if (!second) text += `${seen.getWidth() === 0 && seen.getChars() ? "|" : ""}${seen.getChars() || " "}`;
  }
  return text;
}

function attributes(data, core) {
  const flags = [
    ["bold", data.isBold()],
    ["dim", data.isDim()],
    ["italic", data.isItalic()],
    ["underline", data.isUnderline() ? data.getUnderlineStyle() || 1 : 0],
    ["blink", data.isBlink()],
    ["inverse", data.isInverse()],
    ["invisible", data.isInvisible()],
    ["strike", data.isStrikethrough()],
    ["overline", data.isOverline()],
    ["protected", data.isProtected()],
  ];
  const color = (mode, value) => (mode === 0 ? "" : `${mode >> 24}:${value}`);
  const extended = data.hasExtendedAttrs() ? data.extended : null;
  const link = extended?.urlId ? core._oscLinkService.getLinkData(extended.urlId)?.uri : "";
  const under = extended?.underlineStyle ? color(data.getUnderlineColorMode(), data.getUnderlineColor()) : "";
  return [
    color(data.getFgColorMode(), data.getFgColor()),
    color(data.getBgColorMode(), data.getBgColor()),
    flags.filter(([, on]) => on).map(([flag, on]) => (on === true || on > 5e5 ? flag : `${flag}${on}`)).join("+"),
    under,
    link,
  ].join(",");
}

/** The keeper's snapshots of a stream at these cuts, from one process. */
export function snapshots(stream, size, cuts, scrollback = 0) {
  const args = ["debug", "snapshot", "--cols", size.cols, "--rows", size.rows, "--scrollback", scrollback, "--at", cuts.join(",")];
  const run = spawnSync(muster(), args.map(String), { input: stream, maxBuffer: 1 << 30 });
  assert.equal(run.status, 0, String(run.stderr));
  if (cuts.length === 1) return [run.stdout];
  const paints = [];
  for (let at = 0; at < run.stdout.length; ) {
    const length = run.stdout.readUInt32BE(at);
    paints.push(run.stdout.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return paints;
}

/**
 * Asserts, for each cut, that snapshot and what follows it give what the whole stream gives: right at the cut, and after
 * every later cut up to `tails` of them and at the end; with `scrollback`, that many lines above the screen count, too.
 */
export async function judge(stream, size, cuts, { tails = 1, what = "", scrollback = 0 } = {}) {
  const points = [...new Set([...cuts, stream.length])].sort((a, b) => a - b);
  const paints = snapshots(stream, size, points, scrollback);
  const whole = new Feeder(terminal(size));
  const truths = [];
  let at = 0;
  for (const point of points) {
    await whole.feed(stream.subarray(at, point));
    truths.push(state(whole.term, scrollback));
    at = point;
  }
  whole.term.dispose();
  for (let from = 0; from < points.length; from++) {
    const restored = new Feeder(terminal(size));
    await restored.feed(paints[from]);
    for (let to = from; to < Math.min(points.length, from + 1 + tails); to++) {
      if (to > from) await restored.feed(stream.subarray(points[to - 1], points[to]));
      const place = `${what} cut at ${points[from]}, seen at ${points[to]}, before the cut ${show(stream, points[from])}`;
      compare(state(restored.term, scrollback), truths[to], place);
    }
    restored.term.dispose();
  }
  return paints;
}

function show(stream, at) {
  return JSON.stringify(stream.subarray(Math.max(0, at - 30), at).toString("latin1"));
}

/** Like deepEqual, but it shows the first row that differs and not four thousand cells. */
function compare(is, shall, place) {
  for (const which of ["normal", "alternate"]) {
    if (!is[which] || !shall[which]) continue;
    shall[which].lines.forEach((row, y) => {
      if (is[which].lines[y] !== row) assert.equal(is[which].lines[y], row, `row ${y} of the ${which} buffer, ${place}`);
    });
  }
  const rest = ({ normal, alternate, ...others }) => ({
    ...others,
    normal: { ...normal, lines: 0 },
    alternate: alternate && { ...alternate, lines: 0 },
  });
  assert.deepEqual(rest(is), rest(shall), place);
}
