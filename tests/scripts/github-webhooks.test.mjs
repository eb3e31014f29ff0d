// The stand-in for GitHub sends webhooks that are GitHub's: payloads by its description, its headers, its signature.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { startGitHub } from "../support/index.mjs";

const MEGABYTE = 1024 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A hub's end of it: keeps what arrives, byte for byte. */
async function startReceiver(t) {
  const received = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    received.push({ method: request.method, url: request.url, headers: request.headers, body });
    response.writeHead(202, { "content-type": "text/plain" }).end("taken");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { received, url: `http://127.0.0.1:${server.address().port}/github/webhook`, last: () => JSON.parse(received.at(-1).body) };
}

async function startBoth(t, app) {
  const receiver = await startReceiver(t);
  const github = await startGitHub(t, {
    app,
    webhookUrl: receiver.url,
    people: ["mona", "hubot"],
    orgs: { acme: { members: { mona: "admin", hubot: "member" }, teams: { builders: ["mona", "hubot"] } } },
  });
  return { github, receiver };
}

const sign = (secret, body) => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

test("a delivery has GitHub's headers, and a signature over its exact bytes", async (t) => {
  const { github, receiver } = await startBoth(t);
  const delivery = await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "hubot", sender: "mona" });
  assert.deepEqual([delivery.status, delivery.text], [202, "taken"]);
  const { method, url, headers, body } = receiver.received[0];
  assert.deepEqual([method, url], ["POST", "/github/webhook"]);
  assert.match(headers["user-agent"], /^GitHub-Hookshot\/[0-9a-f]{7}$/);
  assert.match(headers["x-github-delivery"], UUID);
  assert.equal(headers["x-github-event"], "membership");
  assert.equal(headers["x-github-hook-installation-target-type"], "integration");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["x-hub-signature-256"], sign(github.webhookSecret, body));
  assert.deepEqual(Object.keys(headers).filter((name) => /^(sec-|origin|cookie)/.test(name)), [], "nothing that only a browser sends");
});

test("payloads name our people, teams and organisations, and keep to the description", async (t) => {
  const { github, receiver } = await startBoth(t);
  const [mona, hubot] = [await github.id("mona"), await github.id("hubot")];
  for (const action of ["added", "removed"]) {
    await github.deliver("membership", { action, org: "acme", team: "builders", login: "hubot", sender: "mona" });
    const { action: sent, scope, member, team, organization, sender, installation } = receiver.last();
    assert.deepEqual([sent, scope, member.id, member.login], [action, "team", hubot, "hubot"]);
    assert.deepEqual([team.slug, organization.login, sender.id], ["builders", "acme", mona]);
    assert.ok(installation.id);
  }
  for (const action of ["member_added", "member_removed", "member_invited"]) {
    await github.deliver("organization", { action, org: "acme", login: "hubot", sender: "mona" });
    const { membership, user } = receiver.last();
    assert.equal((membership?.user ?? user).id, hubot);
  }
  await github.deliver("organization", { action: "renamed", org: "acme", from: "acme-old" });
  assert.deepEqual([receiver.last().changes, receiver.last().organization.login], [{ login: { from: "acme-old" } }, "acme"]);
  await github.deliver("organization", { action: "deleted", org: "acme" });
  await github.deleteTeam("acme", "builders");
  for (const action of ["created", "edited", "deleted"]) {
    await github.deliver("team", { action, org: "acme", team: "builders" });
    assert.deepEqual([receiver.last().action, receiver.last().team.slug], [action, "builders"]);
  }
  await github.deliver("membership", { action: "removed", org: "acme", team: "builders", login: "hubot" });
  assert.deepEqual({ ...receiver.last().team, id: 0 }, { id: 0, name: "builders", deleted: true });
  for (const action of ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"]) {
    await github.deliver("installation", { action, org: "acme", login: "mona" });
    assert.deepEqual([receiver.last().action, receiver.last().installation.account.login], [action, "acme"]);
  }
  await github.deliver("github_app_authorization", { action: "revoked", login: "hubot" });
  assert.deepEqual([receiver.last().action, receiver.last().sender.id], ["revoked", hubot]);
  await github.deliver("star", { action: "created", login: "mona" });
  await github.deliver("ping", { org: "acme" });
  assert.ok(receiver.last().zen);
  const text = receiver.received.filter(({ headers }) => /membership|team/.test(headers["x-github-event"])).map(({ body }) => String(body)).join("");
  assert.doesNotMatch(text, /Octocoders|Codertocat/, "nobody of the examples is left");
});

test("the webhooks of an organisation, without a GitHub App, name no installation", async (t) => {
  const { github, receiver } = await startBoth(t, { type: "oauth-app" });
  await github.deliver("organization", { action: "member_removed", org: "acme", login: "hubot", sender: "mona" });
  assert.equal(receiver.last().installation, undefined);
  assert.equal(receiver.received[0].headers["x-github-hook-installation-target-type"], "organization");
});

test("deliveries that a hub must refuse: wrong, missing, old or broken signatures", async (t) => {
  const { github, receiver } = await startBoth(t);
  const change = { action: "removed", org: "acme", team: "builders", login: "hubot" };
  const isRight = ({ headers, body }) => headers["x-hub-signature-256"] === sign(github.webhookSecret, body);
  await github.deliver("membership", change, { signature: "wrong" });
  assert.match(receiver.received.at(-1).headers["x-hub-signature-256"], /^sha256=[0-9a-f]{64}$/);
  await github.deliver("membership", change, { tamper: true });
  assert.deepEqual(receiver.received.map(isRight), [false, false]);
  await github.deliver("membership", change, { signature: "none" });
  await github.deliver("membership", change, { signature: "sha1" });
  const signatures = receiver.received.slice(2).map(({ headers }) => [Boolean(headers["x-hub-signature"]), headers["x-hub-signature-256"]]);
  assert.deepEqual(signatures, [[false, undefined], [true, undefined]]);
  const first = await github.deliver("membership", change);
  const second = await github.redeliver(first);
  assert.equal(second.id, first.id);
  const [one, other] = receiver.received.slice(-2);
  assert.deepEqual(one, other);
  assert.ok(isRight(other));
});

test("a form carries the payload in a field, signed as it is sent", async (t) => {
  const { github, receiver } = await startBoth(t);
  await github.deliver("ping", { org: "acme" }, { form: true });
  const { headers, body } = receiver.received[0];
  assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(headers["x-hub-signature-256"], sign(github.webhookSecret, body));
  assert.ok(JSON.parse(new URLSearchParams(String(body)).get("payload")).zen);
});

test("a payload may be large, but not over 25 MB: that is never sent", async (t) => {
  const { github, receiver } = await startBoth(t);
  const change = { action: "removed", org: "acme", team: "builders", login: "hubot" };
  await github.deliver("membership", change, { padTo: 2 * MEGABYTE });
  assert.equal(receiver.received[0].body.length, 2 * MEGABYTE);
  await assert.rejects(github.deliver("membership", change, { padTo: 25 * MEGABYTE + 1 }), /25 MB is the most/);
  assert.equal(receiver.received.length, 1);
});

test("a hub that is not there is no answer", async (t) => {
  const github = await startGitHub(t);
  const { status, error } = await github.deliver("ping", {}, { url: "http://127.0.0.1:9/github/webhook" });
  assert.equal(status, null);
  assert.match(error, /ECONNREFUSED/);
});
