//! Keeps xterm.js from answering what a program asks of its terminal: the runner has answered already, and with two viewers the
//! program would hear it twice. What a person causes (keys, mouse, focus) still passes.

/** Registers handlers that swallow every question, and returns a test for reports that only the driver may send. */
export function silence(terminal) {
  const { parser } = terminal;
  const swallow = () => true;
  // Device attributes, status and cursor reports, mode reports, window reports, XTVERSION, kitty keyboard.
  for (const prefix of [undefined, ">", "="]) parser.registerCsiHandler({ prefix, final: "c" }, swallow);
  for (const prefix of [undefined, "?"]) {
    parser.registerCsiHandler({ prefix, final: "n" }, swallow);
    parser.registerCsiHandler({ prefix, intermediates: "$", final: "p" }, swallow);
  }
  parser.registerCsiHandler({ final: "t" }, swallow);
  parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow);
  parser.registerCsiHandler({ prefix: "?", final: "u" }, swallow);
  // Settings (DECRQSS) and terminfo (XTGETTCAP).
  for (const intermediates of ["$", "+"]) parser.registerDcsHandler({ intermediates, final: "q" }, swallow);
  // Colours and the clipboard: setting passes, asking does not.
  for (const ident of [4, 10, 11, 12, 52]) {
    parser.registerOscHandler(ident, (data) => data.split(";").includes("?"));
  }
  // Turning focus reports on makes xterm.js report at once: that one is nobody's doing.
  let turnedOn = false;
  parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
    if (params.includes(1004)) {
      turnedOn = true;
      queueMicrotask(() => {
        turnedOn = false;
      });
    }
    return false;
  });
  return (data) => turnedOn && (data === "\x1b[I" || data === "\x1b[O");
}

/** Whether a person who presses this key means to type. Keys of the browser and of assistive technology are none. */
export function wouldType({ key, ctrlKey, altKey, metaKey }) {
  if (metaKey) return false;
  if (ctrlKey && !altKey) return ["c", "d", "z"].includes(key.toLowerCase());
  return key.length === 1 || ["Enter", "Backspace", "Delete", "Escape"].includes(key) || key.startsWith("Arrow");
}

/** Focus and mere movement of the mouse: of interest to a program, but no reason to take the keyboard from anyone. */
export function isIncidental(data) {
  if (data === "\x1b[I" || data === "\x1b[O") return true;
  const mouse = /^\x1b\[<(\d+);\d+;\d+[Mm]$/.exec(data);
  return mouse !== null && (Number(mouse[1]) & 32) !== 0;
}
