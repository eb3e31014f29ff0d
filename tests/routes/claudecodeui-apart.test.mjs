// claudecodeui instances of two people, and a hub that dies: nobody sees or moves anything of another's, and what died without
// a word shows as offline to the first who looks.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { Api, Instance, shown, startHub, startInstance } from "../support/index.mjs";

test("instances of two people, and a hub that dies", async (t) => {
  const hub = await startHub(t);
  const ann = await hub.signIn();
  const { token: annsToken } = await hub.token("instances", "claudecodeui");
  const bob = addPerson(hub, 900);
  const [anns, bobs] = [
    await startInstance(hub, ann, { token: annsToken, clientId: "same-name" }),
    await startInstance(hub, bob.api, { token: bob.instanceToken, clientId: "same-name", metadata: { hostname: "bobs" } }),
  ];

  await t.test("each sees their own, under the same name", async () => {
    for (const [api, hostname] of [[ann, "laptop"], [bob.api, "bobs"]]) {
      const { instances } = (await api.get("/api/clients")).json;
      assert.deepEqual(instances.map((client) => [client.client_id, client.hostname, client.online]), [["same-name", hostname, true]]);
    }
    for (const path of ["/clients", "/dashboard"]) assert.ok(!(await ann.get(path)).text.includes("bobs"), path);
  });

  await t.test("commands, revocation and the same name again stay with their own", async () => {
    const { client } = await shown(bob.api, bobs, (client) => client);
    const second = await startInstance(hub, bob.api, { token: bob.instanceToken, clientId: "second" });
    const { client: only } = await shown(bob.api, second, (client) => client);
    for (const command of ["refresh", "disconnect"]) {
      assert.equal((await ann.post(`/api/clients/${only}/${command}`)).status, 404, "a number of Bob's that Ann has not");
    }
    assert.equal((await bob.api.post(`/api/clients/${client}/disconnect`)).status, 200);
    assert.equal((await bobs.closed).code, 4011);
    await anns.ping();
    assert.equal((await ann.delete(`/api/tokens/${bob.instanceTokenId}`)).status, 404);
    await second.ping();
    assert.equal((await bob.api.delete(`/api/tokens/${bob.instanceTokenId}`)).status, 204);
    assert.equal((await second.closed).code, 4007);
    await anns.ping();
    assert.deepEqual(anns.messages.filter(({ type }) => type !== "pong"), []);
  });

  await t.test("after a power cut the first who looks sees who is gone", async () => {
    assert.equal((await shown(ann, anns, (client) => client)).online, true);
    await hub.restart();
    const { instances } = (await ann.get("/api/clients")).json;
    assert.deepEqual(instances.map((client) => client.online), [false]);
    const again = await new Instance(hub, { token: annsToken, clientId: "same-name" }).open();
    again.register();
    await shown(ann, again, (client) => client.online);
    await again.leave();
  });
});

/** A second person, written into D1: this hub signs in one. */
function addPerson(hub, id) {
  hub.sql("INSERT INTO people (id, name, origin, created_ms) VALUES (?, 'Bob', 'test', 0)", id);
  const add = (tokenId, scope, letter) => {
    const token = tokenOf(Buffer.alloc(32, letter));
    const hash = createHash("sha256").update(token).digest("hex");
    const sql = "INSERT INTO tokens (id, person, name, scope, secret_hash, created_ms) VALUES (?, ?, 'b', ?, ?, 0)";
    hub.sql(sql, tokenId, id, scope, hash);
    return token;
  };
  const [cli, instanceToken] = [add("b0b0000000000001", "cli", 1), add("b0b0000000000002", "claudecodeui", 2)];
  return { api: new Bearer(hub.url, cli), instanceToken, instanceTokenId: "b0b0000000000002" };
}

function tokenOf(secret) {
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(secret));
  return `mst_${Buffer.concat([secret, check]).toString("base64url")}`;
}

class Bearer extends Api {
  constructor(url, token) {
    super(url);
    this.token = token;
  }

  request(method, path, init = {}) {
    return super.request(method, path, { ...init, headers: { ...init.headers, authorization: `Bearer ${this.token}` } });
  }
}
