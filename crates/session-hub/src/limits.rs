//! The hub's own bounds, each with its arithmetic. Those of the wire are in [`protocol::limits`].

use protocol::limits::{STATUS_BURST, STATUS_EVERY_MS, TERMINALS_PER_RUNNER_MAX};

/// Sockets of all kinds. At about 2 KB of memory each, 10,000 take 20 MB of the object's 128 MB; the platform's own limit
/// is 32,768.
pub const SOCKETS_MAX: usize = 10_000;
/// Viewers of one terminal. A `people` message names all of them to each: 256 x 256 x 60 bytes is 4 MB at worst.
pub const VIEWERS_PER_TERMINAL_MAX: usize = 256;
/// Of those, as many are left to the owner, whoever else watches.
pub const VIEWERS_OF_OWNER_MIN: usize = 32;
/// Sockets of everybody who was invited: whoever has a guest link must not fill the hub, and half of it stays the owner's.
pub const INVITED_SOCKETS_MAX: usize = SOCKETS_MAX / 2;
/// Of those, one person's or one guest's: a page and a terminal in each of 16 tabs.
pub const SOCKETS_PER_VISITOR_MAX: usize = 32;
/// Runners of one person.
pub const RUNNERS_MAX: usize = 200;
/// claudecodeui instances of one person, those that are away included; at most 4 KB of memory each.
pub const INSTANCES_MAX: usize = 200;
/// How long a revoked token is remembered to bring no instance. A lobby asks D1 and then this hub, seconds apart; a day is
/// beyond any delay.
pub const BARRED_KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// How far the clocks of a lobby and of a hub may be apart: the platform keeps them within milliseconds. For as long after all
/// was closed an instance is told to connect again.
pub const CLOCKS_APART_MS_MAX: u64 = 5_000;
/// Sockets of one lobby. As in a hub.
pub const LOBBY_SOCKETS_MAX: usize = SOCKETS_MAX;
/// Sockets of one lobby that have not registered. They stay for 10 s at most, so this is 100 new ones a second, and the
/// Worker's brake lets one address make one a second.
pub const LOBBY_WAITING_MAX: usize = 1_000;
/// Messages of one instance within [`RATE_PERIOD_MS`]: one pings twice a minute and changes its status when a person acts.
pub const INSTANCE_TEXTS_PER_PERIOD_MAX: u32 = 100;
/// Sessions, archived ones included; with their 16 terminals at most, each takes at most 32 KB of memory.
pub const SESSIONS_MAX: usize = 2_000;
/// Shares of one session, guest links included: 2,000 sessions x 50 x 300 bytes are 30 MB at worst.
pub const SHARES_PER_SESSION_MAX: usize = 50;
/// A guest link ends after 30 days at most: who it was for is forgotten by then.
pub const GUEST_LINK_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1000;
/// An alarm that could not be answered, because a statement failed, rings again after this long.
pub const ALARM_RETRY_MS: u64 = 10_000;
/// Terminals of one session.
pub const TERMINALS_PER_SESSION_MAX: usize = 16;
/// Prompts of one terminal that are not final.
pub const PROMPTS_OPEN_PER_TERMINAL_MAX: usize = 64;
/// Final prompts that a session keeps. 200 x 32 KiB is 6.5 MB at worst.
pub const PROMPTS_KEPT_PER_SESSION_MAX: u64 = 200;
/// Final prompts that a session's page shows.
pub const PROMPTS_SHOWN_MAX: u64 = 30;
/// Timeline entries that a session keeps, and [`TIMELINE_SLACK`] more before the oldest are pruned in one go.
pub const TIMELINE_PER_SESSION_MAX: u64 = 500;
/// Pruning once in this many entries makes its cost one row per entry in bursts, and keeps most inserts at one row.
pub const TIMELINE_SLACK: u64 = 50;
/// Timeline entries that a session's page shows.
pub const TIMELINE_SHOWN_MAX: u64 = 100;
/// An entry that repeats the newest one within this time is not written: an agent that asks, is answered and asks again
/// shows once.
pub const TIMELINE_REPEAT_MS: u64 = 60_000;
/// Writers of input that a terminal remembers; the oldest are forgotten first. One is kept for each page that typed.
pub const WRITERS_PER_TERMINAL_MAX: u64 = 256;
/// How long an idempotency key is remembered: a day.
pub const KEY_KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// Length of an idempotency key, in characters.
pub const KEY_CHARS_MAX: usize = 128;
/// A checkpoint, all parts with their lengths, fits a row of the Durable Object's 2 MB with its other columns.
pub const CHECKPOINT_BYTES_MAX: usize = 1_900_000;
/// Checkpoints of which parts are missing, over all runners: 8 x 1.9 MB is 15 MB of the object's 128 MB. One that is dropped
/// is not acknowledged, and its runner sends another.
pub const CHECKPOINTS_UNFINISHED_MAX: usize = 8;
/// A change of title or of the last output's time alone is written at most this often, so that an agent that animates its
/// title costs one row a minute.
pub const TOUCH_EVERY_MS: u64 = 60_000;
/// Control messages of one socket within [`RATE_PERIOD_MS`]; a person who drags a window's edge sends 60 a second.
pub const TEXTS_PER_PERIOD_MAX: u32 = 2_000;
/// The same of a runner's socket: what all its terminals together may report is beyond what a viewer may say, so that none of
/// them takes the others offline: 2,000 + 256 x (5 + 10) is 5,840.
pub const RUNNER_TEXTS_PER_PERIOD_MAX: u32 =
    TEXTS_PER_PERIOD_MAX + TERMINALS_PER_RUNNER_MAX as u32 * (STATUS_BURST + RATE_PERIOD_MS / STATUS_EVERY_MS) as u32;
/// The period of [`TEXTS_PER_PERIOD_MAX`].
pub const RATE_PERIOD_MS: u64 = 10_000;
/// What a viewer whose credit was forgotten with an eviction may be sent before it has to return some: two times
/// [`protocol::limits::CREDIT_EVERY_BYTES`], after one of which a healthy viewer does so unasked.
pub const UNKNOWN_CREDIT_BYTES: u64 = protocol::limits::WINDOW_BYTES / 2;
/// Characters of a session's name that is made from a prompt.
pub const NAME_FROM_PROMPT_CHARS_MAX: usize = 60;
/// Entries of the audit log that one answer holds: 1,000 of some 500 bytes are half a megabyte.
pub const AUDIT_READ_MAX: u64 = 1_000;
/// Length of a timeline entry's text, in characters.
pub const TIMELINE_TEXT_CHARS_MAX: usize = 200;

const _: () = assert!(VIEWERS_OF_OWNER_MIN < VIEWERS_PER_TERMINAL_MAX);
const _: () = assert!(SOCKETS_PER_VISITOR_MAX < INVITED_SOCKETS_MAX);
const _: () = assert!(UNKNOWN_CREDIT_BYTES >= protocol::limits::CREDIT_EVERY_BYTES);
const _: () = assert!(CHECKPOINT_BYTES_MAX < 2_000_000);
