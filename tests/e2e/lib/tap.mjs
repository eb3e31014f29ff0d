// A TCP proxy that counts what a client says to the hub over its WebSockets, from outside of both: keep-alives apart from
// messages that wake the hub. It reads the frames of RFC 6455, client to server only, and forwards all bytes as they came.

import { createServer, connect } from "node:net";

const PING = '{"type":"ping"}';

/** `counts`: {messages, pings, bytes}; `messages` are the text and binary messages that are no keep-alive. */
export async function startTap(t, targetPort) {
  const counts = { messages: 0, pings: 0, bytes: 0, kinds: [] };
  const sockets = new Set();
  const server = createServer((client) => {
    const target = connect(targetPort, "127.0.0.1");
    const parser = new FrameCounter(counts);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => (client.destroy(), target.destroy()));
    }
    client.on("data", (bytes) => {
      const plain = parser.upgraded ? bytes : withoutCompression(bytes);
      parser.take(plain);
      target.write(plain);
    });
    target.pipe(client);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, counts };
}

/** A browser offers to compress its messages; then they could not be read here. */
const withoutCompression = (head) => Buffer.from(head.toString("latin1").replace(/^sec-websocket-extensions:.*\r\n/im, ""), "latin1");

class FrameCounter {
  constructor(counts) {
    this.counts = counts;
    this.pending = Buffer.alloc(0);
    this.upgraded = false;
  }

  take(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    if (!this.upgraded) {
      const end = this.pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.upgraded = /^upgrade: *websocket/im.test(this.pending.subarray(0, end).toString("latin1"));
      if (!this.upgraded) {
        this.pending = Buffer.alloc(0); // a plain request; its body is small and none of ours
        return;
      }
      this.pending = this.pending.subarray(end + 4);
    }
    while (this.frame());
  }

  /** Takes one whole frame from the front; false when there is none. */
  frame() {
    const bytes = this.pending;
    if (bytes.length < 2) return false;
    const opcode = bytes[0] & 15;
    let length = bytes[1] & 127;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return false;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return false;
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    const masked = bytes[1] & 128;
    const mask = masked ? bytes.subarray(at, at + 4) : Buffer.alloc(4);
    at += masked ? 4 : 0;
    if (bytes.length < at + length) return false;
    const payload = Buffer.from(bytes.subarray(at, at + length));
    for (let n = 0; n < payload.length; n++) payload[n] ^= mask[n & 3];
    this.pending = bytes.subarray(at + length);
    this.count(opcode, payload);
    return true;
  }

  count(opcode, payload) {
    if (opcode !== 0 && opcode !== 1 && opcode !== 2) return; // close and the protocol's own ping and pong wake nobody
    if (opcode === 1 && payload.toString() === PING) this.counts.pings += 1;
    else {
      this.counts.messages += 1;
      this.counts.bytes += payload.length;
      this.counts.kinds.push(opcode === 1 ? JSON.parse(payload.toString()).type : `frame ${payload[1]}`);
    }
  }
}
