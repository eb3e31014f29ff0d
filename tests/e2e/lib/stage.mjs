// What most stories begin with: a hub, a signed-in person, a runner that offers an instrument, and a session on it.

import assert from "node:assert/strict";
import { startHub, startRunner, until } from "../../support/index.mjs";
import { Viewer } from "../../support/viewer.mjs";
import { listenForInstruments } from "./instrument.mjs";

/**
 * `options.hub` and `options.runner` go to startHub and startRunner; `options.runnerThrough(hub)` may return the url that
 * the runner dials, such as a proxy's.
 */
export async function startStage(t, options = {}) {
  const instruments = await listenForInstruments(t);
  const hub = await startHub(t, options.hub);
  const api = await hub.signIn();
  const url = options.runnerThrough ? await options.runnerThrough(hub) : hub.url;
  const config = `${instrumentConfig(instruments)}\n${options.config ?? ""}`;
  const runner = await startRunner(t, hub, { url, config, ...options.runner });
  const stage = new Stage(t, { hub, api, runner, instruments });
  await stage.runnerOnline();
  return stage;
}

/** The entry of config.toml that puts the instrument on the runner's allow-list. */
export const instrumentConfig = ({ command }) => `
[agents.instrument]
label = "Instrument"
command = ${JSON.stringify(command)}
`;

export class Stage {
  constructor(t, parts) {
    this.t = t;
    Object.assign(this, parts);
  }

  /** Waits until exactly one runner is online, and returns it. */
  runnerOnline() {
    return until(async () => (await this.runners()).find((runner) => runner.online), "the runner to be online");
  }

  runnerOffline() {
    return until(async () => (await this.runners()).every((runner) => !runner.online), "the runner to be offline");
  }

  async runners() {
    const { json, status } = await this.api.get("/api/runners");
    assert.equal(status, 200);
    return json.runners;
  }

  /** A session over the JSON API; resolves when its terminal is open. */
  async session({ agent = "instrument", name = "", cwd = "", prompt = "" } = {}) {
    const { runner } = await this.runnerOnline();
    const answer = await this.api.post("/api/sessions", { runner, agent, name, cwd, prompt });
    assert.ok(answer.status === 201 || answer.status === 200, answer.text);
    const { session, main_terminal: terminal } = answer.json;
    await until(async () => (await this.terminal(session, terminal)).state === "open", `terminal ${terminal} to open`);
    return { session, terminal };
  }

  /** A session with an instrument in it. */
  async instrument(options) {
    const session = await this.session(options);
    return { ...session, program: await this.instruments.next() };
  }

  async detail(session) {
    const { json, status, text } = await this.api.get(`/api/sessions/${session}`);
    assert.equal(status, 200, text);
    return json;
  }

  async terminal(session, terminal) {
    return (await this.detail(session)).terminal_views.find((each) => each.terminal === terminal);
  }

  /** Waits until so many viewers watch the session's first terminal. */
  watched(session, count) {
    const viewers = async () => (await this.detail(session)).terminal_views[0].people.length;
    return until(async () => (await viewers()) === count, `${count} viewers of session ${session}`);
  }

  async prompts(session) {
    return (await this.detail(session)).prompts;
  }

  async queue(terminal, text) {
    const { json, status, text: body } = await this.api.post(`/api/terminals/${terminal}/prompts`, { text });
    assert.ok(status === 201 || status === 200 || status === 202, body);
    return json.prompt;
  }

  /** A raw viewer, closed with the test. */
  view(terminal, options = {}) {
    const viewer = new Viewer(options.url ?? this.hub.url, this.api.cookie, terminal, options);
    this.t.after(() => viewer.close());
    return viewer;
  }

  async health() {
    const { json, status, text } = await this.api.get("/health");
    assert.equal(status, 200, text);
    return json;
  }
}
