// Nothing lost, nothing doubled: 50 MB from a program to a viewer, and keys from a viewer to a program, while everything
// between the two is killed, cut, slowed, torn and put to sleep. The judge is SHA-256 at both ends.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { startFaultProxy, until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";

const MB = 1_000_000;
const TOTAL = 50 * MB;
/** How far the program may run ahead of the slowest viewer, so that trouble meets a program that still writes. */
const AHEAD = 8 * MB;
const STEP = 2 * MB;

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Lets the program write everything, at the viewers' pace. */
async function feed(program, viewers) {
  let { bytes } = await program.written();
  while (bytes < TOTAL) {
    ({ bytes } = await program.stream(Math.min(STEP, TOTAL - bytes)));
    const mark = bytes - AHEAD;
    await Promise.all(viewers.map((viewer) => viewer.until(() => viewer.have >= mark, `a viewer to reach ${mark}`)));
  }
  return program.written();
}

/** 50 MB with `trouble(n)` happening `times` times, evenly spread over what the first viewer gets. */
async function pour({ program, viewers, trouble, times }) {
  const feeding = feed(program, viewers);
  feeding.catch(() => {}); // looked at below; a failure of the trouble itself comes first
  for (let n = 0; n < times; n++) {
    const mark = Math.floor((TOTAL * (n + 0.5)) / times);
    await viewers[0].until((viewer) => viewer.have >= mark, `the viewer to reach ${mark}`);
    await trouble(n);
  }
  const written = await feeding;
  for (const viewer of viewers) {
    await viewer.until(() => viewer.have >= written.bytes, `the end at ${written.bytes}`);
    assert.deepEqual(viewer.gaps, [], "no gap was announced");
    assert.equal(viewer.bytes, written.bytes, "as many bytes as were written");
    assert.equal(viewer.digest(), written.sha256, "the very bytes that were written");
  }
  return written;
}

test("50 MB arrive whole while the hub is killed with -9 and started again", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  await pour({
    program,
    viewers: [viewer],
    times: 5,
    trouble: async () => {
      await stage.hub.kill9();
      await stage.hub.restart();
    },
  });
  assert.ok(viewer.connects >= 6, `it had to reconnect (${viewer.connects} connections)`);
});

test("50 MB arrive whole while the network is cut, delayed, split and truncated on both sides", async (t) => {
  let runnerSide;
  const stage = await startStage(t, {
    runnerThrough: async (hub) => {
      runnerSide = await startFaultProxy(t, hub.port);
      return runnerSide.url;
    },
  });
  const viewerSide = await startFaultProxy(t, stage.hub.port);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal, { url: viewerSide.url });
  const calm = { delayMs: 0, jitterMs: 0, chunkBytes: 0 };
  const faults = [
    () => viewerSide.cut(),
    () => runnerSide.cut(),
    // A truncation strikes when the next bytes flow: waiting for the viewer's progress is enough.
    () => void viewerSide.truncateAfter(40_001, "down"),
    () => void runnerSide.truncateAfter(70_003, "up"),
    () => viewerSide.set({ delayMs: 5, jitterMs: 10, chunkBytes: 1_021 }),
    () => void runnerSide.truncateAfter(7, "up"),
    () => viewerSide.set(calm),
    () => runnerSide.set({ delayMs: 5, jitterMs: 10, chunkBytes: 509 }),
    () => void viewerSide.truncateAfter(65_537, "down"),
    () => runnerSide.set(calm),
    () => (viewerSide.cut(), runnerSide.cut()),
  ];
  await pour({ program, viewers: [viewer], times: faults.length, trouble: (n) => faults[n]() });
  assert.ok(viewer.connects >= 5, `the viewer had to reconnect (${viewer.connects} connections)`);
  assert.ok(runnerSide.accepted >= 5, `so had the runner (${runnerSide.accepted} connections)`);
});

test("50 MB arrive whole while the object is evicted over and over", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  const late = stage.view(terminal, { drive: false });
  // An object that is busy is not evicted: the viewers stop taking bytes, and it falls silent with the stream in the middle.
  const trouble = async () => {
    for (const each of [viewer, late]) each.hold(true);
    assert.ok((await stage.hub.evict()) >= 1, "it was evicted in the middle");
    for (const each of [viewer, late]) each.hold(false);
  };
  await pour({ program, viewers: [viewer, late], times: 12, trouble });
  assert.equal(viewer.connects, 1, "an eviction closes no socket");
});

