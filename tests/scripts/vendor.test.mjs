// Third parties' browser files as they are served: plain modules and classic scripts, no bundler, no eval, no inline script.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { buildAssets } from "../../scripts/assets.mjs";
import { PUBLIC } from "../../scripts/lib/paths.mjs";
import { assertNoProblems, openBrowser, until } from "../support/index.mjs";

const manifest = buildAssets();
const TYPES = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:";

const ADDONS = {
  webgl: "WebglAddon",
  search: "SearchAddon",
  unicode11: "Unicode11Addon",
  "web-links": "WebLinksAddon",
  clipboard: "ClipboardAddon",
};

const PAGE = `<!doctype html><title>t</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${manifest["vendor/xterm.css"]}">
<script src="${manifest["vendor/htmx.js"]}"></script><script src="${manifest["vendor/hx-ws.js"]}"></script>
<div id="terminal" style="width:600px;height:300px"></div><script type="module" src="/main.js"></script>`;

const MAIN = `import { Terminal } from "${manifest["vendor/xterm.js"]}";
${Object.entries(ADDONS).map(([name, type]) => `import { ${type} } from "${manifest[`vendor/addon-${name}.js`]}";`).join("\n")}
const terminal = new Terminal({ allowProposedApi: true });
for (const Addon of [SearchAddon, Unicode11Addon, WebLinksAddon, ClipboardAddon]) terminal.loadAddon(new Addon());
terminal.open(document.getElementById("terminal"));
document.getElementById("terminal").terminal = terminal;
terminal.write("hello \\x1b[1mworld", () => (document.title = typeof WebglAddon + " " + typeof htmx));`;

test("xterm.js with its addons, and htmx, load and run under a strict policy", async (t) => {
  const server = createServer((request, response) => {
    const reply = (type, text) => response.writeHead(200, { "content-type": type, "content-security-policy": CSP }).end(text);
    if (request.url === "/") return reply("text/html", PAGE);
    if (request.url === "/main.js") return reply("text/javascript", MAIN);
    response.writeHead(200, { "content-type": TYPES[request.url.split(".").at(-1)] });
    return createReadStream(join(PUBLIC, request.url)).pipe(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { page } = await openBrowser(t);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await until(async () => (await page.title()) === "function object", "the terminal to have drawn");
  const line = await page.evaluate(() => document.getElementById("terminal").terminal.buffer.active.getLine(0).translateToString(true));
  assert.equal(line, "hello world");
  assert.equal(await page.evaluate(() => htmx.version), "4.0.1");
  assertNoProblems(page);
});
