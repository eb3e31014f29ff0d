//! What a person typed until the runner says it wrote it. Pure: bytes in, frames out.
//!
//! **Invariant.** Each byte has one offset of one writer for ever, so that sending it again types nothing twice. Nothing is
//! dropped but what the hub refuses, what may not be typed any more, or what a full queue never took, and then the person is told.

import * as frames from "./frame.mjs";
import { INPUT_BYTES_MAX, INPUT_IN_FLIGHT_BYTES_MAX, INPUT_KEPT_BYTES_MAX } from "./limits.mjs";

const TYPED_BYTES_MAX = INPUT_BYTES_MAX - 8;

export class InputQueue {
  /** Names this tab's input at the runner; given by the hub, kept over reconnects. */
  writer = null;
  #terminal;
  #acked = 0; // everything below was written to the PTY
  #sent = 0; // everything below was sent on this socket
  #next = 0; // offset of the next byte typed
  #chunks = []; // {start, bytes}, from #acked on
  #ready = false;
  #isForgotten = false;

  constructor(terminal) {
    this.#terminal = terminal;
  }

  /** The runner no longer knows the writer: the next attach must name none. */
  get isForgotten() {
    return this.#isForgotten;
  }

  /** Bytes not yet acknowledged. */
  get kept() {
    return this.#next - this.#acked;
  }

  /** Takes bytes, or refuses all of them. Returns the frames to send now, or `null` for refused. */
  push(bytes) {
    if (this.kept + bytes.length > INPUT_KEPT_BYTES_MAX) return null;
    for (let at = 0; at < bytes.length; at += TYPED_BYTES_MAX) {
      const piece = bytes.subarray(at, at + TYPED_BYTES_MAX);
      this.#chunks.push({ start: this.#next, bytes: piece });
      this.#next += piece.length;
    }
    return this.#due();
  }

  /**
   * The hub answered an attach with this writer. The same as before: what is not acknowledged is sent again. Another one:
   * what was sent may have been typed or not, so it is dropped and counted; what never left is sent under the new name.
   */
  attached(writer) {
    this.#ready = true;
    this.#isForgotten = false;
    let doubtful = 0;
    if (this.writer !== null && this.writer !== writer) {
      doubtful = this.#renumber();
    } else {
      this.#sent = this.#acked;
    }
    this.writer = writer;
    return { frames: this.#due(), doubtful };
  }

  /** The socket is gone; everything is kept. */
  disconnected() {
    this.#ready = false;
  }

  /** The runner is back: what it did not acknowledge may not have reached it. */
  again() {
    this.#sent = this.#acked;
    return this.#due();
  }

  /** The runner wrote everything below `offset`, and misses what follows if `resend`. */
  acked(writer, offset, resend) {
    if (writer !== this.writer || offset > this.#next || this.#isForgotten) return [];
    if (resend && offset < this.#acked) {
      // It wrote more than that once: its count is gone, and sending the rest under this name would be refused for ever.
      this.#isForgotten = true;
      this.#ready = false;
      return [];
    }
    if (offset > this.#acked) {
      this.#acked = offset;
      this.#sent = Math.max(this.#sent, offset);
      this.#trim();
    }
    if (resend) this.#sent = offset;
    return this.#due();
  }

  /**
   * What is kept must not be sent any more: whoever typed it may not, or not later. The name and its count go on, so a runner
   * that misses what was under way says so, and a new name follows. Returns how many bytes never left and how many are in doubt.
   */
  letGo() {
    const [unsent, doubtful] = [this.#next - this.#sent, this.#sent - this.#acked];
    this.#chunks = [];
    this.#next = this.#acked = this.#sent;
    return { unsent, doubtful };
  }

  /** The hub will not take it: forget it all and begin under a new name, as its offsets mean nothing now. */
  refused() {
    this.writer = null;
    this.#chunks = [];
    this.#acked = this.#sent = this.#next = 0;
    this.#ready = this.#isForgotten = false;
  }

  #trim() {
    while (this.#chunks.length > 0) {
      const [first] = this.#chunks;
      const end = first.start + first.bytes.length;
      if (end <= this.#acked) {
        this.#chunks.shift();
      } else {
        if (first.start < this.#acked) {
          this.#chunks[0] = { start: this.#acked, bytes: first.bytes.subarray(this.#acked - first.start) };
        }
        return;
      }
    }
  }

  #renumber() {
    const doubtful = this.#sent - this.#acked;
    this.#acked = this.#sent;
    this.#trim();
    const base = this.#acked;
    this.#chunks = this.#chunks.map(({ start, bytes }) => ({ start: start - base, bytes }));
    this.#next -= base;
    this.#acked = this.#sent = 0;
    return doubtful;
  }

  #due() {
    if (!this.#ready) return [];
    const list = [];
    for (const { start, bytes } of this.#chunks) {
      const end = start + bytes.length;
      if (end <= this.#sent) continue;
      if (end - this.#acked > INPUT_IN_FLIGHT_BYTES_MAX && this.#sent > this.#acked) break; // acknowledgements bring the rest
      const from = Math.max(start, this.#sent);
      list.push(frames.input(this.#terminal, this.writer, from, bytes.subarray(from - start)));
      this.#sent = end;
    }
    return list;
  }
}
