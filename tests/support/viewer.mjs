// A viewer without a browser: speaks muster.1 over npm `ws`, reconnects by offset, returns credit, resends input that was not
// acknowledged, and keeps the SHA-256 of every byte it was given. It is what a foreign client would write from
// docs/protocol.md, so it shares no code with the dashboard's client.

import { createHash } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import WebSocket from "ws";

const HEADER = 16;
const KIND = { output: 1, snapshot: 2, input: 3, inputAck: 4, credit: 5 };
const FLAG = { deflate: 1, more: 2, scrollback: 4, jump: 8, resend: 16, rest: 32 };
const INPUT_MAX = 16 * 1024 - 8;

/** Decodes one frame; the payload comes inflated. */
export function decodeFrame(bytes) {
  const flags = bytes[2];
  let payload = bytes.subarray(HEADER);
  if (flags & FLAG.deflate) payload = inflateRawSync(payload.subarray(4));
  return { kind: bytes[1], flags, terminal: bytes.readUInt32BE(4), offset: Number(bytes.readBigUInt64BE(8)), payload };
}

/** Encodes one frame. */
export function encodeFrame(kind, terminal, offset, payload = Buffer.alloc(0)) {
  const bytes = Buffer.alloc(HEADER + payload.length);
  bytes[0] = 1;
  bytes[1] = kind;
  bytes.writeUInt32BE(terminal, 4);
  bytes.writeBigUInt64BE(BigInt(offset), 8);
  payload.copy(bytes, HEADER);
  return bytes;
}

/**
 * Watches one terminal. `url` is the hub's (or a proxy's), `cookie` the sign-in.
 * Options: `delivery` ("bytes" or "screen"), `from` (0 for everything), `cols`, `rows`, `drive`, `reconnect`.
 */
export class Viewer {
  constructor(url, cookie, terminal, options = {}) {
    this.url = url;
    this.cookie = cookie;
    this.terminal = terminal;
    this.options = { delivery: "bytes", from: 0, cols: 120, rows: 40, drive: true, reconnect: true, origin: url, ...options };
    this.have = this.options.from ?? null;
    this.hash = createHash("sha256");
    this.bytes = 0;
    this.tail = Buffer.alloc(0);
    this.snapshots = [];
    this.events = [];
    this.gaps = [];
    this.wireBytes = 0;
    this.frames = 0;
    this.connects = 0;
    this.reading = true;
    this.typed = Buffer.alloc(0);
    this.acked = 0;
    this.writer = null;
    this.watchers = new Set();
    this.parts = [];
    this.onOutput = null;
    this.connect();
  }

