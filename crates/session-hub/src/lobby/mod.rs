//! The lobby: where claudecodeui instances connect. Whose one is follows from the token in its first message, so no hub can
//! take its socket; the lobby does, for all people, and keeps it. It tells the owner's hub what the instance says, and does
//! with the socket what that hub orders.
//!
//! Like the hub it has no I/O: an input and the time in, effects out. It has no store either: what survives an eviction is
//! in its sockets' attachments, and what a hub was told is in that hub.
//!
//! **Invariant.** A socket that has not registered may say one thing, once, within ten seconds. **Invariant.** One report of
//! a socket is under way at a time, so its hub hears of it in order, and a flood of messages becomes the newest of them.

mod guest;
mod messages;
mod reports;

use std::collections::BTreeMap;

use protocol::claudecodeui::{InstanceAnswer, Secret};
use protocol::close::CloseCode;
use protocol::control;
use protocol::limits::{CLOSE_REASON_BYTES_MAX, REGISTER_S_MAX};

use crate::call::{LinkAnswer, LobbyOrder, LobbyReport};
use crate::effect::SocketId;
use crate::limits::{LOBBY_SOCKETS_MAX, LOBBY_WAITING_MAX};

pub use guest::{Guest, Stage};

/// How long a socket may be silent before it registers.
const REGISTER_MS_MAX: u64 = REGISTER_S_MAX * 1000;

/// One event for the lobby.
#[derive(Clone, Debug)]
pub enum LobbyInput<'a> {
    /// A socket was accepted; `lobby` is the number of this lobby.
    Connected {
        /// Its id.
        socket: SocketId,
        /// Where it is.
        lobby: u32,
        /// The address that it came from, as far as it is known.
        from: String,
    },
    /// A text message.
    Text {
        /// From.
        socket: SocketId,
        /// The message.
        text: &'a str,
    },
    /// A binary message; instances send none.
    Binary {
        /// From.
        socket: SocketId,
    },
    /// A socket is gone. May come late, twice or never.
    Closed {
        /// Which.
        socket: SocketId,
    },
    /// What became of an [`LobbyEffect::Check`].
    Checked {
        /// Of which socket.
        socket: SocketId,
        /// Whose token it is.
        verdict: Verdict,
    },
    /// What became of a [`LobbyEffect::Tell`]; `None` when the hub could not be reached.
    Told {
        /// Of which socket.
        socket: SocketId,
        /// The hub's answer.
        answer: Option<LinkAnswer>,
    },
    /// A hub orders.
    Order(LobbyOrder),
    /// The alarm that a [`LobbyEffect::SetAlarm`] asked for; may come twice.
    Alarm,
}

/// What was found out about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good.
    Holder {
        /// The person's id, which names the hub.
        person: String,
        /// The token's id.
        token: String,
        /// When it ends; 0: never.
        ends_ms: u64,
    },
    /// It is not; the text says why and what to do.
    Refused(String),
    /// It could not be found out.
    Failed,
}

/// One thing for the adapter to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LobbyEffect {
    /// Send a text message.
    Text {
        /// To.
        socket: SocketId,
        /// The message.
        text: String,
    },
    /// Replace the socket's attachment.
    Attach {
        /// Whose, and what.
        guest: Guest,
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
    /// Find out whose token this is, and say so with [`LobbyInput::Checked`].
    Check {
        /// For which socket.
        socket: SocketId,
        /// The token.
        token: Secret,
        /// The address that it came from.
        from: String,
    },
    /// Tell a person's hub, and say what it answers with [`LobbyInput::Told`].
    Tell {
        /// Of which socket.
        socket: SocketId,
        /// Whose hub.
        person: String,
        /// What.
        report: LobbyReport,
    },
    /// The answer to an order: which of the sockets that it names are not here.
    Absent(Vec<SocketId>),
    /// Wake the lobby at this time.
    SetAlarm(u64),
    /// A line for the structured log; never holds a secret.
    Log {
        /// A word for the event.
        event: &'static str,
        /// What it concerns.
        detail: String,
    },
}

/// The sockets of one lobby.
pub struct Lobby {
    guests: BTreeMap<SocketId, Guest>,
    /// The alarm that is set, as far as memory knows: never later than the first deadline.
    alarm_ms: Option<u64>,
    /// What an eviction cut off was dealt with.
    healed: bool,
}

