// Whether the browser is signed out, and what the page's own socket makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isSignedOut } from "../../static/signed-out.mjs";

test("only the hub's own word means signed out", async () => {
  const asked = [];
  const says = (answer) => isSignedOut(async (...request) => {
    asked.push(request);
    if (answer instanceof Error) throw answer;
    return answer;
  });
  assert.equal(await says({ type: "opaqueredirect", status: 0 }), true);
  assert.equal(await says({ type: "basic", status: 401 }), true);
  for (const status of [200, 404, 429, 500, 503]) assert.equal(await says({ type: "basic", status }), false, `${status}`);
  assert.equal(await says(new TypeError("Failed to fetch")), false);
  assert.deepEqual(asked[0], ["/dashboard", { method: "HEAD", redirect: "manual", cache: "no-store" }]);
});

test("the page's socket", async (t) => {
  const { hub, notices, event } = page(t);
  const { watchLive } = await import("../../static/live.mjs");
  watchLive();
  const connection = () => ({ config: { reconnect: true }, timer: null });
  const close = async (code, its = connection()) => {
    event("close", { code, connection: its });
    await new Promise(setImmediate);
    return its.config.reconnect;
  };

  await t.test("is tried again after another tab's sign-out, and after a network that was lost meanwhile", async () => {
    event("after:connection", { connection: connection() });
    assert.equal(await close(4001), true);
    hub.answer = new TypeError("Failed to fetch");
    assert.equal(await close(1006), true);
    hub.answer = { type: "basic", status: 429 };
    assert.equal(await close(1006), true);
    assert.deepEqual(notices, []);
  });

  await t.test("is given up, and the person told, once the hub says so", async () => {
    hub.answer = { type: "opaqueredirect", status: 0 };
    assert.equal(await close(1006), false);
    assert.match(notices.at(-1), /You are signed out/);
  });

  await t.test("is given up at once where the sign-in was ended", async () => {
    hub.answer = { type: "basic", status: 200 };
    event("after:connection", { connection: connection() });
    assert.equal(await close(4007), false);
    assert.equal(notices.length, 2);
  });
});

/** As much of a page as live.mjs touches. */
function page(t) {
  const hub = { answer: { type: "basic", status: 200 } };
  const notices = [];
  const element = () => ({ dataset: {}, append: (...content) => notices.push(content.map((part) => part.textContent ?? part).join("")) });
  const document = Object.assign(new EventTarget(), {
    querySelectorAll: () => [],
    createElement: element,
    getElementById: () => ({ replaceChildren() {} }),
  });
  const fetch = async () => {
    if (hub.answer instanceof Error) throw hub.answer;
    return hub.answer;
  };
  t.mock.timers.enable({ apis: ["setInterval"] });
  const before = { document: globalThis.document, window: globalThis.window, fetch: globalThis.fetch };
  Object.assign(globalThis, { document, window: new EventTarget(), fetch });
  t.after(() => Object.assign(globalThis, before));
  const event = (name, detail) => document.dispatchEvent(Object.assign(new Event(`htmx:ws:${name}`), { detail }));
  return { hub, notices, event };
}
