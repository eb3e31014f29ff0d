//! Shares as the Worker sees them.

use protocol::right::Right;
use serde::{Deserialize, Serialize};

use super::SessionView;

/// With whom a session is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "grantee", rename_all = "snake_case")]
pub enum Grantee {
    /// A person of this deployment, by id.
    Person(String),
    /// Everybody in a team, as `organisation/team`.
    Team(String),
    /// Whoever opens a link.
    Guest,
}

impl Grantee {
    /// The word in tables and JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Grantee::Person(_) => "person",
            Grantee::Team(_) => "team",
            Grantee::Guest => "guest",
        }
    }

    /// Which of its kind; empty for guests.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Grantee::Person(id) | Grantee::Team(id) => id,
            Grantee::Guest => "",
        }
    }

    /// The grantee of a kind's word and an id.
    #[must_use]
    pub fn from_parts(kind: &str, id: String) -> Option<Grantee> {
        match kind {
            "person" => Some(Grantee::Person(id)),
            "team" => Some(Grantee::Team(id)),
            "guest" => Some(Grantee::Guest),
            _ => None,
        }
    }
}

/// A share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Its number in the hub.
    pub share: u64,
    /// Its session.
    pub session: u64,
    /// With whom.
    #[serde(flatten)]
    pub grantee: Grantee,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub right: Right,
    /// When it was made.
    pub created_ms: u64,
    /// When it ends; 0: when it is withdrawn.
    pub expires_ms: u64,
    /// Somebody is here by it now.
    pub here: bool,
}

/// Who a session is shared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// When this was true.
    pub now_ms: u64,
    /// The session.
    pub session: u64,
    /// Its name.
    pub name: String,
    /// In the order in which they were made.
    pub shares: Vec<ShareView>,
}

/// The sessions of a hub that its caller was invited to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// When this was true.
    pub now_ms: u64,
    /// Most urgent first.
    pub sessions: Vec<SharedSession>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedSession {
    /// What the caller may do.
    pub right: Right,
    /// Its line.
    #[serde(flatten)]
    pub view: SessionView,
}
