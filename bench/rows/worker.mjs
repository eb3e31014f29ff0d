// The Worker itself: its size, what a page costs, and how soon a person sees one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin } from "../../scripts/lib/paths.mjs";
import { must } from "../../scripts/lib/run.mjs";
import { openBrowser } from "../../tests/support/index.mjs";
import { startFixed } from "../peers/fixed.mjs";
import { cpuMs } from "../lib/proc.mjs";
import { echoProgram } from "../lib/programs.mjs";
import { median } from "../lib/stats.mjs";

const KIB = 1024;
/** A dashboard with something on it. */
const SESSIONS = 10;

export const worker = {
  name: "worker",
  title: "the Worker",

  async run(scope, bench) {
    const results = [await size(bench)];
    const folder = bench.folder(scope);
    const programs = Array.from({ length: SESSIONS }, (_, i) => echoProgram(folder, `page-${i}`));
    const system = await bench.start(scope, "muster", programs);
    if (!system) return results;
    results.push(...(await pageTime(scope, bench, system)));
    results.push(...(await firstPaint(scope, bench, system)));
    return results;
  },
};

/** wrangler's own figure of what would be uploaded. */
async function size(bench) {
  const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
  try {
    const output = await must(bin("wrangler"), ["deploy", "--dry-run", "--outdir", folder], {
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const [, number, unit] = /gzip:\s*([\d.]+)\s*(KiB|MiB)/.exec(output) ?? [];
    if (!number) throw new Error(`wrangler's dry run told no size:\n${output}`);
    return bench.result({
      what: "Worker, gzipped",
      unit: "KiB",
      values: { muster: Number(number) * (unit === "MiB" ? KIB : 1) },
      how: "`wrangler deploy --dry-run`",
      aims: [{ atMost: KIB }],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** CPU time of workerd for a page, beside a Worker that always answers "ok". */
async function pageTime(scope, bench, system) {
  const rounds = bench.quick ? 3 : 7;
  const requests = bench.quick ? 200 : 500;
  const fixed = await startFixed(scope);
  const headers = { cookie: system.api.cookie };
  const targets = [
    { name: "fixed", url: fixed.url, pid: fixed.hubPid },
    { name: "dashboard", url: `${system.hub.url}/dashboard`, pid: system.hubPid },
    { name: "health", url: `${system.hub.url}/health`, pid: system.hubPid },
  ].map((each) => ({ ...each, cost: [] }));
  const load = async ({ url }, count) => {
    for (let i = 0; i < count; i += 1) {
      const answer = await fetch(url, { headers });
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
      await answer.arrayBuffer();
    }
  };
  for (const target of targets) await load(target, requests);
  for (let round = 0; round < rounds; round += 1) {
    for (const target of targets) {
      const before = cpuMs(target.pid);
      await load(target, requests);
      target.cost.push(((cpuMs(target.pid) - before) * 1000) / requests);
    }
  }
  const cost = Object.fromEntries(targets.map((each) => [each.name, each.cost]));
  const how =
    `CPU time of workerd over ${requests} requests, ${rounds} interleaved rounds; the floor is a Rust Worker that always ` +
    "answers `Response::ok`, behind the same asset router; a page includes its sign-in's look-up in D1 and the call to the object";
  const row = (what, name, aims) =>
    bench.result({ what, unit: "µs", floor: "fixed", rounds: { muster: cost[name], fixed: cost.fixed }, value: median, how, aims });
  return [
    row(`CPU time of /dashboard with ${SESSIONS} sessions, signed in`, "dashboard", [{ ratioTo: "fixed", atMost: 5 }]),
    row("CPU time of /health", "health", []),
  ];
}

/** First contentful paint with an empty cache, and a fragment as the page fetches it. */
async function firstPaint(scope, bench, system) {
  const visits = bench.quick ? 3 : 10;
  const { browser } = await openBrowser(scope);
  const cold = [];
  const warm = [];
  const fragments = [];
  for (let visit = 0; visit < visits; visit += 1) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const [, name, value] = /^([^=]+)=(.*)$/.exec(system.api.cookie);
    await context.addCookies([{ name, value, url: system.hub.url }]);
    const page = await context.newPage();
    for (const list of [cold, warm]) {
      await page.goto(`${system.hub.url}/dashboard`, { waitUntil: "load" });
      await page.getByRole("link", { name: "page-0" }).first().waitFor(); // the sign-in page would be painted sooner
      list.push(await page.evaluate(paintTime));
    }
    fragments.push(median(await page.evaluate(fragmentTimes, "/dashboard")));
    await context.close();
  }
  const how = `Chromium, ${visits} visits in new contexts, /dashboard with ${SESSIONS} sessions`;
  const row = (what, list, atMost) =>
    bench.result({ what, unit: "ms", rounds: { muster: list }, value: median, how, aims: [{ atMost }] });
  return [
    row("first contentful paint, empty cache", cold, 500),
    row("first contentful paint, again", warm, 500),
    row("a fragment, from the request to its last byte in the page", fragments, 100),
  ];
}

/* These run in the page. */

function paintTime() {
  return new Promise((resolve) => {
    const told = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    if (told()) return resolve(told());
    new PerformanceObserver(() => told() && resolve(told())).observe({ type: "paint", buffered: true });
  });
}

async function fragmentTimes(path) {
  const times = [];
  for (let i = 0; i < 20; i += 1) {
    const start = performance.now();
    const answer = await fetch(path, { headers: { "HX-Request": "true" }, cache: "no-store" });
    await answer.text();
    times.push(performance.now() - start);
  }
  return times;
}
