// The runner of this machine, paired with the local hub. Its token is made once and kept in its token file.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter, join } from "node:path";
import { writeWhole } from "./files.mjs";
import { isProcess } from "./owner.mjs";
import { MUSTER_BINARY } from "./paths.mjs";
import { Plain } from "./progress.mjs";
import { makeLink, pageHeaders, signInCookie } from "./sign-in.mjs";

/** Makes sure that the token file holds a token that this hub accepts. Returns its path. `hub` is {url, secret}. */
export async function pair(hub, state) {
  const file = join(state, "token");
  if (existsSync(file) && (await isAccepted(hub.url, readFileSync(file, "utf8").trim()))) return file;
  const cookie = await signInCookie(makeLink(hub.url, hub.secret));
  const answer = await fetch(`${hub.url}/api/tokens`, {
    method: "POST",
    headers: { ...pageHeaders(hub.url, cookie), "content-type": "application/json" },
    body: JSON.stringify({ name: hostname().slice(0, 60), scope: "runner" }),
  });
  if (!answer.ok) throw new Plain(`The hub made no token for this machine's runner: ${answer.status} ${await answer.text()}`);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeWhole(file, `${(await answer.json()).token}\n`, { mode: 0o600 });
  return file;
}

/** Only a clear refusal counts: anything else may pass, and a new token would make a second runner of this machine. */
async function isAccepted(url, token) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/tokens/exchange`, { method: "POST", headers });
  await answer.arrayBuffer();
  return answer.status !== 401 && answer.status !== 404;
}

/** Ends a runner that outlived a kill -9 of the `npm start` that had started it. */
export function endLeftover(state) {
  const file = join(state, "started.pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (pid && isProcess(pid, "muster")) process.kill(pid, "SIGTERM");
}

/** Starts the runner; its agents outlive it, so that ending it is harmless. */
export function startLocalRunner(hub, state, tokenFile) {
  const child = spawn(MUSTER_BINARY, ["runner"], {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true, // Ctrl-C is this script's to handle: it ends the runner with SIGTERM, its agents stay
    env: { ...personsOwn(process.env), MUSTER_HUB: hub.url, MUSTER_TOKEN_FILE: tokenFile, MUSTER_STATE: state },
  });
  if (child.pid) writeWhole(join(state, "started.pid"), String(child.pid));
  return child;
}

/** The environment without what npm and these scripts added to it: agents inherit it, and should find the person's own Node. */
export function personsOwn(env) {
  const added = /^(npm_|MUSTER_NODE_TAKEN_OVER$|INIT_CWD$|NODE$|COLOR$)/;
  const kept = Object.entries(env).filter(([name]) => !added.test(name));
  const path = env.PATH.split(delimiter).filter((folder) => !/node_modules[\\/](\.bin|.*node-gyp-bin)[\\/]?$/.test(folder));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}
