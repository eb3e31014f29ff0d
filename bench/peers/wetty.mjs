// wetty, over socket.io's WebSocket transport spoken directly: `4` is a message, `2` an event, so `42["input","x"]`.
//
// Each socket starts a program of its own, so it has no attach. It runs the program without ssh only as root.

import { tool } from "../../scripts/lib/paths.mjs";
import { freePort, start } from "../lib/children.mjs";
import { Skip } from "../lib/scope.mjs";
import { Viewer, openSocket } from "../lib/socket.mjs";
import { VERSIONS, installNpm } from "./install.mjs";

/** As wetty's own page does: it tells what it has rendered after each quarter of a megabyte. */
const COMMIT_BYTES = 256 * 1024;

class WettyViewer extends Viewer {
  uncommitted = 0;

  type(bytes) {
    this.socket.send(`42${JSON.stringify(["input", bytes.toString("latin1")])}`);
  }

  message(text) {
    this.wireBytes += text.length;
    if (text[0] === "0") this.socket.send("40");
    else if (text[0] === "2") this.socket.send("3");
    else if (text.startsWith("42")) {
      const [event, data] = JSON.parse(text.slice(2));
      if (event !== "data") return;
      this.uncommitted += data.length;
      if (this.uncommitted > COMMIT_BYTES) {
        this.socket.send(`42${JSON.stringify(["commit", this.uncommitted])}`);
        this.uncommitted = 0;
      }
      this.got(Buffer.from(data));
    }
  }
}

export const wetty = {
  name: "wetty",
  title: `wetty ${VERSIONS.wetty}`,

  async start(scope, program) {
    if (process.getuid() !== 0) throw new Skip("it runs a program without ssh only as root");
    await installNpm();
    const port = await freePort();
    const entry = tool("peers", "npm", "node_modules", "wetty", "build", "main.js");
    const args = [entry, "--host", "127.0.0.1", "--port", String(port), "--base", "/", "--ssh-host", "localhost"];
    const server = start(scope, process.execPath, [...args, "--command", program.path, "--log-level", "info"]);
    await server.line(/Server started/, "wetty to serve");
    return {
      hubPid: server.pid,
      ownerPids: () => [server.pid],
      async open(viewerScope, { cols = 120, rows = 40, onBytes = null } = {}) {
        const viewer = new WettyViewer();
        viewer.onBytes = onBytes;
        const queued = [];
        viewer.socket = await openSocket(viewerScope, `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
          onMessage: (data) => (viewer.socket ? viewer.message(data.toString()) : queued.push(data)),
        });
        for (const data of queued) viewer.message(data.toString());
        await program.ready();
        viewer.socket.send(`42${JSON.stringify(["resize", { cols, rows }])}`);
        return viewer;
      },
    };
  },
};
