// Small helpers of the tests of static/.

export const bytes = (text) => new TextEncoder().encode(text);
export const text = (list) => new TextDecoder().decode(list);
export const hex = (list) => Buffer.from(list).toString("hex");

/** A repeatable source of whole numbers below `n` (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** Text as one array of bytes. */
export function joined(list) {
  return Uint8Array.from(list.flatMap((part) => [...part]));
}
