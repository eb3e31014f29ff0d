//! One socket of a lobby: how far it has come, and what survives an eviction of it. Pinned by a golden test.

use protocol::claudecodeui::{InstanceStatus, Metadata};
use serde::{Deserialize, Serialize};

use super::REGISTER_MS_MAX;
use crate::call::Link;
use crate::effect::SocketId;
use crate::limits::{INSTANCE_TEXTS_PER_PERIOD_MAX, RATE_PERIOD_MS};

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

    /// Until when it has to register; `None` once it did.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        (self.stage == Stage::Waiting).then_some(self.connected_ms + REGISTER_MS_MAX)
    }

    pub(super) fn is_late(&self, now_ms: u64) -> bool {
        self.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= now_ms)
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
