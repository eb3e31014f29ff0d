// The everyday agents, Claude Code and OpenCode, against a fake model server: the same programs that people run.

import { test } from "node:test";
import { shot, until } from "../support/index.mjs";
import { agentReady, startAgentStage, tellOneTurn } from "./lib/agent-story.mjs";
import { promptShows, sendPrompt, statusShows } from "./lib/ui.mjs";

test("Claude Code: a prompt from the page, its answer in the terminal, working then done", (t) => tellOneTurn(t, "claude", { ends: "done" }));

test("OpenCode: a prompt from the page, its answer in the terminal, working then idle", (t) => tellOneTurn(t, "opencode", { ends: "idle" }));

test("Claude Code asks before it runs a command: blocked, and once answered it goes on", async (t) => {
  const { page, ui } = await startAgentStage(t, "claude", [
    {
      prompt: "count the files",
      tool: { name: "Bash", arguments: { command: "touch proof.txt", description: "Leave a proof" } },
      answer: "There are some files.",
    },
  ]);
  await agentReady(ui, "claude");
  await sendPrompt(page, "count the files here");
  await statusShows(page, "blocked");
  await ui.shows(/Do you want to proceed\?/);
  await until(async () => /^\(Needs permission\)/.test(await page.title()), "the title to say so");
  await shot(page, "agent-claude-blocked");
  await ui.answer("Enter", /Do you want to proceed\?/);
  await ui.shows("There are some files.");
  await promptShows(page, "count the files here", "done");
  await statusShows(page, "done");
});
