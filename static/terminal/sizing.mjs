//! How many cells fit, and how a terminal of another size is shown whole. Pure arithmetic.

import { COLS_MAX, ROWS_MAX } from "./limits.mjs";

/** Smallest letters that can still be read; below that a person pans instead. */
export const FONT_PX_MIN = 7;

/** The size in cells of this room, at this size of a cell; none out of sight, or a program would be squeezed into two columns. */
export function room({ width, height }, cell) {
  if (width <= 0) return null;
  const fit = (space, one, most) => Math.max(2, Math.min(most, Math.floor(space / one) || 0));
  return { cols: fit(width, cell.width, COLS_MAX), rows: fit(height, cell.height, ROWS_MAX) };
}

/** The font size at which a terminal of `size` fits the room, never above `base`. `cell` is measured at `base`. */
export function fontToFit(box, size, cell, base) {
  const scale = Math.min(box.width / (size.cols * cell.width), box.height / (size.rows * cell.height), 1);
  return Math.max(FONT_PX_MIN, Math.floor(base * scale * 4) / 4);
}

/** Whether a tab takes the size when it opens: not on a phone, which would shrink everyone's terminal. */
export function drivesAtOnce(matches) {
  return !matches("(pointer: coarse)") && !matches("(width < 40rem)");
}
