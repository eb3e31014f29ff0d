// The dashboard as a person works it: the names of things on the pages, in one place.

import { terminalText, until } from "../../support/index.mjs";

/** The terminal of the page: what it shows, and typing into it. */
export class TerminalUi {
  constructor(page) {
    this.page = page;
    this.frame = page.getByRole("region", { name: "Terminal" }).first();
  }

  text() {
    return terminalText(this.page);
  }

  async shows(wanted, what = `the terminal to show ${wanted}`) {
    const fits = (text) => (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text));
    let last = "";
    return until(async () => fits((last = await this.text())) && last, what, { deadlineMs: 30_000 }).catch((error) => {
      throw new Error(`${error.message}; it shows:\n${last}`, { cause: error });
    });
  }

  async type(text) {
    await this.page.locator(".xterm-helper-textarea").first().focus();
    await this.page.keyboard.type(text);
  }

  /** Presses a key until the question is gone: an agent takes no answer in the moment in which it draws the question. */
  async answer(key, question) {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await this.press(key);
      const gone = until(async () => !question.test(await this.text()), `${question} to be answered`, { deadlineMs: 3_000 });
      if (await gone.catch(() => false)) return;
    }
    throw new Error(`${question} stays, whatever is pressed`);
  }

  async press(key) {
    await this.page.locator(".xterm-helper-textarea").first().focus();
    await this.page.keyboard.press(key);
  }
}

/** Opens a session's page and waits for its terminal. */
export async function openSession(page, hub, session) {
  await page.goto(`${hub.url}/sessions/${session}`);
  await page.locator(".xterm-helper-textarea").first().waitFor({ state: "attached" });
  return new TerminalUi(page);
}

/** Queues a prompt through the box at the foot of the page. */
export async function sendPrompt(page, text) {
  const box = page.getByRole("textbox", { name: /^Prompt/ });
  await box.fill(text);
  await box.press("Control+Enter");
}

/** A line of the queue, by its text. */
export const promptItem = (page, text) => page.locator(".prompt").filter({ hasText: text });

/** Waits until the page shows the prompt in this state. */
export const promptShows = (page, text, state) =>
  until(async () => (await promptItem(page, text).first().getAttribute("data-state")) === state, `the page to show "${text}" as ${state}`, {
    deadlineMs: 30_000,
  });

/** Waits until the session's page shows this status of its agent. */
export const statusShows = (page, status) =>
  page.locator(`#session-head[data-status="${status}"]`).waitFor({ state: "attached", timeout: 90_000 }); // an agent that says nothing at first is given a minute

/** Every status that the session's page shows from now on, in order, without doubles in a row. */
export async function recordStatuses(page) {
  await page.evaluate(() => {
    const seen = (window.seenStatuses = []);
    const look = () => {
      const status = document.querySelector("#session-head")?.dataset.status;
      if (status && seen.at(-1) !== status) seen.push(status);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  return () => page.evaluate(() => window.seenStatuses);
}

/** Answers the "Sure?" dialog with yes. */
export async function confirm(page) {
  const dialog = page.locator("#confirm[open]");
  await dialog.waitFor();
  await dialog.locator("#confirm-yes").click();
}

/** The live terminal's cells, row by row, with what can be told of each; its cursor, its modes, and which screen it shows. */
export function terminalCells(page) {
  return page.evaluate(() => {
    const { terminal } = [...document.querySelectorAll("*")].find((element) => element.terminal?.buffer);
    const { active, normal } = terminal.buffer;
    const attributes = ["isBold", "isItalic", "isDim", "isUnderline", "isInverse", "isInvisible", "isStrikethrough", "isBlink"];
    const cellText = (cell) => {
      const style = attributes.filter((name) => cell[name]()).join(" ");
      return [cell.getChars() || " ", cell.getWidth(), cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(), cell.getBgColor(), style].join("|");
    };
    const row = (buffer, y) => {
      const line = buffer.getLine(buffer.baseY + y);
      return line ? Array.from({ length: terminal.cols }, (_, x) => cellText(line.getCell(x))) : [];
    };
    const rows = (buffer) => Array.from({ length: terminal.rows }, (_, y) => row(buffer, y));
    return {
      size: [terminal.cols, terminal.rows],
      screen: active.type,
      cursor: [active.cursorX, active.cursorY],
      modes: { ...terminal.modes },
      active: rows(active),
      normal: active.type === "alternate" ? rows(normal) : [],
    };
  });
}
