//! Between a lobby and the hubs of its instances' owners: reports go one at a time for each socket, orders come at any time.

use protocol::claudecodeui::InstanceAnswer;
use protocol::close::CloseCode;

use super::{Lobby, LobbyEffect, Stage, Verdict, close, refuse, say};
use crate::call::{Farewell, LinkAnswer, LobbyOrder, LobbyReport};
use crate::effect::SocketId;

impl Lobby {
    /// What was found out about a token.
    pub(super) fn checked(&mut self, socket: SocketId, verdict: Verdict, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket).filter(|guest| guest.stage == Stage::Checking) else { return };
        let (person, token, ends_ms) = match verdict {
            Verdict::Holder { person, token, ends_ms } => (person, token, ends_ms),
            Verdict::Refused(message) => return self.end(socket, CloseCode::Unauthorized, &message, out),
            Verdict::Failed => {
                let message = "The hub could not check the token just now. Connect again.";
                return self.end(socket, CloseCode::GoingAway, message, out);
            }
        };
        (guest.stage, guest.telling, guest.ends_ms) = (Stage::Introducing, true, ends_ms);
        guest.person.clone_from(&person);
        let report = LobbyReport::Registered {
            link: guest.link(),
            token,
            client_id: guest.client_id.clone(),
            metadata: std::mem::take(&mut guest.metadata),
            connected_ms: guest.connected_ms,
        };
        out.push(LobbyEffect::Attach { guest: guest.clone() });
        out.push(LobbyEffect::Tell { socket, person, report });
    }

    /// What a hub makes of a report.
    pub(super) fn told(&mut self, socket: SocketId, answer: Option<LinkAnswer>, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        guest.telling = false;
        if guest.left {
            return self.left(socket, out);
        }
        let (code, message) = match answer {
            Some(LinkAnswer::Taken) => return self.taken(socket, out),
            Some(LinkAnswer::Revoked) => (CloseCode::Revoked, "This token was revoked."),
            Some(LinkAnswer::Ended) => {
                (CloseCode::GoingAway, "Access to this hub ended while this connected. Connect again to ask anew.")
            }
            Some(LinkAnswer::Replaced) => (CloseCode::Replaced, "A newer connection has this client_id."),
            Some(LinkAnswer::Full) => (CloseCode::Overloaded, "As many instances are connected as a person may have."),
            Some(LinkAnswer::Unknown) => {
                (CloseCode::GoingAway, "The hub lost track of this connection. Connect again.")
            }
            None => (CloseCode::GoingAway, "The hub does not answer just now. Connect again."),
        };
        refuse(socket, code, message, out);
        match answer {
            // Whether the hub wrote it down before it failed is not known: it hears that the socket is gone.
            None => self.left(socket, out),
            Some(_) => drop(self.guests.remove(&socket)),
        }
    }

    fn taken(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        if let Some(guest) = self.guests.get_mut(&socket).filter(|guest| guest.stage == Stage::Introducing) {
            guest.stage = Stage::Here;
            out.push(LobbyEffect::Attach { guest: guest.clone() });
            self.answer_pings(socket, out);
        }
        self.tell_status(socket, out);
    }

    /// Tells the hub the newest status, unless it is being told something already: then that comes first.
    pub(super) fn tell_status(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        if guest.stage != Stage::Here || guest.telling {
            return;
        }
        if let Some(status) = guest.status.take() {
            guest.telling = true;
            let report = LobbyReport::Status { link: guest.link(), status };
            out.push(LobbyEffect::Tell { socket, person: guest.person.clone(), report });
        }
    }

    /// A socket is gone. Its hub is told at once, or as soon as it has answered what it is being told.
    pub(super) fn left(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        if guest.telling {
            guest.left = true;
            return;
        }
        if guest.is_introduced() {
            let report = LobbyReport::Gone { lobby: guest.lobby, sockets: vec![socket] };
            out.push(LobbyEffect::Tell { socket, person: guest.person.clone(), report });
        }
        self.guests.remove(&socket);
    }

    /// A hub orders. It knows which sockets it speaks of, and marked those that it closes as gone already.
    pub(super) fn order(&mut self, order: LobbyOrder, out: &mut Vec<LobbyEffect>) {
        let named = match &order {
            LobbyOrder::Command { socket, .. } | LobbyOrder::Close { socket, .. } => std::slice::from_ref(socket),
            LobbyOrder::Check { sockets } => sockets,
        };
        let is_absent =
            |socket: &&SocketId| self.guests.get(socket).is_none_or(|guest| guest.left || !guest.is_introduced());
        let absent: Vec<SocketId> = named.iter().filter(is_absent).copied().collect();
        match order {
            LobbyOrder::Command { socket, command } if absent.is_empty() => {
                say(socket, &InstanceAnswer::Command { command }, out);
            }
            LobbyOrder::Close { socket, why } if absent.is_empty() => {
                match why {
                    Farewell::Replaced => refuse(socket, why.code(), "A newer connection has this client_id.", out),
                    Farewell::Revoked => refuse(socket, why.code(), "This token was revoked.", out),
                    Farewell::Ended => refuse(socket, why.code(), "Access to this hub ended.", out),
                    Farewell::Disconnected => close(socket, why.code(), "a person disconnected it", out),
                }
                self.guests.remove(&socket);
            }
            _ => {}
        }
        out.push(LobbyEffect::Absent(absent));
    }

    /// Sockets that an eviction caught between their register message and their hub's answer: what was under way is lost.
    pub(super) fn give_up_interrupted(&mut self, out: &mut Vec<LobbyEffect>) {
        let interrupted = |stage| matches!(stage, Stage::Checking | Stage::Introducing);
        let sockets = self.guests.values().filter(|guest| interrupted(guest.stage)).map(|guest| guest.socket);
        for socket in sockets.collect::<Vec<_>>() {
            self.end(socket, CloseCode::GoingAway, "The hub was restarted. Connect again.", out);
        }
    }
}
