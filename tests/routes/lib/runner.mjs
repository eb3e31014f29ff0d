// A runner without terminals of its own: it says hello, and opens what it is told to open.

const SHELL = { name: "shell", label: "Shell", available: true };

/** A runner's first message. */
export const hello = (name) => ({ type: "hello", version: "0", hostname: name, os: "linux", arch: "x86_64", agents: [SHELL], terminals: [] });

/** A runner's token and its socket; with `session`, one that is for that session alone. */
export async function connectRunner(hub, api, name, wish = { scope: "runner" }) {
  const { json: made } = await api.post("/api/tokens", { name, ...wish });
  const exchanged = await hub.anonymous().post("/api/tokens/exchange", undefined, { headers: { authorization: `Bearer ${made.token}` } });
  const socket = await hub.anonymous().ws("/ws/connect", { headers: { authorization: `Bearer ${exchanged.json.jwt}` } });
  socket.send(hello(name));
  await socket.next((frame) => frame.type === "welcome", "the welcome");
  return { id: made.id, token: made.token, socket };
}

/** Opens the next terminal that the hub asks for. */
export async function openNext({ socket }) {
  const { terminal } = await socket.next((frame) => frame.type === "open", "the order to open a terminal");
  const status = { status: "idle", evidence: "none", since_ms: 1 };
  socket.send({ type: "opened", terminal, oldest: 0, end: 0, size: { cols: 80, rows: 24 }, status });
  return terminal;
}
