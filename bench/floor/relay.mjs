// The floor: a Durable Object in JavaScript that forwards frames between one PTY owner and any number of viewers, hibernatable
// like Muster's, with no logic at all. Whatever Muster adds, it adds to this.

export class Relay {
  constructor(state) {
    this.state = state;
  }

  fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    const role = new URL(request.url).searchParams.get("role");
    this.state.acceptWebSocket(server, [role]);
    server.serializeAttachment(role);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, message) {
    const to = socket.deserializeAttachment() === "owner" ? "viewer" : "owner";
    for (const other of this.state.getWebSockets(to)) other.send(message);
  }

  webSocketClose() {}
  webSocketError() {}
}

export default {
  fetch(request, env) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
    return env.RELAY.get(env.RELAY.idFromName("relay")).fetch(request);
  },
};
