// The frame codec: the same bytes as crates/protocol, and no bytes that make it do anything but decode or refuse.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import * as frames from "../../static/terminal/frame.mjs";
import { inflate } from "../../static/terminal/inflate.mjs";
import * as limits from "../../static/terminal/limits.mjs";
import { bytes, hex, seeded } from "./support.mjs";

const { Flag, FrameError, Kind } = frames;

test("an input frame has the bytes that the protocol document shows", () => {
  const frame = frames.input(7, "0123456789abcdef", 2 ** 40 + 5, bytes("ls\r"));
  assert.equal(hex(frame), "01030000" + "00000007" + "0000010000000005" + "0123456789abcdef" + "6c730d");
});

test("a credit frame is a header alone", () => {
  assert.equal(hex(frames.credit(0xfffffffe, 131072)), "01050000" + "fffffffe" + "0000000000020000");
});

test("a frame decodes to what was encoded", () => {
  const frame = frames.decode(frames.encode(Kind.SNAPSHOT, Flag.MORE | Flag.JUMP, 4, 2 ** 52 + 1, bytes("abcd")));
  assert.deepEqual({ ...frame, payload: hex(frame.payload) }, { kind: 2, flags: 10, terminal: 4, offset: 2 ** 52 + 1, payload: "61626364" });
});

test("the writer comes back as the text it went in as", () => {
  const frame = frames.decode(frames.encode(Kind.INPUT_ACK, 0, 1, 3, frames.input(1, "00000000000000ff", 0, bytes("")).subarray(16)));
  assert.equal(frames.writerOf(frame), "00000000000000ff");
});

test("what breaks a bound is refused by name", () => {
  const refused = (buffer) => {
    try {
      frames.decode(buffer);
    } catch (error) {
      return error.code;
    }
    return "taken";
  };
  const header = (...head) => Uint8Array.from([...head, ...new Array(16 - head.length).fill(0)]);
  assert.equal(refused(new Uint8Array(15)), "truncated");
  assert.equal(refused(new Uint8Array(limits.FRAME_BYTES_MAX + 1)), "too_large");
  assert.equal(refused(header(2, 1)), "version");
  assert.equal(refused(header(1, 9)), "kind");
  assert.equal(refused(header(1, 0)), "kind");
  assert.equal(refused(header(1, 1, 0, 0, 0, 0, 0, 0, 0, 0x20)), "offset");
  assert.equal(refused(header(1, Kind.INPUT)), "truncated");
  assert.equal(refused(frames.encode(Kind.CREDIT, 0, 1, 0, bytes("x"))), "payload");
  assert.equal(refused(frames.encode(Kind.OUTPUT, Flag.DEFLATE, 1, 0, Uint8Array.from([0xff, 0, 0, 0]))), "too_large");
  assert.equal(refused(header(1, 1)), "taken");
});

test("arbitrary bytes decode or are refused, and never do anything else", () => {
  const random = seeded(7);
  for (let round = 0; round < 20_000; round += 1) {
    const noise = Uint8Array.from({ length: random(48) }, () => random(256));
    if (random(2)) noise.set([1, 1 + random(6)].slice(0, noise.length));
    try {
      const frame = frames.decode(noise);
      assert.equal(frame.payload.length, noise.length - 16);
    } catch (error) {
      assert.ok(error instanceof FrameError, `${hex(noise)}: ${error}`);
    }
  }
});

test("a deflated payload inflates to what it states, or not at all", async () => {
  const text = "the quick brown fox ".repeat(100);
  const packed = deflateRawSync(Buffer.from(text));
  const payload = (length, body) => {
    const all = new Uint8Array(4 + body.length);
    new DataView(all.buffer).setUint32(0, length);
    all.set(body, 4);
    return all;
  };
  assert.equal(Buffer.from(await inflate(payload(text.length, packed))).toString(), text);
  for (const wrong of [payload(text.length - 1, packed), payload(text.length + 1, packed), payload(9, bytes("garbage"))]) {
    await assert.rejects(inflate(wrong), FrameError);
  }
});

test("the limits are those of the Rust side", () => {
  const rust = readFileSync(new URL("../../crates/protocol/src/limits.rs", import.meta.url), "utf8");
  const known = {};
  for (const [, name, expression] of rust.matchAll(/pub const (\w+): \w+ = ([^;]+);/g)) {
    const plain = expression.replace(/_(?=\d)/g, "").replace(/1 << 53/, "2 ** 53").replace(/[A-Z_]{2,}/g, (other) => known[other]);
    known[name] = Function(`return ${plain}`)();
  }
  const ours = Object.entries(limits).filter(([name, value]) => typeof value === "number" && !name.startsWith("INPUT_KEPT") && !name.startsWith("INPUT_IN"));
  assert.ok(ours.length >= 12);
  for (const [name, value] of ours) assert.equal(value, known[name], name);
});
