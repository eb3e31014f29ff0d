// A stand-in for a team of Cloudflare Access, as a process of its own: it publishes its keys as Cloudflare documents
// (https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/)
// and signs assertions. Over IPC: {id, call, args}; answers {id, value} or {id, error}.

import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const keys = [];
let fails = false;

const addKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys.unshift({ kid: randomUUID().replaceAll("-", ""), publicKey, privateKey });
  return keys[0].kid;
};
addKey();

const server = createServer((request, response) => {
  if (request.url !== "/cdn-cgi/access/certs") return response.writeHead(404).end();
  if (fails) return response.writeHead(500).end();
  const jwks = keys.map(({ kid, publicKey }) => ({ kid, ...publicKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }));
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys: jwks }));
});

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An assertion as Access adds it; `change` replaces claims or header fields, `signWith` another key's place in the list. */
function sign({ claims = {}, header = {}, signWith = 0, forge = false }) {
  const now = Math.floor(Date.now() / 1000);
  const { kid, privateKey } = keys[signWith];
  const body = { type: "app", iat: now, nbf: now, exp: now + 3600, sub: randomUUID(), country: "DE", identity_nonce: "n", ...claims };
  const text = `${encode({ alg: "RS256", kid, typ: "JWT", ...header })}.${encode(body)}`;
  const key = forge ? generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey : privateKey;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}

const calls = {
  sign,
  /** The next key is published and signs; the last stays published. */
  rotate: () => (addKey(), keys.splice(2), keys[0].kid),
  fail: (on) => void (fails = on),
};

process.on("message", ({ id, call, args }) => {
  try {
    process.send({ id, value: calls[call](...args) ?? null });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => process.send({ id: 0, value: `http://127.0.0.1:${server.address().port}` }));