  connect() {
    if (this.closed) return;
    const socket = new WebSocket(this.url.replace(/^http/, "ws") + "/ws/connect", "muster.1", {
      headers: { cookie: this.cookie, origin: this.options.origin },
      perMessageDeflate: false,
    });
    this.socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("open", () => {
      this.connects += 1;
      this.attach();
    });
    socket.on("message", (data, binary) => {
      if (socket !== this.socket) return;
      if (binary) this.frame(data);
      else this.event(JSON.parse(data.toString()));
    });
    socket.on("error", () => {});
    socket.on("close", (code) => {
      if (socket !== this.socket) return;
      this.closeCode = code;
      this.live = false;
      this.notify();
      if (this.options.reconnect && !this.closed) this.retry = setTimeout(() => this.connect(), 50);
    });
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  attach() {
    const { cols, rows, delivery, drive } = this.options;
    const message = { type: "attach", terminal: this.terminal, delivery, cols, rows, drive };
    if (this.have !== null) message.from = this.have;
    if (this.writer) message.writer = this.writer;
    this.parts = [];
    this.credited = this.have ?? 0;
    this.send(message);
  }

  event(message) {
    this.events.push(message);
    if (message.type === "attached") {
      this.writer = message.writer;
      this.window = message.window;
      this.resend();
    } else if (message.type === "resync") this.attach();
    else if (message.type === "runner" && message.online) this.resend();
    else if (message.type === "caught_up") {
      this.live = true;
      this.credit(true);
    } else if (message.type === "gap") {
      this.gaps.push(message);
      if (message.to > this.have) this.have = message.to;
    }
    this.notify();
  }

  frame(data) {
    this.wireBytes += data.length;
    this.frames += 1;
    const frame = decodeFrame(data);
    if (frame.terminal !== this.terminal) return;
    if (frame.kind === KIND.output) this.output(frame);
    else if (frame.kind === KIND.snapshot) this.snapshot(frame);
    else if (frame.kind === KIND.inputAck) this.ack(frame);
  }

  output({ offset, payload }) {
    if (this.have === null) return;
    if (offset > this.have) return this.attach();
    const fresh = payload.subarray(this.have - offset);
    if (this.have - offset >= payload.length) return;
    this.have += fresh.length;
    this.bytes += fresh.length;
    this.hash.update(fresh);
    this.tail = Buffer.concat([this.tail, fresh]).subarray(-65536);
    this.onOutput?.(fresh);
    this.credit(false);
    this.notify();
  }

  snapshot({ flags, offset, payload }) {
    if (!(flags & FLAG.rest)) this.parts = [];
    this.parts.push(payload);
    if (flags & FLAG.more) return;
    const whole = Buffer.concat(this.parts);
    this.parts = [];
    this.snapshots.push({ offset, cols: whole.readUInt16BE(0), rows: whole.readUInt16BE(2), paint: whole.subarray(4), flags });
    if (this.options.delivery === "screen" || this.have === null) this.have = offset;
    this.credit(true);
    this.notify();
  }

  credit(force) {
    if (!this.reading || this.have === null) return;
    if (!force && this.have - this.credited < 128 * 1024) return;
    this.credited = this.have;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(encodeFrame(KIND.credit, this.terminal, this.have));
  }

  ack({ flags, offset }) {
    this.acked = Math.max(this.acked, offset);
    if (flags & FLAG.resend) this.resend();
    this.notify();
  }

  /** Types text or bytes; they are kept until acknowledged. */
  type(text) {
    const bytes = Buffer.from(text);
    const at = this.typed.length;
    this.typed = Buffer.concat([this.typed, bytes]);
    if (this.writer) this.sendInput(at);
  }

  resend() {
    if (this.writer && this.acked < this.typed.length) this.sendInput(this.acked);
  }

  sendInput(from) {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    const writer = Buffer.from(this.writer, "hex");
    for (let at = from; at < this.typed.length; at += INPUT_MAX) {
      const piece = Buffer.concat([writer, this.typed.subarray(at, at + INPUT_MAX)]);
      this.socket.send(encodeFrame(KIND.input, this.terminal, at, piece));
    }
  }

  notify() {
    for (const watcher of this.watchers) watcher();
  }

  /** Resolves when the condition holds; rejects at the deadline, saying what was waited for. */
  until(condition, what, deadlineMs = 60000) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const value = condition(this);
        if (!value) return;
        clearTimeout(timer);
        this.watchers.delete(check);
        resolve(value);
      };
      const timer = setTimeout(() => {
        this.watchers.delete(check);
        reject(new Error(`waited for ${what}; has ${this.have}, ${this.connects} connections, last event ${JSON.stringify(this.events.at(-1))}`));
      }, deadlineMs);
      this.watchers.add(check);
      check();
    });
  }

  /** SHA-256 of all output bytes so far. */
  digest() {
    return this.hash.copy().digest("hex");
  }

  /** Stops or resumes reading from the network, as a tab that hangs does. */
  pause(paused = true) {
    this.reading = !paused;
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  /** Goes on reading, but says nothing of it: its window fills and the stream stops. Undone, it says how far it is. */
  hold(held = true) {
    this.reading = !held;
    if (!held) this.credit(true);
  }

  /** Cuts the connection without a close frame; it reconnects. */
  cut() {
    this.socket.terminate();
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket.terminate();
  }
}
