// A small HTTP and WebSocket client that looks like a browser of the hub's own origin. Throws on no status.

import WebSocket from "ws";
import { pageHeaders, signInCookie } from "../../scripts/lib/sign-in.mjs";
import { until } from "./until.mjs";

/** Follows a one-time link as a person would; resolves to the Cookie header. */
export const followLink = (link) => signInCookie(link);

export class Api {
  constructor(url, cookie) {
    Object.assign(this, { url, cookie });
  }

  get(path, init) {
    return this.request("GET", path, init);
  }
  post(path, body, init) {
    return this.request("POST", path, { ...init, body });
  }
  put(path, body, init) {
    return this.request("PUT", path, { ...init, body });
  }
  patch(path, body, init) {
    return this.request("PATCH", path, { ...init, body });
  }
  delete(path, body, init) {
    return this.request("DELETE", path, { ...init, body });
  }

  async request(method, path, { body, headers = {} } = {}) {
    const answer = await fetch(new URL(path, this.url), {
      method,
      redirect: "manual",
      body: encode(body),
      headers: { ...this.#headers(), ...contentType(body), ...headers },
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: parse(text) };
  }

  /** Opens a WebSocket and resolves when it is open; rejects with `status` when the hub refuses the handshake. */
  ws(path = "/ws/connect", { protocols = ["muster.1"], headers = {} } = {}) {
    const url = new URL(path, this.url.replace(/^http/, "ws"));
    const socket = new WebSocket(url, protocols, { headers: { ...this.#headers(), ...headers }, perMessageDeflate: false });
    return new Promise((resolve, reject) => {
      const frames = new Frames(socket);
      socket.once("open", () => resolve(frames));
      socket.once("unexpected-response", (_request, response) => {
        reject(Object.assign(new Error(`handshake answered ${response.statusCode}`), { status: response.statusCode }));
        socket.terminate();
      });
      socket.once("error", reject);
    });
  }

  #headers() {
    if (this.cookie) return pageHeaders(this.url, this.cookie);
    return { origin: new URL(this.url).origin, "sec-fetch-site": "same-origin" };
  }
}

/** An open socket that keeps what it received, so that no test races with a frame. */
class Frames {
  frames = [];
  #consumed = 0;
  #closed;

  constructor(socket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => this.frames.push(isBinary ? data : (parse(String(data)) ?? String(data))));
    socket.on("error", () => {}); // told by the close that follows
    this.#closed = new Promise((resolve) => {
      const end = (code, reason) => resolve((this.how ??= { code, reason: String(reason) }));
      // A close frame counts when it comes: "close" waits for the TCP connection, which workerd keeps until the object
      // sleeps, 10 s later, when a request rather than a message made it close.
      socket.once("open", () => socket._receiver.on("conclude", end));
      socket.on("close", end);
    });
  }

  send(frame) {
    this.socket.send(frame instanceof Uint8Array || typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first frame after those already taken that fits; what it skips stays in `frames` only. */
  next(fits = () => true, what = "a frame") {
    return until(() => {
      for (let at = this.#consumed; at < this.frames.length; at += 1) {
        if (!fits(this.frames[at])) continue;
        this.#consumed = at + 1;
        return { frame: this.frames[at] };
      }
      if (this.how) throw new Error(`the socket closed with ${this.how.code} ${this.how.reason}`);
      return undefined;
    }, what).then(({ frame }) => frame);
  }

  closed() {
    return this.#closed;
  }

  close(code = 1000) {
    this.socket.close(code);
    return this.#closed;
  }

  /** Without a goodbye, as a lost network does. */
  terminate() {
    this.socket.terminate();
    return this.#closed;
  }
}

const isPlain = (body) => body?.constructor === Object || Array.isArray(body);
const encode = (body) => (isPlain(body) ? JSON.stringify(body) : body);
const contentType = (body) => (isPlain(body) ? { "content-type": "application/json" } : {});

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
