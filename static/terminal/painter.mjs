//! What goes to the emulator, in the order in which it came: bytes, sizes, and whole screens.
//!
//! **Invariant.** xterm.js keeps what is written and parses it later, so nothing here acts at once: a size and a new beginning
//! wait in the same line as the bytes, or old bytes would be drawn over the new screen. It knows the emulator's `write`,
//! `resize`, `buffer` and `scrollToLine`, and no page.

import { WholeCharacters } from "./whole.mjs";

/** RIS. As bytes it also cuts off a sequence that the old stream had begun, which the emulator's own `reset()` does not. */
const BEGIN_ANEW = new TextEncoder().encode("\x1bc");

export class Painter {
  #terminal;
  #resized;
  #whole = new WholeCharacters();

  /** `resized` is called when the emulator has got another size. */
  constructor(terminal, resized) {
    this.#terminal = terminal;
    this.#resized = resized;
  }

  /** Draws bytes; `done` once they are on the screen. */
  write(bytes, done) {
    this.#terminal.write(this.#whole.take(bytes), done);
  }

  /** The PTY has this size from here on. */
  resize({ cols, rows }) {
    this.#terminal.write("", () => this.#resize(cols, rows));
  }

  /** Begins anew with this screen. With scrollback before it, the lines that a person looked at stay in sight. */
  screen({ cols, rows, paint, scrollback }, done) {
    const terminal = this.#terminal;
    let fromBottom = 0;
    terminal.write("", () => {
      const { baseY, viewportY } = terminal.buffer.active;
      fromBottom = scrollback ? baseY - viewportY : 0;
    });
    terminal.write(BEGIN_ANEW, () => this.#resize(cols, rows));
    this.#whole = new WholeCharacters();
    terminal.write(this.#whole.take(paint), () => {
      if (fromBottom > 0) terminal.scrollToLine(Math.max(0, terminal.buffer.active.baseY - fromBottom));
      done();
    });
  }

  #resize(cols, rows) {
    if (cols !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(cols, rows);
    this.#resized();
  }
}
