// Attach costs a screen, not a history, and the screen is the right one: a tab that comes late shows cell for cell what a tab
// shows that was there from the first byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser, signInPage } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";
import { openSession, terminalCells } from "./lib/ui.mjs";

const lines = (count) => Array.from({ length: count }, (_, n) => `line ${n} \x1b[3${n % 8}mcolour\x1b[0m\n`).join("");

/** What is written before the late tab comes, what it then must show, and the same after it came. */
const SCREENS = [
  {
    what: "an alternate screen with boxes, colours and margins",
    first:
      "on the primary screen\n\x1b[?1049h\x1b[2J\x1b[H\x1b[38;2;255;160;0m╭──────────────╮\x1b[0m\x1b[2;1H\x1b[38;2;255;160;0m│\x1b[0m" +
      " \x1b[1mPlan\x1b[0m  \x1b[3mdraft\x1b[0m \x1b[38;2;255;160;0m│\x1b[0m\x1b[3;1H\x1b[38;5;208m╰──────────────╯\x1b[0m\x1b[10;20r\x1b[20;3Hhalfway",
    halfway: "halfway",
    then:
      "\n\n\x1b[5;3H\x1b[7m inverse \x1b[0m \x1b[4munderlined\x1b[0m \x1b[9mstruck\x1b[0m \x1b[48;5;52m\x1b[97m red \x1b[0m" +
      "\x1b[?25l\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[12;5Hthe end",
    end: "the end",
  },
  {
    what: "wide characters, emoji and combining marks",
    first: "漢字かな交じり文 한글 ｆｕｌｌ\ne\u0301 n\u0303 ✓ ─┼─ halfway\n",
    halfway: "halfway",
    then: "\x1b[1A\x1b[5C字\n🙂 🚀 ok\n漢字 at the end\n",
    end: "at the end",
  },
  { what: "a long history on the primary screen", first: lines(500), halfway: "line 499", then: lines(7) + "the end", end: "the end" },
  { what: "half an escape sequence", first: "halfway \x1b[38;2;10", halfway: "halfway", then: ";200;30mgreen\x1b[0m at the end\n", end: "at the end" },
];

for (const { what, first, halfway, then, end } of SCREENS) {
  test(`a late tab shows the same as an early one: ${what}`, async (t) => {
    const stage = await startStage(t);
    const { session, program } = await stage.instrument();
    const browser = await openBrowser(t);
    await signInPage(browser.page, stage.hub);
    const open = async () => openSession(await browser.context.newPage(), stage.hub, session);

    const early = await open();
    await stage.watched(session, 1);
    await program.write(first);
    await early.shows(halfway);
    const late = await open();
    await stage.watched(session, 2);
    await late.shows(halfway);
    assert.deepEqual(await terminalCells(late.page), await terminalCells(early.page), "at its arrival");
    await program.write(then);
    await early.shows(end);
    await late.shows(end);
    assert.deepEqual(await terminalCells(late.page), await terminalCells(early.page), "and after it");
  });
}
