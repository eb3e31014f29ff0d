// A prompt's life: queued while the agent works, delivered when it can take it, once, whatever dies in between.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";

/** What a prompt looks like to a program that asked for bracketed paste. */
const pasted = (text) => `\x1b[200~${text}\x1b[201~\r`;

/** An instrument that behaves as an agent does: takes pastes, says what it does. */
async function startAgent(stage, options) {
  const agent = await stage.instrument(options);
  await agent.program.write("\x1b[?2004h");
  const says = async (status) => {
    await agent.program.status(status);
    await until(async () => (await stage.terminal(agent.session, agent.terminal)).status.status === status, `status ${status}`);
  };
  const states = async () => (await stage.prompts(agent.session)).map(({ prompt, state }) => [prompt, state]);
  const reaches = (prompt, state) =>
    until(async () => (await stage.prompts(agent.session)).find((each) => each.prompt === prompt)?.state === state, `prompt ${prompt} to be ${state}`);
  const reads = (text) =>
    until(async () => {
      const { tail } = await agent.program.read();
      assert.equal(tail, text);
      return true;
    }, `the agent to read ${JSON.stringify(text)}`);
  return { ...agent, says, states, reaches, reads };
}

test("prompts wait while the agent works, go one at a time when it is idle, and each tells its state", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("working");
  const first = await stage.queue(agent.terminal, "first prompt");
  const second = await stage.queue(agent.terminal, "second prompt\nof two lines");
  assert.deepEqual(await agent.states(), [[first, "queued"], [second, "queued"]]);

  await agent.says("idle");
  await agent.reaches(first, "delivered");
  await agent.reads(pasted("first prompt"));
  assert.deepEqual(await agent.states(), [[first, "delivered"], [second, "queued"]], "one at a time");

  await agent.says("working");
  await agent.reaches(first, "accepted");
  await agent.says("idle");
  await agent.reaches(first, "done");
  await agent.reaches(second, "delivered");
  // Terminals send the line ends of a paste as carriage returns.
  await agent.reads(pasted("first prompt") + pasted("second prompt\rof two lines"));
});

test("queued prompts survive the death of hub, object and runner, and are delivered once", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("working");
  const prompts = [];
  const deaths = [
    () => stage.hub.kill9().then(() => stage.hub.restart()),
    () => stage.hub.evict(),
    () => stage.runner.kill9().then(() => stage.runner.start()),
  ];
  for (const [n, death] of deaths.entries()) {
    prompts.push(await stage.queue(agent.terminal, `prompt number ${n}`));
    await death();
    await stage.runnerOnline();
  }
  assert.deepEqual(await agent.states(), prompts.map((prompt) => [prompt, "queued"]));

  let expected = "";
  for (const [n, prompt] of prompts.entries()) {
    await agent.says("idle");
    await agent.reaches(prompt, "delivered");
    expected += pasted(`prompt number ${n}`);
    await agent.reads(expected);
    await deaths[n]();
    await stage.runnerOnline();
    await agent.says("working");
    await agent.reaches(prompt, "accepted");
  }
  await agent.says("idle");
  await agent.reaches(prompts.at(-1), "done");
  await agent.reads(expected);
});

test("a prompt sent while the runner is away is delivered when it is back", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("idle");
  await stage.runner.kill9();
  await stage.runnerOffline();
  const prompt = await stage.queue(agent.terminal, "see you soon");
  assert.deepEqual(await agent.states(), [[prompt, "queued"]]);
  await stage.runner.start();
  await agent.reaches(prompt, "delivered");
  await agent.reads(pasted("see you soon"));
});

test("a queued prompt can be edited and cancelled; a delivered one cannot", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("working");
  const kept = await stage.queue(agent.terminal, "a prompt wiht a slip");
  const dropped = await stage.queue(agent.terminal, "a prompt that was a mistake");
  const edited = await stage.api.patch(`/api/prompts/${kept}`, { text: "a prompt without a slip" });
  assert.equal(edited.status, 200, edited.text);
  const cancelled = await stage.api.delete(`/api/prompts/${dropped}`);
  assert.ok(cancelled.status < 300, cancelled.text);
  await agent.says("idle");
  await agent.reaches(kept, "delivered");
  await agent.says("working");
  await agent.says("idle");
  await agent.reaches(kept, "done");
  await agent.reads(pasted("a prompt without a slip"));
  assert.deepEqual(await agent.states(), [[kept, "done"], [dropped, "cancelled"]]);
  assert.equal((await stage.api.patch(`/api/prompts/${kept}`, { text: "too late" })).status, 409);
});

test("the same request sent twice with one key queues one prompt", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("working");
  const send = () =>
    stage.api.request("POST", `/api/terminals/${agent.terminal}/prompts`, { body: { text: "once" }, headers: { "idempotency-key": "k1" } });
  const [a, b] = [await send(), await send()];
  assert.equal(a.json.prompt, b.json.prompt);
  assert.equal((await agent.states()).length, 1);
});

test("a prompt for an agent that ends first is failed, with a reason", async (t) => {
  const stage = await startStage(t);
  const agent = await startAgent(stage);
  await agent.says("working");
  const prompt = await stage.queue(agent.terminal, "nobody will read this");
  await agent.program.exit(0);
  await agent.reaches(prompt, "failed");
  assert.notEqual((await stage.prompts(agent.session))[0].reason, "");
});

test("a first prompt given with a new session reaches a shell at its prompt", async (t) => {
  const stage = await startStage(t);
  const { session, terminal } = await stage.session({ agent: "shell", prompt: "echo the answer is $((6 * 7))" });
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.tail.includes("the answer is 42"), "the answer");
  await until(async () => (await stage.prompts(session))[0].state !== "queued", "the state to move on");
  assert.equal(viewer.tail.toString().split("the answer is 42").length, 2, "ran once");
});
