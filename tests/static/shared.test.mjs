// Somebody else's terminal: keys go where the right lets them, and nowhere else, now or later. No real time passes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag } from "../../static/terminal/frame.mjs";
import { attached } from "./fake-hub.mjs";
import { bytes } from "./support.mjs";

const page = "/sessions/3-7";
const BLOCKED = { status: "blocked" };

/** Attached to a shared terminal with this right, which the page knew of. */
const shared = (t, right, says = {}) => attached(t, { shared: { page, right }, says: { right, ...says } });

for (const right of ["viewer", "prompter"]) {
  test(`a ${right}'s keys go nowhere, and they are told at once`, async (t) => {
    const { client, hub, view, told, pass, press } = await shared(t, right, { status: BLOCKED });
    assert.deepEqual([view.types, view.drives], [false, false]);
    client.type(bytes("rm -rf /\r"));
    press();
    assert.equal(hub.typed(), "");
    assert.equal(told("refuses").length, 2);
    hub.closes(1006);
    client.type(bytes("later\r"));
    pass(1_000);
    hub.opens();
    hub.attaches({ right: "driver" });
    assert.equal(hub.typed(), "", "nothing was kept for a better day");
    client.type(bytes("now"));
    assert.equal(hub.typed(), "now");
  });
}

test("who may not drive asks for neither the seat nor a size", async (t) => {
  const { client, hub, resize, view } = await shared(t, "viewer");
  assert.equal(hub.said("attach")[0].drive, false);
  client.drive();
  resize({ cols: 40, rows: 10 });
  hub.says({ type: "people", people: [{ id: "1", name: "Bob", drives: true, you: true }] });
  assert.deepEqual([hub.said("drive"), hub.said("size"), view.drives], [[], [], false]);
  hub.says({ type: "right", right: "driver" });
  client.drive();
  resize({ cols: 41, rows: 10 });
  assert.deepEqual([hub.said("drive").length, hub.said("size").length], [1, 1]);
});

test("a driver to whom a session is shared types and drives like its owner", async (t) => {
  const { client, hub, view } = await shared(t, "driver");
  assert.equal(hub.said("attach")[0].drive, true);
  client.type(bytes("ls\r"));
  assert.deepEqual([hub.typed(), view.types], ["ls\r", true]);
});

test("a page that does not know its viewer's right lets them watch until the hub says it", async (t) => {
  const { client, hub, view } = await attached(t, { shared: { page, right: "viewer" }, says: { right: "driver" } });
  assert.equal(view.types, true);
  client.type(bytes("x"));
  assert.equal(hub.typed(), "x");
});

test("a hub that knows nothing of rights means its owner", async (t) => {
  const { client, hub, view } = await attached(t);
  assert.equal(view.types, true);
  client.type(bytes("x"));
  assert.equal(hub.typed(), "x");
});

test("what was typed offline is dropped when the right to it has gone meanwhile", async (t) => {
  const { client, hub, pass, told } = await shared(t, "driver");
  hub.closes(1006);
  client.type(bytes("git push --force\r"));
  pass(1_000);
  hub.opens();
  hub.attaches({ right: "approver", status: BLOCKED }); // who may answer must not answer with that
  assert.equal(hub.typed(), "");
  assert.deepEqual(told("dropped"), [[{ unsent: 17, doubtful: 0 }]]);
  hub.says({ type: "runner", online: false, since_ms: 1 });
  hub.says({ type: "runner", online: true, since_ms: 2 });
  assert.equal(hub.typed(), "");
});

test("a right that is lost while attached takes what the runner has not acknowledged with it", async (t) => {
  const { client, hub, view, told } = await shared(t, "driver");
  client.type(bytes("half"));
  hub.says({ type: "right", right: "viewer" });
  assert.equal(view.types, false);
  assert.deepEqual(told("standing").at(-1), [{ right: "viewer", types: false }]);
  hub.says({ type: "runner", online: true, since_ms: 2 });
  assert.equal(hub.typed(), "half", "not a second time");
});

test("an approver's keys pass while the agent waits, and never take the seat", async (t) => {
  const { client, hub, view, told } = await shared(t, "approver");
  client.type(bytes("early"));
  assert.equal(hub.typed(), "");
  assert.deepEqual(told("refuses"), [[true]]);
  hub.says({ type: "status", ...BLOCKED });
  assert.equal(view.types, true);
  client.type(bytes("y\r"));
  hub.says({ type: "status", status: "working" });
  client.type(bytes("late"));
  assert.equal(hub.typed(), "y\r");
  assert.deepEqual([view.types, view.drives, hub.said("drive"), hub.said("attach").length], [false, false, [], 1]);
  hub.acks(2);
  hub.says({ type: "status", ...BLOCKED });
  client.type(bytes("n\r"));
  assert.equal(hub.typed(), "y\rn\r");
});

