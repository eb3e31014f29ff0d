// terminado: Jupyter's terminal server. JSON text messages: ["stdin", text], ["stdout", text].

import { fileURLToPath } from "node:url";
import { freePort, start } from "../lib/children.mjs";
import { Viewer, openSocket } from "../lib/socket.mjs";
import { VERSIONS, installTerminado } from "./install.mjs";

const SERVER = fileURLToPath(new URL("terminado_server.py", import.meta.url));

class TerminadoViewer extends Viewer {
  type(bytes) {
    this.socket.send(JSON.stringify(["stdin", bytes.toString("latin1")]));
  }
}

export const terminado = {
  name: "terminado",
  title: `terminado ${VERSIONS.terminado}`,

  async start(scope, program) {
    const python = await installTerminado();
    const port = await freePort();
    const server = start(scope, python, [SERVER, program.path, String(port)]);
    await server.line(/ready/, "terminado to serve");
    await program.ready();
    return {
      hubPid: server.pid,
      ownerPids: () => [server.pid],
      async open(viewerScope, { cols = 120, rows = 40, onBytes = null } = {}) {
        const viewer = new TerminadoViewer();
        viewer.onBytes = onBytes;
        viewer.socket = await openSocket(viewerScope, `ws://127.0.0.1:${port}/websocket`, {
          headers: { origin: `http://127.0.0.1:${port}` },
          onMessage(data) {
            viewer.wireBytes += data.length;
            const [kind, text] = JSON.parse(data);
            if (kind === "stdout") viewer.got(Buffer.from(text));
          },
        });
        viewer.socket.send(JSON.stringify(["set_size", rows, cols, 0, 0]));
        return viewer;
      },
    };
  },
};
