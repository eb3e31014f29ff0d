// Real agents, offline: pinned versions in the tools cache, and for each what makes it talk to the fake model server
// without a question, a download or a look at the person's own settings.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../scripts/lib/lock.mjs";
import { tool } from "../../scripts/lib/paths.mjs";
import { must } from "../../scripts/lib/run.mjs";
import { isStamped, stamp } from "../../scripts/lib/stamp.mjs";

const NPM = {
  claude: "@anthropic-ai/claude-code@2.1.329",
  opencode: "opencode-ai@1.18.33",
  codex: "@openai/codex@0.169.0",
  gemini: "@google/gemini-cli@0.61.0",
};
const AIDER = "aider-chat==0.86.2";

export const EVERYDAY = ["claude", "opencode"];
export const LONGER = ["codex", "gemini", "aider"];

const folder = (name) => tool("agents", name);
const program = (name) =>
  name === "aider" ? join(folder(name), "bin", "aider") : join(folder(name), "node_modules", ".bin", name);

/** Installs what is missing; each agent has a folder of its own, so that one can be bumped alone. */
export async function installAgents(names) {
  for (const name of names) {
    const version = name === "aider" ? AIDER : NPM[name];
    const done = join(folder(name), "installed");
    if (isStamped(done, version) && existsSync(program(name))) continue;
    await withLock(tool(`agents-${name}.lock`), async () => {
      if (isStamped(done, version)) return;
      mkdirSync(folder(name), { recursive: true });
      await (name === "aider" ? installAider() : installNpm(name));
      stamp(done, version);
    });
  }
}

async function installNpm(name) {
  const cwd = folder(name);
  writeFileSync(join(cwd, "package.json"), '{"private":true}\n');
  await must("npm", ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", NPM[name]], { cwd });
}

async function installAider() {
  await must("python3", ["-m", "venv", folder("aider")]);
  await must(join(folder("aider"), "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", AIDER]);
}

/** {command, args, env} of an agent; writes what it expects to find in `home`. `cwd` is where it will be started. */
export function agentSetup(name, { model, home, cwd }) {
  const { args = [], env = {} } = SETUPS[name]({ url: model.url, home, cwd });
  return { command: program(name), args, env: { HOME: home, NO_UPDATE_NOTIFIER: "1", ...env } };
}

const SETUPS = { claude, opencode, codex, gemini, aider };

function claude({ url, home, cwd }) {
  const key = "sk-test-fake-model-server-0000";
  const project = { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true };
  write(home, ".claude.json", {
    hasCompletedOnboarding: true,
    hasSeenAutoDefaultNudge: true,
    theme: "dark",
    customApiKeyResponses: { approved: [key.slice(-20)], rejected: [] },
    projects: { [cwd]: project },
  });
  // It asks before it runs a command, so that tests can see it blocked.
  write(home, ".claude/settings.json", { permissions: { defaultMode: "default" } });
  return {
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      IS_SANDBOX: "1",
    },
  };
}

function opencode({ url, home }) {
  const models = { mock: { name: "mock", limit: { context: 100_000, output: 8_000 } } };
  const config = {
    $schema: "https://opencode.ai/config.json",
    autoupdate: false,
    share: "disabled",
    model: "fake/mock",
    small_model: "fake/mock",
    provider: { fake: { npm: "@ai-sdk/openai-compatible", name: "Fake", options: { baseURL: `${url}/v1`, apiKey: "x" }, models } },
  };
  const xdg = Object.fromEntries(
    ["CONFIG", "DATA", "STATE", "CACHE"].map((each) => [`XDG_${each}_HOME`, join(home, `xdg-${each.toLowerCase()}`)]),
  );
  return {
    env: {
      ...xdg,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    },
  };
}

function codex({ url, home, cwd }) {
  const text = `
model = "gpt-mock"
model_provider = "mock"
check_for_update_on_startup = false

[model_providers.mock]
name = "mock"
base_url = "${url}/v1"
wire_api = "responses"
env_key = "MOCK_KEY"

[projects."${cwd}"]
trust_level = "trusted"
`;
  write(home, ".codex/config.toml", text);
  return { env: { CODEX_HOME: join(home, ".codex"), MOCK_KEY: "x" } };
}

function gemini({ url, home }) {
  write(home, ".gemini/settings.json", {
    security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
    general: { disableAutoUpdate: true, disableUpdateNag: true },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
  });
  return { args: ["--skip-trust", "--model", "gemini-2.5-flash"], env: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "x", GEMINI_TELEMETRY_ENABLED: "false" } };
}

function aider({ url }) {
  const args = ["--model", "openai/mock", "--no-show-model-warnings", "--analytics-disable", "--no-check-update", "--no-git", "--yes-always"];
  return { args, env: { OPENAI_API_BASE: `${url}/v1`, OPENAI_API_KEY: "x", LITELLM_LOCAL_MODEL_COST_MAP: "True" } };
}

function write(home, path, content) {
  const file = join(home, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
  chmodSync(file, 0o600);
}
