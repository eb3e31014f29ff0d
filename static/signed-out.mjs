//! Whether this browser is signed out. A refused WebSocket handshake looks to a script like any lost connection, so the hub is
//! asked in a way that tells.

/** True only when the hub said so; a network or a hub that does not answer says nothing. */
export async function isSignedOut(ask = (...request) => fetch(...request)) {
  try {
    const answer = await ask("/dashboard", { method: "HEAD", redirect: "manual", cache: "no-store" });
    return answer.type === "opaqueredirect" || answer.status === 401;
  } catch {
    return false;
  }
}
