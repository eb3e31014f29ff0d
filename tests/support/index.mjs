// The harness in one import; README.md beside this file describes it.

export { earlyInTheMinute, until } from "./until.mjs";
export { Api, followLink } from "./api.mjs";
export { Instance, shown, startInstance } from "./claudecodeui.mjs";
export { startHub } from "./hub.mjs";
export { startRunner } from "./runner.mjs";
export { startFaultProxy } from "./fault-proxy.mjs";
export { startGitHub } from "./github.mjs";
export { startModel } from "./model.mjs";
export { agentSetup, installAgents } from "./agents.mjs";
export { assertAccessible, assertNoProblems, openBrowser, shot, signInPage, terminalText } from "./browser.mjs";
export { tempDir } from "./temp.mjs";
