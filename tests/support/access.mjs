// A team of Cloudflare Access for a test: keys that rotate, and assertions right and wrong.

import { fileURLToPath } from "node:url";
import { Process, showLogOnFailure } from "./process.mjs";

const SERVER = fileURLToPath(new URL("access-server.mjs", import.meta.url));
const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

export async function startAccess(t) {
  const started = new Process(process.execPath, [SERVER], { ipc: true });
  showLogOnFailure(t, "the stand-in for Cloudflare Access", () => started.log());
  t.after(() => started.end("SIGTERM"));
  const waiting = new Map();
  const call = (name, ...args) =>
    new Promise((resolve, reject) => {
      const id = waiting.size + 1;
      waiting.set(id, { resolve, reject });
      started.child.send({ id, call: name, args });
    });
  const team = await new Promise((resolve) => {
    waiting.set(0, { resolve });
    started.child.on("message", ({ id, value, error }) => {
      const { resolve, reject } = waiting.get(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
  });
  return {
    vars: { MUSTER_ACCESS_TEAM: team, MUSTER_ACCESS_AUD: AUDIENCE },
    /** The header that Access adds for a person; `how` = {claims, header, signWith, forge}. */
    headers: async (email, { claims, ...how } = {}) => ({
      "cf-access-jwt-assertion": await call("sign", { claims: { aud: [AUDIENCE], iss: team, email, ...claims }, ...how }),
    }),
    rotate: () => call("rotate"),
    fail: (on = true) => call("fail", on),
  };
}
