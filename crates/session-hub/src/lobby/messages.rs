//! What sockets of a lobby say, and what each is answered.

use protocol::claudecodeui::{self, InstanceAnswer, InstanceError, InstanceMessage, InstanceStatus};
use protocol::close::CloseCode;

use super::{Lobby, LobbyEffect, Stage, complain, say};
use crate::effect::SocketId;

impl Lobby {
    /// A text message.
    pub(super) fn text(&mut self, now_ms: u64, socket: SocketId, text: &str, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket).filter(|guest| !guest.left) else { return };
        if let Some((code, message)) = guest.is_over(now_ms) {
            return self.end(socket, code, message, out); // the alarm is late too
        }
        if !guest.is_within_rate(now_ms) {
            return self.end(socket, CloseCode::RateLimited, "Too many messages. Wait, then connect again.", out);
        }
        let waiting = guest.stage == Stage::Waiting;
        match claudecodeui::decode(text) {
            Err(error) => self.end(socket, code_of(error), error.message(), out),
            Ok(InstanceMessage::Register { client_id, user_token, metadata }) if waiting => {
                (guest.stage, guest.client_id, guest.metadata) = (Stage::Checking, client_id, metadata);
                out.push(LobbyEffect::Attach { guest: guest.clone() });
                out.push(LobbyEffect::Check { socket, token: user_token, from: guest.from.clone() });
            }
            Ok(_) if waiting => {
                self.end(socket, CloseCode::Protocol, "The first message has to be register.", out);
            }
            Ok(InstanceMessage::Register { .. }) => {
                self.end(socket, CloseCode::Protocol, "register comes once in a connection.", out);
            }
            Ok(InstanceMessage::Unknown) => complain(socket, "This hub does not know that type of message.", out),
            Ok(InstanceMessage::StatusUpdate { client_id, .. } | InstanceMessage::Ping { client_id })
                if client_id != guest.client_id =>
            {
                complain(socket, "This connection registered with another client_id. Nothing was done.", out);
            }
            Ok(InstanceMessage::StatusUpdate { status, .. }) => self.status_update(socket, status, out),
            Ok(InstanceMessage::Ping { .. }) => self.ping(socket, out),
        }
    }

    /// A binary message.
    pub(super) fn binary(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        if self.guests.get(&socket).is_some_and(|guest| !guest.left) {
            self.end(socket, CloseCode::Protocol, "Messages are text: one JSON object each.", out);
        }
    }

    fn status_update(&mut self, socket: SocketId, status: InstanceStatus, out: &mut Vec<LobbyEffect>) {
        if let Some(guest) = self.guests.get_mut(&socket) {
            guest.status = Some(status);
        }
        self.tell_status(socket, out);
    }

    fn ping(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        guest.pings += 1;
        if guest.stage == Stage::Here {
            self.answer_pings(socket, out);
        }
    }

    /// Answers what was asked before it was known who asks.
    pub(super) fn answer_pings(&mut self, socket: SocketId, out: &mut Vec<LobbyEffect>) {
        let Some(guest) = self.guests.get_mut(&socket) else { return };
        for _ in 0..std::mem::take(&mut guest.pings) {
            say(socket, &InstanceAnswer::Pong { client_id: guest.client_id.clone() }, out);
        }
    }
}

fn code_of(error: InstanceError) -> CloseCode {
    match error {
        InstanceError::TooLarge => CloseCode::TooLarge,
        InstanceError::Malformed | InstanceError::ClientId => CloseCode::Malformed,
        InstanceError::Token => CloseCode::Unauthorized,
    }
}