test("50 MB arrive whole while the runner is killed with -9", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  await pour({
    program,
    viewers: [viewer],
    times: 5,
    trouble: async () => {
      await stage.runner.kill9();
      await stage.runner.start();
    },
  });
  assert.equal(viewer.connects, 1, "the viewer's own connection was never in question");
  assert.equal(stage.instruments.count(), 1, "one process from the first byte to the last");
});

test("a viewer that comes late and one that comes back get the same bytes", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const early = stage.view(terminal);
  const halfway = await program.stream(6 * MB);
  await early.until((viewer) => viewer.have === halfway.bytes, "the first half");
  early.cut();
  const late = stage.view(terminal, { drive: false });
  const written = await program.stream(6 * MB);
  for (const viewer of [early, late]) {
    await viewer.until(() => viewer.have === written.bytes, "all of it");
    assert.equal(viewer.digest(), written.sha256);
  }
});

/** Types `pieces`, one after the other, with `trouble(n)` between them; the program reads every byte once, in order. */
async function type({ viewer, program, pieces, every, trouble }) {
  let n = 0;
  for (const [index, piece] of pieces.entries()) {
    viewer.type(piece);
    if (index % every === every - 1) {
      const mark = viewer.typed.length;
      await trouble(n++);
      // The next trouble may come before this piece is acknowledged, but not before the wire came to life again.
      if (n % 2) await viewer.until(() => viewer.acked >= mark, `input below ${mark} to be acknowledged`);
    }
  }
  const typed = viewer.typed;
  await viewer.until(() => viewer.acked === typed.length, "all input to be acknowledged");
  const read = await until(async () => {
    const now = await program.read();
    return now.bytes >= typed.length && now;
  }, `the program to read ${typed.length} bytes`);
  assert.equal(read.bytes, typed.length, "no key twice");
  assert.equal(read.sha256, sha256(typed), "the very keys, in order");
  assert.deepEqual(viewer.events.filter((event) => event.type === "input_refused"), []);
}

const lines = (count) => Array.from({ length: count }, (_, n) => `line ${String(n).padStart(6, "0")} of what a person typed\r`);

test("keys typed across reconnects of the viewer arrive once", async (t) => {
  const stage = await startStage(t);
  const proxy = await startFaultProxy(t, stage.hub.port);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal, { url: proxy.url });
  await viewer.until(() => viewer.live, "the viewer to be live");
  const faults = [() => proxy.cut(), () => viewer.cut(), () => void proxy.truncateAfter(33, "up"), () => void proxy.truncateAfter(5, "down")];
  await type({ viewer, program, pieces: lines(400), every: 20, trouble: (n) => faults[n % faults.length]() });
});

test("keys typed while the runner's connection is torn arrive once", async (t) => {
  let proxy;
  const stage = await startStage(t, {
    runnerThrough: async (hub) => {
      proxy = await startFaultProxy(t, hub.port);
      return proxy.url;
    },
  });
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.live, "the viewer to be live");
  const faults = [() => proxy.cut(), () => void proxy.truncateAfter(33, "down"), () => void proxy.truncateAfter(5, "up")];
  // Not too often: each failure in a row makes the runner wait longer before it dials again.
  await type({ viewer, program, pieces: lines(240), every: 60, trouble: (n) => faults[n % faults.length]() });
});

test("keys typed while hub, object and runner die arrive once", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.live, "the viewer to be live");
  const faults = [
    () => stage.hub.evict(),
    () => stage.runner.kill9().then(() => stage.runner.start()),
    () => stage.hub.kill9().then(() => stage.hub.restart()),
  ];
  await type({ viewer, program, pieces: lines(240), every: 40, trouble: (n) => faults[n % faults.length]() });
});

test("a paste of 300 KB arrives once, whole", async (t) => {
  const stage = await startStage(t);
  const { terminal, program } = await stage.instrument();
  const viewer = stage.view(terminal);
  await viewer.until(() => viewer.live, "the viewer to be live");
  const paste = lines(300_000 / 40).join("");
  await type({ viewer, program, pieces: [paste], every: 1, trouble: () => viewer.cut() });
});
