// The test's end of programs/instrument.mjs: a server that instruments connect to, and one object for each that did.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../../support/index.mjs";

const PROGRAM = fileURLToPath(new URL("../programs/instrument.mjs", import.meta.url));

/** Listens for instruments. `command` is the argv that a runner's config.toml names. */
export async function listenForInstruments(t) {
  const folder = mkdtempSync(join(tmpdir(), "muster-instrument-"));
  const path = join(folder, "s");
  const instruments = [];
  const server = createServer((socket) => instruments.push(new Instrument(socket)));
  await new Promise((resolve, reject) => server.once("error", reject).listen(path, resolve));
  t.after(() => {
    for (const each of instruments) each.socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let taken = 0;
  return {
    command: [process.execPath, PROGRAM, path],
    /** The next instrument that connects, in order. */
    async next() {
      const index = taken++;
      return until(() => instruments[index]?.pid && instruments[index], "the instrument to start");
    },
    /** How many processes were ever started. */
    count: () => instruments.length,
  };
}

class Instrument {
  constructor(socket) {
    this.socket = socket;
    this.waiting = new Map();
    this.newest = 0;
    this.ended = false;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      for (const { reject } of this.waiting.values()) reject(new Error("the instrument ended"));
    });
    createInterface({ input: socket }).on("line", (line) => {
      const message = JSON.parse(line);
      if (message.hello) this.pid = message.hello;
      this.waiting.get(message.id)?.resolve(message);
      this.waiting.delete(message.id);
    });
  }

  ask(order, args = {}) {
    const id = ++this.newest;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ id, order, ...args })}\n`);
    });
  }

  /** Writes that many bytes of the known stream; resolves to {bytes, sha256} of everything written so far. */
  stream(bytes) {
    return this.ask("stream", { bytes });
  }

  /** Writes text, escapes and all. */
  write(text) {
    return this.ask("write", { text });
  }

  /** What was written so far, as a viewer must get it. */
  written() {
    return this.ask("written");
  }

  /** What was read so far: {bytes, sha256, tail}. */
  read() {
    return this.ask("read");
  }

  /** {cols, rows, resizes}. */
  size() {
    return this.ask("size");
  }

  /** A line every so often; 0 stops. */
  chatter(everyMs) {
    return this.ask("chatter", { everyMs });
  }

  /** Says by the Program Status Protocol what it does: `idle`, `working`, `done`, `blocked:kind=permission`, ... */
  status(state) {
    return this.write(`\x1b]7501;state=${state}:app=instrument\x1b\\`);
  }

  exit(code = 0) {
    return this.ask("exit", { code });
  }

  get alive() {
    try {
      process.kill(this.pid, 0);
      return true;
    } catch {
      return false;
    }
  }
}
