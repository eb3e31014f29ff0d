// How a page is judged that is open, in both themes, wide and narrow.

import assert from "node:assert/strict";
import { assertAccessible, openBrowser, shot } from "../../support/index.mjs";

const THEMES = ["dark", "light"];
const WIDTHS = [
  { name: "1440", width: 1440, height: 900 },
  { name: "390", width: 390, height: 844 },
];

/** One h1, one main, a title, no heading level left out, no id twice, nothing wider than the window. */
export async function assertSound(page) {
  // A phone's browser zooms out of a page that is too wide, and calls that its own width.
  const { width } = page.viewportSize();
  const facts = await page.evaluate((width) => {
    const shown = (element) => element.checkVisibility();
    const levels = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(shown).map((each) => Number(each.tagName[1]));
    const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    return {
      title: document.title,
      mains: [...document.querySelectorAll("main")].filter(shown).length,
      h1s: levels.filter((level) => level === 1).length,
      skips: levels.filter((level, n) => n > 0 && level > levels[n - 1] + 1).length,
      doubled: ids.filter((id, n) => ids.indexOf(id) !== n),
      overflow: document.documentElement.scrollWidth - width,
      lang: document.documentElement.lang,
      inline: document.querySelectorAll("script:not([src]), [onclick], [onload]").length,
      outside: controlsOutside(),
    };

    /** Controls that reach over the window's edge, but for those in something that scrolls sideways. */
    function controlsOutside() {
      const scrolls = (element) => element && (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
      const controls = [...document.querySelectorAll("button, a[href], input, select, textarea, summary")].filter(shown);
      const isOut = (element) => {
        const { left, right } = element.getBoundingClientRect();
        return right - left > 1 && (right > width + 1 || left < -1) && !scrolls(element.parentElement) && !element.closest(".visually-hidden, .xterm");
      };
      return controls.filter(isOut).map((element) => element.outerHTML.slice(0, 120));
    }
  }, width);
  assert.match(facts.title, /Muster/);
  assert.equal(facts.mains, 1, "one main landmark");
  assert.equal(facts.h1s, 1, "one first heading");
  assert.equal(facts.skips, 0, "no heading level skipped");
  assert.deepEqual(facts.doubled, [], "no id twice");
  assert.ok(facts.overflow <= 0, `nothing is wider than the window (${facts.overflow} px)`);
  assert.deepEqual(facts.outside, [], "every control is within the window");
  assert.equal(facts.lang, "en");
  assert.equal(facts.inline, 0, "no inline script");
}

/** All that is asked of a page that is open. */
export async function judge(page, name) {
  await assertSound(page);
  await shot(page, name);
  await assertAccessible(page, { except: [".xterm"] });
}

/** Every combination of theme and width, as a test of its own below `t`. */
export async function inEveryLook(t, story) {
  const { another } = await openBrowser(t);
  for (const colorScheme of THEMES) {
    for (const { name, width, height } of WIDTHS) {
      await t.test(`${colorScheme}, ${name} px`, async () => {
        const page = await another({ width, height, colorScheme });
        await story({ page, look: `${colorScheme}-${name}` });
        await page.context().close();
      });
    }
  }
}
