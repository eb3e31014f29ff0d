//! Binary data frames: the 16-byte header of crates/protocol/src/frame.rs, bounds checked, nothing trusted.
//! Pure. Any bytes either decode or throw FrameError.

import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_INFLATED_BYTES_MAX, INPUT_BYTES_MAX, OFFSET_MAX } from "./limits.mjs";

export const Kind = Object.freeze({ OUTPUT: 1, SNAPSHOT: 2, INPUT: 3, INPUT_ACK: 4, CREDIT: 5, CHECKPOINT: 6 });
export const Flag = Object.freeze({ DEFLATE: 1, MORE: 2, SCROLLBACK: 4, JUMP: 8, RESEND: 16, REST: 32 });

const VERSION = 1;
const WRITER_BYTES = 8;
const TWO_32 = 2 ** 32;

/** Why bytes are not a frame: `code` is the word of the Rust decoder's error. */
export class FrameError extends Error {
  constructor(code) {
    super(`not a frame: ${code}`);
    this.code = code;
  }
}

/** Decodes a frame; the payload is a view of the same bytes, perhaps deflated. */
export function decode(buffer) {
  const bytes = buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer);
  if (bytes.length > FRAME_BYTES_MAX) throw new FrameError("too_large");
  if (bytes.length < FRAME_HEADER_BYTES) throw new FrameError("truncated");
  const header = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEADER_BYTES);
  if (header.getUint8(0) !== VERSION) throw new FrameError("version");
  const kind = header.getUint8(1);
  if (kind < Kind.OUTPUT || kind > Kind.CHECKPOINT) throw new FrameError("kind");
  const offset = header.getUint32(8) * TWO_32 + header.getUint32(12);
  if (offset >= OFFSET_MAX) throw new FrameError("offset");
  const frame = { kind, flags: header.getUint8(2), terminal: header.getUint32(4), offset, payload: bytes.subarray(FRAME_HEADER_BYTES) };
  check(frame);
  return frame;
}

function check({ kind, flags, payload }) {
  if (kind === Kind.INPUT && payload.length > INPUT_BYTES_MAX) throw new FrameError("too_large");
  if ((kind === Kind.INPUT || kind === Kind.INPUT_ACK) && payload.length < WRITER_BYTES) throw new FrameError("truncated");
  if (kind === Kind.CREDIT && payload.length > 0) throw new FrameError("payload");
  if (flags & Flag.DEFLATE) inflatedLength(payload);
}

/** The length that a deflated payload states, within its bound. */
export function inflatedLength(payload) {
  if (payload.length < 4) throw new FrameError("payload");
  const length = new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
  if (length > FRAME_INFLATED_BYTES_MAX) throw new FrameError("too_large");
  return length;
}

/** A whole frame. */
export function encode(kind, flags, terminal, offset, payload = new Uint8Array()) {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const header = new DataView(bytes.buffer);
  header.setUint8(0, VERSION);
  header.setUint8(1, kind);
  header.setUint8(2, flags);
  header.setUint32(4, terminal);
  header.setUint32(8, Math.floor(offset / TWO_32));
  header.setUint32(12, offset % TWO_32);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** An input frame: `writer` is the 16 hexadecimal digits that `attached` gave. */
export function input(terminal, writer, offset, typed) {
  const payload = new Uint8Array(WRITER_BYTES + typed.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, Number.parseInt(writer.slice(0, 8), 16));
  view.setUint32(4, Number.parseInt(writer.slice(8), 16));
  payload.set(typed, WRITER_BYTES);
  return encode(Kind.INPUT, 0, terminal, offset, payload);
}

/** A credit frame: everything below `offset` was taken. */
export const credit = (terminal, offset) => encode(Kind.CREDIT, 0, terminal, offset);

/** The writer of an input or acknowledgement frame, as 16 hexadecimal digits. */
export function writerOf(frame) {
  const view = new DataView(frame.payload.buffer, frame.payload.byteOffset, WRITER_BYTES);
  return [view.getUint32(0), view.getUint32(4)].map((half) => half.toString(16).padStart(8, "0")).join("");
}
