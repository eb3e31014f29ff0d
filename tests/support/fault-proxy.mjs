// A TCP proxy on loopback whose network can be broken on purpose: late, in pieces, slow, silent, cut in the middle.

import { connect, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "./until.mjs";

/** What one direction may hold before it stops reading: as much as a kernel would. */
const HELD_BYTES_MAX = 1024 * 1024;

export async function startFaultProxy(t, targetPort) {
  const proxy = new FaultProxy(targetPort);
  t?.after(() => proxy.close());
  await proxy.listen();
  return proxy;
}

class FaultProxy {
  accepted = 0;
  #links = new Set();
  #faults = { delayMs: 0, jitterMs: 0, chunkBytes: 0, bytesPerSecond: 0, blackhole: false, refuse: false };
  #truncation; // {direction, left, done}

  constructor(targetPort) {
    this.targetPort = targetPort;
    this.server = createServer((client) => this.#accept(client));
  }

  listen() {
    return new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  get port() {
    return this.server.address().port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections() {
    return this.#links.size;
  }

  set(faults) {
    Object.assign(this.#faults, faults);
  }

  blackhole(on = true) {
    this.set({ blackhole: on });
  }

  refuse(on = true) {
    this.set({ refuse: on });
  }

  /** Resets every connection, so that what was on its way is lost. */
  cut() {
    this.#links.forEach((link) => link.cut());
  }

  /** Lets `bytes` more through in a direction, over all connections, then cuts. Resolves when that happened. */
  truncateAfter(bytes, direction = "down") {
    return new Promise((done) => (this.#truncation = { direction, left: bytes, done }));
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #accept(client) {
    this.accepted += 1;
    if (this.#faults.refuse) return client.resetAndDestroy();
    const server = connect({ host: "127.0.0.1", port: this.targetPort });
    const link = {
      cut: () => {
        this.#links.delete(link);
        client.resetAndDestroy();
        server.resetAndDestroy();
      },
    };
    this.#links.add(link);
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", link.cut).on("close", () => this.#links.delete(link));
    this.#carry(client, server, "up", link);
    this.#carry(server, client, "down", link);
  }

  /** Reads as fast as memory allows, writes when each piece is due: a delay costs latency, not throughput. */
  #carry(from, to, direction, link) {
    const queue = [];
    let held = 0;
    let ended = false;
    let wake = () => {};
    from.on("data", (bytes) => {
      held += bytes.length;
      queue.push({ bytes, due: Date.now() + this.#latency() });
      if (held > HELD_BYTES_MAX) from.pause();
      wake();
    });
    from.on("end", () => {
      ended = true;
      wake();
    });
    const drain = async () => {
      for (;;) {
        while (!queue.length && !ended && !to.destroyed) await new Promise((resolve) => (wake = resolve));
        if (to.destroyed) return;
        if (!queue.length) return void to.end();
        const { bytes, due } = queue.shift();
        if (due > Date.now()) await pause(due - Date.now());
        await this.#deliver(bytes, to, direction, link);
        held -= bytes.length;
        if (held <= HELD_BYTES_MAX) from.resume();
      }
    };
    to.on("close", () => wake());
    drain().catch(() => link.cut());
  }

  #latency() {
    const { delayMs, jitterMs } = this.#faults;
    return delayMs + Math.random() * jitterMs;
  }

  async #deliver(bytes, to, direction, link) {
    for (let rest = bytes; rest.length && !to.destroyed; ) {
      const { chunkBytes, bytesPerSecond } = this.#faults;
      if (this.#faults.blackhole) await until(() => !this.#faults.blackhole || to.destroyed, "the black hole to open", { deadlineMs: 600_000 });
      const piece = rest.subarray(0, chunkBytes || rest.length);
      rest = rest.subarray(piece.length);
      if (bytesPerSecond) await pause((piece.length * 1000) / bytesPerSecond);
      const whole = this.#truncate(piece, to, direction, link);
      if (!whole) return;
      if (chunkBytes) await new Promise((resolve) => to.write(piece, resolve)); // one write, one packet
      else if (!to.write(piece)) await drained(to);
    }
  }

  /** False when the piece was cut short, and the connections with it. */
  #truncate(piece, to, direction, link) {
    const limit = this.#truncation;
    if (limit?.direction !== direction) return true;
    if (piece.length <= limit.left) {
      limit.left -= piece.length;
      return true;
    }
    this.#truncation = undefined;
    to.write(piece.subarray(0, limit.left), () => {
      // A reset could overtake the last bytes; an ordinary end delivers them and still stops in the middle of a frame.
      to.end(() => {
        link.cut();
        this.cut();
        limit.done();
      });
    });
    return false;
  }
}

function drained(socket) {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
