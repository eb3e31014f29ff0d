//! claudecodeui instances as the Worker, the lobbies and the hub speak of them.
//!
//! An instance's socket lives in a lobby, since nobody knows whose it is when it is opened; the owner's hub knows the instance
//! by its link. What the lobby tells the hub is a [`LobbyReport`], what the hub wants of the socket a [`LobbyOrder`].

use protocol::claudecodeui::{InstanceCommand, InstanceStatus, Metadata};
use protocol::close::CloseCode;
use serde::{Deserialize, Serialize};

use crate::effect::SocketId;

/// What an instance's number is written after: ids of runners are hexadecimal, so none begins with it.
const ID_PREFIX: &str = "ui-";

/// A claudecodeui instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceView {
    /// Its id among the clients: `ui-` and its number in the hub.
    pub client: String,
    /// Its own name for itself.
    pub client_id: String,
    /// Its host.
    pub hostname: String,
    /// Its project.
    pub project: String,
    /// What it was at when it last said so.
    pub status: InstanceStatus,
    /// When it last said so.
    pub status_ms: u64,
    /// Its version.
    pub version: String,
    /// Connected now.
    pub online: bool,
    /// When its newest connection began.
    pub connected_ms: u64,
    /// When that ended; 0 while it is connected.
    pub gone_ms: u64,
}

/// The id of an instance in addresses.
pub fn instance_id(number: u64) -> String {
    format!("{ID_PREFIX}{number}")
}

/// The number of an instance from an address; `None` for the id of anything else.
pub fn instance_number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(ID_PREFIX)?;
    let plain = !digits.starts_with(['0', '+']) && digits.len() <= 15;
    digits.parse().ok().filter(|_| plain)
}

/// Where an instance's socket is. Only the lobby that has it and the hub of its owner ever know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Which lobby.
    pub lobby: u32,
    /// Its id there.
    pub socket: SocketId,
}

/// What a lobby tells the hub of an instance's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum LobbyReport {
    /// An instance proved whose it is. Answer: [`LinkAnswer`].
    Registered {
        /// Its socket.
        link: Link,
        /// The id of its token.
        token: String,
        /// Its own name for itself.
        client_id: String,
        /// What it shows.
        metadata: Metadata,
        /// When its socket was accepted.
        connected_ms: u64,
    },
    /// It is at something else. Answer: [`LinkAnswer`].
    Status {
        /// Its socket.
        link: Link,
        /// What.
        status: InstanceStatus,
    },
    /// These sockets are not there any more, or never were. Answer: [`LinkAnswer::Taken`].
    Gone {
        /// In which lobby.
        lobby: u32,
        /// Which.
        sockets: Vec<SocketId>,
    },
}

/// What the hub makes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAnswer {
    /// So be it.
    Taken,
    /// The token was revoked meanwhile.
    Revoked,
    /// All that the person had was closed since this socket was opened: what D1 said of its token may be older than that.
    Ended,
    /// A newer connection of the same instance is there already.
    Replaced,
    /// As many instances are connected as a person may have.
    Full,
    /// The hub does not know this link (any more): the instance has to register again.
    Unknown,
}

/// What the hub wants done with sockets of a lobby. The lobby answers which of them it does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum LobbyOrder {
    /// Pass a command on.
    Command {
        /// To whom.
        socket: SocketId,
        /// What.
        command: InstanceCommand,
    },
    /// Close it; its end needs no report.
    Close {
        /// Which.
        socket: SocketId,
        /// Why.
        why: Farewell,
    },
    /// Say which of these are gone.
    Check {
        /// Those that the hub takes for connected.
        sockets: Vec<SocketId>,
    },
}

/// Why a hub ends an instance's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Farewell {
    /// The same instance connected again.
    Replaced,
    /// Its token was revoked.
    Revoked,
    /// A person disconnected it.
    Disconnected,
    /// Its owner may not come in at present.
    Ended,
}

impl Farewell {
    /// The close code.
    pub fn code(self) -> CloseCode {
        match self {
            Farewell::Replaced => CloseCode::Replaced,
            Farewell::Revoked => CloseCode::Revoked,
            Farewell::Ended => CloseCode::Unauthorized,
            Farewell::Disconnected => CloseCode::Disconnected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_no_other() {
        assert_eq!(instance_number(&instance_id(17)), Some(17));
        for id in
            ["", "ui-", "17", "ui-017", "ui-+1", "ui--1", "ui-1 ", "UI-1", "ui-9999999999999999", "9f2c61d07ab3e845"]
        {
            assert_eq!(instance_number(id), None, "{id}");
        }
    }
}
