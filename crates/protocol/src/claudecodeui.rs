//! What a claudecodeui instance and the hub say to one another: JSON text messages, as the instances have spoken them from
//! the start. No subprotocol, no binary frame, no version: this side adapts, the other does not change.
//!
//! **Trust.** Whose an instance is follows from the token in its first message and from nothing later: `client_id` is a name
//! that it gives itself.

use serde::{Deserialize, Serialize};

use crate::limits::{CLIENT_ID_CHARS_MAX, CLIENT_MESSAGE_BYTES_MAX, CLIENT_TOKEN_BYTES_MAX};

/// What an instance says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InstanceMessage {
    /// The first message, and the only one that is taken before it was.
    Register {
        /// Its own name for itself; the same again replaces the older connection.
        client_id: String,
        /// A token with the scope `claudecodeui`.
        user_token: Secret,
        /// What it shows of itself.
        #[serde(default)]
        metadata: Metadata,
    },
    /// It is at something else now.
    StatusUpdate {
        /// Its own.
        client_id: String,
        /// What.
        status: InstanceStatus,
    },
    /// Is anybody there?
    Ping {
        /// Its own.
        client_id: String,
    },
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}

/// What an instance shows of itself. What is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The machine.
    pub hostname: String,
    /// The project or its folder.
    pub project: String,
    /// What it is at.
    pub status: InstanceStatus,
    /// Of claudecodeui.
    pub version: String,
}

/// What an instance is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceStatus {
    /// Nothing.
    Idle,
    /// Somebody uses it.
    Active,
    /// It works.
    Busy,
    /// It did not say, or said a word of a newer version.
    #[default]
    #[serde(other)]
    Unknown,
}

impl InstanceStatus {
    /// All of them.
    pub const ALL: [InstanceStatus; 4] =
        [InstanceStatus::Idle, InstanceStatus::Active, InstanceStatus::Busy, InstanceStatus::Unknown];

    /// The word on the wire and in tables.
    pub fn word(self) -> &'static str {
        match self {
            InstanceStatus::Idle => "idle",
            InstanceStatus::Active => "active",
            InstanceStatus::Busy => "busy",
            InstanceStatus::Unknown => "unknown",
        }
    }

    /// The status for a word; anything else is `Unknown`.
    pub fn from_word(word: &str) -> InstanceStatus {
        InstanceStatus::ALL.into_iter().find(|status| status.word() == word).unwrap_or_default()
    }
}

/// A token on its way to be checked. It shows itself to nobody by accident, neither in a log nor in an assertion.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The token itself, for the one who checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What the hub says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InstanceAnswer {
    /// Somebody is.
    Pong {
        /// Whose ping this answers.
        client_id: String,
    },
    /// A person wants something of it.
    Command {
        /// What.
        command: InstanceCommand,
    },
    /// What it said was not taken.
    Error {
        /// What happened and what to do, for people.
        message: String,
    },
}

/// What a person may want of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceCommand {
    /// Leave, and stay away until somebody starts it again.
    Disconnect,
    /// Say what it is at.
    RefreshStatus,
}

/// Why a text is not a message of an instance. None of them repeats what was sent: it may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceError {
    /// Longer than [`CLIENT_MESSAGE_BYTES_MAX`].
    TooLarge,
    /// Not JSON, or not of a message's shape.
    Malformed,
    /// `client_id` is empty, too long, or holds what cannot be printed.
    ClientId,
    /// `user_token` is longer than any token.
    Token,
}

impl InstanceError {
    /// What happened and what to do, for people.
    pub fn message(self) -> &'static str {
        match self {
            InstanceError::TooLarge => "A message may have 16 KiB at most.",
            InstanceError::Malformed => "This is not a JSON message with a type and that type's fields.",
            InstanceError::ClientId => "client_id has to be a text of 1 to 128 printable characters.",
            InstanceError::Token => "user_token is longer than any token: copy it again, from mst_ to its end.",
        }
    }
}

/// Decodes a message within its bounds; never panics. What is only shown is cut and cleaned by who keeps it.
pub fn decode(text: &str) -> Result<InstanceMessage, InstanceError> {
    if text.len() > CLIENT_MESSAGE_BYTES_MAX {
        return Err(InstanceError::TooLarge);
    }
    // The parser's own words may quote a value, and a value may be a token.
    let message = serde_json::from_str(text).map_err(|_quoting| InstanceError::Malformed)?;
    match &message {
        InstanceMessage::Register { user_token, .. } if user_token.0.len() > CLIENT_TOKEN_BYTES_MAX => {
            Err(InstanceError::Token)
        }
        InstanceMessage::Register { client_id, .. }
        | InstanceMessage::StatusUpdate { client_id, .. }
        | InstanceMessage::Ping { client_id }
            if !is_id(client_id) =>
        {
            Err(InstanceError::ClientId)
        }
        _ => Ok(message),
    }
}

fn is_id(client_id: &str) -> bool {
    let fits = (1..=CLIENT_ID_CHARS_MAX).contains(&client_id.chars().count());
    fits && !client_id.chars().any(char::is_control)
}
