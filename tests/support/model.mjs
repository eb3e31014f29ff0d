// The fake model server for every agent, offline: npm `@copilotkit/aimock`, which speaks all the providers' protocols.

import { LLMock } from "@copilotkit/aimock";

/** Agents ask models for titles and summaries beside the person's prompt; those get the last answer. */
const DEFAULT_ANSWERS = [{ prompt: "say hello", answer: "Hello from the fake model." }];
const FALLBACK = "The fake model heard you.";

export async function startModel(t, { answers = DEFAULT_ANSWERS, latencyMs = 0, chunkChars = 20 } = {}) {
  const server = new LLMock({ host: "127.0.0.1", port: 0, latency: latencyMs, chunkSize: chunkChars, logLevel: "silent" });
  const model = new Model(server);
  [...answers].reverse().forEach((each) => model.answer(each)); // each goes before the others
  server.onMessage(/[\s\S]*/, { content: FALLBACK });
  await server.start();
  t?.after(() => server.stop());
  return model;
}

class Model {
  #held = new Map(); // prompt -> release

  constructor(server) {
    this.server = server;
  }

  get url() {
    return this.server.url;
  }

  get port() {
    return this.server.port;
  }

  /**
   * Answers prompts that contain `prompt` with `answer`, or with `tool: {name, arguments}` and, once its result came, `answer`.
   * With `hold`, the answer waits for `release(prompt)`: an agent that works for as long as a test wants.
   */
  answer({ prompt, answer, tool, hold = false }) {
    const gate = hold ? new Promise((resolve) => this.#held.set(prompt, resolve)) : undefined;
    const respond = (response) => async () => {
      await gate;
      return response;
    };
    const last = (match, response) => this.server.prependFixture({ match: { userMessage: prompt, ...match }, response });
    last({}, respond({ content: answer }));
    if (tool) last({ hasToolResult: false }, respond({ toolCalls: [{ name: tool.name, arguments: JSON.stringify(tool.arguments) }] }));
    return this;
  }

  release(prompt) {
    this.#held.get(prompt)?.();
  }

  /** What it was asked so far: [{path, body}]. */
  requests() {
    return this.server.getRequests();
  }
}
