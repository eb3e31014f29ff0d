// Bytes in whole characters, wherever frames are cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WholeCharacters } from "../../static/terminal/whole.mjs";

const TEXT = "a—b “q” é 漢字 🙂 ok";

test("no character is cut, and nothing is lost", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let size = 1; size < 6; size++) {
    const [whole, written] = [new WholeCharacters(), []];
    for (let at = 0; at < bytes.length; at += size) {
      const part = whole.take(bytes.subarray(at, at + size));
      new TextDecoder("utf-8", { fatal: true }).decode(part);
      written.push(...part);
    }
    assert.equal(new TextDecoder().decode(new Uint8Array(written)), TEXT, `pieces of ${size}`);
  }
});

test("what never becomes a character does not wait for ever", () => {
  const whole = new WholeCharacters();
  assert.deepEqual([...whole.take(new Uint8Array([0xe2, 0x80]))], []);
  assert.deepEqual([...whole.take(new Uint8Array([0x41]))], [0xe2, 0x80, 0x41]);
  assert.deepEqual([...whole.take(new Uint8Array([0x80, 0x80, 0x80, 0x80]))], [0x80, 0x80, 0x80, 0x80]);
});
