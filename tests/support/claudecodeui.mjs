// A claudecodeui instance, as DESIGN.md has its protocol and with nothing else in mind: it connects without a subprotocol, a
// header or a cookie, registers, says what it is at, pings, and obeys the two commands. It shares no code with the hub.

import { randomUUID } from "node:crypto";
import WebSocket from "ws";
import { until } from "./until.mjs";

export class Instance {
  messages = [];
  #consumed = 0;

  /** `obeys: false` takes commands and does nothing of what they say. */
  constructor(hub, { clientId = randomUUID(), token, metadata = {}, obeys = true } = {}) {
    Object.assign(this, { url: hub.url, clientId, token, obeys });
    this.metadata = { hostname: "laptop", project: "/home/ann/shop", status: "active", version: "1.8.12", ...metadata };
  }

  /** Opens the socket, and says nothing. */
  async open() {
    const socket = new WebSocket(this.url.replace(/^http/, "ws") + "/ws/connect", { perMessageDeflate: false });
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      const end = (code, reason) => resolve((this.how ??= { code, reason: String(reason) }));
      // The close frame counts when it comes; the TCP connection may stay for a while.
      socket.once("open", () => socket._receiver.on("conclude", end));
      socket.on("close", end);
    });
    socket.on("message", (data) => this.#hear(JSON.parse(String(data))));
    socket.on("error", () => {}); // told by the close that follows
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("unexpected-response", (_request, { statusCode: status }) => reject(Object.assign(new Error(`answered ${status}`), { status })));
      socket.once("error", reject);
    });
    return this;
  }

  register() {
    const { clientId: client_id, token: user_token, metadata } = this;
    this.send({ type: "register", client_id, user_token, metadata });
    return this;
  }

  status(status) {
    this.metadata.status = status;
    this.send({ type: "status_update", client_id: this.clientId, status });
  }

  async ping() {
    this.send({ type: "ping", client_id: this.clientId });
    const { client_id: answered } = await this.next("pong");
    if (answered !== this.clientId) throw new Error(`the pong is for ${answered}`);
  }

  send(message) {
    this.socket.send(typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** The first message of this type after those already taken. */
  async next(type) {
    const found = await until(() => {
      const at = this.messages.findIndex((message, index) => index >= this.#consumed && message.type === type);
      if (at >= 0) return { at };
      if (this.how) throw new Error(`the socket closed with ${this.how.code} ${this.how.reason}`);
      return undefined;
    }, `a message of type ${type}`);
    this.#consumed = found.at + 1;
    return this.messages[found.at];
  }

  /** A person closes the program. */
  async leave() {
    this.socket.close(1000);
    await this.closed;
  }

  /** The machine is gone, without a goodbye. */
  vanish() {
    this.socket.terminate();
  }

  #hear(message) {
    this.messages.push(message);
    if (message.type !== "command" || !this.obeys) return;
    if (message.command === "disconnect") this.socket.close(1000);
    if (message.command === "refresh_status") this.status(this.metadata.status);
  }
}

/** An instance that has registered, and whose hub shows it. */
export async function startInstance(hub, api, options) {
  const instance = await new Instance(hub, options).open();
  instance.register();
  await shown(api, instance, (client) => client?.online && client.status === instance.metadata.status);
  return instance;
}

/** Waits until the hub shows an instance so; resolves to what it shows. */
export function shown(api, { clientId }, fits, what = `the hub to show ${clientId} so`) {
  return until(async () => {
    const { instances } = (await api.get("/api/clients")).json;
    const mine = instances.find((client) => client.client_id === clientId);
    return fits(mine) && { mine };
  }, what).then(({ mine }) => mine);
}
