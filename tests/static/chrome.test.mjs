// What stands around a terminal: its ages are told by the hub's clock, however wrong this machine's is, and who may do what is
// told as it is. No real time passes.

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

const people = (...drives) => [
  { id: "3", name: "Ann", drives: drives.includes("Ann") },
  { id: "9", name: "Bob", drives: drives.includes("Bob"), you: true },
];

async function shared(t, right, types = false) {
  const page = fakePage(t, { hub: "3", owner: "Ann" });
  const { Chrome } = await import("../../static/terminal/chrome.mjs");
  const chrome = new Chrome(page.frame);
  chrome.standing({ right, types });
  return { chrome, page };
}

test("who may watch is told so where the driver's button would be", async (t) => {
  const { chrome, page } = await shared(t, "viewer");
  assert.deepEqual(page.inside("driver-note"), ["You watch"]);
  chrome.people(people("Ann"));
  assert.deepEqual(page.inside("driver-note"), ["You watch · Ann drives"]);
  chrome.people(people("Bob"));
  assert.deepEqual(page.inside("driver-note"), ["You watch"], "the hub's word on the seat may be older than its word on the right");
  assert.deepEqual([page.frame.dataset.drives, page.text("line-note")], ["nobody", ""]);
  chrome.refuses(true);
  assert.equal(page.text("line-note"), "You watch: Ann shared this session with you to watch.");
});

test("a right that changes is said, and brings the button or takes it", async (t) => {
  const { chrome, page } = await shared(t, "driver", true);
  chrome.people(people("Bob"));
  assert.deepEqual(page.inside("driver-note"), ["You drive", "Release"]);
  chrome.standing({ right: "viewer", types: false });
  assert.deepEqual(page.inside("driver-note"), ["You watch"]);
  assert.equal(page.text("line-note"), "You watch: Ann shared this session with you to watch.");
  chrome.standing({ right: "driver", types: true });
  assert.deepEqual(page.inside("driver-note"), ["You drive", "Release"]);
  assert.match(page.text("line-note"), /^You may drive/);
});

test("who may answer hears when the agent asks", async (t) => {
  const { chrome, page } = await shared(t, "approver");
  assert.deepEqual(page.inside("driver-note"), ["You answer when the agent asks"]);
  chrome.standing({ right: "approver", types: true });
  assert.deepEqual(page.inside("driver-note"), ["The agent asks: your keys answer it"]);
  assert.equal(page.text("line-note"), "The agent asks: your keys answer it.");
});

test("a phone's keys are there for who may ever type, and act while they may", async (t) => {
  const { chrome, page } = await shared(t, "viewer");
  const keys = () => [page.element("terminal-keys").hidden, page.key.disabled];
  assert.deepEqual(keys(), [true, true]);
  chrome.standing({ right: "approver", types: false });
  assert.deepEqual(keys(), [false, true]);
  chrome.standing({ right: "approver", types: true });
  assert.deepEqual(keys(), [false, false]);
  chrome.standing({ right: "prompter", types: false });
  assert.deepEqual(keys(), [true, true]);
});

test("a session that is shared no longer says so, and promises nothing", async (t) => {
  const { chrome, page } = await shared(t, "driver", true);
  chrome.people(people("Bob"));
  chrome.gone();
  chrome.standing({ right: "viewer", types: false });
  chrome.closed("never", 1000);
  const [words] = page.inside("terminal-overlay");
  assert.match(words, /^This session is no longer shared with you\./);
  assert.deepEqual([page.inside("driver-note"), page.text("line-note")], [[], ""]);
  chrome.refuses(false);
  assert.equal(page.text("line-note"), "This session is no longer shared with you.");
});

test("one's own that the hub closed has the words it had, and nobody who watches is offered a restart", async (t) => {
  const { chrome, page } = await shared(t, "owner", true);
  chrome.closed("never", 4007);
  assert.match(page.inside("terminal-overlay")[0], /^The hub closed this connection\./);
  chrome.attached({ online: true, status: { exit_code: 1 } });
  assert.equal(page.inside("terminal-overlay")[1], "Restart");
  chrome.standing({ right: "viewer", types: false });
  chrome.status({ exit_code: 2 });
  assert.equal(page.inside("terminal-overlay").length, 1);
});

/** As much of a page as ages.mjs and chrome.mjs touch. */
function fakePage(t, more = {}) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: OWN_NOW });
  const elements = new Map();
  const element = (id) => {
    const made = {
      dataset: {},
      hidden: true,
      textContent: "",
      children: [],
      append: (...parts) => (made.textContent = [...parts].map((part) => part.textContent ?? part).join("")),
      replaceChildren: (...parts) => (made.children = parts),
      contains: () => false,
      addEventListener() {},
      querySelector: () => byId("hint"),
      querySelectorAll: () => [key],
    };
    if (id) elements.set(id, made);
    return made;
  };
  const key = { disabled: false };
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
    frame: { dataset: { agent: "shell", runner: "laptop", terminal: "1", ...more } },
    key,
    element: byId,
    inside: (id) => byId(id).children.map((child) => child.textContent),
    text: (id) => byId(id).textContent,
    now: (at) => (stamp.dataset.now = `${at}`),
  };
}
