//! What a viewer has of a terminal's bytes, and what to do with what comes. Pure: messages in, actions out.
//!
//! **Invariant.** Bytes reach the emulator in order of their offsets, none twice and none left out: what is doubled is trimmed,
//! and a hole is not jumped over but asked for. Actions, in order:
//! `{do: "write", bytes, end}` · `{do: "screen", cols, rows, paint, offset, scrollback}` · `{do: "attach"}` ·
//! `{do: "credit", offset}` · `{do: "live"}` · `{do: "missing", bytes, reason}`.

import { Flag, Kind } from "./frame.mjs";
import { COLS_MAX, CREDIT_EVERY_BYTES, ROWS_MAX, SNAPSHOT_BYTES_MAX } from "./limits.mjs";

const SCREEN_HEADER_BYTES = 4;

export class Stream {
  /** Everything below it was handed to the emulator; `null` before the first screen. */
  have = null;
  #credited = 0;
  #parts = null;
  #attaching = false;

  /** An attach was sent: until its answer comes, no second one is. */
  sentAttach() {
    this.#attaching = true;
    this.#parts = null;
  }

  /** The answer to it. */
  attached() {
    this.#attaching = false;
    this.#parts = null;
    this.#credited = this.have ?? 0;
    return [];
  }

  /** The socket is gone; what is had stays. */
  disconnected() {
    this.#attaching = false;
    this.#parts = null;
  }

  /** A frame whose payload is inflated. */
  frame(frame) {
    if (frame.kind === Kind.OUTPUT) return this.#output(frame.offset, frame.payload);
    if (frame.kind === Kind.SNAPSHOT) return this.#part(frame);
    return [];
  }

  /** Everything below `offset` was sent. */
  caughtUp(offset) {
    if (this.have === null) return [{ do: "live" }]; // nothing exists yet, not even a screen
    if (this.have < offset) return this.#attach();
    this.#credited = this.have;
    return [{ do: "credit", offset: this.have }, { do: "live" }];
  }

  /** These bytes will never come: what the emulator shows would be wrong, so begin again with a screen. */
  gap({ from, to, reason }) {
    if (this.have !== null && this.have >= to) return [];
    const bytes = to - Math.max(from, this.have ?? from);
    this.have = null;
    return [{ do: "missing", bytes, reason }, ...this.#attach()];
  }

  /** The hub lost count. */
  resync() {
    return this.#attach();
  }

  /** The emulator has drawn everything below `offset`. */
  rendered(offset) {
    if (offset - this.#credited < CREDIT_EVERY_BYTES) return [];
    this.#credited = offset;
    return [{ do: "credit", offset }];
  }

  #attach() {
    return this.#attaching ? [] : [{ do: "attach" }];
  }

  #output(start, payload) {
    if (this.have === null) return []; // bytes before the screen that is under way; it has them
    const end = start + payload.length;
    if (end <= this.have) return [];
    if (start > this.have) return this.#attach();
    const bytes = start < this.have ? payload.subarray(this.have - start) : payload;
    this.have = end;
    return [{ do: "write", bytes, end }];
  }

  #part({ offset, flags, payload }) {
    const scrollback = (flags & Flag.SCROLLBACK) !== 0;
    const follows = this.#parts?.offset === offset && this.#parts.scrollback === scrollback;
    if (!(flags & Flag.REST)) this.#parts = { offset, scrollback, list: [], bytes: 0 };
    else if (!follows) return []; // its beginning never came
    this.#parts.list.push(payload);
    this.#parts.bytes += payload.length;
    if (this.#parts.bytes > SNAPSHOT_BYTES_MAX) {
      this.#parts = null;
      return [];
    }
    return flags & Flag.MORE ? [] : this.#screen();
  }

  #screen() {
    const { offset, scrollback, list, bytes } = this.#parts;
    this.#parts = null;
    if (this.have !== null && offset < this.have) return []; // older than what is drawn
    const raw = joined(list, bytes);
    if (raw.length < SCREEN_HEADER_BYTES) return [];
    const view = new DataView(raw.buffer, raw.byteOffset);
    const [cols, rows] = [view.getUint16(0), view.getUint16(2)];
    if (cols < 1 || rows < 1 || cols > COLS_MAX || rows > ROWS_MAX) return [];
    this.have = offset;
    this.#credited = offset;
    return [{ do: "screen", cols, rows, paint: raw.subarray(SCREEN_HEADER_BYTES), offset, scrollback }];
  }
}

function joined(list, bytes) {
  if (list.length === 1) return list[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of list) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
