// Two people of one hub: whatever one of them sends, by page, API, runner or viewer, nothing of the other's is read or moved.
// Requests are random and replayable: MUSTER_ISOLATION_SEED names the sequence.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../support/viewer.mjs";
import { signIn, startBoth } from "./lib/github.mjs";
import { connectRunner, hello } from "./lib/runner.mjs";
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
async function everything(api) {
  const lists = await Promise.all(["/api/sessions", "/api/runners", "/api/clients", "/api/tokens", "/api/sessions/1", "/api/terminals/1/prompts"].map((path) => api.get(path)));
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
