// Two people of one hub: whatever one of them sends, by page, API, runner or viewer, nothing of the other's is read or moved.
// Requests are random and replayable: MUSTER_ISOLATION_SEED names the sequence.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../support/viewer.mjs";
import { signIn, startBoth } from "./lib/github.mjs";
import { connectRunner, hello, openNext } from "./lib/runner.mjs";
import { routes } from "./lib/table.mjs";

const SEED = Number(process.env.MUSTER_ISOLATION_SEED ?? 20261121);
const REQUESTS = 400;
const MESSAGES = 400;
/** In every text of Mona's: no answer to anybody else may hold it. */
const MARK = "only-for-mona-7f3a";

/** mulberry32: small, seeded, good enough to choose requests. */
function seeded(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Everything of a person that can be read. */
async function everything(api, sessions = [1]) {
  const each = sessions.flatMap((session) => [`/api/sessions/${session}`, `/api/sessions/${session}/shares`, `/api/terminals/${session}/prompts`]);
  const lists = await Promise.all(["/api/sessions", "/api/runners", "/api/clients", "/api/tokens", ...each].map((path) => api.get(path)));
  return lists.map(({ status, text }) => `${status} ${text.replace(/"(now_ms|seen_ms|rtt_ms|last_output_ms)":\d+/g, "")}`);
}

test("a fuzzed client of one person never reads or moves anything of another's", async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const pick = (list) => list[random(list.length)];
  const { hub, github } = await startBoth(t);
  const { api: mona } = await signIn(hub, github, "mona");
  const { api: hubot } = await signIn(hub, github, "hubot");
  const hers = await connectRunner(hub, mona, `${MARK} laptop`);
  const made = await mona.post("/api/sessions", { runner: hers.id, agent: "shell", name: `${MARK} session`, prompt: `${MARK} prompt` });
  assert.equal(made.status, 201, made.text);
  const viewer = await mona.ws("/ws/connect");
  viewer.send({ type: "attach", terminal: 1, delivery: "screen", cols: 80, rows: 24, drive: true });
  const { writer } = await viewer.next((frame) => frame.type === "attached", "the answer to attach");
  const before = await everything(mona);
  const [heard, told] = [viewer.frames.length, hers.socket.frames.length];
  const { json: token } = await hubot.post("/api/tokens", { name: "cli", scope: "cli" });

  await t.test("over HTTP, by cookie and by token", async () => {
    const monaTokens = (await mona.get("/api/tokens")).json.tokens.map(({ id }) => id);
    const table = routes().filter(({ path }) => !/^\/(auth|static|ws|github)|tokens\/(exchange|self)|end-others|^\/api\/device/.test(path));
    for (let n = 0; n < REQUESTS; n += 1) {
      const { method, path } = pick(table);
      const url = path.replace(/[:*]\w+/g, () => encodeURIComponent(pick(["1", "2", hers.id, made.json.session, pick(monaTokens), "0", "-1", "i1", "../1", "1 OR 1=1", "%00", MARK.slice(0, 8)])));
      const fields = { name: "taken", text: "rm -rf", runner: hers.id, agent: "shell", scope: "cli", mode: "kill", role: "admin", kind: "user", prompt: "x", code: "WDJB-MJHT", terminal: "1", session: "1" };
      const body = method === "GET" ? undefined : path.startsWith("/api") ? fields : new URLSearchParams(fields);
      const headers = random(2) && path.startsWith("/api") ? { authorization: `Bearer ${token.token}`, cookie: "" } : {};
      const answer = await hubot.request(method, url, { body, headers });
      assert.ok(answer.status < 500, `request ${n}: ${method} ${url}: ${answer.status}`);
      assert.ok(!answer.text.includes(MARK), `request ${n}: ${method} ${url} showed what is Mona's`);
    }
  });

  await t.test("over sockets, as a viewer, a page and a runner", async () => {
    const { api } = await signIn(hub, github, "hubot");
    const open = [
      () => api.ws("/ws/connect"),
      () => api.ws("/ws/connect?page=session&session=1", { protocols: [] }),
      () => api.ws("/ws/connect?page=dashboard", { protocols: [] }),
    ];
    const messages = [
      () => ({ type: "attach", terminal: 1, delivery: pick(["screen", "bytes"]), from: random(9), cols: 80, rows: 24, drive: true, writer }),
      () => ({ type: pick(["drive", "release", "detach", "snapshot", "size"]), terminal: 1, cols: 10, rows: 10, scrollback: 9 }),
      () => encodeFrame(3, 1, random(5), Buffer.concat([Buffer.from(writer, "hex"), Buffer.from("reboot\r")])),
      () => encodeFrame(5, 1, random(100_000)),
      () => ({ type: "attach", terminal: 1, person: "2", cols: 80, rows: 24 }),
    ];
    const asRunner = [
      () => ({ ...hello(`${pick(["taken", "x"])}`), terminals: [{ terminal: 1, session: 1, from: 0, to: 9, status: { status: "idle" } }] }),
      () => ({ type: "opened", terminal: 1, cols: 80, rows: 24 }),
      () => ({ type: "status", terminal: 1, status: "failed", evidence: "osc7501", since_ms: 1 }),
      () => ({ type: "exited", terminal: 1, exit_code: 0 }),
      () => encodeFrame(1, 1, random(10), Buffer.from("forged output")),
      () => encodeFrame(2, 1, random(10), Buffer.from("\0\x50\0\x18forged screen")),
    ];
    const sockets = [];
    const runners = [];
    for (let n = 0; n < MESSAGES; n += 1) {
      if (n % 40 === 0) sockets.push(await pick(open)());
      if (runners.length === 0 || (runners.at(-1).how && runners.length < 10)) {
        runners.push((await connectRunner(hub, api, "his laptop")).socket); // a lie ended the one before
      }
      const lies = random(3) === 0;
      const socket = lies ? runners.at(-1) : pick(sockets);
      if (!socket.how) socket.send(pick(lies ? asRunner : messages)());
    }
    // All of it was taken once his hub answers for what came last.
    assert.equal((await api.get("/api/sessions")).status, 200);
    for (const { frames } of [...sockets, ...runners]) {
      assert.ok(!frames.some((frame) => (Buffer.isBuffer(frame) ? frame.includes(MARK) : JSON.stringify(frame).includes(MARK))), "a socket brought what is Mona's");
    }
  });

  assert.deepEqual(await everything(mona), before, "nothing of hers moved");
  assert.deepEqual(viewer.frames.slice(heard), [], "her viewer heard nothing");
  assert.deepEqual(hers.socket.frames.slice(told), [], "her runner was told nothing");
  assert.equal(viewer.how, undefined);
  assert.equal(hers.socket.how, undefined);
});

