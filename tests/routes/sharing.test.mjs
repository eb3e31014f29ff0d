// Sessions shared with people, teams and guests: who sees what, who may do what, and what withdrawing does at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../support/index.mjs";
import { encodeFrame } from "../support/viewer.mjs";
import { signIn, startBoth } from "./lib/github.mjs";
import { connectRunner, openNext } from "./lib/runner.mjs";

/** Until something ends: long enough to open a socket before. */
const SOON_MS = 4_000;

/** Mona with a session that has a terminal; hubot and outsider, who both may come in. */
async function stage(t, options) {
  const { hub, github } = await startBoth(t, options);
  const { api: mona } = await signIn(hub, github, "mona");
  const { api: hubot } = await signIn(hub, github, "hubot");
  const runner = await connectRunner(hub, mona, "laptop");
  const made = await mona.post("/api/sessions", { runner: runner.id, agent: "shell", name: "the shared one" });
  assert.equal(made.status, 201, made.text);
  const terminal = await openNext(runner);
  const owner = (await mona.get("/api/access")).json.people.find(({ login }) => login === "mona").id;
  const session = made.json.session;
  const shares = `/api/sessions/${session}/shares`;
  const share = async (wish) => {
    const answer = await mona.post(shares, { kind: "person", grantee: "hubot", right: "viewer", ...wish });
    assert.equal(answer.status, 201, answer.text);
    return answer.json;
  };
  return { hub, github, mona, hubot, runner, session, terminal, owner, shares, share, at: `${owner}-${session}` };
}

/** Attaches to a terminal of somebody's hub; resolves to the socket and what `attached` said. */
async function attach(api, owner, terminal) {
  const socket = await api.ws(`/ws/connect?hub=${owner}`);
  socket.send({ type: "attach", terminal, delivery: "screen", cols: 100, rows: 30, drive: true });
  const answer = await socket.next(({ type }) => type === "attached" || type === "error", "the answer to attach");
  const type = (text, from = 0) =>
    socket.send(encodeFrame(3, terminal, from, Buffer.concat([Buffer.from(answer.writer, "hex"), Buffer.from(text)])));
  return { socket, answer, type };
}

const typed = ({ socket }, text) => socket.next((frame) => Buffer.isBuffer(frame) && frame[1] === 3 && frame.includes(text), `the keys ${text}`);
/** All entries of a log, as it is exported. */
const entries = async (api, path) => (await api.get(path)).text.trim().split("\n").map((line) => JSON.parse(line)).filter(({ action }) => action);
const form = (fields) => new URLSearchParams(fields);

/** Opens a guest link as a browser does; resolves to the answer, and an Api with the guest's cookie if there is one. */
async function join(hub, link, name = "Gus") {
  const answer = await hub.anonymous().post("/guest", form({ link: new URL(link).hash.slice(1), name }));
  const cookie = answer.headers.getSetCookie().find((each) => each.startsWith("muster_guest="));
  return { answer, cookie, api: cookie && new Api(hub.url, cookie.split(";")[0]) };
}

