// A PTY outlives the runner's process, and a runner outlives its hub: agents work on, and are found again as they were.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";

const MB = 1_000_000;

test("kill -9 of the runner leaves the agent running; the next runner adopts it with its output intact", async (t) => {
  const stage = await startStage(t);
  const { session, terminal, program } = await stage.instrument();
  await program.stream(MB);
  await stage.runner.kill9();
  await stage.runnerOffline();
  assert.equal((await stage.terminal(session, terminal)).status.status, "offline");
  assert.ok(program.alive, "the agent's process lives");
  const meanwhile = await program.stream(5 * MB);
  await stage.runner.start();
  await stage.runnerOnline();
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.have === meanwhile.bytes, "what was printed meanwhile");
  assert.equal(viewer.digest(), meanwhile.sha256);
  viewer.type("still you?\r");
  await until(async () => (await program.read()).tail === "still you?\r", "the same process to read");
  assert.equal(stage.instruments.count(), 1);
});

test("a runner that is stopped for an upgrade leaves its agents to the next one", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  await stage.runner.stop();
  const written = await program.stream(MB);
  await stage.runner.start();
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.have === written.bytes, "what was printed meanwhile");
  assert.equal(viewer.digest(), written.sha256);
  assert.equal(stage.instruments.count(), 1);
});

test("the hub is away for a while: agents work on, and one that ends meanwhile is reported when it returns", async (t) => {
  const stage = await startStage(t);
  const stays = await stage.instrument({ name: "stays" });
  const leaves = await stage.instrument({ name: "leaves" });
  const viewer = stage.view(stays.terminal);
  await viewer.until(() => viewer.live, "the viewer to be live");
  await stage.hub.kill9();
  const written = await stays.program.stream(5 * MB);
  await leaves.program.exit(3);
  await until(() => leaves.program.ended, "the agent to end");
  await stage.hub.restart();
  await viewer.until(() => viewer.have === written.bytes, "what was printed meanwhile");
  assert.equal(viewer.digest(), written.sha256);
  const ended = await until(async () => {
    const view = await stage.terminal(leaves.session, leaves.terminal);
    return view.state === "ended" && view;
  }, "the end to be known");
  assert.equal(ended.status.exit_code, 3);
  assert.equal(ended.status.status, "failed");
});

test("hub and runner both start again, and find the sessions as they were", async (t) => {
  const stage = await startStage(t);
  const first = await stage.instrument({ name: "First piece of work" });
  const second = await stage.instrument({ name: "Second piece of work" });
  await second.program.write("\x1b]0;a title\x07on the screen\r\n");
  await second.program.status("working");
  await until(async () => (await stage.terminal(second.session, second.terminal)).status.status === "working", "working");
  const waiting = await stage.queue(second.terminal, "a prompt that waits");
  const facts = async (session) => {
    const { name, agent, cwd, created_ms, terminal_views, prompts } = await stage.detail(session);
    const terminals = terminal_views.map(({ terminal, state, status }) => [terminal, state, status.status, status.title]);
    return { name, agent, cwd, created_ms, terminals, prompts: prompts.map(({ prompt, text, state }) => [prompt, text, state]) };
  };
  const before = [await facts(first.session), await facts(second.session)];
  assert.deepEqual(before[1].prompts, [[waiting, "a prompt that waits", "queued"]]);

  await Promise.all([stage.runner.kill9(), stage.hub.kill9()]);
  await stage.hub.restart();
  await stage.runner.start();
  await stage.runnerOnline();

  // Status comes with the runner's hello: not a moment, but soon, all is as it was.
  await until(async () => {
    assert.deepEqual([await facts(first.session), await facts(second.session)], before);
    return true;
  }, "everything to be as it was");
  const viewer = stage.view(second.terminal, { from: undefined, delivery: "screen" });
  await viewer.until(() => viewer.snapshots.length > 0, "the screen");
  assert.match(viewer.snapshots[0].paint.toString(), /on the screen/);
});

test("while the runner is away a viewer gets the newest checkpoint, and the live screen when it is back", async (t) => {
  const stage = await startStage(t);
  const { session, terminal, program } = await stage.instrument();
  await program.status("working");
  const { bytes } = await program.write("before the runner left\r\n");
  await program.status("idle"); // nobody watches and the agent rests: a checkpoint is due, half a minute after it began
  await until(async () => (await stage.terminal(session, terminal)).end >= bytes, "the checkpoint to arrive", { deadlineMs: 60_000 });
  await stage.runner.kill9();
  await stage.runnerOffline();
  const viewer = stage.view(terminal, { from: undefined, delivery: "screen" });
  await viewer.until(() => viewer.snapshots.length === 1, "the checkpoint's screen");
  assert.equal(viewer.events.find((event) => event.type === "attached").online, false);
  assert.match(viewer.snapshots[0].paint.toString(), /before the runner left/);
  await program.write("while away\r\n");
  await stage.runner.start();
  await viewer.until(() => viewer.snapshots.some(({ paint }) => /while away/.test(paint)) || /while away/.test(viewer.tail), "what came after");
});

test("stop ends the agent, and its exit is its last word", async (t) => {
  const stage = await startStage(t);
  const { session, terminal, program } = await stage.instrument();
  const { status, text } = await stage.api.post(`/api/terminals/${terminal}/stop`, { mode: "terminate" });
  assert.ok(status < 300, text);
  await until(() => program.ended && !program.alive, "the process to end");
  const view = await until(async () => {
    const now = await stage.terminal(session, terminal);
    return now.state === "ended" && now;
  }, "the end to be known");
  assert.ok(view.status.exit_signal !== null || view.status.exit_code !== null);
});
