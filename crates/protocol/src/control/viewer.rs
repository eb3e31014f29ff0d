//! What a viewer and its hub say to each other.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, ErrorReport, Size, StatusReport};
use crate::right::Right;

/// How a viewer wants a terminal's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The present screen matters: a viewer far behind gets a snapshot.
    #[default]
    Screen,
    /// Every byte matters: a viewer far behind reads on from where it is.
    Bytes,
}

/// Messages of a viewer to the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewerMessage {
    /// Watch a terminal. Attaching again on the same socket starts over from the state given here.
    Attach {
        /// The terminal.
        terminal: u32,
        /// The offset that the viewer has everything below; absent: begin with a snapshot.
        #[serde(default)]
        from: Option<u64>,
        /// What to do when far behind.
        #[serde(default)]
        delivery: Delivery,
        /// The size that the viewer has room for.
        #[serde(flatten)]
        size: Size,
        /// Drive if nobody does.
        #[serde(default)]
        drive: bool,
        /// The writer that an earlier `attached` gave, so that input sent again is recognised.
        #[serde(default)]
        writer: Option<String>,
    },
    /// Stop watching.
    Detach {
        /// The terminal.
        terminal: u32,
    },
    /// The room for the terminal changed.
    Size {
        /// The terminal.
        terminal: u32,
        /// The size.
        #[serde(flatten)]
        size: Size,
    },
    /// Become the driver, whoever drives now.
    Drive {
        /// The terminal.
        terminal: u32,
    },
    /// Stop driving; the size goes back to the driver before.
    Release {
        /// The terminal.
        terminal: u32,
    },
    /// Send a fresh snapshot, with scrollback if more than 0 lines are asked for.
    Snapshot {
        /// The terminal.
        terminal: u32,
        /// Lines.
        #[serde(default)]
        scrollback: u32,
    },
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}

/// Somebody at a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Stable for the socket's life.
    pub id: String,
    /// For people.
    pub name: String,
    /// Has the terminal's size and keyboard.
    pub drives: bool,
    /// Is the receiver of this message.
    #[serde(default)]
    pub you: bool,
}

/// Messages of the hub to a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ViewerEvent {
    /// The answer to `attach`, before any byte.
    Attached {
        /// The terminal.
        terminal: u32,
        /// Names this viewer's input: 16 hexadecimal digits, the big-endian bytes that begin each input payload.
        writer: String,
        /// The PTY's size.
        #[serde(flatten)]
        size: Size,
        /// False while the runner is away; then a snapshot may come from the newest checkpoint.
        online: bool,
        /// Bytes that may be under way before credit must come back.
        window: u64,
        /// The agent's status.
        status: StatusReport,
        /// When it last printed something, as far as the hub knows.
        last_output_ms: u64,
        /// What this viewer may do.
        #[serde(default)]
        right: Right,
    },
    /// What this viewer may do is something else now.
    Right {
        /// The terminal.
        terminal: u32,
        /// What.
        right: Right,
    },
    /// From here on, frames are live.
    CaughtUp {
        /// The terminal.
        terminal: u32,
        /// Everything below was sent.
        offset: u64,
    },
    /// These bytes will not come.
    Gap {
        /// The terminal.
        terminal: u32,
        /// First missing offset.
        from: u64,
        /// Offset of the next byte that will come.
        to: u64,
        /// Why, for people.
        reason: String,
    },
    /// The hub lost count: say again, with `attach`, what you have.
    Resync {
        /// The terminal.
        terminal: u32,
    },
    /// The PTY has this size.
    Resized {
        /// The terminal.
        terminal: u32,
        /// The size.
        #[serde(flatten)]
        size: Size,
    },
    /// Who watches and who drives.
    People {
        /// The terminal.
        terminal: u32,
        /// All of them, in order of arrival.
        people: Vec<Person>,
    },
    /// The agent's status changed.
    Status {
        /// The terminal.
        terminal: u32,
        /// The status.
        #[serde(flatten)]
        report: StatusReport,
        /// When it last printed something.
        last_output_ms: u64,
    },
    /// The runner came or went. When it came, the viewer sends again the input that was not acknowledged.
    Runner {
        /// The terminal.
        terminal: u32,
        /// Whether it is connected.
        online: bool,
        /// Since when.
        since_ms: u64,
    },
    /// While watched: the age of the runner's hop.
    Pulse {
        /// The terminal.
        terminal: u32,
        /// Round trip from runner to hub, in milliseconds.
        rtt_ms: u32,
    },
    /// Input was not taken and will not be.
    InputRefused {
        /// The terminal.
        terminal: u32,
        /// Why.
        code: ErrorCode,
        /// For people.
        message: String,
    },
    /// A message that the hub could not take.
    Error(ErrorReport),
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}