test("a session is shared with a person", async (t) => {
  const { hub, github, mona, hubot, terminal, owner, shares, share, session, at } = await stage(t);
  await github.setTeamMember("acme", "builders", "outsider");
  const { api: outsider } = await signIn(hub, github, "outsider");

  await t.test("before, it does not exist for anybody else", async () => {
    for (const path of [`/sessions/${at}`, `/api/sessions/${at}`, `/api/terminals/${owner}-${terminal}`, "/api/sessions/99-1"]) {
      assert.equal((await hubot.get(path)).status, 404, path);
    }
    await assert.rejects(hubot.ws(`/ws/connect?hub=${owner}`), { status: 404 });
    await assert.rejects(hubot.ws(`/ws/connect?page=session&session=${at}`, { protocols: [] }), { status: 404 });
    assert.deepEqual((await hubot.get("/api/shared")).json.sessions, []);
  });

  await t.test("a viewer sees it, finds it, and changes nothing", async () => {
    const view = await share({ right: "viewer" });
    assert.deepEqual([view.kind, view.name, view.right, view.link], ["person", "hubot", "viewer", undefined]);
    const { json } = await hubot.get(`/api/sessions/${at}`);
    assert.deepEqual([json.name, json.right, json.runner_view.home], ["the shared one", "viewer", ""]);
    const [line] = (await hubot.get("/api/shared")).json.sessions;
    assert.deepEqual([line.address, line.owner_name, line.right, line.name], [at, "mona", "viewer", "the shared one"]);
    const dashboard = (await hubot.get("/dashboard")).text;
    assert.ok(dashboard.includes("Shared by mona") && dashboard.includes(`href="/sessions/${at}"`));
    const page = (await hubot.get(`/sessions/${at}`)).text;
    for (const absent of ["/rename", "/delete", "/archive", "/people", "terminal-add", 'href="/clients/']) {
      assert.ok(!page.includes(absent), absent);
    }
    const own = `${owner}-${terminal}`;
    const refusals = [
      ["POST", `/api/terminals/${own}/prompts`, { text: "x" }],
      ["POST", `/api/terminals/${own}/stop`, {}],
      ["POST", `/api/sessions/${at}/terminals`, { agent: "shell" }],
      ["PATCH", `/api/sessions/${at}`, { name: "mine" }],
      ["DELETE", `/api/sessions/${at}`],
      ["POST", `/api/sessions/${at}/archive`],
      ["GET", `/api/sessions/${at}/shares`],
      ["POST", `/api/sessions/${at}/shares`, { kind: "person", grantee: "outsider", right: "viewer" }],
      ["GET", `/sessions/${at}/people`],
      ["POST", `/sessions/${at}/terminals/${terminal}/prompts`, form({ text: "x" })],
    ];
    for (const [method, path, body] of refusals) {
      const { status, text } = await hubot.request(method, path, { body });
      assert.equal(status, 403, `${method} ${path}: ${status} ${text}`);
    }
  });

  await t.test("to a third person it does not exist still", async () => {
    for (const path of [`/sessions/${at}`, `/api/sessions/${at}`]) assert.equal((await outsider.get(path)).status, 404, path);
    await assert.rejects(outsider.ws(`/ws/connect?hub=${owner}`), { status: 404 });
  });

  await t.test("a prompter prompts, and takes back what is theirs alone", async () => {
    await share({ right: "prompter" });
    const [hers, his] = await Promise.all([mona, hubot].map((api, nth) => api.post(`/api/terminals/${nth ? `${owner}-` : ""}${terminal}/prompts`, { text: `of ${nth}` })));
    assert.deepEqual([hers.status, his.status], [201, 201], his.text);
    const late = await hubot.post(`/api/terminals/${owner}-${terminal}/prompts`, { text: "third" });
    assert.equal((await hubot.delete(`/api/prompts/${owner}-${hers.json.prompt}`)).status, 403);
    assert.equal((await hubot.delete(`/api/prompts/${owner}-${late.json.prompt}`)).status, 200);
    const { json } = await mona.get(`/api/sessions/${session}`);
    assert.ok(json.prompts.some(({ author, text }) => author === "hubot" && text === "of 1"));
  });

  await t.test("one share for each of them, listed, and withdrawn for good", async () => {
    const again = await share({ right: "driver" });
    const listed = (await mona.get(shares)).json;
    assert.deepEqual(listed.shares.map(({ name, right }) => [name, right]), [["hubot", "driver"]]);
    assert.equal((await mona.delete(`${shares}/${again.share}`)).status, 204);
    // What could not be forgotten where it is looked up is forgotten by the next try, and nothing of another session.
    for (const [number, of] of [[again.share, session], [again.share + 900, session + 1]]) {
      hub.sql("INSERT INTO shares (owner, share, session, kind, grantee, expires_ms, github) VALUES (?1, ?2, ?3, 'person', '2', 0, 0)", owner, number, of);
      assert.equal((await mona.delete(`${shares}/${number}`)).status, 404);
    }
    assert.deepEqual(hub.sql("SELECT session FROM shares").map((row) => row.session), [session + 1]);
    hub.sql("DELETE FROM shares");
    assert.equal((await hubot.get(`/sessions/${at}`)).status, 404);
    assert.deepEqual((await hubot.get("/api/shared")).json.sessions, []);
  });

  await t.test("what cannot be is refused by its field", async () => {
    const wrong = [
      [{ kind: "person", grantee: "nobody-here", right: "viewer" }, "grantee"],
      [{ kind: "person", grantee: "mona", right: "viewer" }, "grantee"],
      [{ kind: "person", grantee: "hubot", right: "owner" }, "right"],
      [{ kind: "person", grantee: "hubot", right: "viewer", expires_in_s: 1 }, "expires_in_s"],
      [{ kind: "team", grantee: "acme/nowhere", right: "viewer" }, "grantee"],
      [{ kind: "team", grantee: "builders", right: "viewer" }, "grantee"],
      [{ kind: "guest", right: "viewer", expires_in_s: 60 * 60 * 24 * 90 }, "expires"],
      [{ kind: "crowd", right: "viewer" }, "kind"],
    ];
    for (const [wish, field] of wrong) {
      const { status, json } = await mona.post(shares, wish);
      assert.deepEqual([status, json.error.field], [400, field], JSON.stringify(wish));
    }
    assert.deepEqual((await mona.get(shares)).json.shares, []);
  });

  await t.test("all of it is in the audit log", async () => {
    const told = (await entries(mona, "/api/audit")).filter(({ target }) => target === `session ${session}`).map(({ action, detail }) => [action, detail.name, detail.right]);
    assert.deepEqual(told, [["shared", "hubot", "viewer"], ["share_changed", "hubot", "prompter"], ["share_changed", "hubot", "driver"], ["unshared", "hubot", "driver"]]);
  });
});

