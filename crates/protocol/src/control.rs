//! JSON control messages: one enum for each direction, tagged by `type`.
//!
//! Messages are additive: unknown fields are ignored, new fields default, and a message of unknown type is answered with
//! [`ErrorCode::UnknownType`] and otherwise ignored. Times are milliseconds since 1970; offsets are bytes, below 2^53.

mod runner;
mod viewer;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::limits::CONTROL_BYTES_MAX;
use crate::status::{BlockedOn, Evidence, PromptState, Status};
pub use runner::{RunnerCommand, RunnerMessage};
pub use viewer::{Delivery, Person, ViewerEvent, ViewerMessage};

/// A terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// The size of a terminal that nobody drives.
    pub const DEFAULT: Size = Size { cols: 120, rows: 40 };

    /// The nearest size within the limits.
    #[must_use]
    pub fn clamped(self) -> Size {
        use crate::limits::{COLS_MAX, ROWS_MAX};
        Size { cols: self.cols.clamp(2, COLS_MAX), rows: self.rows.clamp(2, ROWS_MAX) }
    }
}

/// What an agent is doing, on what evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The status.
    pub status: Status,
    /// What it waits for, when blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_on: Option<BlockedOn>,
    /// What the agent says of it, for people; bounded plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The terminal's title; bounded plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The strongest evidence for the status.
    #[serde(default)]
    pub evidence: Evidence,
    /// Since when, by the runner's clock.
    #[serde(default)]
    pub since_ms: u64,
    /// Exit code, once the process has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Signal that ended the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_signal: Option<i32>,
}

impl StatusReport {
    /// True once the process has ended.
    pub fn has_exited(&self) -> bool {
        self.exit_code.is_some() || self.exit_signal.is_some()
    }
}

/// An agent that a runner offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentOffer {
    /// The word in its configuration: `claude`, `codex`, `opencode`, `gemini`, `aider`, `shell` or one of its own.
    pub name: String,
    /// For people: "Claude Code".
    pub label: String,
    /// False when its program was not found.
    pub available: bool,
}

/// What became of the newest prompt of a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptReport {
    /// The prompt's number in its hub.
    pub prompt: u64,
    /// Its state.
    pub state: PromptState,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A terminal as its runner has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalReport {
    /// Its number in its hub.
    pub terminal: u32,
    /// Oldest offset still in the log.
    pub oldest: u64,
    /// Offset after the newest byte.
    pub end: u64,
    /// Its size.
    pub size: Size,
    /// Its status.
    pub status: StatusReport,
    /// When it last printed something.
    #[serde(default)]
    pub last_output_ms: u64,
    /// Its newest prompts, so that a report lost with a connection is not lost for good. One in a state of a newer version is
    /// left out: it must not cost the whole message.
    #[serde(default, deserialize_with = "known_prompts")]
    pub prompts: Vec<PromptReport>,
}

fn known_prompts<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<PromptReport>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Known(PromptReport),
        Newer(serde::de::IgnoredAny),
    }
    let known = |entry| match entry {
        Entry::Known(report) => Some(report),
        Entry::Newer(_) => None,
    };
    Ok(Vec::<Entry>::deserialize(from)?.into_iter().filter_map(known).collect())
}

/// How to end an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopMode {
    /// Ctrl-C, as typed.
    Interrupt,
    /// Hang-up, then terminate; kill after a grace time.
    Terminate,
    /// Kill at once.
    Kill,
}

/// A refusal that leaves the socket open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Which.
    pub code: ErrorCode,
    /// What happened and what to do, for people.
    pub message: String,
    /// The terminal it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<u32>,
}

/// Reasons of refusal, the same on the wire and in the JSON API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a message, or a field out of its bounds.
    Invalid,
    /// A type that this version does not know.
    UnknownType,
    /// No such session, terminal, prompt or runner.
    NotFound,
    /// Somebody else drives.
    NotDriver,
    /// What the sender may do in this session does not include it.
    Forbidden,
    /// The runner is away.
    RunnerOffline,
    /// The agent has ended.
    Ended,
    /// A named limit is reached.
    Limit,
    /// It is no longer in a state in which this can be done.
    Conflict,
    /// Of a newer version, or a fault of this one.
    #[serde(other)]
    Internal,
}

/// Why a text is not a control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// Longer than [`CONTROL_BYTES_MAX`].
    TooLarge,
    /// Not JSON, or not of the message's shape; the text says where.
    Malformed(String),
}

/// Decodes a control message within its limit; never panics.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, ControlError> {
    if text.len() > CONTROL_BYTES_MAX {
        return Err(ControlError::TooLarge);
    }
    serde_json::from_str(text).map_err(|error| ControlError::Malformed(error.to_string()))
}

/// Encodes a control message.
pub fn encode<T: Serialize>(message: &T) -> String {
    // Only maps with keys that are not strings fail, and no message has one.
    serde_json::to_string(message).unwrap_or_default()
}

/// A writer's identity as text.
pub fn writer_to_text(writer: u64) -> String {
    format!("{writer:016x}")
}

/// The writer of a text of exactly 16 hexadecimal digits.
pub fn writer_from_text(text: &str) -> Option<u64> {
    // `from_str_radix` alone would take a sign.
    let fits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}