impl Lobby {
    /// A lobby from the attachments of the sockets that are open.
    pub fn open(attachments: Vec<Guest>) -> Lobby {
        let guests = attachments.into_iter().map(|guest| (guest.socket, guest)).collect();
        let mut lobby = Lobby { guests, alarm_ms: None, healed: false };
        // Asked for by whichever ends first, before it could be forgotten. Without this each ping that wakes a lobby would ask
        // again, which costs a row, for as long as there is a token that ends.
        lobby.alarm_ms = lobby.first_deadline_ms();
        lobby
    }

    /// Takes one event. It never panics and never fails.
    pub fn handle(&mut self, now_ms: u64, input: LobbyInput<'_>) -> Vec<LobbyEffect> {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.healed, true) {
            self.give_up_interrupted(&mut out);
        }
        match input {
            LobbyInput::Connected { socket, lobby, from } => {
                self.connected(Guest::new(socket, lobby, from, now_ms), &mut out)
            }
            LobbyInput::Text { socket, text } => self.text(now_ms, socket, text, &mut out),
            LobbyInput::Binary { socket } => self.binary(socket, &mut out),
            LobbyInput::Closed { socket } => self.left(socket, &mut out),
            LobbyInput::Checked { socket, verdict } => self.checked(socket, verdict, &mut out),
            LobbyInput::Told { socket, answer } => self.told(socket, answer, &mut out),
            LobbyInput::Order(order) => self.order(order, &mut out),
            LobbyInput::Alarm => self.alarm(now_ms, &mut out),
        }
        self.keep_alarm(&mut out);
        out
    }

    /// Sockets that are open, and those of them that have not registered.
    pub fn counts(&self) -> (usize, usize) {
        (self.guests.len(), self.guests.values().filter(|guest| guest.stage == Stage::Waiting).count())
    }

    fn connected(&mut self, guest: Guest, out: &mut Vec<LobbyEffect>) {
        let (all, waiting) = self.counts();
        if all >= LOBBY_SOCKETS_MAX || waiting >= LOBBY_WAITING_MAX {
            refuse(
                guest.socket,
                CloseCode::Overloaded,
                "As many connections as the hub takes. Wait, then try again.",
                out,
            );
            return;
        }
        out.push(LobbyEffect::Attach { guest: guest.clone() });
        self.guests.insert(guest.socket, guest);
    }

    fn alarm(&mut self, now_ms: u64, out: &mut Vec<LobbyEffect>) {
        self.alarm_ms = None;
        let over = self.guests.values().filter_map(|guest| Some((guest.socket, guest.is_over(now_ms)?)));
        for (socket, (code, message)) in over.collect::<Vec<_>>() {
            self.end(socket, code, message, out);
        }
    }

    fn first_deadline_ms(&self) -> Option<u64> {
        self.guests.values().filter_map(Guest::deadline_ms).min()
    }

    /// One alarm for all that wait, and all whose tokens end. It is not taken back when one of them registers or goes: that
    /// would cost as much as its coming.
    fn keep_alarm(&mut self, out: &mut Vec<LobbyEffect>) {
        let Some(next_ms) = self.first_deadline_ms() else { return };
        if self.alarm_ms.is_none_or(|set_ms| set_ms > next_ms) {
            self.alarm_ms = Some(next_ms);
            out.push(LobbyEffect::SetAlarm(next_ms));
        }
    }

    /// Says why, closes, and forgets. Its hub hears of it where it has heard of the socket before.
    fn end(&mut self, socket: SocketId, code: CloseCode, message: &str, out: &mut Vec<LobbyEffect>) {
        refuse(socket, code, message, out);
        self.left(socket, out);
    }
}

fn say(socket: SocketId, answer: &InstanceAnswer, out: &mut Vec<LobbyEffect>) {
    out.push(LobbyEffect::Text { socket, text: control::encode(answer) });
}

fn complain(socket: SocketId, message: &str, out: &mut Vec<LobbyEffect>) {
    say(socket, &InstanceAnswer::Error { message: message.to_owned() }, out);
}

fn refuse(socket: SocketId, code: CloseCode, message: &str, out: &mut Vec<LobbyEffect>) {
    complain(socket, message, out);
    close(socket, code, message, out);
}

fn close(socket: SocketId, code: CloseCode, reason: &str, out: &mut Vec<LobbyEffect>) {
    let reason = reason.get(..reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX)).unwrap_or_default().to_owned();
    out.push(LobbyEffect::Close { socket, code, reason });
}