test("a fuzzed client who may watch one session sees that one alone, and moves nothing", async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED + 1);
  const pick = (list) => list[random(list.length)];
  const { hub, github } = await startBoth(t);
  const { api: mona } = await signIn(hub, github, "mona");
  const { api: hubot } = await signIn(hub, github, "hubot");
  const owner = (await mona.get("/api/access")).json.people.find(({ login }) => login === "mona").id;
  const hers = await connectRunner(hub, mona, "laptop");
  const begin = async (name, prompt) => {
    const made = await mona.post("/api/sessions", { runner: hers.id, agent: "shell", name, prompt });
    assert.equal(made.status, 201, made.text);
    return { session: made.json.session, terminal: await openNext(hers) };
  };
  const shown = await begin("the shared one", "asked by mona");
  const hidden = await begin(`${MARK} session`, `${MARK} prompt`);
  assert.equal((await mona.post(`/api/sessions/${hidden.session}/shares`, { kind: "guest", name: `${MARK} link`, right: "driver" })).status, 201);
  const share = await mona.post(`/api/sessions/${shown.session}/shares`, { kind: "person", grantee: "hubot", right: "viewer" });
  assert.equal(share.status, 201, share.text);
  const viewer = await mona.ws("/ws/connect");
  const writers = [];
  for (const { terminal } of [shown, hidden]) {
    viewer.send({ type: "attach", terminal, delivery: "screen", cols: 80, rows: 24, drive: true });
    writers.push((await viewer.next((frame) => frame.type === "attached" && frame.terminal === terminal, "the answer to attach")).writer);
  }
  const numbers = [shown, hidden].map(({ session }) => session);
  const state = async () => [...(await everything(mona)), ...(await everything(mona, numbers))];
  const before = await state();
  const [heard, told] = [viewer.frames.length, hers.socket.frames.length];
  const { json: token } = await hubot.post("/api/tokens", { name: "cli", scope: "cli" });
  const bearer = { authorization: `Bearer ${token.token}`, cookie: "" };
  const answered = { shown: 0, refused: 0 };

  await t.test("over HTTP, by cookie and by token", async () => {
    const table = routes().filter(({ path }) => /:(session|terminal|prompt|client|runner|id)\b/.test(path) || /shared/.test(path)).filter(({ path }) => !/^\/(auth|static|ws|github)/.test(path));
    const address = () => {
      const number = pick([1, 2, 3, 4, shown.session, hidden.session, shown.terminal, hidden.terminal, 0, 99]);
      return pick([`${owner}-${number}`, `${owner}-${number}`, `${owner}-${number}`, `0${owner}-${number}`, `${owner}-0${number}`, `+${owner}-${number}`, `${owner}-+${number}`, ` ${owner}-${number}`, `${owner}--${number}`, `${owner}-${number}-1`, `-${owner}-${number}`, `${owner}-${number}.0`, `${owner}e0-${number}`, `${owner}-18446744073709551617`, `18446744073709551617-${number}`, `${owner}\u2013${number}`, hers.id, `${owner}-${hers.id}`]);
    };
    for (let n = 0; n < REQUESTS; n += 1) {
      const { method, path } = pick(table);
      const url = path.replace(/[:*]\w+/g, () => encodeURIComponent(address()));
      const fields = { name: "taken", text: "rm -rf", runner: pick(["", hers.id]), agent: "shell", scope: "session", mode: "kill", kind: pick(["person", "guest"]), grantee: pick(["hubot", `#${owner}`]), right: "driver", hours: "1", prompt: "x", terminal: `${owner}-${shown.terminal}`, session: shown.session, idempotency_key: "k", key: "0".repeat(32) };
      const isApi = path.startsWith("/api");
      const body = method === "GET" ? undefined : isApi ? fields : new URLSearchParams(fields);
      const headers = random(2) && isApi ? bearer : {};
      const answer = await hubot.request(method, url, { body, headers });
      const what = `request ${n}: ${method} ${url}: ${answer.status}`;
      assert.ok(answer.status < 500, what);
      assert.ok(!answer.text.includes(MARK), `${what} showed what is not shared`);
      if (method !== "GET" && answer.status < 400) assert.match(path, /^\/(api\/tokens|settings)/, `${what} changed something`);
      if (answer.text.includes("the shared one")) answered.shown += 1;
      if (answer.status === 403) answered.refused += 1;
    }
  });
  assert.ok(answered.shown > 5 && answered.refused > 5, `the one that is shared was met: ${JSON.stringify(answered)}`);

  await t.test("over sockets to her hub", async () => {
    const { json: exchanged } = await hub.anonymous().post("/api/tokens/exchange", undefined, { headers: { authorization: bearer.authorization } });
    const page = (query) => () => hubot.ws(`/ws/connect?${query}`, { protocols: [] });
    const open = [
      () => hubot.ws(`/ws/connect?hub=${owner}`),
      () => hub.anonymous().ws(`/ws/connect?hub=${owner}`, { headers: { authorization: `Bearer ${exchanged.jwt}` } }),
      page(`page=session&session=${owner}-${shown.session}`),
      page(`page=session&session=${owner}-${hidden.session}`),
      page(`page=shared&shared=${owner}`),
      page(`page=dashboard&hub=${owner}`),
      page(`page=clients&hub=${owner}`),
    ];
    const terminal = () => pick([shown.terminal, shown.terminal, hidden.terminal, 0, 99]);
    const messages = [
      () => ({ type: "attach", terminal: terminal(), delivery: pick(["screen", "bytes"]), from: pick([undefined, 0, 7]), cols: 1 + random(300), rows: 1 + random(90), drive: true, writer: pick([undefined, ...writers]) }),
      () => ({ type: pick(["drive", "release", "detach", "size"]), terminal: terminal(), cols: 10, rows: 10 }),
      () => ({ type: "snapshot", terminal: hidden.terminal, scrollback: 9 }),
      () => encodeFrame(3, terminal(), random(5), Buffer.concat([Buffer.from(pick(writers), "hex"), Buffer.from("reboot\r")])),
      () => encodeFrame(3, terminal(), 0, Buffer.concat([Buffer.from(pick(writers), "hex"), Buffer.alloc(60_000, "A")])),
      () => encodeFrame(5, hidden.terminal, random(100_000)),
      () => ({ type: "attach", terminal: terminal(), person: String(owner), standing: "owner", right: "owner", cols: 80, rows: 24, drive: true }),
    ];
    const sockets = [];
    const own = new Map();
    let typed = 0;
    for (let n = 0; n < MESSAGES; n += 1) {
      if (n % 20 === 0) {
        const nth = random(open.length);
        const socket = await open[nth]();
        if (nth < 2) {
          // One that watches, with a writer that he was given himself.
          socket.send({ type: "attach", terminal: shown.terminal, delivery: "screen", cols: 300, rows: 90, drive: true });
          const { writer, right } = await socket.next((frame) => frame.type === "attached", "the answer to attach");
          assert.equal(right, "viewer");
          own.set(socket, writer);
        }
        sockets.push(socket);
      }
      const socket = n % 5 === 0 ? sockets.at(-1) : pick(sockets);
      if (socket.how) continue;
      socket.send(pick(messages)());
      typed += 1;
      if (own.has(socket)) socket.send(encodeFrame(3, shown.terminal, 0, Buffer.concat([Buffer.from(own.get(socket), "hex"), Buffer.from("reboot\r")])));
    }
    assert.ok(typed > 50, `he was heard: ${typed}`);
    // All of it was taken once her hub answers for what came last on each.
    for (const socket of sockets.filter(({ how }) => !how)) await socket.close();
    assert.equal((await hubot.get(`/api/sessions/${owner}-${shown.session}`)).status, 200);
    assert.ok(own.size > 1);
    assert.ok(sockets.some(({ frames }) => frames.some((frame) => frame.type === "input_refused" && frame.code === "forbidden")));
    for (const { frames } of sockets) {
      assert.ok(!frames.some((frame) => (Buffer.isBuffer(frame) ? frame.includes(MARK) : JSON.stringify(frame).includes(MARK))), "a socket brought what is not shared");
      assert.ok(!frames.some((frame) => frame.type === "attached" && (frame.terminal !== shown.terminal || frame.right !== "viewer")));
    }
  });

  assert.deepEqual(await state(), before, "nothing of hers moved");
  const toRunner = hers.socket.frames.slice(told);
  // Of him come the hub's own credit and orders to show what he watches; no key and no size.
  assert.ok(toRunner.every((frame) => !Buffer.isBuffer(frame) || frame[1] === 5), "not a key of his reached the runner");
  const orders = toRunner.filter((frame) => !Buffer.isBuffer(frame));
  const showing = new Set(["stream", "pace", "read", "snapshot", "unwatch"]);
  assert.deepEqual(orders.filter(({ type, terminal }) => !showing.has(type) || terminal !== shown.terminal), [], "no order but to show what he watches");
  assert.deepEqual(viewer.frames.slice(heard).filter(({ type, terminal }) => type !== "people" || terminal !== shown.terminal), [], "her viewer heard who came and went");
  assert.equal(viewer.how, undefined);
  assert.equal(hers.socket.how, undefined);
});
