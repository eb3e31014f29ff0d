// The floor as a system: the bare relay on workerd, a bare PTY owner at its end.

import { fileURLToPath } from "node:url";
import { start, until } from "../lib/children.mjs";
import { workerdOf } from "../lib/proc.mjs";
import { Viewer, openSocket } from "../lib/socket.mjs";

const SERVE = fileURLToPath(new URL("../floor/serve.mjs", import.meta.url));

class RelayViewer extends Viewer {
  type(bytes) {
    this.socket.send(bytes, { binary: true });
  }
}

export const relay = {
  name: "relay",
  title: "bare relay",

  async start(scope, program, { binaries }) {
    const server = start(scope, process.execPath, [SERVE, "relay"], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const [, url] = await server.line(/"url":"([^"]+)"/, "the relay to serve");
    const ws = `${url.replace(/^http/, "ws")}/`;
    const owner = start(scope, binaries.owner, [`${ws}?role=owner`, program.path]);
    await until(() => program.ready().then(() => true), "the program to run");
    return {
      hubPid: workerdOf(server.pid),
      ownerPids: () => [owner.pid],
      async open(viewerScope, { onBytes = null } = {}) {
        const viewer = new RelayViewer();
        viewer.onBytes = onBytes;
        viewer.socket = await openSocket(viewerScope, `${ws}?role=viewer`, {
          onMessage(data) {
            viewer.wireBytes += data.length;
            viewer.got(data);
          },
        });
        return viewer;
      },
    };
  },
};
