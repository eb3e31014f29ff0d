// Records real agents in a keeper, offline: `node tests/snapshot/record.mjs [agent...]`. What comes of it is in recordings/,
// and is looked at by people before it is committed; tests never run this.

import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { agentSetup, installAgents, startModel, until } from "../support/index.mjs";
import { muster } from "./lib/binary.mjs";

const here = dirname(fileURLToPath(import.meta.url));
/** Every recording is made here, so that none tells anything of the machine. */
const PLACE = "/tmp/demo";
const SIZE = { cols: 120, rows: 40 };
const ANSWER = `# A table and some code

| name | what |
|------|------|
| one  | 漢字 and 🙂 |
| two  | **bold**, *italic*, \`code\` |

\`\`\`rust
fn main() { println!("{}", "hello"); }
\`\`\`

- first
- second, which is long enough that it has to be wrapped somewhere, wherever the right edge of the screen happens to be today
`;

/** Talks to a keeper as a runner does. */
class Keeper {
  static async start(dir, spec) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "open.json"), JSON.stringify(spec));
    spawn(muster(), ["keeper", "--terminal-dir", dir], { stdio: "ignore", detached: true, env: { ...process.env, ...spec.env } }).unref();
    const file = await until(() => JSON.parse(readFileSync(join(dir, "keeper.json"), "utf8")), "a keeper");
    return new Keeper(dir, connect(file.socket));
  }

  constructor(dir, socket) {
    this.dir = dir;
    this.socket = socket;
    this.messages = [];
    let kept = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      kept = Buffer.concat([kept, bytes]);
      while (kept.length >= 5 && kept.length >= 4 + kept.readUInt32BE()) {
        const end = 4 + kept.readUInt32BE();
        if (kept[4] === 0x4a) this.heard(JSON.parse(kept.subarray(5, end).toString()));
        kept = kept.subarray(end);
      }
    });
    socket.on("error", () => {});
  }

  heard(message) {
    this.messages.push(message);
    const { status, evidence, state, reason, title, detail } = message.status?.status ? message.status : message;
    console.log("   ", message.type, [status, evidence, state, reason, title, detail].filter(Boolean).join(" · "));
  }

  send(message) {
    const body = Buffer.from(JSON.stringify({ terminal: 1, ...message }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length + 1);
    head[4] = 0x4a;
    this.socket.write(Buffer.concat([head, body]));
  }

  type(text) {
    this.typed ??= 0;
    const body = Buffer.from(text);
    const frame = Buffer.alloc(5 + 16 + 8 + body.length);
    frame.writeUInt32BE(1 + 16 + 8 + body.length);
    frame.write("B", 4);
    frame[5] = 1;
    frame[6] = 3;
    frame.writeUInt32BE(1, 9);
    frame.writeBigUInt64BE(BigInt(this.typed), 13);
    frame.writeBigUInt64BE(77n, 21);
    body.copy(frame, 29);
    this.typed += body.length;
    this.socket.write(frame);
  }

  said(check, what) {
    return until(() => this.messages.find(check), what, { deadlineMs: 60_000 });
  }

  log() {
    const dir = join(this.dir, "log");
    return Buffer.concat(readdirSync(dir).sort().map((name) => readFileSync(join(dir, name))));
  }
}

async function record(name) {
  console.log(name);
  await installAgents([name]);
  const model = await startModel(null, { answers: [{ prompt: "demonstrate", answer: ANSWER }], latencyMs: 20 });
  rmSync(PLACE, { recursive: true, force: true });
  const [home, cwd] = [join(PLACE, "home"), join(PLACE, "work")];
  mkdirSync(home, { recursive: true });
  mkdirSync(cwd, { recursive: true });
  const { command, args, env } = agentSetup(name, { model, home, cwd });
  const spec = { terminal: 1, session: 1, name: "demo", agent: name, argv: [command, ...args], cwd, env, ...SIZE, kind: "tui" };
  const keeper = await Keeper.start(join(PLACE, "terminal"), spec);
  keeper.send({ type: "prompt", prompt: 1, text: "Please demonstrate\nwhat you can do." });
  await keeper.said((message) => message.type === "prompt" && ["done", "failed"].includes(message.state), "the turn to end").catch((error) => console.log(String(error)));
  // A menu, an edit, and away with it.
  await pause(1500);
  for (const keys of ["/", "\x1b", "\x7f", "some words 漢字", "\x1b[D\x1b[D", "\x15"]) {
    keeper.type(keys);
    await pause(700);
  }
  keeper.send({ type: "stop", mode: "terminate" });
  await pause(3000);
  const log = keeper.log();
  const text = log.toString("latin1");
  for (const telling of [process.env.HOME, process.env.HOSTNAME].filter((each) => each && each.length > 3)) {
    if (text.includes(telling)) console.log(`    it names ${telling}`);
  }
  mkdirSync(join(here, "recordings"), { recursive: true });
  writeFileSync(join(here, "recordings", `${name}.${SIZE.cols}x${SIZE.rows}.gz`), gzipSync(log, { level: 9 }));
  console.log(`    ${log.length} bytes`);
  keeper.send({ type: "forget" });
  await pause(500);
  await model.server.stop();
}

/** Walks through menus of vttest: each screen waits for RETURN, each menu for a number. */
async function recordVttest() {
  const size = { cols: 80, rows: 24 };
  for (const [part, choices] of Object.entries({ cursor: "1", screen: "2", characters: "3,8,0", vt102: "8", colours: "11,6,2,3,4,5,0,0" })) {
    rmSync(PLACE, { recursive: true, force: true });
    const spec = { terminal: 1, session: 1, agent: "shell", argv: ["vttest"], cwd: "/tmp", ...size, kind: "shell" };
    const keeper = await Keeper.start(join(PLACE, "terminal"), spec);
    const todo = [...choices.split(","), "0"];
    for (let screens = 0, before = -1; screens < 120 && todo.length; ) {
      await pause(120);
      const log = keeper.log();
      if (log.length !== before) {
        before = log.length;
        continue;
      }
      const menu = /Enter choice number[^\n]*$/.test(log.subarray(-120).toString("latin1"));
      keeper.type(menu ? `${todo.shift()}\r` : "\r");
      screens++;
    }
    await pause(500);
    const log = keeper.log();
    writeFileSync(join(here, "recordings", `vttest-${part}.80x24.gz`), gzipSync(log, { level: 9 }));
    console.log(part, log.length);
    keeper.send({ type: "forget" });
    await pause(300);
  }
}

const names = process.argv.slice(2);
for (const name of names.length ? names : ["claude", "opencode", "codex", "gemini", "aider", "vttest"]) {
  await (name === "vttest" ? recordVttest() : record(name));
}
process.exit(0);
