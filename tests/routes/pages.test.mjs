// Pages: what a browser asks for and sends, and that every file a page names is there. What people see is tests/e2e's matter.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startHub } from "../support/index.mjs";
import { routes } from "./lib/table.mjs";

const HTMX = { "hx-request": "true" };
const form = (fields) => new URLSearchParams(fields);

test("pages", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { id: runner } = await hub.token("laptop");
  const made = (await api.post("/api/sessions", { runner, agent: "shell", name: "first" })).json;
  const { session, main_terminal: terminal } = made;

  const real = (path) => path.replace(":session", session).replace(":terminal", terminal).replace(":client", runner);
  const pages = routes()
    .filter((row) => row.method === "GET" && (row.who === "Person" || row.path === "/"))
    .map((row) => real(row.path));

  await t.test("each is there, whole, and not kept by browsers", async () => {
    assert.ok(pages.length >= 9);
    for (const path of pages.filter((each) => each !== "/")) {
      const answer = await api.get(path);
      assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 300)}`);
      assert.match(answer.headers.get("content-type"), /^text\/html; charset=utf-8$/, path);
      assert.equal(answer.headers.get("cache-control"), "no-store", path);
      assert.match(answer.text, /<!doctype html>/i, path);
      assert.doesNotMatch(answer.text, /<script>|<style>| style="| on[a-z]+="/, `${path}: nothing inline`);
    }
  });

  await t.test("no form is sent by the browser itself: without htmx it lacks the token and would be refused", async () => {
    for (const path of pages.filter((each) => each !== "/")) {
      for (const [tag] of (await api.get(path)).text.matchAll(/<form\b[^>]*>/g)) {
        assert.doesNotMatch(tag, /\smethod="post"/i, `${path}: ${tag}`);
      }
    }
  });

  await t.test("a note beside the terminal is spoken", async () => {
    const { text } = await api.get(`/sessions/${session}`);
    const [tag] = /<\w+ [^>]*id="line-note"[^>]*>/.exec(text);
    assert.match(tag, / role="status"/);
  });

  await t.test("a script can ask whether it is still signed in", async () => {
    // As static/signed-out.mjs does: a redirect, which the browser does not follow, means no.
    assert.equal((await api.request("HEAD", "/dashboard")).status, 200);
    const stranger = await hub.anonymous().request("HEAD", "/dashboard");
    assert.equal(stranger.status, 303);
    assert.equal(stranger.headers.get("location"), "/");
  });

  await t.test("every file they name is there, for ever", async () => {
    const named = new Set();
    for (const path of pages) {
      const { text } = await (path === "/" ? hub.anonymous() : api).get(path);
      for (const [, url] of text.matchAll(/(?:href|src)="(\/static\/[^"#]+)/g)) named.add(url);
    }
    assert.ok(named.size >= 3, [...named].join());
    for (const url of named) {
      const answer = await hub.anonymous().get(url);
      assert.equal(answer.status, 200, url);
      assert.equal(answer.headers.get("cache-control"), "public, max-age=31536000, immutable", url);
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff", url);
    }
  });

  await t.test("home leads on whoever is signed in, and tells everyone else how to get in", async () => {
    const answer = await api.get("/");
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("location"), "/dashboard");
    const stranger = await hub.anonymous().get("/");
    assert.equal(stranger.status, 200);
    assert.match(stranger.text, /sign/i);
  });

  await t.test("a form does what it says and names the page to go to", async () => {
    const created = await api.post("/sessions", form({ name: "by form", runner, agent: "shell", key: "k1" }), { headers: HTMX });
    assert.equal(created.status, 200);
    const path = created.headers.get("hx-redirect");
    assert.match(path, /^\/sessions\/\d+/);
    const again = await api.post("/sessions", form({ name: "by form", runner, agent: "shell", key: "k1" }), { headers: HTMX });
    assert.equal(again.headers.get("hx-redirect"), path, "sent twice, done once");
    const renamed = await api.post(`${path}/rename`, form({ name: "renamed by form" }), { headers: HTMX });
    assert.ok(renamed.status < 300, renamed.text);
    assert.equal((await api.get(`/api${path}`)).json.name, "renamed by form");
  });

  await t.test("a refused form says why, as a fragment, and names the field", async () => {
    const answer = await api.post("/sessions", form({ name: "x", runner: "none", agent: "shell" }), { headers: HTMX });
    assert.ok(answer.status >= 400 && answer.status < 500);
    assert.match(answer.text, /role="alert"/);
    assert.match(answer.text, /data-field="runner"/);
    assert.doesNotMatch(answer.text, /<html/);
  });

  await t.test("what is not there is a page that says so", async () => {
    for (const path of ["/sessions/999", "/sessions/x", `/sessions/${session}/terminals/999`, "/clients/none", "/nothing"]) {
      const answer = await api.get(path);
      assert.equal(answer.status, 404, path);
      assert.match(answer.text, /<h1>Not found<\/h1>/, path);
      assert.match(answer.text, new RegExp(answer.headers.get("x-request-id")), path);
    }
  });

  await t.test("a token made on a page is shown once", async () => {
    const answer = await api.post("/clients/connect", form({ name: "desk" }), { headers: HTMX });
    assert.equal(answer.status, 200);
    const [token] = /mst_[\w-]{48}/.exec(answer.text);
    const { runners } = (await api.get("/api/runners")).json;
    const { runner: made } = runners.find((each) => each.name === "desk");
    assert.ok(!(await api.get(`/clients/${made}`)).text.includes(token));
  });

  await t.test("another sign-in is ended from the list", async () => {
    const other = await hub.signIn();
    const { text } = await api.get("/settings");
    const ids = [...text.matchAll(/\/settings\/sign-ins\/(\d+)\/end/g)].map(([, id]) => Number(id));
    await api.post(`/settings/sign-ins/${Math.max(...ids)}/end`, form({}), { headers: HTMX });
    assert.equal((await other.get("/api/tokens")).status, 401);
    assert.equal((await api.get("/api/tokens")).status, 200);
  });
});
