// What is typed arrives once: over reconnects, refusals, lost acknowledgements and a runner that counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../static/terminal/frame.mjs";
import { InputQueue } from "../../static/terminal/input.mjs";
import { INPUT_BYTES_MAX, INPUT_IN_FLIGHT_BYTES_MAX, INPUT_KEPT_BYTES_MAX } from "../../static/terminal/limits.mjs";
import { bytes, joined, seeded, text } from "./support.mjs";

const WRITER = "00000000000000a1";
const OTHER = "00000000000000b2";

/** Frames as [offset, text]. */
const said = (frames) => frames.map(decode).map(({ offset, payload }) => [offset, text(payload.subarray(8))]);

function attached() {
  const queue = new InputQueue(7);
  queue.attached(WRITER);
  return queue;
}

test("a keystroke is one frame, at once", () => {
  const queue = attached();
  assert.deepEqual(said(queue.push(bytes("a"))), [[0, "a"]]);
  assert.deepEqual(said(queue.push(bytes("b"))), [[1, "b"]]);
});

test("what is typed before there is a hub waits for it", () => {
  const queue = new InputQueue(7);
  assert.deepEqual(queue.push(bytes("early")), []);
  assert.deepEqual(said(queue.attached(WRITER).frames), [[0, "early"]]);
});

test("a reconnect sends again what was not acknowledged, under the same offsets", () => {
  const queue = attached();
  queue.push(bytes("one"));
  queue.push(bytes("two"));
  queue.acked(WRITER, 4, false);
  queue.disconnected();
  assert.deepEqual(queue.push(bytes("!")), []);
  const { frames, doubtful } = queue.attached(WRITER);
  assert.deepEqual(said(frames), [[4, "wo"], [6, "!"]]);
  assert.equal(doubtful, 0);
});

test("a runner that misses bytes gets them again; acknowledgements only go forward", () => {
  const queue = attached();
  queue.push(bytes("abcdef"));
  assert.deepEqual(said(queue.acked(WRITER, 2, true)), [[2, "cdef"]]);
  assert.deepEqual(queue.acked(WRITER, 1, false), []);
  assert.equal(queue.kept, 4);
  assert.deepEqual(queue.acked(OTHER, 6, false), [], "somebody else's");
  assert.deepEqual(queue.acked(WRITER, 99, false), [], "more than was typed");
  assert.equal(queue.kept, 4);
  queue.acked(WRITER, 6, false);
  assert.equal(queue.kept, 0);
});

test("a runner that forgot the writer gets the rest under a new name", () => {
  const queue = attached();
  queue.push(bytes("abcdef"));
  queue.acked(WRITER, 6, false);
  queue.push(bytes("gh"));
  assert.deepEqual(queue.acked(WRITER, 0, true), [], "sending it again would be refused again");
  assert.ok(queue.isForgotten);
  assert.deepEqual(queue.push(bytes("i")), [], "kept until there is a new name");
  const { frames, doubtful } = queue.attached(OTHER);
  assert.deepEqual([said(frames), doubtful], [[[0, "i"]], 2]);
  assert.ok(!queue.isForgotten);
});

test("another writer's name drops what may have been typed, and says how much", () => {
  const queue = attached();
  queue.push(bytes("sent"));
  queue.disconnected();
  queue.push(bytes("unsent"));
  const { frames, doubtful } = queue.attached(OTHER);
  assert.equal(doubtful, 4);
  assert.deepEqual(said(frames), [[0, "unsent"]]);
});

test("what the hub refuses is forgotten, name and all", () => {
  const queue = attached();
  queue.push(bytes("not mine to type"));
  queue.refused();
  assert.equal(queue.writer, null);
  assert.equal(queue.kept, 0);
  queue.attached(OTHER);
  assert.deepEqual(said(queue.push(bytes("x"))), [[0, "x"]]);
});

test("what may not be typed any more is let go, and the count goes on", () => {
  const queue = attached();
  queue.push(bytes("sent"));
  queue.acked(WRITER, 1, false);
  queue.disconnected();
  queue.push(bytes("kept"));
  assert.deepEqual(queue.letGo(), { unsent: 4, doubtful: 3 });
  assert.deepEqual(queue.letGo(), { unsent: 0, doubtful: 0 });
  assert.equal(queue.kept, 0);
  assert.deepEqual(queue.attached(WRITER), { frames: [], doubtful: 0 });
  assert.deepEqual(said(queue.push(bytes("x"))), [[4, "x"]]);
  assert.deepEqual(queue.acked(WRITER, 1, true), [], "the runner never got it, and it is gone here too");
  assert.ok(queue.isForgotten, "so the next attach names no writer");
});

test("a long paste goes in pieces within the frame's bound, a few at a time", () => {
  const queue = attached();
  const paste = new Uint8Array(400_000).fill(120);
  let frames = queue.push(paste);
  const inFlight = () => frames.reduce((sum, frame) => sum + frame.length - 24, 0);
  assert.ok(frames.every((frame) => frame.length - 16 <= INPUT_BYTES_MAX));
  assert.ok(inFlight() <= INPUT_IN_FLIGHT_BYTES_MAX);
  let done = 0;
  while (frames.length > 0) {
    done += inFlight();
    frames = queue.acked(WRITER, done, false);
  }
  assert.equal(done, paste.length);
});

test("a full queue refuses the whole of what does not fit", () => {
  const queue = new InputQueue(7);
  assert.notEqual(queue.push(new Uint8Array(INPUT_KEPT_BYTES_MAX)), null);
  assert.equal(queue.push(bytes("x")), null);
  assert.equal(queue.kept, INPUT_KEPT_BYTES_MAX);
});

test("over any network the runner types each byte once and in order", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const queue = attached();
    const runner = { applied: 0, typed: [] };
    const typed = [];
    let wire = [];
    const deliver = (frame) => {
      const { offset, payload } = decode(frame);
      const data = payload.subarray(8);
      if (offset > runner.applied) return { resend: true };
      const fresh = data.subarray(Math.min(runner.applied - offset, data.length));
      runner.typed.push(fresh);
      runner.applied += fresh.length;
      return { resend: false };
    };
    for (let step = 0; step < 120; step += 1) {
      const dice = random(10);
      if (dice < 4) {
        const keys = bytes(String.fromCharCode(97 + random(26)).repeat(1 + random(4)));
        typed.push(keys);
        wire.push(...queue.push(keys));
      } else if (dice < 8 && wire.length > 0) {
        const lost = random(4) === 0;
        const frame = wire.shift();
        if (random(5) === 0) wire.push(frame); // comes twice
        if (lost) continue;
        const { resend } = deliver(frame);
        if (random(3) > 0) wire.push(...queue.acked(WRITER, runner.applied, resend)); // else the answer is lost
      } else {
        queue.disconnected();
        wire = queue.attached(WRITER).frames;
      }
    }
    for (let round = 0; queue.kept > 0 && round < 100; round += 1) {
      queue.disconnected();
      for (const frame of queue.attached(WRITER).frames) queue.acked(WRITER, runner.applied, deliver(frame).resend);
      queue.acked(WRITER, runner.applied, false);
    }
    assert.equal(text(joined(runner.typed)), text(joined(typed)), `seed ${seed}`);
  }
});
