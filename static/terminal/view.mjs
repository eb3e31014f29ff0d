//! xterm.js on the page: drawing, keys, selection, search, scale. It knows bytes and cells, and nothing of the hub.

import { ClipboardAddon } from "../vendor/addon-clipboard.js";
import { SearchAddon } from "../vendor/addon-search.js";
import { Unicode11Addon } from "../vendor/addon-unicode11.js";
import { WebLinksAddon } from "../vendor/addon-web-links.js";
import { WebglAddon } from "../vendor/addon-webgl.js";
import { Terminal } from "../vendor/xterm.js";
import { isIncidental, silence, wouldType } from "./answers.mjs";
import { Painter } from "./painter.mjs";
import { fontToFit, room } from "./sizing.mjs";
import { styledDocument, withStyledDocument } from "./styles.mjs";
import { monoFontOf, themeOf } from "./theme.mjs";

const FONT_PX = 13;
const SCROLLBACK_LINES = 10_000;
const encoder = new TextEncoder();

export class View {
  #box;
  #terminal;
  #painter;
  #search = new SearchAddon();
  #handlers;
  #drives = false;
  #types = true;
  #cell = { width: FONT_PX * 0.6, height: FONT_PX * 1.3 };
  #room = null;
  #control = null;

  /** Handlers: `typed(bytes)`, `refused()` for a key of who may not type, `resized()`, `find()`, and `top()` when a person scrolls beyond what there is. */
  constructor(box, handlers, { screenReader, label }) {
    this.#box = box;
    this.#handlers = handlers;
    this.#terminal = new Terminal({
      allowProposedApi: true,
      documentOverride: styledDocument,
      fontFamily: monoFontOf(box),
      fontSize: FONT_PX,
      lineHeight: 1.15,
      theme: themeOf(box),
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK_LINES,
      screenReaderMode: screenReader,
      cursorInactiveStyle: "outline",
      macOptionIsMeta: true,
      linkHandler: { activate: (_event, uri) => follow(uri) },
    });
    this.#painter = new Painter(this.#terminal, () => this.scale());
    this.#open(label);
  }

  #open(label) {
    const terminal = this.#terminal;
    withStyledDocument(() => terminal.open(this.#box));
    this.#box.terminal = terminal; // for tests and for a person at the browser's console: what a canvas draws cannot be read
    terminal.textarea.setAttribute("aria-label", label);
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    terminal.loadAddon(new WebLinksAddon((_event, uri) => follow(uri)));
    terminal.loadAddon(this.#search);
    // Programs may put text on the clipboard; reading it is refused.
    terminal.loadAddon(new ClipboardAddon(undefined, {
      readText: () => "",
      writeText: (_selection, text) => navigator.clipboard?.writeText(text).catch(() => {}),
    }));
    const isAnswer = silence(terminal);
    terminal.onData((data) => {
      if (isAnswer(data) || (!this.#drives && isIncidental(data))) return;
      this.#handlers.typed(encoder.encode(this.#withControl(data)));
    });
    terminal.onBinary((data) => {
      if (this.#drives) this.#handlers.typed(Uint8Array.from(data, (character) => character.charCodeAt(0)));
    });
    terminal.attachCustomKeyEventHandler((event) => this.#isForTerminal(event));
    this.#spaceLetters();
    this.#drawFast();
    this.#measure();
    new ResizeObserver(() => this.#handlers.resized()).observe(this.#box);
    this.#box.addEventListener("paste", () => this.#types || this.#handlers.refused(), { capture: true });
    this.#watchForTop();
  }

  /** WebGL where there is one; xterm.js falls back to elements when it is lost. */
  #drawFast() {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => withStyledDocument(() => webgl.dispose()));
      this.#terminal.loadAddon(webgl);
    } catch {
      // No WebGL here: elements do.
    }
  }

  /** The size of a cell at the full size of letters. */
  #measure() {
    const screen = this.#box.querySelector(".xterm-screen")?.getBoundingClientRect();
    if (screen?.width) this.#cell = { width: screen.width / this.#terminal.cols, height: screen.height / this.#terminal.rows };
  }

  /** Keys that the page keeps: F6 leaves the terminal, Ctrl+Shift+F searches it, Ctrl+Shift+C copies. */
  #isForTerminal(event) {
    if (event.key === "F6") return false;
    if (event.type !== "keydown") return this.#types;
    const command = event.ctrlKey && event.shiftKey ? event.code : "";
    if (command === "KeyF") {
      event.preventDefault();
      this.#handlers.find();
      return false;
    }
    if (command === "KeyC" && this.#terminal.hasSelection()) {
      event.preventDefault();
      navigator.clipboard?.writeText(this.#terminal.getSelection()).catch(() => {});
      return false;
    }
    if (event.shiftKey && (event.key === "PageUp" || event.key === "Home")) this.#askForMore();
    if (this.#types) return true;
    // The browser keeps what is not typed: Tab goes on to the next control, and a selection is copied.
    const isCopied = event.code === "KeyC" && this.#terminal.hasSelection();
    if (wouldType(event) && !isCopied) this.#handlers.refused();
    return event.shiftKey && (event.key === "PageUp" || event.key === "PageDown");
  }

  /** A person who scrolls up at the top, by wheel or finger, wants what is above it. */
  #watchForTop() {
    const early = { passive: true, capture: true }; // xterm.js keeps these events to itself
    let fingerY = 0;
    this.#box.addEventListener("wheel", (event) => event.deltaY < 0 && this.#askForMore(), early);
    this.#box.addEventListener("touchstart", (event) => (fingerY = event.touches[0].clientY), early);
    this.#box.addEventListener("touchmove", (event) => event.touches[0].clientY > fingerY + 24 && this.#askForMore(), early);
  }

  #askForMore() {
    const { type, viewportY } = this.#terminal.buffer.active;
    if (type === "normal" && viewportY === 0) this.#handlers.top();
  }

  /** Draws bytes; `done` once they are on the screen. */
  write(bytes, done) {
    this.#painter.write(bytes, done);
  }

  /** Begins anew with this screen. */
  screen(screen, done) {
    this.#painter.screen(screen, done);
  }

  /** Lines above the screen that are held here. */
  get linesAbove() {
    return this.#terminal.buffer.normal.baseY;
  }

  /** The PTY has this size. */
  resize(size) {
    this.#painter.resize(size);
  }

  get size() {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** The cells that there is room for; while a phone shows the details, what it was. */
  room() {
    if (this.#terminal.options.fontSize === FONT_PX) this.#measure();
    this.#room = room(this.#space(), this.#cell) ?? this.#room;
    return this.#room ?? this.size;
  }

  /** Who drives sees letters at their full size; who watches sees the whole terminal, smaller. */
  set drives(drives) {
    this.#drives = drives;
    this.scale();
  }

  /** Who may not type has a field that takes nothing: no keyboard comes up on a phone, and a screen reader says it. */
  set types(types) {
    this.#types = types;
    this.#terminal.options.disableStdin = !types;
    if (!types) this.#letGoOfControl();
  }

  scale() {
    const space = this.#space();
    if (space.width <= 0) return;
    const font = this.#drives ? FONT_PX : fontToFit(space, this.size, this.#cell, FONT_PX);
    if (font === this.#terminal.options.fontSize) return;
    this.#terminal.options.fontSize = font;
    this.#spaceLetters();
  }

  /** xterm.js cuts a cell to whole pixels of the device; where that takes more than half of one, it is given back. */
  #spaceLetters() {
    const { fontSize, fontFamily } = this.#terminal.options;
    const context = document.createElement("canvas").getContext("2d");
    context.font = `${fontSize}px ${fontFamily}`;
    const width = context.measureText("W").width * devicePixelRatio;
    this.#terminal.options.letterSpacing = width % 1 > 0.5 ? 1 : 0;
  }

  #space() {
    const style = getComputedStyle(this.#box);
    const inner = (whole, ...paddings) => paddings.reduce((rest, padding) => rest - Number.parseFloat(style[padding]), whole);
    return {
      width: inner(this.#box.clientWidth, "paddingLeft", "paddingRight"),
      height: inner(this.#box.clientHeight, "paddingTop", "paddingBottom"),
    };
  }

  focus() {
    this.#terminal.focus();
  }

  /** Types as if a person did. */
  type(data) {
    this.#terminal.input(data, true);
  }

  /** What an arrow key sends now: programs change it. */
  arrow(letter) {
    return `\x1b${this.#terminal.modes.applicationCursorKeysMode ? "O" : "["}${letter}`;
  }

  /** The next character is typed with Ctrl held; `used` is told when it was. */
  holdControl(used) {
    this.#control = used;
  }

  #withControl(data) {
    if (!this.#control || data.length !== 1) return data;
    this.#letGoOfControl();
    const code = data.toUpperCase().charCodeAt(0);
    return code >= 64 && code < 96 ? String.fromCharCode(code & 31) : data;
  }

  #letGoOfControl() {
    const used = this.#control;
    this.#control = null;
    used?.();
  }

  find(text, backwards) {
    if (!text) return this.#search.clearDecorations();
    return backwards ? this.#search.findPrevious(text) : this.#search.findNext(text);
  }
}

/** Follows a link that a program printed: only to the web, and without telling where from. */
function follow(uri) {
  if (/^https?:\/\//i.test(uri)) window.open(uri, "_blank", "noopener,noreferrer");
}
