// An agent that does exactly what a test says: it writes a known stream, remembers what it read, and tells both.
//
//   node instrument.mjs <socket of the test>
//
// It runs in a terminal of the real runner and takes orders over a Unix socket, so that orders and answers never travel on
// the wire under test. Each connection starts with {"hello": pid}; then one JSON object a line, answered by one with the same id.
// The terminal's input is raw: nothing is echoed, so what the terminal prints is what was written here and nothing else.

import { createCipheriv, createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const PIECE_BYTES = 32 * 1024;

/** Pseudo-random printable lines of 79 characters: base64 of AES-CTR's key stream, the same for the same seed. */
class Stream {
  constructor(seed) {
    this.cipher = createCipheriv("aes-128-ctr", createHash("sha256").update(seed).digest().subarray(0, 16), Buffer.alloc(16));
    this.rest = "";
  }

  take(bytes) {
    while (this.rest.length < bytes) {
      const text = this.cipher.update(Buffer.alloc(3 * 16 * 1024)).toString("base64");
      this.rest += text.replace(/.{79}/g, "$&\n");
    }
    const piece = this.rest.slice(0, bytes);
    this.rest = this.rest.slice(bytes);
    return piece;
  }
}

const state = {
  stream: new Stream("muster"),
  written: { bytes: 0, hash: createHash("sha256") },
  read: { bytes: 0, hash: createHash("sha256"), tail: "" },
  resizes: [],
  chatter: null,
};

/** The terminal turns a line feed into "\r\n" on its way out: what is counted is what a viewer must get. */
function write(text) {
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
  const shown = Buffer.from(text.replaceAll("\n", "\r\n"));
  state.written.bytes += shown.length;
  state.written.hash.update(shown);
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

const orders = {
  /** Writes the next bytes of the stream, in turns, so that other orders are heard in between. */
  async stream({ bytes }) {
    for (let left = bytes; left > 0; left -= PIECE_BYTES) {
      write(state.stream.take(Math.min(left, PIECE_BYTES)));
      await nextTurn();
    }
    return orders.written();
  },
  write({ text }) {
    write(text);
    return orders.written();
  },
  written: () => ({ bytes: state.written.bytes, sha256: state.written.hash.copy().digest("hex") }),
  read: () => ({ bytes: state.read.bytes, sha256: state.read.hash.copy().digest("hex"), tail: state.read.tail }),
  size: () => ({ cols: process.stdout.columns, rows: process.stdout.rows, resizes: state.resizes }),
  /** Prints a line every so often, for ever: the agent that prints all day. */
  chatter({ everyMs }) {
    clearInterval(state.chatter);
    state.chatter = everyMs ? setInterval(() => write(state.stream.take(80)), everyMs) : null;
    return orders.written();
  },
  env: ({ name }) => ({ value: process.env[name] ?? null, cwd: process.cwd() }),
  exit({ code }) {
    setImmediate(() => process.exit(code));
    return {};
  },
};

process.stdin.setRawMode(true);
process.stdin.on("data", (bytes) => {
  state.read.bytes += bytes.length;
  state.read.hash.update(bytes);
  state.read.tail = (state.read.tail + bytes.toString("latin1")).slice(-4096);
});
process.stdout.on("resize", () => state.resizes.push([process.stdout.columns, process.stdout.rows]));

const socket = connect(process.argv[2]);
socket.on("error", () => process.exit(70));
socket.on("close", () => process.exit(0));
socket.write(`${JSON.stringify({ hello: process.pid })}\n`);
createInterface({ input: socket }).on("line", async (line) => {
  const { id, order, ...rest } = JSON.parse(line);
  const answer = await orders[order](rest);
  socket.write(`${JSON.stringify({ id, ...answer })}\n`);
});
