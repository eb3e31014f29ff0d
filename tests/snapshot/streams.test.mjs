// Snapshot plus tail equals the original, for streams made to be difficult, cut at every byte, or at 150 places of the longer ones.

import { test } from "node:test";
import { judge } from "./lib/oracle.mjs";

const STREAMS = {
  "SGR of all kinds":
    "\x1b[1mbold\x1b[2mdim\x1b[22m\x1b[3mit\x1b[4mul\x1b[4:3mcurly\x1b[58:2::9:8:7mcol\x1b[59m\x1b[21mdbl\x1b[24m\x1b[5mblink\x1b[7minv" +
    "\x1b[8mhid\x1b[9mstr\x1b[53mover\x1b[0m\x1b[31mr\x1b[92mg\x1b[38;5;200mp\x1b[38:5:20mq\x1b[38;2;1;2;3mrgb\x1b[38:2::4:5:6mRGB\x1b[38:2:7:8:9mX" +
    "\x1b[44mb\x1b[105mm\x1b[48;5;99mn\x1b[48;2;9;9;9mo\x1b[K\r\n\x1b[39;49mdef\x1b[mend\x1b[4;58;5;3mx\x1b[0my",
  "wide characters and marks": "漢字かな交じり文 한글 ｆｕｌｌ\r\ne\u0301 n\u0303\u0302 ✓ ─┼─\r\n\u0301alone\x1b[m\u0308x\r\n" + "字".repeat(45) + "a字".repeat(20) + "\x1b[5Dx\x1b[2P\x1b[3@y\x1b[1K",
  "emoji": "🙂🚀👩‍💻🏳️‍🌈 ❤️ ⚡ ☀ 🇩🇪 1️⃣ ok\r\n" + "🙂".repeat(50) + "\b\b\bx",
  "wraps": "a".repeat(200) + "\r\n" + "b".repeat(80) + "\r\nnext" + "c".repeat(75) + "\x1b[6n" + "d" + "\b".repeat(90) + "e\x1b[?45h" + "\b".repeat(90) + "\x1b[?45lf",
  "a pending wrap": "x".repeat(80) + "\x1b[31m" + "\x1b[K" + "y\r" + "z".repeat(80) + "\x1b[1;5r" + "\x1b[10;80Hw\x1b[3b",
  "scrolling regions and origin":
    "\x1b[3;10rtop\r\n\x1b[?6h\x1b[Hin\n\n\n\n\n\n\n\n\n\nscrolled\x1bMx\x1b[5;5Hy\x1b[6n\x1b7\x1b[?6l\x1b[r\x1b[H\x1b8z\x1b[2S\x1b[1T\x1b[5L\x1b[2M",
  "insert mode and columns": "abcdef\x1b[4h\x1b[1;3HXY漢\x1b[4l\x1b[2@\x1b[1 @\x1b[2 A\x1b[2'}\x1b[1'~\x1b[3X",
  "the alternate screen":
    "\x1b[33mbefore\x1b[5;7H\x1b7\x1b[?1049h\x1b[44m\x1b[2J\x1b[3;3Hinside\x1b7\x1b[2;8r\x1b[3g\x1b[1;4H\x1bH\x1b[10;10H漢\x1b[?1049lafter\x1b[?47hagain\x1b[?47lback\x1b[?1047h\x1b[?1047l",
  "character sets": "\x1b(0lqqk\x1b(Bx\x1b)0\x0exx\x0fy\x1b*A\x1bn##\x0f\x1b7\x1b(0q\x1b8q\x1b[!pq\x1b(Kä[]\x1b(B",
  "tab stops": "\ta\tb\r\x1b[3g\x1b[5G\x1bH\x1b[20G\x1bH\r\tx\ty\x1b[Zz\x1b[g\x1b[2Iw",
  "links": "\x1b]8;;https://example.com/a\x07one\x1b]8;id=x;https://example.com/b\x1b\\two\r\nthree\x1b]8;;\x07 none \x1b[4mund\x1b]8;;http://c\x07er\x1b[mlink\x1b]8;;\x07",
  "modes":
    "\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?25l\x1b[5 q\x1b[?7l" + "n".repeat(90) + "\x1b[?7h\x1b[20hline\nfeed\x1b[20l\x1b[?2026h\x1b[?2026l\x1b[?1003h\x1b[?1016h\x1b[>1u\x1b[>4;2m\x1b[?2031h\x1b[?1002l\x1b[!p\x1b[?66h",
  "erasing": "\x1b[41m" + "line\r\n".repeat(8) + "\x1b[4;3H\x1b[1J\x1b[6;3H\x1b[J\x1b[42m\x1b[5;2H\x1b[1K\x1b[2X\x1b[m\x1b[7m\x1b[2;2H\x1b[3@\x1b[K\x1b[3J",
  "protected cells": "\x1b[1\"qkeep\x1b[0\"q drop\x1b[1\"q\x1b[31mred\x1b[mfree\x1b[2\"q\x1b[?1K\x1b[?2J\x1b[H\x1b[?K",
  "strings": "\x1b]0;title\x07a\x1bP+q544e\x1b\\b\x1b_apc\x1b\\c\x1b^pm\x1b\\d\x1b]52;c;YWJj\x07e\x1b]4;1;rgb:ff/00/00\x07f\x1b]11;#123456\x1b\\g\x1bXsos\x9ch\x18i\x1b[1\x1aj",
  "C1 controls and broken UTF-8": "a\u009b31mb\u0085c\u0084d\u0088e\u009d2;t\u009cf\xc3(",
  "a full reset": "\x1b[31m\x1b[5;9r\x1b[?6h\x1b[4hx\x1b(0\x1bcplain\x1b#8\x1b[3;3Hy",
  "the screen scrolls": Array.from({ length: 60 }, (_, n) => `line ${n} \x1b[3${n % 8}mcolour\x1b[4${n % 7}m${n % 9 ? "" : "w".repeat(100)}\x1b[0m\r\n`).join(""),
};

for (const [what, text] of Object.entries(STREAMS)) {
  test(`snapshot plus tail equals the original: ${what}`, async () => {
    const stream = what.includes("broken") ? Buffer.concat([Buffer.from(text), Buffer.from([0xe2, 0x28, 0xff, 0x41, 0xf0, 0x9f])]) : Buffer.from(text);
    const every = Math.max(1, Math.floor(stream.length / 150));
    const cuts = Array.from({ length: Math.ceil(stream.length / every) }, (_, n) => n * every);
    await judge(stream, { cols: 80, rows: 24 }, cuts, { what, tails: 2 });
    await judge(stream, { cols: 17, rows: 6 }, cuts, { what: `${what}, small`, tails: 2 });
  });
}

test("scrollback comes with the snapshot when it is asked for", async () => {
  const row = (n) => `${n} \x1b[3${n % 8};4${n % 7}m${n % 5 ? "some words" : "wrapped, ".repeat(12)}\x1b[m 漢字${n % 3 ? "" : "\x1b[K"}\r\n`;
  const text = Array.from({ length: 120 }, (_, n) => row(n)).join("");
  const stream = Buffer.from(`${text}\x1b[?1049h\x1b[2;5Hover it\x1b[?1049l${text}`);
  const cuts = Array.from({ length: 60 }, (_, n) => Math.floor((stream.length * n) / 60));
  await judge(stream, { cols: 80, rows: 24 }, cuts, { what: "scrollback", tails: 2, scrollback: 2000 });
});