test("rights are decided on each message, and withdrawing acts on what is open", async (t) => {
  const { hub, github, mona, hubot, runner, terminal, owner, shares, share, at, session } = await stage(t);
  await share({ right: "driver" });

  const his = await attach(hubot, owner, terminal);
  assert.equal(his.answer.right, "driver");
  his.type("pwd");
  await typed(runner, "pwd");

  await t.test("a page of it is told what the owner does", async () => {
    const page = await hubot.ws(`/ws/connect?page=session&session=${at}`, { protocols: [] });
    await page.next((html) => String(html).includes("mona shares it: you may drive"));
    await mona.patch(`/api/sessions/${session}`, { name: "another name" });
    const html = await page.next((html) => String(html).includes("another name"));
    assert.ok(String(html).includes(`/sessions/${at}/terminals/${terminal}`) && !String(html).includes("/delete"));
    await page.close();
  });

  await t.test("a lesser right takes the keyboard away at once", async () => {
    await share({ right: "viewer" });
    const told = await his.socket.next(({ type }) => type === "right", "what he may do now");
    assert.equal(told.right, "viewer");
    his.type("rm", 3);
    const refused = await his.socket.next(({ type }) => type === "input_refused", "the refusal");
    assert.equal(refused.code, "forbidden");
    his.socket.send({ type: "drive", terminal });
    assert.equal((await his.socket.next(({ type }) => type === "error")).code, "forbidden");
    assert.ok(!runner.socket.frames.some((frame) => Buffer.isBuffer(frame) && frame.includes("rm")));
  });

  await t.test("a dashboard shows what is shared as it changes", async () => {
    const page = await hubot.ws(`/ws/connect?page=shared&shared=${owner}`, { protocols: [] });
    await page.next((html) => String(html).includes("you may watch"));
    runner.socket.send({ type: "status", terminal, status: "blocked", blocked_on: "question", evidence: "osc7501", since_ms: 2 });
    await page.next((html) => String(html).includes('data-status="blocked"'));
    await page.close();
  });

  await t.test("an approver answers while the agent waits, and not otherwise", async () => {
    await share({ right: "approver" });
    await his.socket.next(({ type, right }) => type === "right" && right === "approver");
    his.type("\x03", 3);
    const refused = await his.socket.next(({ type }) => type === "input_refused", "the refusal of a control key");
    assert.match(refused.message, /Only an answer/);
    his.type("y", 3);
    await typed(runner, "y");
    his.type("\r", 4);
    await typed(runner, "\r");
    his.type("rm", 5);
    assert.match((await his.socket.next(({ type }) => type === "input_refused")).message, /has its answer/);
    runner.socket.send({ type: "status", terminal, status: "working", evidence: "osc7501", since_ms: 3 });
    await his.socket.next(({ type, status }) => type === "status" && status === "working");
    his.type("z", 4);
    assert.equal((await his.socket.next(({ type }) => type === "input_refused")).code, "forbidden");
    assert.deepEqual((await entries(mona, "/api/audit/hub")).filter(({ action }) => action === "approval_answered").map(({ actor }) => actor.name), ["hubot"]);
  });

  await t.test("withdrawn, his sockets are closed and stay out", async () => {
    const page = await hubot.ws(`/ws/connect?page=session&session=${at}`, { protocols: [] });
    const cut = [his.socket.closed(), page.closed()];
    const [{ share: number }] = (await mona.get(shares)).json.shares;
    await mona.delete(`${shares}/${number}`);
    assert.deepEqual((await Promise.all(cut)).map(({ code }) => code), [4007, 4007]);
    assert.ok(String(page.frames.at(-1)).includes("no longer shared with you"));
    await assert.rejects(hubot.ws(`/ws/connect?hub=${owner}`), { status: 404 });
  });

  await t.test("signing out closes what he has open elsewhere too", async () => {
    await share({ right: "viewer" });
    const { api } = await signIn(hub, github, "hubot");
    const open = await attach(api, owner, terminal);
    const cut = open.socket.closed();
    assert.equal((await api.post("/auth/logout")).status, 303);
    assert.equal((await cut).code, 4001);
  });

  await t.test("a command line comes by its token, and is cut off with it", async () => {
    const { json: token } = await hubot.post("/api/tokens", { name: "cli", scope: "cli" });
    const bearer = (secret) => ({ headers: { authorization: `Bearer ${secret}` } });
    const exchanged = await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token.token));
    const socket = await hub.anonymous().ws(`/ws/connect?hub=${owner}`, bearer(exchanged.json.jwt));
    socket.send({ type: "attach", terminal, cols: 80, rows: 24 });
    assert.equal((await socket.next(({ type }) => type === "attached")).right, "viewer");
    assert.equal((await hub.anonymous().get(`/api/sessions/${at}`, bearer(token.token))).json.right, "viewer");
    const cut = socket.closed();
    await hubot.delete(`/api/tokens/${token.id}`);
    assert.equal((await cut).code, 4001);
  });
});

