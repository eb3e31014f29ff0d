// What holds for every route: security headers, a request id, no answer for strangers, no method that is not in the table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startHub, until } from "../support/index.mjs";
import { routes } from "./lib/table.mjs";

const OPEN = new Set(["Anyone", "Known", "LocalOnly"]);

test("every route", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  function assertSecure({ headers }, what) {
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; /, what);
    assert.doesNotMatch(policy, /unsafe-eval|\*|https?:/, what);
    assert.match(policy, /script-src 'self'(;|$)/, what);
    assert.match(policy, /frame-ancestors 'none'/, what);
    assert.equal(headers.get("x-content-type-options"), "nosniff", what);
    assert.equal(headers.get("referrer-policy"), "no-referrer", what);
    assert.equal(headers.get("x-frame-options"), "DENY", what);
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin", what);
    assert.match(headers.get("x-request-id"), /^[0-9a-f]{16}$/, what);
    assert.equal(headers.get("strict-transport-security"), null, `${what}: only over https`);
    assert.equal(headers.get("access-control-allow-origin"), null, what);
  }

  await t.test("has security headers, for strangers and for the signed in", async () => {
    for (const { method, url, path } of routes()) {
      for (const client of [hub.anonymous(), api]) {
        if (method !== "GET" && client === api) continue; // what they change is other tests' matter
        assertSecure(await client.request(method, url), `${method} ${path}`);
      }
    }
    for (const url of ["/no-such-page", "/api/no-such", "/static/no-such.js"]) {
      const answer = await hub.anonymous().get(url);
      assert.equal(answer.status, 404, url);
      assertSecure(answer, url);
    }
  });

  await t.test("that needs a person has nothing for a stranger", async () => {
    for (const { method, url, path, who } of routes().filter((row) => !OPEN.has(row.who))) {
      const answer = await hub.anonymous().request(method, url);
      if (who === "Token" || who === "AdminToken") {
        assert.equal(answer.status, 401, `${method} ${path}`);
        assert.equal(answer.json.error.code, "unauthorized");
      } else {
        assert.equal(answer.status, 303, `${method} ${path}`);
        assert.equal(answer.headers.get("location"), "/");
        const fragment = await hub.anonymous().request(method, url, { headers: { "hx-request": "true" } });
        assert.equal(fragment.status, 401, `${method} ${path}`);
        assert.equal(fragment.headers.get("hx-redirect"), "/");
      }
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
  });

  await t.test("that changes something is refused without CSRF proof", async () => {
    for (const { method, url, path } of routes().filter((row) => !OPEN.has(row.who) && row.method !== "GET")) {
      const answer = await api.request(method, url, { headers: { "x-csrf-token": "" } });
      assert.equal(answer.status, 403, `${method} ${path}`);
    }
  });

  await t.test("says which methods it takes", async () => {
    const put = await api.request("PUT", "/api/sessions/1");
    assert.equal(put.status, 405);
    assert.equal(put.headers.get("allow"), "DELETE, GET, PATCH");
    assert.equal(put.json.error.code, "method_not_allowed");
    assert.equal((await api.request("OPTIONS", "/api/sessions")).status, 405, "no CORS");
  });

  await t.test("answers HEAD as GET, without a body", async () => {
    const answer = await api.request("HEAD", "/api/sessions");
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    assert.equal((await hub.anonymous().request("HEAD", "/health")).status, 200);
  });

  await t.test("is logged as one line of JSON, without queries, cookies or tokens", async () => {
    const answer = await api.get("/health?secret=hunter2");
    const id = answer.headers.get("x-request-id");
    const ours = () => hub.log().split("\n").filter((line) => line.includes(id));
    await until(() => ours().length > 0, "its line, which comes by a pipe and may come after the answer");
    const lines = ours();
    assert.equal(lines.length, 1);
    const { event, method, route, status, ms } = JSON.parse(lines[0]);
    assert.deepEqual({ event, method, route, status }, { event: "request", method: "GET", route: "/health", status: 200 });
    assert.equal(typeof ms, "number");
    assert.ok(!hub.log().includes("hunter2"));
    assert.ok(!hub.log().includes(api.cookie.split("=")[1]));
  });
});
