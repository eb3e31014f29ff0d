//! One socket of a lobby: how far it has come, and what survives an eviction of it. Pinned by a golden test.

use protocol::claudecodeui::{InstanceStatus, Metadata};
use protocol::close::CloseCode;
use serde::{Deserialize, Serialize};

use super::REGISTER_MS_MAX;
use crate::call::Link;
use crate::effect::SocketId;
use crate::limits::{INSTANCE_TEXTS_PER_PERIOD_MAX, RATE_PERIOD_MS};

/// What a socket hears that did not register in time.
const TOO_LATE: &str = "No register message came within 10 seconds of connecting.";
/// What it hears when its token ends.
const TOKEN_ENDED: &str = "This token has ended: make a new one in the dashboard.";

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It has said nothing.
    Waiting,
    /// Its token is looked up.
    Checking,
    /// Its owner's hub is told.
    Introducing,
    /// Its owner's hub knows it.
    Here,
}

/// A socket. What serde skips is forgotten with an eviction, and missed by nobody: while a report is under way the
/// platform does not evict, and a stage that was cut off ends the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// Its id.
    pub socket: SocketId,
    /// The number of the lobby that it is in.
    pub lobby: u32,
    /// The address that it came from, as far as it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// When it was accepted.
    pub connected_ms: u64,
    /// How far it has come.
    pub stage: Stage,
    /// Its own name for itself, once it registered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Whose it is, once its token was found to be good.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// When that token ends, and the socket with it; 0: when it is revoked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ends_ms: u64,
    /// What its register message showed, until its hub has it.
    #[serde(skip)]
    pub(super) metadata: Metadata,
    /// A status that its hub has not been told.
    #[serde(skip)]
    pub(super) status: Option<InstanceStatus>,
    /// Pings that came while it was not known yet whether it may say anything.
    #[serde(skip)]
    pub(super) pings: u32,
    /// A report is under way.
    #[serde(skip)]
    pub(super) telling: bool,
    /// It closed while a report was under way.
    #[serde(skip)]
    pub(super) left: bool,
    /// Messages in the present period, and when it began.
    #[serde(skip)]
    texts: (u64, u32),
}

impl Guest {
    pub(super) fn new(socket: SocketId, lobby: u32, from: String, connected_ms: u64) -> Guest {
        Guest {
            socket,
            lobby,
            from,
            connected_ms,
            stage: Stage::Waiting,
            client_id: String::new(),
            person: String::new(),
            ends_ms: 0,
            metadata: Metadata::default(),
            status: None,
            pings: 0,
            telling: false,
            left: false,
            texts: (0, 0),
        }
    }

    pub(super) fn link(&self) -> Link {
        Link { lobby: self.lobby, socket: self.socket }
    }

    /// When it is closed, whatever it says: before it registered, when it should have; from then on, when its token ends.
    /// `None`: by no clock, or it is gone already and its hub has yet to hear of it.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        if self.left {
            return None;
        }
        match self.stage {
            Stage::Waiting => Some(self.connected_ms + REGISTER_MS_MAX),
            Stage::Checking | Stage::Introducing | Stage::Here => Some(self.ends_ms).filter(|ends_ms| *ends_ms != 0),
        }
    }

    /// Why it is closed now, if its time is over.
    pub(super) fn is_over(&self, now_ms: u64) -> Option<(CloseCode, &'static str)> {
        self.deadline_ms().filter(|deadline_ms| *deadline_ms <= now_ms)?;
        Some(match self.stage {
            Stage::Waiting => (CloseCode::HelloTimeout, TOO_LATE),
            Stage::Checking | Stage::Introducing | Stage::Here => (CloseCode::Unauthorized, TOKEN_ENDED),
        })
    }

    /// True when its owner's hub may know of it.
    pub(super) fn is_introduced(&self) -> bool {
        matches!(self.stage, Stage::Introducing | Stage::Here)
    }

    pub(super) fn is_within_rate(&mut self, now_ms: u64) -> bool {
        let (began, count) = self.texts;
        self.texts = if now_ms.saturating_sub(began) < RATE_PERIOD_MS { (began, count + 1) } else { (now_ms, 1) };
        self.texts.1 <= INSTANCE_TEXTS_PER_PERIOD_MAX
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
