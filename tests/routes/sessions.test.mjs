// The JSON API of sessions, terminals, prompts and runners, against a runner that is a few lines of this test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startHub, until } from "../support/index.mjs";

const AGENT = { name: "shell", label: "Shell", available: true };
const IDLE = { status: "idle", evidence: "foreground", since_ms: 1 };

/** Says hello and opens whatever it is told to. */
async function connectRunner(hub) {
  const { id, token } = await hub.token("laptop");
  const headers = { authorization: `Bearer ${token}` };
  const { jwt } = (await hub.anonymous().post("/api/tokens/exchange", undefined, { headers })).json;
  const socket = await hub.anonymous().ws("/ws/connect", { headers: { authorization: `Bearer ${jwt}` } });
  socket.send({ type: "hello", version: "0.1.0", hostname: "h", os: "linux", arch: "x86_64", agents: [AGENT], home: "/tmp", terminals: [] });
  await socket.next((frame) => frame.type === "welcome", "the welcome");
  return { id, socket };
}

test("/api", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const runner = await connectRunner(hub);

  const create = (body = {}, headers = {}) => api.post("/api/sessions", { runner: runner.id, agent: "shell", ...body }, { headers });

  async function openSession(name) {
    const { json } = await create({ name });
    const open = await runner.socket.next((frame) => frame.type === "open" && frame.session === json.session, "the order to open");
    const { terminal } = open;
    runner.socket.send({ type: "opened", terminal, oldest: 0, end: 0, size: { cols: open.cols, rows: open.rows }, status: IDLE, last_output_ms: 0, prompts: [] });
    await until(async () => (await api.get(`/api/terminals/${terminal}`)).json.state === "open", "the terminal to be open");
    return { session: json.session, terminal };
  }

  await t.test("a session is made, listed, renamed, archived, restored and deleted", async () => {
    const made = await create({ name: "first" });
    assert.equal(made.status, 201);
    assert.equal(made.json.name, "first");
    assert.equal(made.json.terminal_views.length, 1);
    const path = `/api/sessions/${made.json.session}`;
    assert.ok((await api.get("/api/sessions")).json.sessions.some((each) => each.session === made.json.session));
    assert.equal((await api.patch(path, { name: "renamed" })).json.name, "renamed");
    assert.equal((await api.get(path)).json.name, "renamed");
    assert.equal((await api.post(`${path}/archive`)).json.archived, true);
    assert.ok(!(await api.get("/api/sessions")).json.sessions.some((each) => each.session === made.json.session));
    assert.equal((await api.post(`${path}/restore`)).json.archived, false);
    assert.equal((await api.delete(path)).status, 204);
    const gone = await api.get(path);
    assert.equal(gone.status, 404);
    assert.equal(gone.json.error.code, "not_found");
  });

  await t.test("the same key makes one session", async () => {
    const headers = { "idempotency-key": "once" };
    const [one, two] = [await create({ name: "a" }, headers), await create({ name: "a" }, headers)];
    assert.equal(one.json.session, two.json.session);
    assert.equal((await create({ name: "a" }, { "idempotency-key": "x".repeat(129) })).status, 400);
  });

  await t.test("what cannot be is refused, with the field at fault", async () => {
    const unknown = await create({ runner: "none" });
    assert.ok([400, 404].includes(unknown.status));
    assert.equal(unknown.json.error.field, "runner");
    const agent = await create({ agent: "no such agent" });
    assert.equal(agent.json.error.field, "agent");
    for (const path of ["/api/sessions/999", "/api/sessions/x", "/api/sessions/-1", "/api/sessions/99999999999999999999", "/api/terminals/999", "/api/runners/none"]) {
      assert.equal((await api.get(path)).status, 404, path);
    }
  });

  await t.test("a terminal is opened, stopped, restarted and closed", async () => {
    const { session, terminal } = await openSession("terminals");
    const more = await api.post(`/api/sessions/${session}/terminals`, { agent: "shell" });
    assert.equal(more.status, 201);
    assert.notEqual(more.json.terminal, terminal);
    assert.equal((await api.post(`/api/terminals/${terminal}/stop`, {})).status, 200);
    const stop = await runner.socket.next((frame) => frame.type === "stop" && frame.terminal === terminal, "the order to stop");
    assert.equal(stop.mode, "terminate");
    assert.equal((await api.post(`/api/terminals/${terminal}/stop`, { mode: "gently" })).status, 400);
    runner.socket.send({ type: "status", terminal, status: "done", evidence: "exit", since_ms: 2, exit_code: 0, last_output_ms: 0 });
    await until(async () => (await api.get(`/api/terminals/${terminal}`)).json.state === "ended", "the end to be known");
    const again = await api.post(`/api/terminals/${terminal}/restart`);
    assert.equal(again.status, 201);
    assert.equal(again.json.session, session);
  });

  await t.test("a prompt is queued, edited, taken back; a delivered one is not", async () => {
    const { terminal } = await openSession("prompts");
    const path = `/api/terminals/${terminal}/prompts`;
    const first = await api.post(path, { text: "say hello" });
    assert.equal(first.status, 201);
    const sent = await runner.socket.next((frame) => frame.type === "prompt" && frame.terminal === terminal, "the prompt");
    assert.equal(sent.text, "say hello");
    runner.socket.send({ type: "prompt", terminal, prompt: sent.prompt, state: "delivered" });
    await until(async () => (await api.get(path)).json.prompts[0].state === "delivered", "its delivery to be known");
    assert.equal((await api.delete(`/api/prompts/${sent.prompt}`)).status, 409);

    const second = await api.post(path, { text: "and then" }, { headers: { "idempotency-key": "p" } });
    const same = await api.post(path, { text: "and then" }, { headers: { "idempotency-key": "p" } });
    assert.equal(same.json.prompt, second.json.prompt);
    const edited = await api.patch(`/api/prompts/${second.json.prompt}`, { text: "and then this" });
    assert.equal(edited.json.text, "and then this");
    assert.equal((await api.delete(`/api/prompts/${second.json.prompt}`)).json.state, "cancelled");
    assert.equal((await api.post(path, { text: "" })).status, 400);
    assert.ok([400, 422].includes((await api.post(path, { text: "x".repeat(32 * 1024 + 1) })).status));
  });

  await t.test("what changes is pushed to the pages that show it, and to no other", async () => {
    const { session } = await openSession("pushed");
    const elsewhere = await openSession("elsewhere");
    const board = await api.ws("/ws/connect?page=dashboard", { protocols: [] });
    const shows = await api.ws(`/ws/connect?page=session&session=${session}`, { protocols: [] });
    const other = await api.ws(`/ws/connect?page=session&session=${elsewhere.session}`, { protocols: [] });
    for (const page of [board, shows, other]) await page.next(() => true, "what it shows at once");
    await api.patch(`/api/sessions/${session}`, { name: "pushed & renamed" });
    for (const page of [board, shows]) await page.next((html) => /pushed &(amp|#38); renamed/.test(html), "the new name");
    assert.equal(other.frames.length, 1);
    await hub.evict();
    await api.patch(`/api/sessions/${session}`, { name: "pushed after sleep" });
    for (const page of [board, shows]) await page.next((html) => html.includes("pushed after sleep"), "the name after an eviction");
    await api.delete(`/api/sessions/${session}`);
    await shows.next((html) => html.includes("session-head"), "that it is gone");
    for (const page of [board, shows, other]) page.terminate();
  });

  await t.test("a runner is renamed and revoked, which closes its socket", async () => {
    const other = await connectRunner(hub);
    const renamed = await api.patch(`/api/runners/${other.id}`, { name: "desk" });
    assert.equal(renamed.json.name, "desk");
    assert.equal((await api.get("/api/tokens")).json.tokens.find((each) => each.id === other.id).name, "desk");
    assert.equal((await api.get(`/api/runners/${other.id}`)).json.online, true);
    assert.equal((await api.delete(`/api/runners/${other.id}`)).json.revoked, true);
    assert.equal((await other.socket.closed()).code, 4007);
  });

  await t.test("a runner's newest keep-alive shows, though it wakes nobody", async () => {
    const seen = async () => (await api.get(`/api/runners/${runner.id}`)).json.seen_ms;
    const before = await seen();
    const { messages_in: messages } = (await api.get("/health")).json;
    await until(async () => {
      runner.socket.send('{"type":"ping"}');
      return (await seen()) > before;
    }, "the keep-alive to show");
    assert.equal((await api.get("/health")).json.messages_in, messages);
  });
});
