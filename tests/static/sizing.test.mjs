// Sizes, ages, and which of xterm.js's words are a person's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isIncidental, silence } from "../../static/terminal/answers.mjs";
import { FONT_PX_MIN, drivesAtOnce, fontToFit, room } from "../../static/terminal/sizing.mjs";

const cell = { width: 8, height: 16 };

test("the room is counted in whole cells, within the wire's bounds", () => {
  assert.deepEqual(room({ width: 807, height: 399 }, cell), { cols: 100, rows: 24 });
  assert.deepEqual(room({ width: 10, height: 10 }, cell), { cols: 2, rows: 2 });
  assert.deepEqual(room({ width: 1e6, height: 1e6 }, cell), { cols: 1000, rows: 500 });
  assert.deepEqual(room({ width: 100, height: 100 }, { width: 0, height: 0 }), { cols: 1000, rows: 500 }, "a cell not measured yet");
});

test("a terminal out of sight asks for no size", () => {
  assert.equal(room({ width: 0, height: 0 }, cell), null);
});

test("a watcher sees the whole terminal, smaller, but never unreadably small or larger", () => {
  assert.equal(fontToFit({ width: 480, height: 800 }, { cols: 120, rows: 40 }, cell, 14), 7);
  assert.equal(fontToFit({ width: 2000, height: 2000 }, { cols: 80, rows: 24 }, cell, 14), 14);
  assert.equal(fontToFit({ width: 100, height: 100 }, { cols: 300, rows: 80 }, cell, 14), FONT_PX_MIN);
});

test("a phone does not take the size when it opens", () => {
  assert.equal(drivesAtOnce(() => false), true);
  assert.equal(drivesAtOnce((query) => query.includes("coarse")), false);
  assert.equal(drivesAtOnce((query) => query.includes("40rem")), false);
});

test("focus and movement are incidental, keys and clicks are not", () => {
  for (const data of ["\x1b[I", "\x1b[O", "\x1b[<35;10;10M", "\x1b[<32;1;1m"]) assert.ok(isIncidental(data), JSON.stringify(data));
  for (const data of ["a", "\x1b", "\x1b[A", "\x1b[<0;10;10M", "\x1b[<64;1;1M", "\x1b[200~\x1b[I\x1b[201~"]) {
    assert.ok(!isIncidental(data), JSON.stringify(data));
  }
});

test("the report that turning focus reports on causes is nobody's; later ones are a person's", async () => {
  const handlers = [];
  const register = (id, handle) => handlers.push([id, handle]);
  const parser = { registerCsiHandler: register, registerOscHandler: () => {}, registerDcsHandler: () => {} };
  const isAnswer = silence({ parser });
  const [, set] = handlers.find(([id]) => id.prefix === "?" && id.final === "h");
  assert.equal(set([25]), false, "xterm.js still sets it");
  assert.equal(isAnswer("\x1b[I"), false);
  assert.equal(set([1004]), false);
  assert.equal(isAnswer("\x1b[I"), true);
  assert.equal(isAnswer("a"), false, "what is typed always passes");
  await Promise.resolve();
  assert.equal(isAnswer("\x1b[I"), false);
});

test("every question of a program is swallowed by the real emulator, and nothing else is", async () => {
  const { default: headless } = await import("@xterm/headless");
  const terminal = new headless.Terminal({ allowProposedApi: true, cols: 80, rows: 24 });
  const said = [];
  const isAnswer = silence(terminal);
  terminal.onData((data) => isAnswer(data) || said.push(data));
  const write = (data) => new Promise((resolve) => terminal.write(data, resolve));
  const questions = [
    "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[=c", "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1b[?996n", "\x1b[?2026$p", "\x1b[4$p",
    "\x1b[14t", "\x1b[16t", "\x1b[18t", "\x1b[>q", "\x1b[?u", "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\",
    "\x1b]10;?\x07", "\x1b]11;?\x1b\\", "\x1b]12;?\x07", "\x1b]4;1;?\x07", "\x1b]52;c;?\x07",
  ];
  for (const question of questions) await write(question);
  await write("\x1b[?1004h");
  assert.deepEqual(said, []);
  terminal.input("typed");
  assert.deepEqual(said, ["typed"]);
  await write("\x1b[?1049h\x1b[?25l\x1b[31mred");
  assert.equal(terminal.buffer.active.type, "alternate", "modes still act");
});
