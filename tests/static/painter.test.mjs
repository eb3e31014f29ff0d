// The painter: what waits in the emulator's line stays in order, sizes and new beginnings with it. A real emulator draws.

import assert from "node:assert/strict";
import { test } from "node:test";
import headless from "@xterm/headless";
import { Painter } from "../../static/terminal/painter.mjs";
import { bytes } from "./support.mjs";

/** An emulator with a painter before it. `drawn()` resolves once all that was handed over so far is on the screen. */
function painted({ cols = 20, rows = 4 } = {}) {
  const terminal = new headless.Terminal({ cols, rows, allowProposedApi: true, scrollback: 100 });
  const sizes = [];
  const painter = new Painter(terminal, () => sizes.push([terminal.cols, terminal.rows]));
  const drawn = () => new Promise((resolve) => painter.write(bytes(""), resolve));
  const line = (y) => terminal.buffer.active.getLine(y).translateToString(true);
  const screen = (paint, more) => new Promise((resolve) => painter.screen({ cols, rows, paint: bytes(paint), ...more }, resolve));
  return { terminal, painter, drawn, line, screen, sizes };
}

test("a screen is not drawn over by what was written before it", async () => {
  const { terminal, painter, line, screen } = painted();
  painter.write(bytes("one\r\ntwo\r\n\x1b[?1049h\x1b[?1h\x1b[4h\x1b[3;7Hold"));
  await screen("new");
  assert.equal(terminal.buffer.active.type, "normal");
  assert.deepEqual([line(0), line(1), line(2)], ["new", "", ""]);
  assert.equal(terminal.modes.applicationCursorKeysMode, false);
  assert.equal(terminal.modes.insertMode, false);
  assert.deepEqual([terminal.buffer.active.cursorX, terminal.buffer.active.cursorY], [3, 0]);
});

test("a sequence or a character that the old stream had begun swallows nothing of the new one", async () => {
  for (const begun of ["\x1b]0;a title", "\x1b[3", "\x1bPq#0", "\x1b"]) {
    const { painter, line, screen } = painted();
    painter.write(bytes(begun));
    await screen("new");
    assert.equal(line(0), "new", JSON.stringify(begun));
  }
  const { painter, line, screen } = painted();
  painter.write(bytes("—").subarray(0, 2));
  await screen("new");
  assert.equal(line(0), "new");
});

test("bytes after a screen follow it", async () => {
  const { painter, drawn, line, screen } = painted();
  painter.write(bytes("old"));
  screen("new");
  painter.write(bytes(" and more"));
  await drawn();
  assert.equal(line(0), "new and more");
});

test("a size holds from its place in the stream on", async () => {
  const { terminal, painter, drawn, sizes } = painted({ cols: 20 });
  const cell = (x) => terminal.buffer.active.getLine(0).getCell(x).getChars();
  painter.write(bytes("\x1b[1;30Ha"));
  painter.resize({ cols: 40, rows: 4 });
  painter.write(bytes("\x1b[1;30Hb"));
  await drawn();
  assert.equal(cell(19), "a", "drawn at the old edge");
  assert.equal(cell(29), "b");
  assert.deepEqual(sizes, [[40, 4]]);
});

test("a screen of another size replaces the old one whole", async () => {
  const { terminal, painter, line } = painted();
  painter.write(bytes("old\r\n".repeat(30)));
  await new Promise((done) => painter.screen({ cols: 30, rows: 6, paint: bytes("new\x1b[6;1Hlast") }, done));
  assert.deepEqual([terminal.cols, terminal.rows, terminal.buffer.active.length], [30, 6, 6]);
  assert.deepEqual([line(0), line(5)], ["new", "last"]);
});

test("lines that a person looks at stay in sight when older ones come before them", async () => {
  const { terminal, painter, drawn, line, screen } = painted();
  const lines = (from, to) => Array.from({ length: to - from }, (_, n) => `line ${from + n}`).join("\r\n");
  painter.write(bytes(lines(40, 60)));
  await drawn();
  terminal.scrollToTop();
  assert.equal(line(terminal.buffer.active.viewportY), "line 40");
  await screen(lines(0, 60), { scrollback: true });
  assert.equal(line(terminal.buffer.active.viewportY), "line 40");
  await screen(lines(0, 60));
  assert.equal(terminal.buffer.active.viewportY, terminal.buffer.active.baseY, "without scrollback the end is in sight");
});
