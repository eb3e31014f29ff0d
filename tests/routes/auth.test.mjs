// /auth/local and /auth/logout: a link signs in once, a sign-in ends when its person says so.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { makeLink } from "../../scripts/lib/sign-in.mjs";
import { Api, followLink, startHub } from "../support/index.mjs";

const b64 = (value) => Buffer.from(value).toString("base64url");

test("/auth/local", async (t) => {
  const hub = await startHub(t);

  const path = (link) => link.slice(hub.url.length);
  const signed = (claims, secret) => {
    const payload = b64(JSON.stringify(claims));
    return `/auth/local?link=${payload}.${createHmac("sha256", secret).update(payload).digest("base64url")}`;
  };
  const secret = () => JSON.parse(readFileSync(join(hub.stateDir, "secrets.json"), "utf8")).MUSTER_LOCAL_SECRET;

  await t.test("signs in once, and says what to do when it is used again", async () => {
    const link = path(hub.link());
    const first = await hub.anonymous().get(link);
    assert.equal(first.status, 303);
    assert.equal(first.headers.get("location"), "/dashboard");
    const cookie = first.headers.getSetCookie()[0];
    assert.match(cookie, /^muster_sign_in=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=5184000$/);
    const again = await hub.anonymous().get(link);
    assert.equal(again.status, 401);
    assert.deepEqual(again.headers.getSetCookie(), []);
    assert.match(again.text, /already used/);
    assert.match(again.text, /npm start/);
  });

  await t.test("replaces the sign-in that the browser had", async () => {
    const before = await hub.signIn();
    const answer = await before.get(path(hub.link()));
    assert.equal(answer.status, 303);
    const after = new Api(hub.url, answer.headers.getSetCookie()[0].split(";", 1)[0]);
    assert.equal((await after.get("/api/tokens")).status, 200);
    assert.equal((await before.get("/api/tokens")).status, 401);
  });

  await t.test("of many that open it at once, one gets in", async () => {
    const link = path(hub.link());
    const answers = await Promise.all(Array.from({ length: 8 }, () => hub.anonymous().get(link)));
    assert.deepEqual(answers.map((each) => each.status).sort(), [303, 401, 401, 401, 401, 401, 401, 401]);
  });

  await t.test("is not used up by looking", async () => {
    const link = path(hub.link());
    assert.equal((await hub.anonymous().request("HEAD", link)).status, 200);
    for (const headers of [{ "sec-purpose": "prefetch" }, { purpose: "prefetch" }, { "sec-purpose": "prefetch;prerender" }]) {
      assert.equal((await hub.anonymous().get(link, { headers })).status, 403);
    }
    assert.equal((await hub.anonymous().get(link)).status, 303);
  });

  await t.test("takes no expired, tampered or made-up link", async () => {
    const soon = Math.floor(Date.now() / 1000) + 60;
    const nonce = "0123456789abcdef";
    const good = path(hub.link());
    const wrong = [
      signed({ nonce, exp: soon - 61 }, secret()),
      signed({ nonce, exp: soon }, "another secret"),
      signed({ nonce: "short", exp: soon }, secret()),
      signed({ exp: soon }, secret()),
      good.replace(/link=.{4}/, "link=AAAA"),
      `${good.slice(0, -2)}AA`,
      "/auth/local",
      "/auth/local?link=",
      `/auth/local?link=${"x".repeat(4000)}`,
    ];
    for (const link of wrong) {
      const answer = await hub.anonymous().get(link);
      assert.equal(answer.status, 401, link.slice(0, 200));
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
    assert.equal((await hub.anonymous().get(good)).status, 303, "and the good one still works");
  });

  await t.test("does not exist for another name than this machine's", async () => {
    for (const host of ["muster.example.com", "localhost.example.com", "127.0.0.1.nip.io"]) {
      assert.equal(await statusFor(hub, host, path(hub.link())), 404, host);
    }
    assert.equal(await statusFor(hub, `localhost:${hub.port}`, path(hub.link())), 303);
  });

  await t.test("does not exist on a hub without the secret", async (t) => {
    const deployed = await startHub(t, { vars: { MUSTER_LOCAL_SECRET: "" } });
    for (const link of [makeLink("", ""), makeLink("", secret()), "/auth/local"]) {
      assert.equal((await deployed.anonymous().get(link)).status, 404);
    }
  });
});

test("/auth/logout", async (t) => {
  await t.test("ends this sign-in, closes its sockets, and leaves the other alone", async (t) => {
    const hub = await startHub(t);
    const [one, other] = [await hub.signIn(), await hub.signIn()];
    const socket = await one.ws("/ws/connect");
    const answer = await one.post("/auth/logout");
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("location"), "/");
    assert.match(answer.headers.getSetCookie()[0], /^muster_sign_in=; .*Max-Age=0/);
    assert.equal((await socket.closed()).code, 4001);
    assert.equal((await one.get("/api/tokens")).status, 401);
    assert.equal((await other.get("/api/tokens")).status, 200);
  });

  await t.test("a sign-in survives a restart of the hub", async (t) => {
    const hub = await startHub(t);
    const api = await hub.signIn();
    await hub.restart();
    assert.equal((await api.get("/api/tokens")).status, 200);
    assert.equal((await new Api(hub.url, await followLink(hub.link())).get("/api/tokens")).status, 200);
  });
});

/** `fetch` sends no Host but its own. */
function statusFor(hub, host, path) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: hub.port, path, headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject).end();
  });
}
