// Muster under test: the release build, started by the harness of the tests; a viewer that does no more than the wire asks.

import { inflateRawSync } from "node:zlib";
import { startHub, startRunner } from "../../tests/support/index.mjs";
import { until } from "../lib/children.mjs";
import { processes, rssBytes, workerdOf } from "../lib/proc.mjs";
import { Viewer, openSocket } from "../lib/socket.mjs";

const HEADER = 16;
const OUTPUT = 1;
const SNAPSHOT = 2;
const INPUT = 3;
const CREDIT = 5;
const DEFLATE = 1;
const MORE = 2;
const CREDIT_EVERY_BYTES = 128 * 1024;

function frame(kind, terminal, offset, payload) {
  const bytes = Buffer.alloc(HEADER + payload.length);
  bytes[0] = 1;
  bytes[1] = kind;
  bytes.writeUInt32BE(terminal, 4);
  bytes.writeBigUInt64BE(BigInt(offset), 8);
  payload.copy(bytes, HEADER);
  return bytes;
}

const NOTHING = Buffer.alloc(0);

class MusterViewer extends Viewer {
  have = null;
  credited = 0;
  typed = 0;
  snapshots = 0;
  parts = [];
  onSnapshot = null;

  constructor(attach) {
    super();
    this.attach = attach;
    this.terminal = attach.terminal;
    this.have = attach.from ?? null;
    this.live = new Promise((resolve) => (this.onLive = resolve));
  }

  type(bytes) {
    this.socket.send(frame(INPUT, this.terminal, this.typed, Buffer.concat([this.writer, bytes])));
    this.typed += bytes.length;
  }

  message(data, isBinary) {
    this.wireBytes += data.length;
    if (!isBinary) return this.event(JSON.parse(data));
    if (data[1] === OUTPUT) this.output(data);
    else if (data[1] === SNAPSHOT) this.snapshot(data);
  }

  event(message) {
    if (message.type === "attached") {
      this.writer = Buffer.from(message.writer, "hex");
      this.asked = false;
    } else if (message.type === "resync") this.askAgain();
    else if (message.type === "caught_up") {
      this.have ??= message.offset;
      this.credit();
      this.onLive(process.hrtime.bigint());
    } else if (message.type === "gap") this.have = Math.max(this.have, message.to);
    else if (message.type === "error" || message.type === "input_refused") throw new Error(JSON.stringify(message));
  }

  output(data) {
    const offset = data.readUInt32BE(8) * 2 ** 32 + data.readUInt32BE(12);
    const payload = data[2] & DEFLATE ? inflateRawSync(data.subarray(HEADER + 4)) : data.subarray(HEADER);
    if (this.have === null) return;
    if (offset > this.have) return this.askAgain();
    const fresh = offset === this.have ? payload : payload.subarray(Math.max(0, this.have - offset));
    if (!fresh.length) return;
    this.have = offset + payload.length;
    this.got(fresh);
    if (this.have - this.credited >= CREDIT_EVERY_BYTES) this.credit();
  }

  /** The hub lost count, as it does when it slept for ten seconds: say again where this viewer is. */
  askAgain() {
    if (this.asked) return;
    this.asked = true;
    this.socket.send(JSON.stringify({ ...this.attach, from: this.have, writer: this.writer.toString("hex") }));
  }

  snapshot(data) {
    this.parts.push(data[2] & DEFLATE ? inflateRawSync(data.subarray(HEADER + 4)) : data.subarray(HEADER));
    if (data[2] & MORE) return;
    const paint = Buffer.concat(this.parts).subarray(4);
    this.parts = [];
    this.snapshots += 1;
    this.have = data.readUInt32BE(8) * 2 ** 32 + data.readUInt32BE(12);
    this.onSnapshot?.(paint);
    this.credit();
  }

  credit() {
    this.credited = this.have;
    this.socket.send(frame(CREDIT, this.terminal, this.have, NOTHING));
  }
}

export const muster = {
  name: "muster",
  title: "Muster",

  /** `program` may be a list: then a terminal for each, the first one watched by `open()` unless it names another. */
  async start(scope, program) {
    const programs = [program].flat();
    const hub = await startHub(scope);
    const api = await hub.signIn();
    const config = programs.map(({ name, path }) => `[agents.${name}]\ncommand = [${JSON.stringify(path)}]\n`).join("\n");
    const runner = await startRunner(scope, hub, { config });
    const id = await until(async () => onlineRunner((await api.get("/api/runners")).json), "the runner to connect");
    const terminals = [];
    for (const each of programs) terminals.push(await openTerminal(api, id, each.name));
    for (const each of programs) await each.ready();
    const url = `${hub.url.replace(/^http/, "ws")}/ws/connect`;
    const headers = { cookie: api.cookie, origin: hub.url };
    return {
      hub,
      api,
      runner,
      terminals,
      hubPid: workerdOf(hub.pid),
      ownerPids: () => ownProcesses(runner).map(({ pid }) => pid),
      /** Resident bytes of the runner, first, and of each keeper. */
      memory: () => ownProcesses(runner).map(({ pid }) => ({ pid, rss: rssBytes(pid) })),
      async open(viewerScope, options = {}) {
        const { terminal = terminals[0], from = 0, delivery = "bytes", cols = 120, rows = 40, drive = true } = options;
        const attach = { type: "attach", terminal, delivery, cols, rows, drive, ...(from === null ? {} : { from }) };
        const viewer = new MusterViewer(attach);
        viewer.onSnapshot = options.onSnapshot ?? null;
        viewer.onBytes = options.onBytes ?? null;
        viewer.socket = await openSocket(viewerScope, url, {
          protocols: ["muster.1"],
          headers,
          onMessage: (data, isBinary) => viewer.message(data, isBinary),
        });
        viewer.socket.send(JSON.stringify(attach));
        viewer.caughtUpAt = await viewer.live;
        return viewer;
      },
    };
  },
};

const onlineRunner = (answer) => answer.runners.find((each) => each.online)?.runner;

async function openTerminal(api, runner, agent) {
  const answer = await api.post("/api/sessions", { name: agent, runner, agent, cwd: "" });
  if (answer.status >= 300) throw new Error(`POST /api/sessions answered ${answer.status}: ${answer.text}`);
  return answer.json.main_terminal;
}

/** The runner, and its keepers: they have left its process tree, and name the state folder in their arguments. */
function ownProcesses(runner) {
  const keepers = processes().filter(({ name, command }) => name === "muster" && command.includes(runner.stateDir));
  return [{ pid: runner.pid, name: "muster", command: "runner" }, ...keepers.filter(({ pid }) => pid !== runner.pid)];
}
