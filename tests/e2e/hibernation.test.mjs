// Nobody watching, next to nothing sent: an idle hub sleeps with its sockets open, and an agent that prints all day unwatched
// costs two messages and two rows a minute. Both counted, by the hub itself and from outside on the wire.
//
// These two tests observe spans of real time, since spans of real time are what they are about: workerd evicts after
// about 10 s of silence, and "a minute" is a minute. They run side by side.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openBrowser, signInPage, until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";
import { startTap } from "./lib/tap.mjs";

/** Eviction comes after 10 s without an event; the rest is room for a busy machine. */
const EVICTED_AFTER_MS = 20_000;
/** The hub's clock stands still within an event and is rounded. */
const CLOCKS_MS = 100;
/** Long enough for two keep-alives of each socket (20 s apart), which must wake nobody. */
const STAYS_SO_MS = 45_000;
const MINUTE_MS = 60_000;
const MINUTES = 2;

/** Waits until the runner said nothing that wakes the hub for so long. */
async function silence(tap, ms) {
  for (let heard = -1; heard !== tap.counts.messages; ) {
    heard = tap.counts.messages;
    await pass(ms);
  }
}

const pass = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("hibernation", { concurrency: true }, () => {
  test("an idle hub with a connected runner and an open tab is evicted, and stays so", async (t) => {
    let tap;
    const stage = await startStage(t, {
      runnerThrough: async (hub) => {
        tap = await startTap(t, hub.port);
        return tap.url;
      },
    });
    const { session } = await stage.instrument();
    const { page } = await openBrowser(t);
    await signInPage(page, stage.hub);
    await page.goto(`${stage.hub.url}/sessions/${session}`);
    await stage.watched(session, 1);
    await until(async () => (await stage.health()).pages === 1, "the page's own socket");

    await silence(tap, EVICTED_AFTER_MS);
    const askedAt = Date.now();
    const first = await stage.health();
    assert.ok(first.loaded_ms >= askedAt - CLOCKS_MS, `asleep until asked: loaded ${askedAt - first.loaded_ms} ms before the question`);
    assert.equal(first.messages_in, 0, "the question itself is all that came since");
    assert.ok(first.runners_connected === 1 && first.pages === 1 && first.viewers === 1, "with every socket still open");

    const before = { ...tap.counts };
    await pass(STAYS_SO_MS);
    const askedAgainAt = Date.now();
    const second = await stage.health();
    assert.ok(second.loaded_ms >= askedAgainAt - CLOCKS_MS, `asleep until asked again: loaded ${askedAgainAt - second.loaded_ms} ms before`);
    assert.deepEqual(tap.counts.kinds.slice(before.messages), [], "the runner said nothing that wakes");
    assert.ok(tap.counts.pings >= before.pings + 2, "though it kept its connection alive");
    assert.equal(second.runners_connected, 1);
  });

  test("an agent that prints all day unwatched: at most two messages and two rows a minute", async (t) => {
    let tap;
    const stage = await startStage(t, {
      runnerThrough: async (hub) => {
        tap = await startTap(t, hub.port);
        return tap.url;
      },
    });
    const { program } = await stage.instrument();
    await program.status("working");
    await program.chatter(100);
    await until(async () => (await stage.health()).messages_in > 0, "the hub to have heard of it");
    const start = await stage.health();
    const before = { ...tap.counts, kinds: tap.counts.kinds.length };
    const printed = (await program.written()).bytes;
    // Asking now and then keeps the object loaded, so that its own counts cover the whole span.
    const end = await (async () => {
      const until = Date.now() + MINUTES * MINUTE_MS;
      let now = start;
      while (Date.now() < until) {
        await pass(Math.min(5_000, until - Date.now()));
        now = await stage.health();
        assert.equal(now.loaded_ms, start.loaded_ms, "one object all along");
      }
      return now;
    })();
    const grown = (await program.written()).bytes - printed;
    assert.ok(grown > 30_000, `it did print (${grown} bytes)`);
    const said = tap.counts.kinds.slice(before.kinds).join(", ");
    assert.ok(end.messages_in - start.messages_in <= 2 * MINUTES, `${end.messages_in - start.messages_in} messages came in: ${said}`);
    assert.ok(tap.counts.messages - before.messages <= 2 * MINUTES, `${tap.counts.messages - before.messages} messages on the wire: ${said}`);
    assert.ok(end.rows_written - start.rows_written <= 2 * MINUTES, `${end.rows_written - start.rows_written} rows written`);
    assert.ok(end.rows_written > start.rows_written, "a checkpoint was kept: the count counts");
  });
});
