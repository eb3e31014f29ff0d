// /ws/connect for claudecodeui instances, through a small client that was written from DESIGN.md alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Instance, shown, startHub, startInstance, until } from "../support/index.mjs";

const MESSAGE_BYTES_MAX = 16 * 1024;
const REGISTER_MS_MAX = 10_000;

test("claudecodeui instances", async (t) => {
  const hub = await startHub(t);
  const api = await hub.signIn();
  const { id: tokenId, token } = await hub.token("instances", "claudecodeui");
  const silent = await new Instance(hub, { token }).open();
  const silentSince = Date.now();

  const refused = async (instance, code, words) => {
    const { message } = await instance.next("error");
    assert.match(message, words);
    assert.equal((await instance.closed).code, code);
  };

  await t.test("one that registers shows with what it said of itself", async () => {
    const before = Date.now();
    const instance = await startInstance(hub, api, { token, metadata: { hostname: "atlas", project: "/src/shop", status: "busy" } });
    const client = await shown(api, instance, (client) => client);
    assert.equal((await api.get(`/api/clients/${client.client}`)).json.client_id, instance.clientId);
    const { connected_ms: connected, status_ms: _said, client: id, ...rest } = client;
    assert.deepEqual(rest, {
      client_id: instance.clientId, hostname: "atlas", project: "/src/shop", status: "busy", version: "1.8.12", online: true, gone_ms: 0,
    });
    assert.match(id, /^ui-\d+$/);
    assert.ok(connected >= before - 100 && connected <= Date.now() + 100);
    await instance.ping();
    for (const status of ["idle", "active", "busy"]) {
      instance.status(status);
      await shown(api, instance, (client) => client.status === status);
    }
    await instance.leave();
    const gone = await shown(api, instance, (client) => !client.online);
    assert.ok(gone.gone_ms >= gone.connected_ms);
  });

  await t.test("what it says right after registering is kept until it is let in", async () => {
    const instance = await new Instance(hub, { token }).open();
    instance.register();
    instance.status("idle");
    await instance.ping();
    await shown(api, instance, (client) => client?.status === "idle");
    await instance.leave();
  });

  await t.test("a wrong, cut or foreign token is refused by name", async () => {
    const { token: runnerToken } = await hub.token("laptop");
    const { token: cliToken } = await hub.token("cli", "cli");
    const wrong = [
      [`${token.slice(0, -1)}${token.endsWith("x") ? "y" : "x"}`, /typing error/],
      [token.slice(0, 20), /typing error/],
      ["", /typing error/],
      ["x".repeat(300), /longer than any token/],
      [runnerToken, /scope claudecodeui/],
      [cliToken, /scope claudecodeui/],
      ["mst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt", /unknown, has ended or was revoked/],
    ];
    for (const [token, words] of wrong) await refused((await new Instance(hub, { token }).open()).register(), 4001, words);
    const { instances } = (await api.get("/api/clients")).json;
    assert.ok(instances.every((client) => !client.online));
  });

  await t.test("its token opens nothing else", async () => {
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await hub.anonymous().get("/api/clients", { headers })).status, 403);
    assert.equal((await hub.anonymous().post("/api/tokens/exchange", undefined, { headers })).status, 403);
    await assert.rejects(hub.anonymous().ws("/ws/connect", { headers }), { status: 401 });
  });

  await t.test("nothing but register comes first", async () => {
    const first = [
      [{ type: "ping", client_id: "a" }, 4000],
      [{ type: "status_update", client_id: "a", status: "idle" }, 4000],
      [{ type: "hello" }, 4000],
      [{ type: "ping" }, 4005], // and no runtime answers it
      [Buffer.from([1]), 4000],
      ["{", 4005],
      [{ type: "register", client_id: "a" }, 4005],
      [{ type: "register", client_id: "", user_token: token }, 4005],
      [{ type: "register", client_id: "x".repeat(129), user_token: token }, 4005],
      ["x".repeat(MESSAGE_BYTES_MAX + 1), 4004],
    ];
    for (const [message, code] of first) {
      const instance = await new Instance(hub).open();
      instance.send(message);
      await refused(instance, code, /./);
      assert.ok(!instance.messages.some(({ type }) => type === "pong"));
    }
  });

  await t.test("a second register ends the connection", async () => {
    const instance = await startInstance(hub, api, { token });
    instance.register();
    await refused(instance, 4000, /once/);
    await shown(api, instance, (client) => !client.online);
  });

  await t.test("a message of another client_id or an unknown type is answered and does nothing", async () => {
    const [one, other] = [await startInstance(hub, api, { token }), await startInstance(hub, api, { token })];
    one.send({ type: "status_update", client_id: other.clientId, status: "busy" });
    assert.match((await one.next("error")).message, /another client_id/);
    one.send({ type: "teleport" });
    assert.match((await one.next("error")).message, /does not know/);
    await one.ping();
    assert.equal((await shown(api, other, (client) => client)).status, "active");
    await Promise.all([one.leave(), other.leave()]);
  });

  await t.test("oversize and malformed messages close their own socket and no other", async () => {
    const good = await startInstance(hub, api, { token });
    for (const [message, code] of [["x".repeat(MESSAGE_BYTES_MAX + 1), 4004], ["[]", 4005], [Buffer.alloc(100_000), 4000]]) {
      const bad = await startInstance(hub, api, { token });
      bad.send(message);
      await refused(bad, code, /./);
      await shown(api, bad, (client) => !client.online);
    }
    await good.ping();
    await good.leave();
  });

  await t.test("what it says of itself is shown as text, cut to its length", async () => {
    const metadata = { hostname: "h".repeat(500), project: "/src/<script>\u0007", version: "1" };
    const instance = await startInstance(hub, api, { token, metadata });
    const client = await shown(api, instance, (client) => client);
    assert.equal(client.hostname.length, 120);
    assert.equal(client.project, "/src/<script>");
    for (const path of ["/clients", `/clients/${client.client}`, "/dashboard"]) {
      const { status, text } = await api.get(path);
      assert.equal(status, 200);
      assert.ok(text.includes(client.client) && !text.includes("<script>\u0007") && !text.includes("<script></"), path);
    }
    await instance.leave();
  });

  await t.test("ten instances of one person work side by side", async () => {
    const ten = await Promise.all(Array.from({ length: 10 }, (_, n) => startInstance(hub, api, { token, metadata: { hostname: `host-${n}` } })));
    const { instances } = (await api.get("/api/clients")).json;
    assert.equal(instances.filter((client) => client.online).length, 10);
    for (const [n, instance] of ten.entries()) instance.status(n % 2 ? "busy" : "idle");
    for (const [n, instance] of ten.entries()) {
      await shown(api, instance, (client) => client.hostname === `host-${n}` && client.status === (n % 2 ? "busy" : "idle"));
    }
    const [fifth] = ten.splice(4, 1);
    fifth.vanish();
    await shown(api, fifth, (client) => !client.online);
    await Promise.all(ten.map((instance) => instance.ping()));
    await Promise.all(ten.map((instance) => instance.leave()));
    await until(async () => (await api.get("/api/clients")).json.instances.every((client) => !client.online), "all to be gone");
  });

  await t.test("the same client_id again takes the older one's place", async () => {
    const first = await startInstance(hub, api, { token });
    const { client } = await shown(api, first, (client) => client);
    const again = { clientId: first.clientId, token, metadata: { version: "1.9.0" } };
    const second = await new Instance(hub, again).open();
    second.register();
    await refused(first, 4003, /newer connection/);
    const now = await shown(api, second, (client) => client.version === "1.9.0");
    assert.deepEqual([now.client, now.online], [client, true]);
    second.vanish();
    await shown(api, second, (client) => !client.online);
    const third = await startInstance(hub, api, again);
    assert.equal((await shown(api, third, (client) => client)).client, client, "and so does one that comes back");
    await third.leave();
  });

  await t.test("an eviction in the middle is noticed by nobody", async () => {
    const instance = await startInstance(hub, api, { token });
    assert.ok((await hub.evict()) >= 2, "a hub and a lobby");
    await instance.ping();
    assert.equal(await hub.evict(), 1, "a ping woke the lobby, and no hub");
    instance.status("busy");
    const { client } = await shown(api, instance, (client) => client.status === "busy");
    await hub.evict();
    assert.equal((await api.post(`/api/clients/${client}/refresh`)).status, 200);
    assert.equal((await instance.next("command")).command, "refresh_status");
    await hub.evict();
    instance.vanish();
    await until(async () => hub.evict().then((count) => count > 0), "the end to wake a lobby, and it a hub");
    await shown(api, instance, (client) => !client.online);
  });

  await t.test("commands reach it, and only while it is there", async () => {
    const instance = await startInstance(hub, api, { token, obeys: false });
    const { client } = await shown(api, instance, (client) => client);
    const refresh = await api.post(`/api/clients/${client}/refresh`);
    assert.deepEqual([refresh.status, refresh.json.online], [200, true]);
    assert.equal((await instance.next("command")).command, "refresh_status");
    const disconnect = await api.post(`/api/clients/${client}/disconnect`);
    assert.deepEqual([disconnect.status, disconnect.json.online], [200, false], "whether it obeys or not");
    assert.equal((await instance.next("command")).command, "disconnect");
    assert.equal((await instance.closed).code, 4011);
    for (const command of ["refresh", "disconnect"]) {
      const late = await api.post(`/api/clients/${client}/${command}`);
      assert.equal(late.status, 409);
      assert.match(late.json.error.message, /not connected/);
    }
    for (const id of ["ui-999", "ui-0", "nothing"]) {
      assert.equal((await api.post(`/api/clients/${id}/refresh`)).status, 404, id);
      assert.equal((await api.get(`/api/clients/${id}`)).status, 404, id);
      assert.equal((await api.get(`/clients/${id}`)).status, 404, id);
    }
  });

  await t.test("one that is away is forgotten, one that is there is not", async () => {
    const [first, second] = [await startInstance(hub, api, { token }), await startInstance(hub, api, { token })];
    const ids = [];
    for (const [instance, forget, done] of [
      [first, (id) => api.delete(`/api/clients/${id}`), 204],
      [second, (id) => api.post(`/clients/${id}/forget`, undefined, { headers: { "hx-request": "true" } }), 200],
    ]) {
      const { client: id } = await shown(api, instance, (client) => client);
      const socket = await api.ws(`/ws/connect?page=client&client=${id}`, { protocols: [] });
      const early = await forget(id);
      assert.equal(early.status, 409);
      assert.match(early.text, /is connected\. Disconnect it first/);
      await instance.ping();
      assert.equal((await api.get(`/api/clients/${id}`)).json.online, true, "and it stays");
      await instance.leave();
      await shown(api, instance, (client) => !client.online);
      assert.match((await api.get(`/clients/${id}`)).text, new RegExp(`hx-post="/clients/${id}/forget"`));
      const answer = await forget(id);
      assert.equal(answer.status, done, answer.text);
      if (done === 200) assert.equal(answer.headers.get("hx-redirect"), "/clients");
      await socket.next((html) => /This client is forgotten/.test(html), "an open page to say so");
      await socket.close();
      assert.equal((await api.get(`/api/clients/${id}`)).status, 404);
      assert.equal((await forget(id)).status, 404, "twice");
      ids.push(id);
    }
    const again = await startInstance(hub, api, { token, clientId: first.clientId });
    assert.ok(!ids.includes((await shown(api, again, (client) => client)).client), "it comes back as a new one");
    await again.leave();
    for (const id of ["ui-999", "nothing"]) assert.equal((await api.delete(`/api/clients/${id}`)).status, 404, id);
  });

  await t.test("the end of its token closes what came with it, and nobody has to look", async () => {
    const short = await hub.token("for some seconds", "claudecodeui");
    hub.sql("UPDATE tokens SET expires_ms = ?2 WHERE id = ?1", short.id, Date.now() + 4_000);
    const [ending, staying] = [await startInstance(hub, api, { token: short.token }), await startInstance(hub, api, { token })];
    const { client: id } = await shown(api, ending, (client) => client);
    const page = await api.ws(`/ws/connect?page=client&client=${id}`, { protocols: [] });
    await hub.evict();
    await refused(ending, 4001, /token has ended/);
    await page.next((html) => /Offline/.test(html), "the push of its end");
    await page.close();
    await refused((await new Instance(hub, { token: short.token }).open()).register(), 4001, /has ended/);
    await staying.ping();
    await staying.leave();
  });

  await t.test("the page for connecting says where an instance connects, and with what", async () => {
    const { text } = await api.get("/clients/connect");
    assert.ok(text.includes(`>${hub.url.replace(/^http/, "ws")}/ws/connect</code>`), "the address that the client here uses");
    assert.ok(text.includes('href="/settings/tokens#make"'));
    assert.ok((await api.get("/settings/tokens")).text.includes("A claudecodeui instance"), "what the page calls its scope");
  });

  await t.test("a page and its fragment say the same", async () => {
    const instance = await startInstance(hub, api, { token });
    const { client } = await shown(api, instance, (client) => client);
    for (const path of ["/clients", `/clients/${client}`]) {
      const page = (await api.get(path)).text;
      const fragment = (await api.get(path, { headers: { "hx-request": "true" } })).text;
      assert.ok(fragment.length < page.length && !fragment.includes("<html") && page.includes("<html"), path);
      assert.ok(fragment.includes("laptop") && fragment.includes("Active"), path);
    }
    const socket = await api.ws(`/ws/connect?page=client&client=${client}`, { protocols: [] });
    assert.match(await socket.next(), /id="client"[\s\S]*Active/);
    instance.status("idle");
    await socket.next((html) => /Idle/.test(html), "the push");
    instance.vanish();
    await socket.next((html) => /Offline/.test(html), "the push of its end");
    await socket.close();
  });

  await t.test("who says nothing is closed after ten seconds, and costs no more", async () => {
    await refused(silent, 4009, /10 seconds/);
    const tookMs = Date.now() - silentSince;
    assert.ok(tookMs >= REGISTER_MS_MAX - 200 && tookMs < REGISTER_MS_MAX + 5_000, `${tookMs} ms`);
  });

  await t.test("revoking its token closes what came with it, at once and for good", async () => {
    const kept = await hub.token("other instances", "claudecodeui");
    const other = await startInstance(hub, api, { token: kept.token });
    const two = [await startInstance(hub, api, { token }), await startInstance(hub, api, { token })];
    assert.equal((await api.delete(`/api/tokens/${tokenId}`)).status, 204);
    for (const instance of two) {
      await refused(instance, 4007, /revoked/);
      assert.equal((await shown(api, instance, (client) => client)).online, false);
    }
    await refused((await new Instance(hub, { token }).open()).register(), 4001, /revoked/);
    await other.ping();
    await other.leave();
  });

  await t.test("no log holds a token", () => {
    assert.ok(!hub.log().includes(token));
    assert.ok(!hub.log().includes('"hub_error"') && !hub.log().includes('"lobby_error"'), hub.log().slice(-2000));
  });
});
