//! One attached terminal: joins the connection, the stream, the input queue and the view, and tells the chrome what people
//! should see. All decisions are in stream.mjs and input.mjs; this file routes.

import { Connection } from "./connection.mjs";
import { Flag, FrameError, Kind, credit, decode, writerOf } from "./frame.mjs";
import { InOrder, inflate } from "./inflate.mjs";
import { InputQueue } from "./input.mjs";
import { SCROLLBACK_LINES_MAX } from "./limits.mjs";
import { Stream } from "./stream.mjs";

/** Lines asked for first when a person scrolls beyond the screen; the next request asks for all. */
const FIRST_SCROLLBACK_LINES = 1_000;
/** A tab that nobody looks at lets go of its terminal after this long: the size returns, the stream stops. */
const HIDDEN_DETACH_MS = 60_000;

export class TerminalClient {
  #terminal;
  #view;
  #chrome;
  #stream = new Stream();
  #input;
  #connection;
  #inOrder;
  #drive;
  #scrollback = 0;
  #told = {}; // the room that the hub knows of
  #sizeTimer = null;
  #detachTimer = null;
  #isDetached = false;

  /** `chrome` shows states: see chrome.mjs. `makeView(handlers)` makes the view. */
  constructor({ terminal, url, drive, chrome, makeView }) {
    this.#terminal = terminal;
    this.#drive = drive;
    this.#chrome = chrome;
    this.#input = new InputQueue(terminal);
    this.#inOrder = new InOrder((message) => this.#deliver(message), (error) => this.#failed(error));
    this.#view = makeView({
      typed: (bytes) => this.type(bytes),
      resized: () => this.#resized(),
      top: () => this.#loadScrollback(),
      find: () => chrome.find(),
    });
    this.#connection = new Connection(url, {
      open: () => this.#opened(),
      text: (text) => this.#inOrder.push({ text }),
      bytes: (buffer) => this.#bytes(buffer),
      closed: (what, code) => this.#closed(what, code),
      rtt: (ms) => chrome.hop({ hub: ms }),
    });
    document.addEventListener("visibilitychange", () => this.#looked());
    window.addEventListener("online", () => this.#connection.wake());
    this.#connection.open();
  }

  /** Sends what was typed: one frame at once where there is a hub, kept where there is none. */
  type(bytes) {
    const frames = this.#input.push(bytes);
    if (frames === null) return this.#chrome.note("That is more than can be kept while it is not delivered. Try a smaller piece.");
    this.#sendAll(frames);
    this.#chrome.kept(this.#connection.isOpen ? 0 : this.#input.kept);
  }

  drive() {
    this.#drive = true;
    this.#say({ type: "drive" });
  }

  release() {
    this.#drive = false;
    this.#say({ type: "release" });
  }

  #say(message) {
    this.#connection.send(JSON.stringify({ ...message, terminal: this.#terminal }));
  }

  #sendAll(frames) {
    for (const frame of frames) this.#connection.send(frame);
  }

  #attach() {
    this.#isDetached = false;
    this.#stream.sentAttach();
    this.#input.disconnected();
    this.#told = this.#view.room();
    this.#say({
      type: "attach",
      ...(this.#stream.have === null ? {} : { from: this.#stream.have }),
      delivery: "screen",
      ...this.#told,
      drive: this.#drive,
      ...(this.#input.writer === null || this.#input.isForgotten ? {} : { writer: this.#input.writer }),
    });
  }

  #bytes(buffer) {
    let frame;
    try {
      frame = decode(buffer);
    } catch (error) {
      return this.#failed(error);
    }
    if (frame.terminal !== this.#terminal) return;
    if (!(frame.flags & Flag.DEFLATE)) return this.#inOrder.push({ frame });
    this.#inOrder.pushLater(async () => ({ frame: { ...frame, payload: await inflate(frame.payload) } }));
  }

  #deliver({ text, frame }) {
    if (frame) return this.#frame(frame);
    let event;
    try {
      event = JSON.parse(text);
    } catch {
      return; // not of this protocol
    }
    if (event?.terminal === undefined || event.terminal === this.#terminal) this.#event(event);
  }

  #frame(frame) {
    if (frame.kind !== Kind.INPUT_ACK) {
      if (frame.kind === Kind.OUTPUT) this.#chrome.output();
      return this.#do(this.#stream.frame(frame));
    }
    const resend = (frame.flags & Flag.RESEND) !== 0;
    const wasForgotten = this.#input.isForgotten;
    this.#sendAll(this.#input.acked(writerOf(frame), frame.offset, resend));
    if (this.#input.isForgotten && !wasForgotten) this.#attach();
    this.#chrome.kept(0);
  }

  /** A frame that does not decode leaves a hole; asking again for what follows fills it. */
  #failed(error) {
    if (!(error instanceof FrameError)) throw error;
    this.#do(this.#stream.resync());
  }

  #event(event) {
    const does = {
      attached: () => this.#attached(event),
      caught_up: () => this.#do(this.#stream.caughtUp(event.offset)),
      gap: () => this.#do(this.#stream.gap(event)),
      resync: () => this.#do(this.#stream.resync()),
      resized: () => this.#sized(event),
      people: () => this.#people(event.people),
      status: () => this.#chrome.status(event, event.last_output_ms),
      runner: () => this.#runner(event),
      pulse: () => this.#chrome.hop({ runner: event.rtt_ms }),
      input_refused: () => this.#refused(event),
      error: () => this.#chrome.error(event),
    };
    if (Object.hasOwn(does, event?.type)) does[event.type]();
  }

  #attached(event) {
    this.#do(this.#stream.attached());
    this.#sized(event);
    this.#chrome.attached(event);
    const { frames, doubtful } = this.#input.attached(event.writer);
    this.#sendAll(frames);
    if (doubtful > 0) this.#chrome.note("What you typed last may not have arrived. Look before you type it again.");
    this.#chrome.kept(0);
  }

  #sized({ cols, rows }) {
    this.#view.resize({ cols, rows });
    this.#chrome.size({ cols, rows });
  }

  #people(people) {
    const drives = people.some((person) => person.you && person.drives);
    this.#view.drives = drives;
    this.#chrome.people(people);
    if (drives) this.#resized();
  }

  #runner(event) {
    this.#chrome.runner(event);
    if (event.online) this.#sendAll(this.#input.again());
  }

  /** Its offsets are void now, so begin under a new name, once for all that was under way; what is drawn stays. */
  #refused(event) {
    if (this.#input.writer !== null) this.#input.refused();
    this.#chrome.note(event.message);
    if (event.code !== "ended") this.#do(this.#stream.resync());
  }

  #resized() {
    this.#view.scale();
    clearTimeout(this.#sizeTimer);
    this.#sizeTimer = setTimeout(() => this.#sayRoom(), 80); // a dragged window is one change
  }

  #sayRoom() {
    const { cols, rows } = this.#view.room();
    if (cols === this.#told.cols && rows === this.#told.rows) return;
    this.#told = { cols, rows };
    this.#say({ type: "size", cols, rows });
  }

  #loadScrollback() {
    if (this.#scrollback >= SCROLLBACK_LINES_MAX || !this.#connection.isOpen) return;
    this.#scrollback = this.#scrollback === 0 ? FIRST_SCROLLBACK_LINES : SCROLLBACK_LINES_MAX;
    this.#chrome.note("Loading older lines…");
    this.#say({ type: "snapshot", scrollback: this.#scrollback });
  }

  /** A tab that let go stays away until it is looked at: nobody watching, nothing sent. */
  #opened() {
    if (this.#isDetached && document.hidden) return;
    this.#attach();
    if (document.hidden) this.#looked();
  }

  #closed(what, code) {
    this.#inOrder.clear();
    this.#stream.disconnected();
    this.#input.disconnected();
    this.#chrome.closed(what, code);
  }

  /** A hidden tab gives the size back after a while; looked at again, it goes on from what it has. */
  #looked() {
    clearTimeout(this.#detachTimer);
    if (document.hidden) return this.#letGoLater();
    if (this.#isDetached && this.#connection.isOpen) this.#attach();
    this.#connection.wake();
  }

  #letGoLater() {
    this.#detachTimer = setTimeout(() => this.#letGo(), HIDDEN_DETACH_MS);
  }

  #letGo() {
    if (this.#input.kept > 0) return this.#letGoLater(); // not before what was typed has arrived
    this.#isDetached = true;
    this.#say({ type: "detach" });
  }

  #do(actions) {
    for (const action of actions) this.#act(action);
  }

  #act(action) {
    switch (action.do) {
      case "write":
        return this.#view.write(action.bytes, () => this.#do(this.#stream.rendered(action.end)));
      case "screen":
        if (!action.scrollback && this.#scrollback > 0) this.#scrollback = 0;
        if (action.scrollback) this.#chrome.note("");
        this.#view.screen(action, () => this.#do(this.#stream.rendered(action.offset)));
        return this.#chrome.size(action);
      case "attach":
        return this.#attach();
      case "credit":
        return this.#connection.send(credit(this.#terminal, action.offset));
      case "live":
        return this.#chrome.live();
      case "missing":
        return this.#chrome.note(`${Math.ceil(action.bytes / 1024)} KiB of output are gone: ${action.reason}`);
    }
  }
}
