// The agents of the longer run (`npm run test:agents`): Codex, Gemini CLI and Aider, against the same fake model server.

import { test } from "node:test";
import { tellOneTurn } from "./lib/agent-story.mjs";

test("Codex: a prompt from the page, its answer in the terminal, working then done", (t) => tellOneTurn(t, "codex", { ends: "done" }));

test("Gemini CLI: a prompt from the page, its answer in the terminal, working then idle", (t) => tellOneTurn(t, "gemini", { ends: "idle" }));

test("Aider: a prompt from the page, its answer in the terminal, working then idle", (t) => tellOneTurn(t, "aider", { ends: "idle" }));