test("a session is shared with a team", async (t) => {
  const teams = { builders: ["mona", "hubot"], testers: ["mona"] };
  const orgs = { acme: { members: { mona: "admin", hubot: "member" }, teams } };
  const { hub, github, mona, hubot, terminal, owner, session, share, at } = await stage(t, { orgs });
  const view = await share({ kind: "team", grantee: "Acme/Testers", right: "viewer" });
  assert.deepEqual([view.kind, view.grantee, view.name], ["team", "acme/testers", "acme/testers"]);
  assert.equal((await hubot.get(`/sessions/${at}`)).status, 404, "he is not in it");

  // What GitHub said is remembered for the hour; here, a clock of the test's own would say that it is over.
  const forget = () => hub.sql("UPDATE team_members SET checked_ms = 1");
  await github.setTeamMember("acme", "testers", "hubot");
  forget();
  assert.equal((await hubot.get(`/api/sessions/${at}`)).json.right, "viewer");
  assert.equal((await hubot.get("/api/shared")).json.sessions.length, 1);
  const open = await attach(hubot, owner, terminal);
  assert.equal(open.answer.right, "viewer");
  assert.equal((await mona.get(`/api/sessions/${session}/shares`)).json.shares[0].here, true);

  await t.test("who is taken out of it is cut off by GitHub's word", async () => {
    const cut = open.socket.closed();
    // The API of GitHub still says that he is in it; its event is newer.
    await github.deliver("membership", { action: "removed", org: "acme", team: "testers", login: "hubot" });
    assert.equal((await cut).code, 4001);
    assert.equal((await hubot.get(`/api/sessions/${at}`)).status, 404);
    await assert.rejects(hubot.ws(`/ws/connect?hub=${owner}`), { status: 404 });
    assert.equal((await hubot.get("/dashboard")).status, 200, "he works here still, by his other team");
  });

  await t.test("and within the hour without it", async () => {
    forget();
    const again = await attach(hubot, owner, terminal);
    const cut = again.socket.closed();
    await github.removeTeamMember("acme", "testers", "hubot");
    await hub.scheduled();
    assert.equal((await hubot.get(`/api/sessions/${at}`)).status, 200, "what was just confirmed holds");
    forget();
    await hub.scheduled();
    assert.equal((await cut).code, 4001);
    assert.equal((await hubot.get(`/api/sessions/${at}`)).status, 404);
  });

  await t.test("and when they come themselves before the sweep does", async () => {
    await github.setTeamMember("acme", "testers", "hubot");
    forget();
    const again = await attach(hubot, owner, terminal);
    assert.equal(again.answer.right, "viewer");
    const cut = again.socket.closed();
    await github.removeTeamMember("acme", "testers", "hubot");
    forget();
    assert.equal((await hubot.get(`/api/sessions/${at}`)).status, 404);
    assert.equal((await cut).code, 4001, "what they had open is closed by whoever found it out");
  });

  await t.test("also while others cannot be asked about", async () => {
    await github.setTeamMember("acme", "testers", "hubot");
    forget();
    const again = await attach(hubot, owner, terminal);
    let cut = false;
    again.socket.closed().then(() => (cut = true));
    const [{ github: team }] = hub.sql("SELECT github FROM shares WHERE kind = 'team'");
    for (let nth = 1; nth <= 6; nth += 1) {
      // No token of theirs is kept: GitHub is never asked.
      hub.sql("INSERT INTO people (id, name, origin, github, created_ms) VALUES (?1, 'x', 'test', ?1, 1)", 900 + nth);
      hub.sql("INSERT INTO team_members (person, github, team, is_in, checked_ms) VALUES (?1, ?2, 'acme/testers', 1, 1)", 900 + nth, team);
    }
    await github.removeTeamMember("acme", "testers", "hubot");
    const soonDue = Date.now() - 2 * 60 * 60 * 1000; // within the grace time of those who cannot be asked about
    hub.sql("UPDATE team_members SET checked_ms = ?1", soonDue);
    // Which of them a sweep takes is chance; of 50 sweeps one takes his.
    for (let sweep = 0; sweep < 50 && !cut; sweep += 1) await hub.scheduled();
    assert.ok(cut, "he is not kept in by theirs");
  });

  await t.test("what others share cannot be asked for, and his own sessions are there all the same", async () => {
    hub.sql("ALTER TABLE team_members RENAME TO elsewhere");
    const { status, text } = await hubot.get("/dashboard");
    hub.sql("ALTER TABLE elsewhere RENAME TO team_members");
    assert.equal(status, 200);
    assert.match(text, /could not be asked for/);
    assert.doesNotMatch((await hubot.get("/dashboard")).text, /could not be asked for/);
  });

  await t.test("a team that took the name lets nobody in", async () => {
    await github.setTeamMember("acme", "testers", "hubot");
    hub.sql("UPDATE shares SET github = github + 1 WHERE kind = 'team'");
    forget();
    assert.equal((await hubot.get(`/api/sessions/${at}`)).status, 404);
  });
});

