// The one-time sign-in link of a local hub: made from the hub's own secret, and followed as a browser would.
//
// `/auth/local?link=<payload>.<signature>`: payload is base64url of {"nonce","exp"}, the signature HMAC-SHA256 of the
// payload's text, keyed with the secret's text. The hub accepts each nonce once.

import { createHmac, randomBytes } from "node:crypto";

/** What the hub's CSRF token is an HMAC of, under the cookie's own value: src/auth/csrf.rs. */
const CSRF_CONTEXT = "muster csrf 1";
const VALID_SECONDS = 600;
const NONCE_BYTES = 16;

export function makeLink(url, secret) {
  const claims = { nonce: randomBytes(NONCE_BYTES).toString("base64url"), exp: Math.floor(Date.now() / 1000) + VALID_SECONDS };
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const signature = createHmac("sha256", secret).update(payload).digest("base64url");
  return `${url}/auth/local?link=${payload}.${signature}`;
}

/** Follows a link; resolves to the value of the Cookie header from then on. */
export async function signInCookie(link) {
  const answer = await fetch(link, { redirect: "manual" });
  const cookies = answer.headers.getSetCookie().map((each) => each.split(";", 1)[0]);
  if (!cookies.length) throw new Error(`the sign-in link answered ${answer.status} without a cookie: ${(await answer.text()).slice(0, 300)}`);
  return cookies.join("; ");
}

/** The headers by which a signed-in page of the hub's own origin changes something. */
export function pageHeaders(url, cookie) {
  const value = cookie.slice(cookie.indexOf("=") + 1);
  return {
    cookie,
    origin: new URL(url).origin,
    "sec-fetch-site": "same-origin",
    "x-csrf-token": createHmac("sha256", value).update(CSRF_CONTEXT).digest("base64url"),
  };
}
