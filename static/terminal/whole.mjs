//! Bytes in whole characters: the beginning of a UTF-8 character at the end of one write waits for the next.
//!
//! Frames end anywhere, and xterm.js 6.0.0 mistakes a character whose bytes come in two writes when a byte in its middle is
//! 0x80 (dashes, quotes, bullets): it loses it. Invariant: what comes out, joined, is what went in, but for up to three bytes
//! that wait. Pure.

const NOTHING = new Uint8Array(0);

export class WholeCharacters {
  #waiting = NOTHING;

  /** The bytes that can be written now. */
  take(bytes) {
    const all = this.#waiting.length ? joined(this.#waiting, bytes) : bytes;
    const end = all.length - begun(all);
    this.#waiting = end < all.length ? all.slice(end) : NOTHING;
    return end < all.length ? all.subarray(0, end) : all;
  }
}

function joined(first, second) {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** How many bytes at the end begin a character that is not whole. */
function begun(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
