// No secret is ever in a log: a whole story with hub, runner and command line at their most talkative, and then a search for
// each secret that it used.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MUSTER_BINARY } from "../../scripts/lib/paths.mjs";
import { pageHeaders } from "../../scripts/lib/sign-in.mjs";
import { Process } from "../support/process.mjs";
import { Api, followLink, tempDir, until } from "../support/index.mjs";
import { startStage } from "./lib/stage.mjs";

const secret = () => randomBytes(24).toString("base64url");

test("no log holds a secret, and no row holds one that proves who somebody is", async (t) => {
  const [webhookSecret, clientSecret, prompt, typed] = [secret(), secret(), `say ${secret()}`, secret()];
  const vars = { MUSTER_GITHUB_WEBHOOK_SECRET: webhookSecret, MUSTER_GITHUB_CLIENT_ID: "app", MUSTER_GITHUB_CLIENT_SECRET: clientSecret };
  const stage = await startStage(t, { hub: { vars }, runner: { env: { MUSTER_LOG: "trace" } } });
  const { hub, runner } = stage;

  // A person signs in, again with a used link, and with one that is cut off.
  const link = hub.link();
  const cookie = await followLink(link);
  const api = new Api(hub.url, cookie);
  const path = link.slice(hub.url.length);
  assert.equal((await hub.anonymous().get(path)).status, 401);
  assert.equal((await hub.anonymous().get(path.slice(0, -3))).status, 401);
  const csrf = pageHeaders(hub.url, cookie)["x-csrf-token"];
  assert.equal((await api.post("/settings/theme", new URLSearchParams({ theme: "dark" }))).status, 204);

  // A program is given a token, exchanges it, uses both well and wrongly, in the right place and in an address.
  const { token } = (await api.post("/api/tokens", { name: "ci", scope: "cli" })).json;
  const bearer = (text) => ({ headers: { authorization: `Bearer ${text}` } });
  const { jwt } = (await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token))).json;
  await (await hub.anonymous().ws("/ws/connect", bearer(jwt))).close();
  assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(`${token}x`))).status, 401);
  assert.equal((await hub.anonymous().get(`/api/sessions?token=${token}&jwt=${jwt}`, bearer(token))).status, 200);
  await assert.rejects(hub.anonymous().ws("/ws/connect", bearer(`${jwt}x`)));
  assert.equal((await hub.anonymous().get(`/no-such-page/${token}`)).status, 404);

  // A prompt reaches an agent, and something is typed.
  const { session, terminal } = await stage.session({ agent: "shell" });
  assert.equal((await api.post(`/api/terminals/${terminal}/prompts`, { text: `echo ${prompt}` })).status, 201);
  await until(async () => (await stage.detail(session)).prompts.some((each) => each.state === "done"), "the prompt to be done");
  assert.equal((await api.post(`/api/terminals/${terminal}/prompts`, { text: typed, extra: 1 }, { headers: { "content-type": "text/plain" } })).status, 415);

  // GitHub calls, once rightly and once not.
  const payload = JSON.stringify({ zen: "Keep it logically awesome." });
  const signed = (key) => ({
    "content-type": "application/json",
    "x-github-event": "ping",
    "x-github-delivery": secret(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(payload).digest("hex")}`,
  });
  const deliver = (key) => hub.anonymous().post("/github/webhook", payload, { headers: signed(key) });
  assert.ok((await deliver(webhookSecret)).status < 300);
  assert.equal((await deliver("another")).status, 401);

  // A guest opens a link, works, and somebody shows the link where it does not belong.
  const { json: shared } = await api.post(`/api/sessions/${session}/shares`, { kind: "guest", right: "driver" });
  const invitation = shared.link.split("#")[1];
  const joined = await hub.anonymous().post("/guest", new URLSearchParams({ link: invitation, name: "Gus" }));
  const guestCookie = joined.headers.getSetCookie()[0].split(";")[0];
  const guest = new Api(hub.url, guestCookie);
  const guestCsrf = pageHeaders(hub.url, guestCookie)["x-csrf-token"];
  assert.equal((await guest.get(joined.headers.get("location"))).status, 200);
  await (await guest.ws(`/ws/connect?hub=1&link=${invitation}`)).close();
  assert.equal((await hub.anonymous().get(`/guest?link=${invitation}`)).status, 200);
  assert.equal((await hub.anonymous().post("/guest", new URLSearchParams({ link: `${invitation}x`, name: "Eve" }))).status, 404);
  assert.equal((await hub.anonymous().get("/api/sessions", bearer(invitation))).status, 401);

  // The person's own program checks what was written down of it all, which another side wrote.
  const exported = join(tempDir(t, "audit"), "audit.jsonl");
  const head = [];
  const texts = [];
  for (const log of ["/api/audit", "/api/audit/hub"]) {
    const answer = await api.get(log);
    writeFileSync(exported, answer.text);
    const [, hash] = answer.headers.get("x-muster-audit-head").split(" ");
    const cli = new Process(MUSTER_BINARY, ["--log", "trace", "audit", "verify", exported, "--head", hash]);
    assert.equal((await cli.exited).code, 0, cli.log());
    assert.match(cli.log(), /The chain holds/);
    head.push(hash);
    texts.push(cli.log(), answer.text);
  }
  await runner.kill9();
  await runner.start();
  await stage.runnerOnline();

  const secrets = JSON.parse(readFileSync(join(hub.stateDir, "secrets.json"), "utf8"));
  const runnerToken = readFileSync(runner.tokenFile, "utf8").trim();
  const proofs = {
    link: path.split("link=")[1],
    "the link's signature": path.split(".").at(-1),
    cookie: cookie.split("=")[1],
    csrf,
    token,
    "the runner's token": runnerToken,
    jwt,
    "the local secret": secrets.MUSTER_LOCAL_SECRET,
    "the JWT key": Object.values(JSON.parse(secrets.MUSTER_JWT_KEYS).keys)[0],
    "a guest link": invitation,
    "a guest's cookie": guestCookie.split("=")[1],
    "a guest's CSRF token": guestCsrf,
    "the webhook's secret": webhookSecret,
    "the client's secret": clientSecret,
  };
  const all = { ...proofs, prompt, "a refused prompt": typed };
  const logs = { hub: hub.log(), runner: runner.log(), "audit logs and command line": texts.join("\n") };
  assert.match(logs.hub, /"route":"\/auth\/local"/, "the hub did log");
  assert.match(logs.hub, /"route":"\/github\/webhook"/);
  assert.match(logs.runner, /INFO connected hub=/, "the runner did log");
  for (const [name, text] of Object.entries(logs)) {
    for (const [what, value] of Object.entries(all)) {
      assert.ok(value.length >= 16, what);
      assert.ok(!text.includes(value), `${what} is in the log of ${name}`);
    }
  }
  for (const file of readdirSync(hub.stateDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name === "secrets.json") continue;
    const text = readFileSync(join(file.parentPath, file.name), "latin1");
    for (const [what, value] of Object.entries(proofs)) assert.ok(!text.includes(value), `${what} is in ${file.name}`);
  }
});
