//! The terminal's colours, from the style sheet's custom properties. xterm.js wants plain sRGB, so each is painted once.

const NAMES = {
  background: "--well",
  foreground: "--ansi-text",
  cursor: "--text",
  cursorAccent: "--well",
  selectionBackground: "--ansi-selection",
  black: "--ansi-black",
  red: "--ansi-red",
  green: "--ansi-green",
  yellow: "--ansi-yellow",
  blue: "--ansi-blue",
  magenta: "--ansi-violet",
  cyan: "--ansi-cyan",
  white: "--ansi-white",
  brightBlack: "--ansi-bright-black",
  brightRed: "--ansi-red",
  brightGreen: "--ansi-green",
  brightYellow: "--ansi-yellow",
  brightBlue: "--ansi-blue",
  brightMagenta: "--ansi-violet",
  brightCyan: "--ansi-cyan",
  brightWhite: "--ansi-bright-white",
  scrollbarSliderBackground: "--line-strong",
  scrollbarSliderHoverBackground: "--field-edge",
  scrollbarSliderActiveBackground: "--field-edge",
};

/** The theme as the element's styles have it. */
export function themeOf(element) {
  const probe = document.createElement("span");
  element.append(probe);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const theme = {};
  for (const [name, property] of Object.entries(NAMES)) {
    probe.style.color = `var(${property})`;
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    theme[name] = `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  }
  probe.remove();
  return theme;
}

/** The font of `--font-mono`, resolved. */
export const monoFontOf = (element) => getComputedStyle(element).getPropertyValue("--font-mono").trim() || "monospace";
