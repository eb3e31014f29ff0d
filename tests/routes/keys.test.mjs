// Keys are rotated without anybody being cut off: docs/operations.md, step by step.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { startHub } from "../support/index.mjs";

const bearer = (text) => ({ headers: { authorization: `Bearer ${text}` } });

test("JWT keys are rotated: the old one opens the door until it is removed", async (t) => {
  const [k1, k2] = [0, 1].map(() => randomBytes(32).toString("base64url"));
  const keys = (current, all) => JSON.stringify({ current, keys: all });
  const hub = await startHub(t, { vars: { MUSTER_JWT_KEYS: keys("k1", { k1 }) } });
  const { token } = await hub.token("laptop");
  const exchange = async () => (await hub.anonymous().post("/api/tokens/exchange", undefined, bearer(token))).json.jwt;
  const kid = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[0], "base64url")).kid;
  const opens = async (jwt) => {
    const socket = await hub.anonymous().ws("/ws/connect", bearer(jwt));
    await socket.close();
  };
  const now = async (current, all) => {
    hub.vars = { MUSTER_JWT_KEYS: keys(current, all) };
    await hub.restart();
  };

  const old = await exchange();
  assert.equal(kid(old), "k1");
  await opens(old);

  await now("k2", { k1, k2 });
  await opens(old);
  const fresh = await exchange();
  assert.equal(kid(fresh), "k2");
  await opens(fresh);

  await now("k2", { k2 });
  await opens(fresh);
  await assert.rejects(opens(old), { status: 401 });
  assert.equal(kid(await exchange()), "k2", "the token itself outlives every key");
});
