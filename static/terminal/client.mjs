//! One attached terminal: joins the connection, the stream, the input queue and the view, and tells the chrome what people
//! should see. All decisions are in stream.mjs and input.mjs; this file routes.

import { Connection, browser } from "./connection.mjs";
import { Flag, FrameError, Kind, credit, decode, writerOf } from "./frame.mjs";
import { InOrder, inflate } from "./inflate.mjs";
import { InputQueue } from "./input.mjs";
import { SCROLLBACK_LINES_MAX } from "./limits.mjs";
import { IN_DOUBT, Standing, rightOf } from "./right.mjs";
import { Stream } from "./stream.mjs";

/** Lines asked for first when a person scrolls beyond the screen; the next request asks for all. */
const FIRST_SCROLLBACK_LINES = 1_000;
/** A tab that nobody looks at lets go of its terminal after this long: the size returns, the stream stops. */
const HIDDEN_DETACH_MS = 60_000;
/** What closes the socket of somebody with whom nothing is shared any more. */
const REVOKED = 4007;
const NOTHING_LOST = Object.freeze({ unsent: 0, doubtful: 0 });

export class TerminalClient {
  #terminal;
  #view;
  #chrome;
  #stream = new Stream();
  #input;
  #connection;
  #inOrder;
  #drive;
  #isShared;
  #isGuest;
  #standing;
  #hasAskedToDrive = false; // and heard nothing yet
  #scrollback = 0;
  #told = {}; // the room that the hub knows of
  #sizeTimer = null;
  #detachTimer = null;
  #isDetached = false;

