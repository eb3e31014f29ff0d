//! Every bound of the wire, with its arithmetic. A peer that exceeds one is refused with a named close code.

/// Largest binary frame, header included, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the fixed header of a binary frame.
pub const FRAME_HEADER_BYTES: usize = 16;
/// Largest payload of one binary frame, in bytes.
pub const FRAME_PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX - FRAME_HEADER_BYTES;
/// Largest payload after inflation. One frame may not grow beyond what four uncompressed ones could carry.
pub const FRAME_INFLATED_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;
/// Largest control message, in bytes of UTF-8.
pub const CONTROL_BYTES_MAX: usize = 256 * 1024;
/// Largest input payload of one frame, the writer's 8 bytes included. A paste is split into several frames.
pub const INPUT_BYTES_MAX: usize = 16 * 1024;
/// Largest prompt, in bytes of UTF-8. JSON escaping makes at most six bytes of one, and the whole must fit a control message:
/// 6 x 32 KiB = 192 KiB.
pub const PROMPT_BYTES_MAX: usize = 32 * 1024;
/// Bytes that may be under way to one reader beyond what it has said it took. It bounds the hub's memory for a stalled viewer
/// and sets the pace of the runner: at 50 ms round trip, 512 KiB is 10 MB/s.
pub const WINDOW_BYTES: u64 = 512 * 1024;
/// How often a reader returns credit: after each quarter of the window, so that a steady reader never waits.
pub const CREDIT_EVERY_BYTES: u64 = WINDOW_BYTES / 4;
/// A screen viewer further behind than this gets a snapshot instead of the bytes between.
pub const SCREEN_LAG_BYTES_MAX: u64 = 8 * WINDOW_BYTES;
/// Largest snapshot, after inflation, over all its parts. 1,000 x 500 cells of 8 bytes each is 4 MB.
pub const SNAPSHOT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Scrollback lines that a viewer may ask for at once.
pub const SCROLLBACK_LINES_MAX: u32 = 10_000;
/// Terminal width and height, in cells.
pub const COLS_MAX: u16 = 1_000;
/// Terminal height, in cells.
pub const ROWS_MAX: u16 = 500;
/// Terminals of one runner.
pub const TERMINALS_PER_RUNNER_MAX: usize = 256;
/// Terminals that one viewer socket may be attached to. Each takes about 160 bytes of the socket's 16 KiB attachment.
pub const ATTACHMENTS_PER_VIEWER_MAX: usize = 32;
/// Agents that a runner may offer.
pub const AGENTS_PER_RUNNER_MAX: usize = 64;
/// Length of names, titles and labels, in characters.
pub const NAME_CHARS_MAX: usize = 120;
/// Length of a path, an argument or a message for people, in bytes.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Reasons in a WebSocket close frame, in bytes (the RFC's own limit).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;
/// Seconds between two keep-alives of a runner or a viewer.
pub const PING_EVERY_S: u64 = 20;
/// A peer silent for longer than this is shown as offline: three keep-alives and a little.
pub const SILENCE_S_MAX: u64 = 3 * PING_EVERY_S + 5;
/// Seconds that a claudecodeui instance has for its register message.
pub const REGISTER_S_MAX: u64 = 10;
/// Length of the name that a claudecodeui instance gives itself, in characters.
pub const CLIENT_ID_CHARS_MAX: usize = 128;
/// Largest token in a register message, in bytes: `mst_` and 48 letters are 52, and later forms may be longer.
pub const CLIENT_TOKEN_BYTES_MAX: usize = 256;
/// Length of the project that a claudecodeui instance names, which may be a path, in characters.
pub const CLIENT_FIELD_CHARS_MAX: usize = 512;
/// Largest message of a claudecodeui instance, in bytes of UTF-8. JSON escaping makes at most twelve bytes of a character:
/// 12 x (128 + 512 + 2 x 120) for its texts, 6 x 256 for its token and 256 for the rest are 12 KiB.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Status reports of one terminal that may leave its runner at once; after them one every [`STATUS_EVERY_MS`].
pub const STATUS_BURST: u64 = 5;
/// Milliseconds between two status reports of one terminal, after a burst. The end and the first `blocked` do not wait.
pub const STATUS_EVERY_MS: u64 = 1_000;
/// Offsets stay below 2^53, so that JSON and JavaScript carry them exactly (9 PB a terminal).
pub const OFFSET_MAX: u64 = 1 << 53;

const _: () = assert!(INPUT_BYTES_MAX < FRAME_PAYLOAD_BYTES_MAX);
const _: () = assert!(6 * PROMPT_BYTES_MAX + TEXT_BYTES_MAX < CONTROL_BYTES_MAX);
const _: () = assert!(
    12 * (CLIENT_ID_CHARS_MAX + CLIENT_FIELD_CHARS_MAX + 2 * NAME_CHARS_MAX) + 6 * CLIENT_TOKEN_BYTES_MAX + 256
        < CLIENT_MESSAGE_BYTES_MAX
);
const _: () = assert!(CREDIT_EVERY_BYTES * 2 < WINDOW_BYTES);
const _: () = assert!(FRAME_INFLATED_BYTES_MAX as u64 <= WINDOW_BYTES);
