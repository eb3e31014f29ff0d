// The client of one terminal, with a hub and a page that do as they are told: when a hidden tab lets go. No real time passes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TERMINAL, attached } from "./fake-hub.mjs";
import { bytes } from "./support.mjs";

const MINUTE_MS = 60_000;

test("a hidden tab keeps its terminal until what was typed has arrived, and then lets go", async (t) => {
  const { client, hide, hub, pass } = await attached(t);
  client.type(bytes("ls\r"));
  hide();
  pass(5 * MINUTE_MS);
  assert.deepEqual(hub.said("detach"), []);
  hub.acks(3);
  pass(MINUTE_MS);
  assert.deepEqual(hub.said("detach"), [{ type: "detach", terminal: TERMINAL }]);
  pass(5 * MINUTE_MS);
  assert.equal(hub.said("detach").length, 1, "once");
});

test("a tab that is looked at again meanwhile keeps it", async (t) => {
  const { client, hide, hub, pass, show } = await attached(t);
  client.type(bytes("ls\r"));
  hide();
  pass(2 * MINUTE_MS);
  hub.acks(3);
  show();
  pass(5 * MINUTE_MS);
  assert.deepEqual(hub.said("detach"), []);
});
