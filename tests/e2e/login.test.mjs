// `muster login`, `muster runner` and `muster logout` as a person uses them: a terminal, a browser, and nothing pasted.

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MUSTER_BINARY } from "../../scripts/lib/paths.mjs";
import { Process, showLogOnFailure } from "../support/process.mjs";
import { Api, assertNoProblems, openBrowser, signInPage, startHub, tempDir, until } from "../support/index.mjs";

const SOON = { MUSTER_DEVICE_INTERVAL_S: "1" };

/** A person's account on some machine: an empty home, and no keyring to talk to, whatever runs these tests. */
class Machine {
  constructor(t, hub) {
    this.t = t;
    this.hub = hub;
    this.home = tempDir(t, "home");
    this.file = join(this.home, ".config", "muster", "credentials.json");
  }

  start(...args) {
    const env = {
      PATH: process.env.PATH,
      HOME: this.home,
      LANG: "C.UTF-8",
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.home, "no-bus")}`,
      MUSTER_STATE: join(this.home, "state"),
    };
    const started = new Process(MUSTER_BINARY, args, { cwd: this.home, env });
    showLogOnFailure(this.t, `muster ${args[0]}`, () => started.log());
    this.t.after(() => started.endGroup("SIGKILL"));
    return started;
  }

  /** Runs to its end. */
  async run(...args) {
    const started = this.start(...args);
    const { code } = await started.exited;
    return { code, said: started.log() };
  }

  login(...more) {
    return this.start("login", "--hub", this.hub.url, "--name", "atlas", ...more);
  }

  credentials() {
    return JSON.parse(readFileSync(this.file, "utf8")).credentials;
  }
}

/** The code and the link that it shows. */
function shown(login) {
  return until(() => {
    const link = /Open +(\S+\/device\?code=(\S+))/.exec(login.log());
    return link && { link: link[1], code: link[2] };
  }, "the code to be shown");
}

test("log in, look, use the API, log out", async (t) => {
  const hub = await startHub(t, { vars: SOON });
  const machine = new Machine(t, hub);
  const { page } = await openBrowser(t);

  const login = machine.login();
  const { link, code } = await shown(login);

  // A stranger is led to the sign-in, and back to the code afterwards.
  await page.goto(link);
  await page.waitForURL((url) => url.pathname === "/");
  await page.goto(hub.link());
  await page.waitForURL(link);
  await page.getByRole("heading", { level: 1, name: "Let atlas in?" }).waitFor();
  await page.getByText(code, { exact: true }).waitFor();
  assert.ok(login.isRunning, "nothing is confirmed by looking");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { level: 1, name: "atlas is let in" }).waitFor();
  assertNoProblems(page);
  assert.equal((await login.exited).code, 0, login.log());
  assert.match(login.log(), /Logged in at .* as You\./);

  assert.equal(statSync(machine.file).mode & 0o777, 0o600);
  const [kept] = machine.credentials();
  assert.deepEqual({ ...kept, id: "", token: "" }, { hub: hub.url, scope: "cli", id: "", name: "atlas", person: "You", token: "" });
  assert.match(kept.token, /^mst_[\w-]{48}$/);
  const api = new Api(hub.url);
  const asProgram = { headers: { authorization: `Bearer ${kept.token}`, origin: "" } };
  assert.equal((await api.get("/api/sessions", asProgram)).status, 200);
  for (const log of [login.log(), hub.log()]) assert.ok(!log.includes(kept.token), "no log has the token");

  const status = await machine.run("login", "--status");
  assert.equal(status.code, 0);
  assert.match(status.said, new RegExp(`${hub.url} +command line +atlas +You +works`));
  const again = await machine.run("login", "--hub", hub.url);
  assert.equal(again.code, 0);
  assert.match(again.said, /Already logged in at .* as You/);

  const logout = await machine.run("logout");
  assert.equal(logout.code, 0, logout.said);
  assert.match(logout.said, /revoked and removed/);
  assert.equal((await api.get("/api/sessions", asProgram)).status, 401, "it is revoked at the hub");
  assert.ok(!existsSync(machine.file));
  assert.equal((await machine.run("login", "--status")).code, 1);
});

test("a machine becomes a runner, and `muster runner` needs no word more", async (t) => {
  const hub = await startHub(t, { vars: SOON });
  const api = await hub.signIn();
  const machine = new Machine(t, hub);
  const { page } = await openBrowser(t, { width: 390, height: 844 });
  await signInPage(page, hub);
  const login = machine.login("--runner", "--json");
  const asked = await until(() => JSON.parse(login.log().split("\n")[0]), "the line with the code");
  // Typed on another device, as people type.
  await page.goto(asked.verification_uri);
  await page.getByRole("textbox", { name: "Code" }).fill(asked.user_code.toLowerCase().replace("-", " "));
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("as a runner").waitFor();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("link", { name: "All runners" }).waitFor();
  assertNoProblems(page);
  assert.equal((await login.exited).code, 0, login.log());
  const done = JSON.parse(login.log().split("\n").find((line) => line.includes("logged_in")));
  assert.deepEqual({ ...done, id: "" }, { event: "logged_in", hub: hub.url, scope: "runner", id: "", name: "atlas", person: "You", kept: "file" });

  const runner = machine.start("runner");
  const online = async () => (await api.get("/api/runners")).json.runners.find((each) => each.online);
  assert.equal((await until(online, "the runner to be online")).runner, done.id);
  const [{ token }] = machine.credentials();
  const secretsOf = (file) => readFileSync(join("/proc", String(runner.pid), file), "latin1");
  assert.ok(!secretsOf("cmdline").includes(token) && !secretsOf("environ").includes(token));
  assert.ok(!runner.log().includes(token));

  assert.equal((await machine.run("logout")).code, 1, "there is no command line's token");
  assert.equal((await machine.run("logout", "--runner")).code, 0);
  assert.equal((await runner.exited).code, 12, "a revoked runner ends and says so");
  const refused = await machine.run("runner", "--hub", hub.url);
  assert.equal(refused.code, 1);
  assert.match(refused.said, /muster login --runner/);
});

test("denied, stopped, no hub: each is said, and nothing is stored", async (t) => {
  const hub = await startHub(t, { vars: SOON });
  const machine = new Machine(t, hub);
  const { page } = await openBrowser(t);
  await signInPage(page, hub);

  const denied = machine.login();
  await page.goto((await shown(denied)).link);
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("heading", { level: 1, name: "atlas stays out" }).waitFor();
  assertNoProblems(page);
  assert.equal((await denied.exited).code, 1);
  assert.match(denied.log(), /denied: .*Nothing was stored/);

  const stopped = machine.login();
  await shown(stopped);
  assert.equal((await stopped.end("SIGINT")).code, 130);
  assert.match(stopped.log(), /nothing was stored/);

  await hub.kill9();
  const nobody = await machine.run("login", "--hub", hub.url);
  assert.equal(nobody.code, 1);
  assert.match(nobody.said, /cannot reach 127\.0\.0\.1/);
  assert.ok(!existsSync(machine.file));
});

test("a code that nobody confirms ends the wait, and says so", async (t) => {
  const hub = await startHub(t, { vars: { ...SOON, MUSTER_DEVICE_LIFE_S: "1" } });
  const machine = new Machine(t, hub);
  const login = machine.login();
  assert.equal((await login.exited).code, 1);
  assert.match(login.log(), /expired .*run `muster login` again/);
  assert.ok(!existsSync(machine.file));
});

test("a hub that goes away while somebody waits, or before somebody leaves", async (t) => {
  const hub = await startHub(t, { vars: SOON });
  const machine = new Machine(t, hub);
  const api = await hub.signIn();
  const login = machine.login();
  const { code } = await shown(login);
  await hub.kill9();
  await until(() => /still trying/.test(login.log()), "the trouble to be told");
  await hub.start();
  const approved = await api.post("/device/approve", new URLSearchParams({ code }), { headers: { "hx-request": "true" } });
  assert.equal(approved.status, 200);
  assert.equal((await login.exited).code, 0, login.log());
  const [{ token, name }] = machine.credentials();
  await hub.kill9();
  const status = await machine.run("login", "--status");
  assert.equal(status.code, 1);
  assert.match(status.said, /unknown: cannot reach/);
  const logout = await machine.run("logout");
  assert.equal(logout.code, 0);
  assert.match(logout.said, new RegExp(`still works at .*${name}`, "s"));
  assert.ok(!existsSync(machine.file));
  await hub.start();
  const alive = await new Api(hub.url).get("/api/tokens/self", { headers: { authorization: `Bearer ${token}` } });
  assert.equal(alive.status, 200, "it said the truth");
});

test("a credentials file that others can read is refused", async (t) => {
  const machine = new Machine(t, { url: "http://127.0.0.1:1" });
  mkdirSync(join(machine.home, ".config", "muster"), { recursive: true });
  writeFileSync(machine.file, '{"version":1,"credentials":[]}');
  chmodSync(machine.file, 0o644);
  for (const args of [["login", "--status"], ["login", "--hub", "http://127.0.0.1:1"], ["logout"], ["runner"]]) {
    const { code, said } = await machine.run(...args);
    assert.equal(code, 1, said);
    assert.match(said, /mode 644/);
  }
});