test("an answer is for the question that stood: it is not sent again to another", async (t) => {
  const { client, hub, pass, told } = await shared(t, "approver", { status: BLOCKED });
  client.type(bytes("y\r"));
  hub.closes(1006);
  assert.deepEqual(told("note").at(-1), ["What you typed last may not have arrived. Look before you type it again."]);
  client.type(bytes("y\r"));
  assert.deepEqual(told("refuses"), [[false]]);
  pass(1_000);
  hub.opens();
  hub.attaches({ right: "approver", status: BLOCKED });
  assert.equal(hub.typed(), "");
  hub.acks(0, Flag.RESEND); // the first one never came
  assert.equal(hub.typed(), "");
  assert.equal(hub.said("attach").at(-1).writer, undefined, "a new name, as the old one's count is wrong");
});

test("nor is it kept while the runner is away", async (t) => {
  const { client, hub } = await shared(t, "approver", { status: BLOCKED });
  client.type(bytes("y"));
  hub.says({ type: "runner", online: false, since_ms: 1 });
  client.type(bytes("z"));
  hub.says({ type: "runner", online: true, since_ms: 2 });
  assert.equal(hub.typed(), "y");
});

test("what the hub forbids is dropped for good, and it says why", async (t) => {
  const { client, hub, told } = await shared(t, "driver");
  client.type(bytes("not any more"));
  const message = "You may watch this session. Ask its owner to let you do more.";
  hub.says({ type: "input_refused", code: "forbidden", message });
  assert.deepEqual(told("note"), [[message]]);
  hub.attaches({ right: "viewer", writer: "0000000000000008" });
  hub.says({ type: "runner", online: true, since_ms: 2 });
  assert.equal(hub.typed(), "not any more", "once, before it was refused");
});

test("a session that is shared no longer is left for good", async (t) => {
  const { client, hub, pass, told, view } = await shared(t, "driver");
  client.type(bytes("x"));
  hub.says({ type: "error", code: "forbidden", message: "This session is no longer shared with you." });
  assert.equal(told("gone").length, 1);
  assert.equal(view.types, false);
  assert.ok(hub.sockets[0].isClosed);
  hub.closes(1000);
  pass(600_000);
  assert.equal(hub.sockets.length, 1);
});

test("so is one whose socket is closed as revoked", async (t) => {
  const { hub, pass, told } = await shared(t, "viewer");
  hub.closes(4007);
  pass(600_000);
  assert.deepEqual([told("gone").length, hub.sockets.length], [1, 1]);
});

test("so is one whose page is gone while nobody was connected; a person whose sign-in ended may still come back", async (t) => {
  const outcomes = [];
  for (const [answer, isGuest] of [[{ status: 404 }, false], [{ type: "opaqueredirect" }, true], [{ type: "opaqueredirect" }, false]]) {
    await t.test(JSON.stringify({ answer, isGuest }), async (t) => {
      const { hub, pass, told } = await attached(t, { shared: { page, right: "viewer", isGuest }, says: { right: "viewer" } });
      hub.page.answer = answer;
      hub.closes(1006);
      pass(1_000);
      hub.closes(1006); // the handshake
      await new Promise(setImmediate);
      pass(600_000);
      assert.equal(hub.sockets.length, 2);
      outcomes.push([told("gone").length, told("closed").at(-1)[0]]);
    });
  }
  assert.deepEqual(outcomes, [[1, "gone"], [1, "sign_in"], [0, "sign_in"]]);
});

test("of one's own, a revoked sign-in and an error are what they were", async (t) => {
  const { hub, told } = await attached(t);
  hub.says({ type: "error", code: "forbidden", message: "no" });
  hub.closes(4007);
  assert.deepEqual([told("gone"), told("error").length, told("closed")], [[], 1, [["never", 4007]]]);
});

test("an error about another terminal, or about a wish to drive that came too late, ends nothing", async (t) => {
  const { client, hub, told } = await shared(t, "driver");
  hub.says({ type: "error", code: "forbidden", message: "no", terminal: 99 });
  client.drive();
  hub.says({ type: "right", right: "viewer" });
  hub.says({ type: "error", code: "forbidden", message: "You may watch this session." });
  assert.deepEqual([told("gone"), hub.sockets[0].isClosed], [[], undefined]);
  hub.says({ type: "error", code: "forbidden", message: "This session is no longer shared with you." });
  assert.equal(told("gone").length, 1);
});
