// The process of the stand-in for GitHub: two listeners on loopback (github.com and api.github.com), and a controller on the
// other end of the IPC channel that says who there is, what breaks, and asks what came in. github.mjs is that controller.
//
// It ends with code 1 when anything broke GitHub's description and nobody took note of it.

import { createServer } from "node:http";
import { StandIn } from "./github/stand-in.mjs";

let standIn;
let stopped;
const servers = [];

/** What a controller may call: the world's own methods, and these. */
const WORLD = [
  "advance", "addPerson", "rename", "addOrg", "renameOrg", "renameTeam", "setMember", "removeMember", "setTeamMember", "removeTeamMember", "deleteTeam",
  "expireCodes", "expireTokens", "revoke",
];
const CALLS = {
  start,
  ...Object.fromEntries(WORLD.map((name) => [name, (...args) => void standIn.world[name](...args)])),
  addTeam: (...args) => void standIn.world.addTeam(...args),
  id: (login) => standIn.world.person(login).id,
  signInAs: (login) => void (standIn.world.signedIn = login === null ? null : standIn.world.person(login).id),
  suspend: (login, on = true) => void (standIn.world.person(login).suspended = on),
  setOrg: (login, { installed, restricted }) => {
    const org = standIn.world.org(login);
    Object.assign(org, { installed: installed ?? org.installed, restricted: restricted ?? org.restricted });
  },
  setCallbackUrls: (urls) => void (standIn.world.app.callbackUrls = urls),
  setClientSecret: (secret) => void (standIn.world.app.clientSecret = secret),
  fail: (endpoint, kind, options) => standIn.faults.add(endpoint, kind, options),
  release: (id) => void standIn.faults.release(id),
  heal: (endpoint) => void standIn.faults.clear(endpoint),
  requests: (after = 0) => standIn.requests.slice(after),
  deliver: (event, change, how) => standIn.webhooks.deliver(event, change, how),
  redeliver: (delivery) => standIn.webhooks.send(delivery),
  takeViolations: () => standIn.violations.splice(0),
  stop,
};

async function start(app) {
  const web = await listen((...args) => standIn.handle("web", ...args));
  const api = await listen((...args) => standIn.handle("api", ...args));
  standIn = new StandIn(app, { web, api });
  return { web, api };
}

async function listen(handle) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      // A request that its sender gave up is no fault of anybody here.
      if (request.destroyed && !request.complete) return;
      standIn.violations.push(`${request.method} ${request.url}: the stand-in failed: ${error.stack}`);
      response.destroy();
    });
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

/** Once: the channel's end and a signal may both say so. */
function stop() {
  return (stopped ??= stopNow());
}

function stopNow() {
  const violations = standIn?.violations ?? [];
  for (const each of violations) process.stderr.write(`violation: ${each}\n`);
  process.exitCode = violations.length ? 1 : 0;
  standIn?.faults.clear();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  return violations;
}

process.on("message", async ({ id, call, args }) => {
  const answer = await Promise.resolve()
    .then(() => (Object.hasOwn(CALLS, call) ? CALLS[call](...args) : Promise.reject(new Error(`there is no call ${call}`))))
    .then((value) => ({ id, value: value ?? null }), (error) => ({ id, error: error.message }));
  process.send(answer, () => call === "stop" && process.disconnect());
});

// Whoever started it is gone: so is its reason to be.
process.on("disconnect", stop);
process.on("SIGTERM", () => {
  stop();
  process.disconnect?.();
});
