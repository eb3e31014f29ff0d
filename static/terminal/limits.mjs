//! Bounds of the wire, as crates/protocol/src/limits.rs has them. tests/static compares the two files.

export const SUBPROTOCOL = "muster.1";
export const PING = '{"type":"ping"}';
export const PONG = '{"type":"pong"}';

export const FRAME_BYTES_MAX = 64 * 1024;
export const FRAME_HEADER_BYTES = 16;
export const FRAME_INFLATED_BYTES_MAX = 4 * FRAME_BYTES_MAX;
export const INPUT_BYTES_MAX = 16 * 1024;
export const WINDOW_BYTES = 512 * 1024;
export const CREDIT_EVERY_BYTES = WINDOW_BYTES / 4;
export const SNAPSHOT_BYTES_MAX = 4 * 1024 * 1024;
export const SCROLLBACK_LINES_MAX = 10_000;
export const COLS_MAX = 1_000;
export const ROWS_MAX = 500;
export const PING_EVERY_S = 20;
export const OFFSET_MAX = 2 ** 53;

/** Bytes typed but not yet acknowledged that a tab keeps. A paste beyond it is refused whole, with a word. */
export const INPUT_KEPT_BYTES_MAX = 1024 * 1024;
/** Of those, bytes under way at once: the runner acknowledges every 4 KiB, so this is never the brake. */
export const INPUT_IN_FLIGHT_BYTES_MAX = 128 * 1024;
