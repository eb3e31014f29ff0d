//! The border of the hub: what comes in, what goes out.

use serde::{Deserialize, Serialize};

use protocol::audit::Via;

use crate::call::{Call, LobbyOrder, Reply};
use crate::standing::Standing;
use protocol::close::CloseCode;

/// Names a socket for as long as it is open, across hibernation; never reused within a hub.
pub type SocketId = u64;

/// What one event may know beyond its input. Time and chance are inputs.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// 64 fresh random bits.
    pub entropy: u64,
}

/// Who is at the other end of a socket; decided by the Worker from JWT or cookie, never from a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Peer {
    /// A runner, by the id of its token.
    Runner {
        /// The token's id, which is the runner's id.
        runner: String,
        /// The name given with the token.
        name: String,
    },
    /// A browser tab or a command line that attaches to terminals.
    Viewer {
        /// The person's id.
        person: String,
        /// The person's name.
        name: String,
        /// By which way.
        #[serde(default, skip_serializing_if = "is_browser")]
        via: Via,
    },
    /// A page that receives fragments.
    Page {
        /// The person's id.
        person: String,
        /// What it shows.
        topic: Topic,
    },
}

fn is_browser(via: &Via) -> bool {
    *via == Via::Browser
}

impl Peer {
    /// The person at the other end, if there is one.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match self {
            Peer::Viewer { person, .. } | Peer::Page { person, .. } => Some(person),
            Peer::Runner { .. } => None,
        }
    }
}

/// What the Worker vouches for beside who somebody is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// On what grounds they come.
    #[serde(default, skip_serializing_if = "Standing::is_owner")]
    pub standing: Standing,
    /// When the proof that was shown ends, and the socket with it; 0: when it is revoked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ends_ms: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a page shows, and so which changes concern it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "topic", content = "id", rename_all = "snake_case")]
pub enum Topic {
    /// All sessions and runners.
    Dashboard,
    /// One session.
    Session(u64),
    /// All runners and claudecodeui instances.
    Clients,
    /// One claudecodeui instance.
    Instance(u64),
    /// The sessions of this hub that somebody else was invited to.
    Shared,
}

/// One event for the hub.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The Worker asks; the effects hold exactly one [`Effect::Reply`].
    Call(Call),
    /// A socket was accepted.
    Connected {
        /// Its id.
        socket: SocketId,
        /// Who it is.
        peer: Peer,
        /// What else the Worker vouches for.
        pass: Pass,
    },
    /// A text message.
    Text {
        /// From.
        socket: SocketId,
        /// The message.
        text: &'a str,
    },
    /// A binary message.
    Binary {
        /// From.
        socket: SocketId,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A socket is gone. May come late, twice or never.
    Closed {
        /// Which.
        socket: SocketId,
    },
    /// The alarm that an [`Effect::SetAlarm`] asked for; may come twice.
    Alarm,
}

/// One thing for the adapter to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a text message.
    Text {
        /// To.
        socket: SocketId,
        /// The message.
        text: String,
    },
    /// Send a binary message that the hub made.
    Binary {
        /// To.
        socket: SocketId,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Send the binary message that just came in, as it came.
    Forward {
        /// To all of these.
        sockets: Vec<SocketId>,
    },
    /// Replace the socket's attachment.
    Attach {
        /// Whose.
        socket: SocketId,
        /// At most 16 KiB.
        attachment: Attachment,
    },
    /// Close a socket.
    Close {
        /// Which.
        socket: SocketId,
        /// Why.
        code: CloseCode,
        /// At most 123 bytes.
        reason: String,
    },
    /// Render and push what changed to the pages that show it.
    Changed {
        /// What.
        topic: Topic,
    },
    /// Tell a page that what it shows is not there any more for whoever looks; its close follows.
    Farewell {
        /// Which.
        socket: SocketId,
        /// What it showed.
        topic: Topic,
    },
    /// Answer the call. Boxed, because it is rare and large, and the list of effects of a keystroke shall be small.
    Reply(Box<Reply>),
    /// Something is wanted of a lobby. Comes of calls alone, never of a socket's event.
    Lobby {
        /// Which.
        lobby: u32,
        /// What.
        order: LobbyOrder,
    },
    /// Wake the hub at this time; `None` takes an alarm back.
    SetAlarm(Option<u64>),
    /// A line for the structured log; never holds a secret or what people typed.
    Log {
        /// A word for the event.
        event: &'static str,
        /// What it concerns.
        detail: String,
    },
}

/// What survives hibernation beside the store: a socket's peer and what it watches. Pinned by a golden test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The socket's id.
    pub socket: SocketId,
    /// Who it is.
    #[serde(flatten)]
    pub peer: Peer,
    /// What else the Worker vouched for.
    #[serde(flatten)]
    pub pass: Pass,
    /// When it connected.
    pub connected_ms: u64,
    /// What a viewer watches; changes with attach, drive and lag, never with a byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<Watch>,
    /// True once a runner has said hello.
    #[serde(default)]
    pub ready: bool,
}

/// One terminal that a viewer watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The terminal.
    pub terminal: u32,
    /// The writer of its input, as 16 hexadecimal digits.
    pub writer: String,
    /// Room for this many columns and rows.
    pub size: protocol::control::Size,
    /// What to do when far behind.
    pub delivery: protocol::control::Delivery,
    /// Place in the order of drivers; the highest drives; 0 does not.
    #[serde(default)]
    pub drive_order: u64,
    /// It has typed, and the store knows whose its writer is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typed: bool,
    /// How its bytes come.
    pub mode: WatchMode,
}

/// How a viewer's bytes come at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchMode {
    /// It waits for a snapshot.
    AwaitingSnapshot,
    /// It reads what it missed.
    CatchingUp,
    /// It gets frames as they come.
    Live,
    /// It stopped taking bytes; nothing is sent until its credit returns.
    Stalled,
}
