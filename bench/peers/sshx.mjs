// sshx with its own server: end-to-end encrypted (argon2id, AES-128-CTR), CBOR messages with one key each.

import { argon2Sync, createCipheriv, randomInt } from "node:crypto";
import { freePort, start } from "../lib/children.mjs";
import { Viewer, openSocket } from "../lib/socket.mjs";
import { VERSIONS, installNpm, installSshx } from "./install.mjs";

const SALT = "This is a non-random salt for sshx.io, since we want to stretch the security of 83-bit keys!";
/** Streams of one session share its key and differ in the first half of the counter. */
const OUTPUT_STREAM = 0x100000000n;
const INPUT_STREAM = 0x200000000n;

const deriveKey = (secret) =>
  argon2Sync("argon2id", { message: secret, nonce: SALT, parallelism: 1, tagLength: 16, memory: 19 * 1024, passes: 2 });

/** The cipher of a stream from an offset on. */
function cipherAt(key, stream, offset) {
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(stream);
  counter.writeBigUInt64BE(BigInt(offset) >> 4n, 8);
  const cipher = createCipheriv("aes-128-ctr", key, counter);
  const skip = Number(BigInt(offset) & 15n);
  if (skip) cipher.update(Buffer.alloc(skip));
  return cipher;
}

class SshxViewer extends Viewer {
  /** `shared` holds the shell that the first viewer created, for all viewers of the system. */
  constructor(cbor, key, shared) {
    super();
    this.cbor = cbor;
    this.key = key;
    this.shared = shared;
    this.have = 0;
    this.lostBytes = 0;
    this.typed = randomInt(2 ** 32) * 16;
    this.subscribed = new Promise((resolve) => (this.onSubscribed = resolve));
  }

  say(message) {
    this.socket.send(this.cbor.encode(message));
  }

  type(bytes) {
    if (!this.inputCipher) this.inputCipher = cipherAt(this.key, INPUT_STREAM, this.typed);
    this.say({ data: [this.shared.shell, this.inputCipher.update(bytes), BigInt(this.typed)] });
    this.typed += bytes.length;
  }

  message(data) {
    this.wireBytes += data.length;
    const message = this.cbor.decode(data);
    if (message.hello) this.say({ authenticate: [cipherAt(this.key, 0n, 0).update(Buffer.alloc(16)), null] });
    else if (message.shells) this.shells(message.shells);
    else if (message.chunks) this.chunks(message.chunks);
    else if (message.invalidAuth) throw new Error("sshx refused the key");
    else if (message.error) throw new Error(`sshx: ${message.error}`);
  }

  shells(shells) {
    if (!shells.length && !this.shared.asked) {
      this.shared.asked = true;
      this.say({ create: [0, 0] });
    }
    if (!shells.length || this.outputStream) return;
    this.shared.shell = shells[0][0];
    this.outputStream = OUTPUT_STREAM | BigInt(this.shared.shell);
    this.cipher = cipherAt(this.key, this.outputStream, 0);
    this.say({ move: [this.shared.shell, { x: 0, y: 0, rows: 40, cols: 120 }] });
    this.say({ subscribe: [this.shared.shell, 0] });
    this.onSubscribed();
  }

  chunks([, sequence, chunks]) {
    let at = Number(sequence);
    if (at !== this.have) {
      this.lostBytes += at - this.have;
      this.cipher = cipherAt(this.key, this.outputStream, at);
    }
    for (const chunk of chunks) {
      at += chunk.length;
      this.got(this.cipher.update(chunk));
    }
    this.have = at;
  }
}

export const sshx = {
  name: "sshx",
  title: `sshx ${VERSIONS.sshx}`,

  async start(scope, program) {
    const programs = await installSshx();
    const { Encoder } = (await installNpm())("cbor-x");
    const cbor = new Encoder({ tagUint8Array: false, useRecords: false, mapsAsObjects: true });
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const serverArgs = ["--listen", "127.0.0.1", "--port", String(port), "--secret", "bench", "--override-origin", origin];
    const server = start(scope, programs.server, serverArgs);
    await server.line(/listening/, "sshx-server to serve");
    const agent = start(scope, programs.sshx, ["--quiet", "--server", origin, "--shell", program.path]);
    const [, session, secret] = await agent.line(/\/s\/([^#\s]+)#([^\s,]+)/, "sshx's link");
    const key = deriveKey(secret);
    const shared = { asked: false, shell: null };
    return {
      hubPid: server.pid,
      ownerPids: () => [agent.pid],
      async open(viewerScope, { onBytes = null } = {}) {
        const viewer = new SshxViewer(cbor, key, shared);
        viewer.onBytes = onBytes;
        const queued = [];
        viewer.socket = await openSocket(viewerScope, `ws://127.0.0.1:${port}/api/s/${session}`, {
          onMessage: (data) => (viewer.socket ? viewer.message(data) : queued.push(data)),
        });
        for (const data of queued) viewer.message(data);
        await viewer.subscribed;
        await program.ready();
        return viewer;
      },
    };
  },
};
