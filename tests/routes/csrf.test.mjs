// What a cookie authorises must come from this hub's own page: origin and token, both.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pageHeaders } from "../../scripts/lib/sign-in.mjs";
import { startHub } from "../support/index.mjs";

test("a change by cookie", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();

  const body = { name: "laptop", scope: "runner" };
  const make = (headers) => api.post("/api/tokens", body, { headers });
  const count = async () => (await api.get("/api/tokens")).json.tokens.length;

  await t.test("is done from the hub's own page", async () => {
    assert.equal((await make({})).status, 201);
  });

  await t.test("is refused from anywhere else, and changes nothing", async () => {
    const before = await count();
    const port = new URL(hub.url).port;
    const wrong = [
      { origin: "https://evil.example.com" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${Number(port) + 1}` },
      { origin: `http://localhost:${port}` },
      { origin: "", "sec-fetch-site": "cross-site" },
      { origin: "", "sec-fetch-site": "same-site" },
      { origin: "", "sec-fetch-site": "" },
      { "x-csrf-token": "" },
      { "x-csrf-token": "made-up" },
    ];
    for (const headers of wrong) {
      const answer = await make(headers);
      assert.equal(answer.status, 403, JSON.stringify(headers));
      assert.equal(answer.json.error.code, "forbidden");
    }
    assert.equal(await count(), before);
  });

  await t.test("is refused with the token of another sign-in", async () => {
    const other = await hub.signIn();
    const before = await count();
    const answer = await api.request("POST", "/api/tokens", { body, headers: { "x-csrf-token": tokenOf(other) } });
    assert.equal(answer.status, 403);
    assert.equal(await count(), before);
  });

  await t.test("reading needs neither", async () => {
    const answer = await api.get("/api/tokens", { headers: { origin: "https://evil.example.com", "x-csrf-token": "" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), null, "though no other site may read the answer");
  });

  await t.test("the page that htmx asked for is refused as a fragment", async () => {
    const answer = await api.post("/auth/logout", undefined, { headers: { "x-csrf-token": "", "hx-request": "true" } });
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("content-type"), /^text\/html/);
    assert.doesNotMatch(answer.text, /<html/);
    assert.match(answer.text, /role="alert"/);
  });
});

/** The CSRF token that pages of this sign-in hold, found as the harness finds it. */
function tokenOf(api) {
  return pageHeaders(api.url, api.cookie)["x-csrf-token"];
}