  /**
   * `chrome` shows states: see chrome.mjs. `makeView(handlers)` makes the view. `shared`, for somebody else's session, has the
   * page's path, the right as far as it is known, and whether a link is all that brings this person here.
   */
  constructor({ terminal, url, drive, shared = null, chrome, makeView }) {
    this.#terminal = terminal;
    this.#drive = drive;
    this.#isShared = shared !== null;
    this.#isGuest = shared?.isGuest ?? false;
    this.#standing = new Standing(shared?.right ?? "owner");
    this.#chrome = chrome;
    this.#input = new InputQueue(terminal);
    this.#inOrder = new InOrder((message) => this.#deliver(message), (error) => this.#failed(error));
    this.#view = makeView({
      typed: (bytes) => this.type(bytes),
      refused: () => this.#refuse(),
      resized: () => this.#resized(),
      top: () => this.#loadScrollback(),
      find: () => chrome.find(),
    });
    const handlers = {
      open: () => this.#opened(),
      text: (text) => this.#inOrder.push({ text }),
      bytes: (buffer) => this.#bytes(buffer),
      closed: (what, code) => this.#closed(what, code),
      rtt: (ms) => chrome.hop({ hub: ms }),
    };
    this.#connection = new Connection(url, handlers, browser(shared?.page));
    this.#stand();
    document.addEventListener("visibilitychange", () => this.#looked());
    window.addEventListener("online", () => this.#connection.wake());
    this.#connection.open();
  }

  /** Sends what was typed: one frame at once where there is a hub, kept where there is none. */
  type(bytes) {
    if (!this.#standing.mayType) return this.#refuse();
    const frames = this.#input.push(bytes);
    if (frames === null) return this.#chrome.note("That is more than can be kept while it is not delivered. Try a smaller piece.");
    this.#sendAll(frames);
    this.#chrome.kept(this.#connection.isOpen ? 0 : this.#input.kept);
  }

  drive() {
    if (!this.#standing.mayDrive) return this.#refuse();
    this.#drive = true;
    this.#hasAskedToDrive = this.#connection.isOpen;
    this.#say({ type: "drive" });
  }

  release() {
    this.#drive = false;
    this.#say({ type: "release" });
  }

  #refuse() {
    this.#chrome.refuses(this.#standing.isReachable);
  }

  /** Brings everything in line with what may be done now. Returns what was typed and is dropped by it. */
  #stand() {
    const { right, mayType, mayDrive } = this.#standing;
    if (!mayDrive) this.#view.drives = false;
    this.#view.types = mayType;
    this.#chrome.standing({ right, types: mayType });
    if (mayType) return NOTHING_LOST;
    this.#chrome.kept(0);
    return this.#input.letGo();
  }

  /** What was typed as a driver is no answer to an agent, so it goes with that right even where keys still pass. */
  #entitled(right) {
    const drove = this.#standing.mayDrive;
    this.#standing.right = right;
    const lost = drove && !this.#standing.mayDrive ? this.#input.letGo() : NOTHING_LOST;
    this.#stand();
    if (lost.unsent + lost.doubtful > 0) this.#chrome.dropped(lost);
  }

  #say(message) {
    this.#connection.send(JSON.stringify({ ...message, terminal: this.#terminal }));
  }

  #sendAll(frames) {
    for (const frame of frames) this.#connection.send(frame);
  }

  #attach() {
    this.#isDetached = false;
    this.#hasAskedToDrive = false;
    this.#unattached();
    this.#stream.sentAttach();
    this.#told = this.#view.room();
    this.#say({
      type: "attach",
      ...(this.#stream.have === null ? {} : { from: this.#stream.have }),
      delivery: "screen",
      ...this.#told,
      drive: this.#drive && this.#standing.mayDrive,
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
      right: () => this.#entitled(rightOf(event.right)),
      status: () => this.#status(event),
      runner: () => this.#runner(event),
      pulse: () => this.#chrome.hop({ runner: event.rtt_ms }),
      input_refused: () => this.#refused(event),
      error: () => this.#error(event),
    };
    if (Object.hasOwn(does, event?.type)) does[event.type]();
  }

  #attached(event) {
    this.#do(this.#stream.attached());
    this.#sized(event);
    this.#chrome.attached(event);
    this.#standing.isAttached = true;
    this.#standing.isOnline = event.online;
    this.#standing.isAsked = event.status.status === "blocked";
    this.#entitled(rightOf(event.right)); // before anything kept goes out
    const { frames, doubtful } = this.#input.attached(event.writer);
    this.#sendAll(frames);
    if (doubtful > 0) this.#chrome.note(IN_DOUBT);
    this.#chrome.kept(0);
  }

  #sized({ cols, rows }) {
    this.#view.resize({ cols, rows });
    this.#chrome.size({ cols, rows });
  }

  #people(people) {
    const drives = this.#standing.mayDrive && people.some((person) => person.you && person.drives);
    if (drives) this.#hasAskedToDrive = false;
    this.#view.drives = drives;
    this.#chrome.people(people);
    if (drives) this.#resized();
  }

  #runner(event) {
    this.#chrome.runner(event);
    this.#standing.isOnline = event.online;
    this.#standUnheard();
    if (event.online) this.#sendAll(this.#input.again());
  }

  /** Its offsets are void now, so begin under a new name, once for all that was under way; what is drawn stays. */
  #refused(event) {
    if (this.#input.writer !== null) this.#input.refused();
    this.#chrome.kept(0);
    this.#chrome.note(event.message);
    if (event.code !== "ended") this.#do(this.#stream.resync());
  }

  #resized() {
    this.#view.scale();
    clearTimeout(this.#sizeTimer);
    this.#sizeTimer = setTimeout(() => this.#sayRoom(), 80); // a dragged window is one change
  }

  /** Only who may drive has a room that counts. */
  #sayRoom() {
    if (!this.#standing.mayDrive) return;
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
    this.#unattached();
    const isOut = what === "gone" || code === REVOKED || (what === "sign_in" && this.#isGuest); // no sign-in mends a link
    if (this.#isShared && isOut) this.#gone();
    this.#chrome.closed(what, code);
  }

  #unattached() {
    this.#input.disconnected();
    this.#standing.isAttached = false;
    this.#standUnheard();
  }

  /** The runner is out of reach, and with it the acknowledgements of an answer. */
  #standUnheard() {
    if (this.#stand().doubtful > 0) this.#chrome.note(IN_DOUBT);
  }

  #status(event) {
    this.#standing.isAsked = event.status === "blocked";
    this.#chrome.status(event, event.last_output_ms);
    const { unsent } = this.#stand(); // what is in doubt is on its way to the question that it answers
    if (unsent > 0) this.#chrome.dropped({ unsent });
  }

  #error(event) {
    if (event.code !== "forbidden" || event.terminal !== this.#terminal || !this.#isShared) return this.#chrome.error(event);
    if (this.#hasAskedToDrive && !this.#standing.mayDrive) {
      this.#hasAskedToDrive = false; // the right to drive went while the wish for it was under way
      return this.#chrome.error(event);
    }
    this.#gone();
    this.#connection.end();
  }

  /** The session is not shared any more, so there is nothing to come back to. */
  #gone() {
    this.#chrome.gone();
    this.#standing.right = "viewer";
    this.#stand();
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
