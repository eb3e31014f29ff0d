// What stands around a terminal: its ages are told by the hub's clock, however wrong this machine's is. No real time passes.

import assert from "node:assert/strict";
import { test } from "node:test";

const OWN_NOW = 1_800_000_000_000;

for (const [words, skew] of [["an hour behind", -3_600_000], ["right", 0], ["an hour ahead", 3_600_000]]) {
  test(`on a machine whose clock is ${words}`, async (t) => {
    const hubNow = OWN_NOW - skew;
    const page = fakePage(t);
    const { tick } = await import("../../static/ages.mjs");
    const { Chrome } = await import("../../static/terminal/chrome.mjs");
    page.now(hubNow);
    tick(); // as startAges does
    const chrome = new Chrome(page.frame);

    chrome.status({}, hubNow - 120_000);
    t.mock.timers.tick(1_000);
    assert.equal(page.text("line-output"), "last output 2 min ago");
    chrome.output();
    t.mock.timers.tick(5_000);
    assert.equal(page.text("line-output"), "last output 5 s ago", "bytes that come are newer than the hub's word");

    chrome.runner({ online: false, since_ms: hubNow - 180_000 });
    assert.equal(page.text("hint"), "3 min");
    chrome.runner({ online: true, since_ms: hubNow });
    chrome.closed("backoff", 1006);
    t.mock.timers.tick(4_000);
    assert.equal(page.text("hint"), "4 s");
  });
}

/** As much of a page as ages.mjs and chrome.mjs touch. */
function fakePage(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: OWN_NOW });
  const elements = new Map();
  const element = (id) => {
    const made = { dataset: {}, hidden: true, textContent: "", append() {}, replaceChildren() {}, querySelector: () => byId("hint") };
    if (id) elements.set(id, made);
    return made;
  };
  const byId = (id) => elements.get(id) ?? element(id);
  const stamp = { dataset: {} };
  const before = globalThis.document;
  globalThis.document = {
    getElementById: byId,
    createElement: () => element(),
    querySelector: (selector) => (selector === "[data-now]" ? stamp : null),
    querySelectorAll: () => [],
  };
  t.after(() => {
    globalThis.document = before;
  });
  return {
    frame: { dataset: { agent: "shell", runner: "laptop", terminal: "1" } },
    text: (id) => byId(id).textContent,
    now: (at) => (stamp.dataset.now = `${at}`),
  };
}