test("a guest comes by a link", async (t) => {
  const { hub, mona, hubot, runner, session, terminal, owner, shares, share, at } = await stage(t);
  const made = await share({ kind: "guest", name: "for Gus", right: "driver", expires_in_s: 3600 });
  assert.match(made.link, /\/guest#mst_[\w-]{48}$/);
  assert.ok(!(await mona.get(shares)).text.includes(made.link.split("#")[1]), "shown once");
  const { answer, cookie, api: guest } = await join(hub, made.link);
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, `/sessions/${at}`]);
  assert.ok(cookie.includes("HttpOnly") && cookie.includes("SameSite=Lax"));
  assert.ok(Number(cookie.match(/Max-Age=(\d+)/)[1]) <= 3600);

  await t.test("sees this session, and is a stranger everywhere else", async () => {
    const page = (await guest.get(`/sessions/${at}`)).text;
    assert.ok(page.includes("the shared one") && page.includes("Leave") && !page.includes('href="/settings"'));
    for (const path of ["/dashboard", "/settings", `/sessions/${session}`, `/sessions/${at}/people`, `/sessions/${owner}-99`]) {
      const { status } = await guest.get(path);
      assert.ok([303, 404].includes(status), `${path}: ${status}`);
    }
    for (const path of ["/api/sessions", `/api/sessions/${at}`, "/api/tokens", "/api/shared"]) assert.equal((await guest.get(path)).status, 401, path);
    await assert.rejects(guest.ws("/ws/connect"), { status: 404 });
    await assert.rejects(guest.ws("/ws/connect?page=dashboard", { protocols: [] }), { status: 404 });
    assert.equal((await guest.get("/")).status, 200, "the sign-in page");
  });

  await t.test("drives, under their own name", async () => {
    const gus = await attach(guest, owner, terminal);
    gus.type("hello");
    await typed(runner, "hello");
    const { json } = await mona.get(`/api/terminals/${terminal}`);
    assert.deepEqual(json.people.map(({ name, drives }) => [name, drives]), [["Gus (guest)", true]]);
    const prompted = await guest.post(`/sessions/${at}/terminals/${terminal}/prompts`, form({ text: "from a guest" }));
    assert.equal(prompted.status, 204, prompted.text);
    const forged = await guest.post(`/sessions/${at}/terminals/${terminal}/prompts`, form({ text: "x" }), { headers: { "x-csrf-token": "x" } });
    assert.equal(forged.status, 403);
  });

  await t.test("with a link that is not whole, unknown or another site's page, comes nowhere", async () => {
    const end = made.link.slice(-1) === "A" ? "B" : "A";
    for (const link of [made.link.slice(0, -1) + end, `${made.link}x`, made.link.replace(/#.*/, "#")]) {
      assert.equal((await join(hub, link)).answer.status, 404, link);
    }
    assert.equal((await join(hub, made.link, " ")).answer.status, 400);
    const body = form({ link: made.link.split("#")[1], name: "Eve" });
    const elsewhere = await hub.anonymous().post("/guest", body, { headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" } });
    assert.equal(elsewhere.status, 403);
  });

  await t.test("may be somebody who works here", async () => {
    const { cookie: his } = await join(hub, made.link, "Hubot as a guest");
    const both = new Api(hub.url, `${hubot.cookie}; ${his.split(";")[0]}`);
    assert.equal((await both.get(`/sessions/${at}`)).status, 200);
    assert.equal((await both.get("/dashboard")).status, 200);
    assert.equal((await hubot.get(`/sessions/${at}`)).status, 404);
  });

  await t.test("waits outside while it is asked whether the owner may still be in", async () => {
    await share({ right: "viewer" });
    const statuses = async () => [await guest.get(`/sessions/${at}`), await hubot.get(`/sessions/${at}`)].map(({ status }) => status);
    hub.sql("UPDATE people SET doubt = 'team:acme/others', recheck_ms = ?1 WHERE id = ?2", Date.now() + 3_600_000, owner);
    assert.deepEqual(await statuses(), [303, 404]);
    assert.equal((await join(hub, made.link)).answer.status, 404);
    hub.sql("UPDATE people SET doubt = '' WHERE id = ?1", owner);
    assert.deepEqual(await statuses(), [200, 200]);
    const his = (await mona.get(shares)).json.shares.find(({ kind }) => kind === "person");
    await mona.delete(`${shares}/${his.share}`);
  });

  await t.test("is out with the link, at once", async () => {
    const gus = await attach(guest, owner, terminal);
    const cut = gus.socket.closed();
    await mona.delete(`${shares}/${made.share}`);
    assert.equal((await cut).code, 4007);
    assert.equal((await guest.get(`/sessions/${at}`)).status, 303);
    assert.equal((await join(hub, made.link)).answer.status, 404);
  });

  await t.test("is out when it ends, also with what is open", async () => {
    const short = await share({ kind: "guest", right: "viewer" });
    const { api } = await join(hub, short.link);
    hub.sql("UPDATE guests SET expires_ms = ?1 WHERE share = ?2", Date.now() + SOON_MS, short.share);
    const gus = await attach(api, owner, terminal);
    assert.equal((await gus.socket.closed()).code, 4001);
    assert.equal((await api.get(`/sessions/${at}`)).status, 303);
  });

  await t.test("leaves", async () => {
    const link = await share({ kind: "guest", right: "viewer" });
    const { api } = await join(hub, link.link);
    const open = await attach(api, owner, terminal);
    const cut = open.socket.closed();
    const left = await api.post("/guest/leave");
    assert.equal((await cut).code, 4001, "in every tab");
    assert.match(left.headers.getSetCookie().join(), /muster_guest=;.*Max-Age=0/);
    assert.equal((await api.get(`/sessions/${at}`)).status, 303);
  });

  await t.test("and the log says who opened what", async () => {
    const log = await entries(mona, "/api/audit");
    const told = log.filter(({ action }) => action.startsWith("guest_link")).map(({ action, actor }) => [action, actor.name]);
    assert.deepEqual(told.slice(0, 4), [["guest_link_made", "mona"], ["guest_link_opened", "Gus"], ["guest_link_opened", "Hubot as a guest"], ["guest_link_withdrawn", "mona"]]);
    assert.ok(!JSON.stringify(log).includes("mst_"));
  });
});

test("a token for one session opens terminals there alone, and ends with it", async (t) => {
  const { hub, mona, hubot, session, shares } = await stage(t);
  for (const [wish, field] of [[{ scope: "session" }, "session"], [{ scope: "runner", session }, "session"]]) {
    const { status, json } = await mona.post("/api/tokens", { name: "sandbox", ...wish });
    assert.deepEqual([status, json.error.field], [400, field]);
  }
  assert.equal((await mona.post("/api/tokens", { name: "sandbox", scope: "session", session: 99 })).status, 404);
  assert.ok(!(await mona.get("/api/tokens")).json.tokens.some(({ name, revoked_ms }) => name === "sandbox" && !revoked_ms));

  const page = await mona.post("/settings/tokens", form({ name: "by the page", scope: `session:${session}`, days: 1 }));
  assert.match(page.text, /mst_[\w-]{48}/);
  assert.ok(page.text.includes(`Session ${session} alone`) && page.text.includes("gone with it: the shared one"));
  assert.equal((await mona.post("/settings/tokens", form({ name: "x", scope: "all" }))).status, 400);

  const sandbox = await connectRunner(hub, mona, "sandbox", { scope: "session", session });
  const elsewhere = await mona.post("/api/sessions", { runner: sandbox.id, agent: "shell" });
  assert.deepEqual([elsewhere.status, elsewhere.json.error.field], [400, "runner"]);
  const opened = await mona.post(`/api/sessions/${session}/terminals`, { runner: sandbox.id, agent: "shell" });
  assert.equal(opened.status, 201, opened.text);
  assert.equal(await openNext(sandbox), opened.json.terminal);
  assert.equal((await hub.anonymous().get("/api/sessions", { headers: { authorization: `Bearer ${sandbox.token}` } })).status, 403);

  await mona.post(shares, { kind: "person", grantee: "hubot", right: "viewer" });
  const cut = sandbox.socket.closed();
  assert.equal((await mona.delete(`/api/sessions/${session}`)).status, 204);
  assert.equal((await cut).code, 4007);
  const again = await hub.anonymous().post("/api/tokens/exchange", undefined, { headers: { authorization: `Bearer ${sandbox.token}` } });
  assert.equal(again.status, 401);
  assert.deepEqual((await hubot.get("/api/shared")).json.sessions, []);
  assert.deepEqual(hub.sql("SELECT count(*) AS count FROM shares")[0].count, 0);
});

test("a socket ends with what let it in", async (t) => {
  const { hub, mona, terminal, owner } = await stage(t);
  const soon = () => Date.now() + SOON_MS;

  await t.test("a token", async () => {
    const { json: token } = await mona.post("/api/tokens", { name: "cli", scope: "cli", expires_in_s: 3600 });
    const bearer = (secret) => ({ headers: { authorization: `Bearer ${secret}` } });
    const exchanged = await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token.token));
    hub.sql("UPDATE tokens SET expires_ms = ?1 WHERE id = ?2", soon(), token.id);
    const socket = await hub.anonymous().ws("/ws/connect", bearer(exchanged.json.jwt));
    assert.equal((await socket.closed()).code, 4001);
    await assert.rejects(hub.anonymous().ws("/ws/connect", bearer(exchanged.json.jwt)), { status: 401 });
  });

  await t.test("a sign-in, at its absolute limit", async () => {
    hub.sql("UPDATE sign_ins SET created_ms = ?1 WHERE person = ?2", soon() - 60 * 24 * 60 * 60 * 1000, owner);
    const viewer = await attach(mona, owner, terminal);
    const page = await mona.ws("/ws/connect?page=dashboard", { protocols: [] });
    assert.deepEqual((await Promise.all([viewer.socket.closed(), page.closed()])).map(({ code }) => code), [4001, 4001]);
    assert.equal((await mona.get("/dashboard")).status, 303);
  });
});
