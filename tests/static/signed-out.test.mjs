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
  const connection = (url = "ws://hub/ws/connect?page=dashboard") => ({ url, config: { reconnect: true }, timer: null });
  const close = async (code, its = connection()) => {
    event("close", { code, connection: its });
    await new Promise(setImmediate);
    return its.config.reconnect;
  };

  await t.test("is tried again after another tab's sign-out, and after a network that was lost meanwhile", async () => {
    const its = connection();
    event("after:connection", { connection: its });
    assert.equal(await close(4001, its), true);
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
    assert.equal(await close(4007), false);
    assert.equal(notices.length, 2);
  });

  await t.test("of a session that is shared no longer is given up, and nobody is told to sign in", async () => {
    assert.equal(await close(4007, connection("ws://hub/ws/connect?page=session&session=3-7")), false);
    assert.match(notices.at(-1), /no longer shared with you/);
    hub.answer = { type: "basic", status: 404 };
    assert.equal(await close(1006, connection("ws://hub/ws/connect?page=session&session=3-7")), false);
    assert.equal(hub.asked.at(-1), "/sessions/3-7");
    assert.match(notices.at(-1), /no longer shared with you/);
  });

  await t.test("that shows what another shares goes without a word", async () => {
    const said = notices.length;
    assert.equal(await close(4007, connection("ws://hub/ws/connect?page=shared&shared=3")), false);
    assert.equal(notices.length, said);
  });

  await t.test("of a guest says that the link is over, and not to sign in", async () => {
    document.body.dataset.guest = "";
    hub.answer = { type: "opaqueredirect", status: 0 };
    assert.equal(await close(1006, connection("ws://hub/ws/connect?page=session&session=3-7")), false);
    assert.match(notices.at(-1), /The link that let you in has ended/);
  });
});

/** As much of a page as live.mjs touches. */
function page(t) {
  const hub = { answer: { type: "basic", status: 200 }, asked: [] };
  const notices = [];
  const element = () => ({ dataset: {}, append: (...content) => notices.push(content.map((part) => part.textContent ?? part).join("")) });
  const document = Object.assign(new EventTarget(), {
    body: { dataset: {} },
    querySelectorAll: () => [],
    createElement: element,
    getElementById: () => ({ replaceChildren() {} }),
  });
  const fetch = async (path) => {
    hub.asked.push(path);
    if (hub.answer instanceof Error) throw hub.answer;
    return hub.answer;
  };
  t.mock.timers.enable({ apis: ["setInterval"] });
  const before = { document: globalThis.document, window: globalThis.window, fetch: globalThis.fetch, location: globalThis.location };
  Object.assign(globalThis, { document, window: new EventTarget(), fetch, location: { pathname: "/sessions/3-7" } });
  t.after(() => Object.assign(globalThis, before));
  const event = (name, detail) => document.dispatchEvent(Object.assign(new Event(`htmx:ws:${name}`), { detail }));
  return { hub, notices, event };
}
