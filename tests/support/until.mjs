// Waiting for a condition, the only way tests wait: no fixed sleeps, so a fast machine is not slowed and a slow one not failed.

import { setTimeout as pause } from "node:timers/promises";

/** Generous on purpose: it is a sign of failure, not a measurement. */
const DEADLINE_MS = 20_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;

/** Polls until `condition` returns something truthy, and returns it. A throw counts as "not yet". */
export async function until(condition, what, { deadlineMs = DEADLINE_MS } = {}) {
  const end = Date.now() + deadlineMs;
  let cause;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    try {
      cause = undefined;
      const result = await condition();
      if (result) return result;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > end) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`, { cause });
    await pause(wait);
  }
}

/** The brake counts by the minute of the clock: what it counts must not fall into two of them. */
export const earlyInTheMinute = () => until(() => Date.now() % 60_000 < 45_000, "the next minute");
