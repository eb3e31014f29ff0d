//! What a runner and its hub say to each other.

use serde::{Deserialize, Serialize};

use super::{AgentOffer, ErrorReport, PromptReport, Size, StatusReport, StopMode, TerminalReport};

/// Messages of a runner to its hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunnerMessage {
    /// First message of a connection.
    Hello {
        /// Version of the program.
        version: String,
        /// Host name of the machine.
        hostname: String,
        /// Operating system: `linux`, `macos`.
        os: String,
        /// Processor: `x86_64`, `aarch64`.
        arch: String,
        /// What it understands beyond this version.
        #[serde(default)]
        capabilities: Vec<String>,
        /// Agents that it offers.
        agents: Vec<AgentOffer>,
        /// Where sessions start when no folder is named.
        #[serde(default)]
        home: String,
        /// All its terminals.
        terminals: Vec<TerminalReport>,
    },
    /// The answer to `open`, also when the terminal was open already.
    Opened {
        /// The terminal, as it now is.
        #[serde(flatten)]
        report: TerminalReport,
    },
    /// A terminal could not be opened.
    OpenFailed {
        /// Its number.
        terminal: u32,
        /// Why, and what to do, for people.
        message: String,
    },
    /// A status changed.
    Status {
        /// The terminal.
        terminal: u32,
        /// The new status.
        #[serde(flatten)]
        report: StatusReport,
        /// When the terminal last printed something.
        #[serde(default)]
        last_output_ms: u64,
    },
    /// A prompt moved on.
    Prompt {
        /// The terminal.
        terminal: u32,
        /// What became of it.
        #[serde(flatten)]
        report: PromptReport,
    },
    /// The PTY has this size from here on; in order with the live stream.
    Resized {
        /// The terminal.
        terminal: u32,
        /// The new size.
        #[serde(flatten)]
        size: Size,
    },
    /// Bytes that are wanted are no longer in the log.
    Gap {
        /// The terminal.
        terminal: u32,
        /// First missing offset.
        from: u64,
        /// Offset of the next byte that still exists.
        to: u64,
        /// Why, for people.
        reason: String,
    },
    /// While somebody watches: the age of the runner's hop.
    Pulse {
        /// Round trip from runner to hub, in milliseconds.
        rtt_ms: u32,
    },
    /// A message that this side could not take.
    Error(ErrorReport),
    /// Of a newer version; answered with an error and otherwise ignored.
    #[serde(other)]
    Unknown,
}

/// Messages of the hub to a runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunnerCommand {
    /// The answer to `hello`.
    Welcome {
        /// Version of the hub.
        version: String,
        /// The runner's name in the hub.
        name: String,
        /// The hub's clock.
        now_ms: u64,
        /// What the hub understands beyond this version.
        #[serde(default)]
        capabilities: Vec<String>,
    },
    /// Start an agent in a new terminal. Doing it twice opens one.
    Open {
        /// The number that it shall have.
        terminal: u32,
        /// The session it belongs to.
        session: u64,
        /// The session's name.
        name: String,
        /// The word of the agent.
        agent: String,
        /// The folder to start in; empty means the runner's default.
        #[serde(default)]
        cwd: String,
        /// Its size.
        #[serde(flatten)]
        size: Size,
    },
    /// Send a snapshot. If nothing is streamed, the live stream begins at its offset.
    Snapshot {
        /// The terminal.
        terminal: u32,
        /// Scrollback lines to put before the screen; 0 for the screen alone.
        #[serde(default)]
        scrollback: u32,
    },
    /// Stream live from this offset; no change when already streaming.
    Stream {
        /// The terminal.
        terminal: u32,
        /// First offset wanted.
        from: u64,
    },
    /// Only viewers of the screen are left (`lag_bytes_max` set), or somebody needs every byte (not set).
    Pace {
        /// The terminal.
        terminal: u32,
        /// Jump ahead with a snapshot when the stream is this far behind the log.
        #[serde(default)]
        lag_bytes_max: Option<u64>,
    },
    /// Send these bytes once, beside the live stream.
    Read {
        /// The terminal.
        terminal: u32,
        /// First offset wanted.
        from: u64,
        /// Offset after the last byte wanted.
        to: u64,
    },
    /// Nobody watches: stop the live stream.
    Unwatch {
        /// The terminal.
        terminal: u32,
    },
    /// Give the PTY a size.
    Resize {
        /// The terminal.
        terminal: u32,
        /// The size.
        #[serde(flatten)]
        size: Size,
    },
    /// Give the agent a prompt as soon as it can take it. Doing it twice delivers once.
    Prompt {
        /// The terminal.
        terminal: u32,
        /// The prompt's number.
        prompt: u64,
        /// Its text.
        text: String,
    },
    /// Forget a prompt that was not written yet; answered with its state.
    CancelPrompt {
        /// The terminal.
        terminal: u32,
        /// The prompt's number.
        prompt: u64,
    },
    /// End the agent.
    Stop {
        /// The terminal.
        terminal: u32,
        /// How.
        mode: StopMode,
    },
    /// Forget an ended terminal and its log; kills it first if it runs.
    Forget {
        /// The terminal.
        terminal: u32,
    },
    /// The checkpoint up to this offset is durable.
    CheckpointSaved {
        /// The terminal.
        terminal: u32,
        /// The checkpoint's offset.
        offset: u64,
    },
    /// A message that the hub could not take.
    Error(ErrorReport),
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}
