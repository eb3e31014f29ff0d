// What a person sees: the system's Chromium, screenshots where a person can open them, accessibility, and problems noticed.

import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { at } from "../../scripts/lib/paths.mjs";

const SHOTS = at("test-results", "screenshots");
const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** It talks to loopback only: without these it looks for updates and accounts at every start. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser(t, options = {}) {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  assert.ok(executablePath, "Chromium is missing: install it (Debian: apt install chromium) or set CHROMIUM");
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  t?.after(() => browser.close());
  const context = await newContext(browser, options);
  return { browser, context, page: await newPage(context), another: async (more) => newPage(await newContext(browser, { ...options, ...more })) };
}

function newContext(browser, { width = 1440, height = 900, colorScheme = "dark", ...more } = {}) {
  const phone = width < 600 ? { hasTouch: true, isMobile: true } : {};
  return browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce", ...phone, ...more });
}

async function newPage(context) {
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") page.problems.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) page.problems.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  return page;
}

/** Fails on anything that went wrong behind the page, but for what fits `except`. */
export function assertNoProblems(page, { except = [] } = {}) {
  const left = page.problems.filter((problem) => !except.some((pattern) => pattern.test(problem)));
  assert.deepEqual(left, [], "the page had problems");
}

export async function signInPage(page, hub) {
  await page.goto(hub.link());
  await page.waitForURL((url) => !url.pathname.startsWith("/auth/"));
}

/** Keeps test-results/screenshots/<name>.png. */
export async function shot(page, name, options = {}) {
  mkdirSync(SHOTS, { recursive: true });
  const path = join(SHOTS, `${name}.png`);
  // Hiding the caret would inject a style element, which the pages' CSP reports as the violation that it is.
  await page.screenshot({ path, animations: "disabled", caret: "initial", ...options });
  return path;
}

const SERIOUS = ["serious", "critical"];

/** No serious or critical finding of axe. `except` are selectors that it leaves out. */
export async function assertAccessible(page, { except = [] } = {}) {
  let builder = new AxeBuilder({ page });
  for (const selector of except) builder = builder.exclude(selector);
  const { violations } = await builder.analyze();
  const found = violations
    .filter((each) => SERIOUS.includes(each.impact))
    .map((each) => `${each.id} (${each.impact}): ${each.help}\n    ${each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join("\n    ")}`);
  assert.deepEqual(found, [], `accessibility of ${page.url()}`);
}

/**
 * The rows on the live terminal's screen, as text. The page may draw on a canvas, so the rows come from the emulator that the
 * page's element carries (`element.terminal`, an xterm.js Terminal); else from the rows of the DOM renderer.
 */
export function terminalText(page) {
  return page.evaluate(() => {
    const holder = [...document.querySelectorAll("*")].find((element) => element.terminal?.buffer);
    if (!holder) return [...document.querySelectorAll(".xterm-rows > div")].map((row) => row.textContent).join("\n");
    const { terminal } = holder;
    const screen = terminal.buffer.active;
    return Array.from({ length: terminal.rows }, (_, row) => screen.getLine(screen.baseY + row)?.translateToString(true) ?? "").join("\n");
  });
}
