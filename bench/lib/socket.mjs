// One WebSocket client for every system, so that what the client costs is the same on all sides.

import WebSocket from "ws";

/** Opens a socket; resolves when it is open. Binary messages are Buffers; `onMessage(data, isBinary)` gets each. */
export function openSocket(scope, url, { protocols = [], headers = {}, onMessage } = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false, skipUTF8Validation: true });
    socket.binaryType = "nodebuffer";
    scope.after(() => socket.terminate());
    socket.on("message", (data, isBinary) => onMessage(data, isBinary));
    socket.on("error", reject);
    socket.on("close", (code, reason) => reject(new Error(`${url} closed with ${code} ${reason}`)));
    socket.on("open", () => {
      socket._socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** What every viewer of the benchmark has; an adapter calls `got(bytes)` with what the program wrote. */
export class Viewer {
  constructor() {
    this.socket = null;
    this.wireBytes = 0;
    this.onBytes = null;
  }

  got(bytes) {
    this.onBytes?.(bytes);
  }

  /** Stops or resumes reading from the network, as a tab that hangs does. */
  pause(paused = true) {
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  close() {
    this.onBytes = null;
    this.socket?.terminate();
  }

  /** Adapters replace it: sends bytes as typed. */
  type() {
    throw new Error("this viewer cannot type");
  }
}
