// Bodies are bounded, typed, and refused with a clear error if they do not fit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pageHeaders } from "../../scripts/lib/sign-in.mjs";
import { startHub } from "../support/index.mjs";

const BODY_BYTES_MAX = 256 * 1024;
const JSON_TYPE = { "content-type": "application/json" };

test("a body", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  const post = (body, headers = JSON_TYPE) => api.post("/api/tokens", body, { headers });

  await t.test("that is too large is refused, announced or not", async () => {
    const large = JSON.stringify({ name: "x".repeat(BODY_BYTES_MAX), scope: "cli" });
    const announced = await post(large);
    assert.equal(announced.status, 413);
    assert.equal(announced.json.error.code, "too_large");
    const pieces = new ReadableStream({
      start(controller) {
        for (let at = 0; at < large.length; at += 64 * 1024) controller.enqueue(Buffer.from(large.slice(at, at + 64 * 1024)));
        controller.close();
      },
    });
    const headers = { ...JSON_TYPE, ...pageHeaders(api.url, api.cookie) };
    const streamed = await fetch(`${hub.url}/api/tokens`, { method: "POST", body: pieces, duplex: "half", headers });
    assert.equal(streamed.status, 413);
    assert.equal((await api.get("/health")).status, 200, "and the hub is well");
  });

  await t.test("that is not JSON, or not of the type, is refused with where", async () => {
    for (const body of ["", "{", "null", "[]", "\0", '{"name": 7, "scope": "cli"}', '{"name": "x"}', "\ufeff{}", "[".repeat(10_000)]) {
      const answer = await post(body);
      assert.equal(answer.status, 400, body.slice(0, 40));
      assert.equal(answer.json.error.code, "invalid");
      assert.ok(answer.json.error.message.length < 300);
      assert.equal(answer.json.error.request_id, answer.headers.get("x-request-id"));
    }
  });

  await t.test("of another media type is refused", async () => {
    const body = JSON.stringify({ name: "x", scope: "cli" });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]) {
      const answer = await post(body, { "content-type": type });
      assert.equal(answer.status, 415, type);
    }
    assert.equal((await post(body, { "content-type": "application/json; charset=utf-8" })).status, 201);
  });

  await t.test("with fields of a newer version is taken", async () => {
    assert.equal((await api.post("/api/tokens", { name: "x", scope: "cli", colour: "blue" })).status, 201);
  });
});
