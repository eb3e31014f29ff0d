//! The words for how an agent is and what became of a prompt.

use serde::{Deserialize, Serialize};

/// Status of an agent, in order of urgency. `Unknown` is shown as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for a person: permission, question, auth.
    Blocked,
    /// It ended with an error.
    Failed,
    /// It is busy.
    Working,
    /// It waits for a prompt.
    Idle,
    /// It ended well.
    Done,
    /// Its runner is away.
    Offline,
    /// No evidence, or a word of a newer version.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Status {
    /// All statuses in order of urgency.
    pub const ALL: [Status; 7] = [
        Status::Blocked,
        Status::Failed,
        Status::Working,
        Status::Idle,
        Status::Done,
        Status::Offline,
        Status::Unknown,
    ];

    /// The word on the wire, in tables and in `data-status`.
    pub fn word(self) -> &'static str {
        match self {
            Status::Blocked => "blocked",
            Status::Failed => "failed",
            Status::Working => "working",
            Status::Idle => "idle",
            Status::Done => "done",
            Status::Offline => "offline",
            Status::Unknown => "unknown",
        }
    }

    /// The status for a word; anything else is `Unknown`.
    pub fn from_word(word: &str) -> Status {
        Status::ALL.into_iter().find(|status| status.word() == word).unwrap_or_default()
    }
}

/// What a blocked agent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedOn {
    /// Leave to do something.
    Permission,
    /// An answer.
    Question,
    /// A sign-in.
    Auth,
    /// A kind of a newer version.
    #[serde(other)]
    Other,
}

/// Where a status comes from, strongest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The process ended.
    Exit,
    /// OSC 7501, the Program Status Protocol.
    Osc7501,
    /// A hook or an event of the agent's own.
    Hook,
    /// The process that holds the terminal's foreground.
    Foreground,
    /// A title or a bell.
    Title,
    /// Output stopped or began.
    Quiet,
    /// Nothing seen, or a source of a newer version.
    #[default]
    #[serde(other)]
    None,
}

/// The life of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptState {
    /// Held by the hub until the agent can take it.
    Queued,
    /// Written to the agent's terminal.
    Delivered,
    /// The agent began to work on it.
    Accepted,
    /// The agent finished its turn.
    Done,
    /// Withdrawn by a person before it was delivered.
    Cancelled,
    /// Could not be delivered, or the agent ended first.
    Failed,
}

impl PromptState {
    /// All states in order of life.
    pub const ALL: [PromptState; 6] = [
        PromptState::Queued,
        PromptState::Delivered,
        PromptState::Accepted,
        PromptState::Done,
        PromptState::Cancelled,
        PromptState::Failed,
    ];

    /// The word on the wire and in tables.
    pub fn word(self) -> &'static str {
        match self {
            PromptState::Queued => "queued",
            PromptState::Delivered => "delivered",
            PromptState::Accepted => "accepted",
            PromptState::Done => "done",
            PromptState::Cancelled => "cancelled",
            PromptState::Failed => "failed",
        }
    }

    /// The state for a word.
    pub fn from_word(word: &str) -> Option<PromptState> {
        PromptState::ALL.into_iter().find(|state| state.word() == word)
    }

    /// True when nothing can change it any more.
    pub fn is_final(self) -> bool {
        matches!(self, PromptState::Done | PromptState::Cancelled | PromptState::Failed)
    }

    /// True when `next` may follow. States only go forward, so a late or doubled report changes nothing.
    pub fn may_become(self, next: PromptState) -> bool {
        match self {
            PromptState::Queued => next != PromptState::Queued,
            PromptState::Delivered => {
                matches!(next, PromptState::Accepted | PromptState::Done | PromptState::Failed)
            }
            PromptState::Accepted => matches!(next, PromptState::Done | PromptState::Failed),
            PromptState::Done | PromptState::Cancelled | PromptState::Failed => false,
        }
    }
}
