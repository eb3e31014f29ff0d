//! Whether this browser is signed out, or a page no longer for it. A refused WebSocket handshake looks to a script like any lost connection, so the hub is
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

/** Why the hub refuses a handshake, as it says of a page: "sign_in", "gone", or "" while nothing is known or it may pass. */
export async function whyRefused(page, ask = (...request) => fetch(...request)) {
  if (!page) return (await isSignedOut(ask)) ? "sign_in" : "";
  let status = 0;
  const ofPage = async (_, how) => {
    const answer = await ask(page, how);
    status = answer.status;
    return answer;
  };
  if (await isSignedOut(ofPage)) return "sign_in";
  return status === 403 || status === 404 ? "gone" : "";
}
