// The story of one real agent, the same for all of them: a prompt from the page, its answer in the browser's terminal, its
// status on the way, and a question that it truly waits on.

import assert from "node:assert/strict";
import { installAgents, openBrowser, shot, signInPage, startHub, startModel, startRunner, until } from "../../support/index.mjs";
import { Stage } from "./stage.mjs";
import { openSession, promptShows, recordStatuses, sendPrompt, statusShows } from "./ui.mjs";

/** Real agents load hundreds of megabytes of JavaScript before their first word. */
const START_MS = 90_000;

export async function startAgentStage(t, name, answers) {
  await installAgents([name]);
  const model = await startModel(t, { answers });
  const hub = await startHub(t);
  const api = await hub.signIn();
  const runner = await startRunner(t, hub, { agents: [name], model });
  const stage = new Stage(t, { hub, api, runner, model });
  await stage.runnerOnline();
  const { session, terminal } = await stage.session({ agent: name, name: `${name} at work` });
  const { page } = await openBrowser(t);
  await signInPage(page, hub);
  const ui = await openSession(page, hub, session);
  return { ...stage, stage, session, terminal, page, ui };
}

/** What an agent's whole screen shows once it can be prompted. */
const READY = {
  claude: /❯|>\s/,
  opencode: /Ask anything/,
  codex: /›/,
  gemini: /Type your message/,
  aider: /^>\s*$/m,
};

export const agentReady = (ui, name) =>
  until(async () => READY[name].test(await ui.text()), `${name} to be ready`, { deadlineMs: START_MS });

/**
 * Prompt, answer, status: `working` for as long as the model thinks, and then what the agent says of itself: Claude Code and
 * Codex call a finished turn `done`, the others are seen to be idle.
 */
export async function tellOneTurn(t, name, { ends }) {
  const answers = [{ prompt: "say hello", answer: "Hello from the fake model.", hold: true }];
  const { stage, session, page, ui, model } = await startAgentStage(t, name, answers);
  await agentReady(ui, name);
  const seen = await recordStatuses(page);
  await sendPrompt(page, "Please say hello to the person who reads this.");
  await statusShows(page, "working");
  await shot(page, `agent-${name}-working`);
  model.release("say hello");
  await ui.shows("Hello from the fake model.");
  await statusShows(page, ends);
  await promptShows(page, "Please say hello", "done");
  await until(async () => isSubsequence(["working", ends], await seen()), `the page to go working, ${ends}`).catch(async (error) => {
    throw new Error(`${error.message}; it went ${(await seen()).join(", ")}`, { cause: error });
  });
  await shot(page, `agent-${name}`);
  const [prompt] = await stage.prompts(session);
  assert.equal(prompt.state, "done");
  const asked = JSON.stringify(await model.requests());
  assert.match(asked, /Please say hello to the person who reads this/, "the model was asked what the page said");
}

const isSubsequence = (wanted, given) => {
  let at = 0;
  for (const each of given) if (each === wanted[at]) at += 1;
  return at === wanted.length;
};
