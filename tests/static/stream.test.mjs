// The stream: every byte once and in order, whatever comes twice, late, not at all, or in parts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, Kind } from "../../static/terminal/frame.mjs";
import { CREDIT_EVERY_BYTES, SNAPSHOT_BYTES_MAX } from "../../static/terminal/limits.mjs";
import { Stream } from "../../static/terminal/stream.mjs";
import { bytes, joined, seeded, text } from "./support.mjs";

const output = (offset, payload) => ({ kind: Kind.OUTPUT, flags: 0, offset, payload: bytes(payload) });
const snapshot = (offset, paint, flags = 0, size = [0, 80, 0, 24]) => ({
  kind: Kind.SNAPSHOT,
  flags,
  offset,
  payload: Uint8Array.from([...size, ...bytes(paint)]),
});

/** A stream that has the screen at offset 10. */
function started() {
  const stream = new Stream();
  stream.sentAttach();
  stream.attached();
  stream.frame(snapshot(10, "screen"));
  stream.caughtUp(10);
  return stream;
}

test("it begins with a screen, and drops bytes that the screen holds already", () => {
  const stream = new Stream();
  stream.sentAttach();
  stream.attached();
  assert.deepEqual(stream.frame(output(3, "early")), []);
  const [action] = stream.frame(snapshot(10, "paint"));
  assert.equal(action.do, "screen");
  assert.deepEqual([action.cols, action.rows, action.offset, text(action.paint)], [80, 24, 10, "paint"]);
  assert.deepEqual(stream.caughtUp(10), [{ do: "credit", offset: 10 }, { do: "live" }]);
});

test("what it has is trimmed, what is doubled is dropped", () => {
  const stream = started();
  assert.equal(text(stream.frame(output(8, "xxnew"))[0].bytes), "new");
  assert.deepEqual(stream.frame(output(10, "new")), []);
  assert.equal(stream.have, 13);
});

test("a hole is asked for once, and never jumped over", () => {
  const stream = started();
  assert.deepEqual(stream.frame(output(20, "later")), [{ do: "attach" }]);
  assert.equal(stream.have, 10);
  stream.sentAttach();
  assert.deepEqual(stream.frame(output(25, "more")), [], "one question at a time");
  stream.attached();
  assert.equal(text(stream.frame(output(10, "0123456789later"))[0].bytes), "0123456789later");
  assert.deepEqual(stream.frame(output(40, "x")), [{ do: "attach" }], "after the answer it may ask again");
});

test("being caught up beyond what it has means that bytes were lost", () => {
  const stream = started();
  assert.deepEqual(stream.caughtUp(12), [{ do: "attach" }]);
});

test("a reconnect goes on from what it has", () => {
  const stream = started();
  stream.frame(output(10, "abc"));
  stream.disconnected();
  stream.sentAttach();
  assert.equal(stream.have, 13);
  stream.attached();
  assert.equal(text(stream.frame(output(12, "cd"))[0].bytes), "d");
});

test("a snapshot in parts is put together, and one that is cut off by another is forgotten", () => {
  const stream = new Stream();
  stream.attached();
  stream.frame(snapshot(5, "lost", Flag.MORE));
  assert.deepEqual(stream.frame(snapshot(9, "be", Flag.MORE)), []);
  const [action] = stream.frame({ kind: Kind.SNAPSHOT, flags: Flag.REST, offset: 9, payload: bytes("gin") });
  assert.equal(text(action.paint), "begin");
});

test("a snapshot begins anew at the same offset, and the end of one that never began is nothing", () => {
  const stream = new Stream();
  stream.attached();
  stream.frame(snapshot(9, "lost", Flag.MORE));
  assert.equal(text(stream.frame(snapshot(9, "whole"))[0].paint), "whole");
  assert.deepEqual(stream.frame({ kind: Kind.SNAPSHOT, flags: Flag.REST, offset: 20, payload: bytes("gin") }), []);
});

test("the live stream may jump ahead with a snapshot, never back", () => {
  const stream = started();
  assert.equal(stream.frame(snapshot(500, "ahead", Flag.JUMP))[0].offset, 500);
  assert.deepEqual(stream.frame(snapshot(400, "old")), []);
  assert.equal(text(stream.frame(output(498, "xxy"))[0].bytes), "y");
});

test("snapshots that break a bound change nothing", () => {
  const stream = started();
  assert.deepEqual(stream.frame(snapshot(20, "x", 0, [0, 0, 0, 24])), []);
  assert.deepEqual(stream.frame(snapshot(20, "x", 0, [255, 255, 0, 24])), []);
  assert.deepEqual(stream.frame({ kind: Kind.SNAPSHOT, flags: 0, offset: 20, payload: bytes("ab") }), []);
  const part = new Uint8Array(1024 * 1024);
  for (let sent = 0; sent <= SNAPSHOT_BYTES_MAX; sent += part.length) {
    const flags = Flag.MORE | (sent > 0 ? Flag.REST : 0);
    assert.deepEqual(stream.frame({ kind: Kind.SNAPSHOT, flags, offset: 30, payload: part }), []);
  }
  assert.equal(stream.have, 10);
});

test("credit returns after each quarter of the window that was drawn", () => {
  const stream = started();
  assert.deepEqual(stream.rendered(10 + CREDIT_EVERY_BYTES - 1), []);
  assert.deepEqual(stream.rendered(10 + CREDIT_EVERY_BYTES), [{ do: "credit", offset: 10 + CREDIT_EVERY_BYTES }]);
  assert.deepEqual(stream.rendered(10 + CREDIT_EVERY_BYTES), [], "once");
});

test("bytes that are gone are counted, and a screen is asked for", () => {
  const stream = started();
  const actions = stream.gap({ from: 10, to: 1034, reason: "the log was trimmed" });
  assert.deepEqual(actions, [{ do: "missing", bytes: 1024, reason: "the log was trimmed" }, { do: "attach" }]);
  assert.equal(stream.have, null);
  assert.deepEqual(started().gap({ from: 0, to: 5, reason: "" }), [], "bytes it has are not missing");
});

test("any mixture of lost, doubled, overlapping and reordered frames ends in the very bytes", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const whole = Uint8Array.from({ length: 400 }, () => 97 + random(26));
    const stream = new Stream();
    stream.have = 0;
    const got = [];
    const feed = (from, to) => {
      for (const action of stream.frame({ kind: Kind.OUTPUT, flags: 0, offset: from, payload: whole.subarray(from, to) })) {
        if (action.do === "write") got.push(action.bytes);
        if (action.do === "attach") {
          stream.sentAttach();
          stream.attached();
          feed(stream.have, Math.min(whole.length, stream.have + 1 + random(60)));
        }
      }
    };
    for (let rounds = 0; stream.have < whole.length && rounds < 10_000; rounds += 1) {
      const from = random(whole.length);
      feed(from, Math.min(whole.length, from + 1 + random(50)));
    }
    assert.equal(text(joined(got)), text(whole), `seed ${seed}`);
  }
});
