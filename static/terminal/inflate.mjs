//! Keeps messages in order while some of them inflate, which the browser does asynchronously. What needs no inflating and has
//! nothing before it is delivered at once, so that an echo waits for nobody.

import { FrameError, inflatedLength } from "./frame.mjs";

/** Inflates a payload: a length of four bytes, then raw deflate. */
export async function inflate(payload) {
  const length = inflatedLength(payload);
  const bytes = new Uint8Array(length);
  const stream = new Blob([payload.subarray(4)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  let filled = 0;
  try {
    for (const reader = stream.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > length) {
        reader.cancel().catch(() => {});
        throw new FrameError("payload");
      }
      bytes.set(value, filled);
      filled += value.length;
    }
  } catch {
    throw new FrameError("payload");
  }
  if (filled !== length) throw new FrameError("payload");
  return bytes;
}

/** A line of messages: `deliver` is called for each in order, `fail` for one that does not inflate. */
export class InOrder {
  #waiting = 0;
  #tail = Promise.resolve();
  #generation = 0;

  constructor(deliver, fail) {
    this.deliver = deliver;
    this.fail = fail;
  }

  /** A message that is ready. */
  push(message) {
    if (this.#waiting === 0) return this.deliver(message);
    return this.#after(() => message);
  }

  /** A message that `make` still makes. */
  pushLater(make) {
    return this.#after(make);
  }

  /** Forgets what has not been delivered: the socket it came from is gone. */
  clear() {
    this.#generation += 1;
    this.#waiting = 0;
    this.#tail = Promise.resolve();
  }

  #after(make) {
    const generation = this.#generation;
    const making = Promise.resolve().then(make);
    making.catch(() => {}); // reported below, in its turn
    this.#waiting += 1;
    // What threw was reported once; what follows is delivered all the same.
    this.#tail = this.#tail.catch(() => {}).then(async () => {
      try {
        const message = await making;
        if (generation === this.#generation) this.deliver(message);
      } catch (error) {
        if (generation === this.#generation) this.fail(error);
      } finally {
        if (generation === this.#generation) this.#waiting -= 1;
      }
    });
    return this.#tail;
  }
}
