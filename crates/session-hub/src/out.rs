//! Gathers the effects of one event: messages in their order, then each touched attachment once, then each changed topic
//! once. It decides nothing.

use std::collections::BTreeSet;

use protocol::close::CloseCode;
use protocol::control::{self, ErrorCode, ErrorReport, RunnerCommand, ViewerEvent};
use protocol::limits::CLOSE_REASON_BYTES_MAX;

use crate::call::Reply;
use crate::effect::{Effect, SocketId, Topic};

/// The effects so far.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) effects: Vec<Effect>,
    /// Sockets whose attachment no longer matches memory.
    pub(crate) touched: BTreeSet<SocketId>,
    /// What pages show otherwise than now.
    pub(crate) changed: BTreeSet<Topic>,
    /// Terminals whose driver may be another than before.
    pub(crate) driving: BTreeSet<u32>,
}

impl Out {
    pub(crate) fn text(&mut self, socket: SocketId, text: String) {
        self.effects.push(Effect::Text { socket, text });
    }

    pub(crate) fn binary(&mut self, socket: SocketId, bytes: Vec<u8>) {
        self.effects.push(Effect::Binary { socket, bytes });
    }

    pub(crate) fn viewer(&mut self, socket: SocketId, event: &ViewerEvent) {
        self.text(socket, control::encode(event));
    }

    pub(crate) fn runner(&mut self, socket: SocketId, command: &RunnerCommand) {
        self.text(socket, control::encode(command));
    }

    /// Forwards the frame that came in, if anybody takes it.
    pub(crate) fn forward(&mut self, sockets: Vec<SocketId>) {
        if !sockets.is_empty() {
            self.effects.push(Effect::Forward { sockets });
        }
    }

    pub(crate) fn viewer_error(&mut self, socket: SocketId, code: ErrorCode, message: &str, terminal: Option<u32>) {
        self.viewer(socket, &ViewerEvent::Error(ErrorReport { code, message: message.into(), terminal }));
    }

    pub(crate) fn close(&mut self, socket: SocketId, code: CloseCode, reason: &str) {
        let mut end = reason.len().min(CLOSE_REASON_BYTES_MAX);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        self.touched.remove(&socket);
        self.effects.push(Effect::Close { socket, code, reason: reason[..end].to_owned() });
    }

    /// The sockets that are to be closed.
    pub(crate) fn closes(&self) -> impl Iterator<Item = SocketId> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Close { socket, .. } => Some(*socket),
            _ => None,
        })
    }

    pub(crate) fn log(&mut self, event: &'static str, detail: String) {
        self.effects.push(Effect::Log { event, detail });
    }

    pub(crate) fn reply(&mut self, reply: Reply) {
        self.effects.push(Effect::Reply(Box::new(reply)));
    }

    /// A session's line on the dashboard and its own page show something else now.
    pub(crate) fn session_changed(&mut self, session: u64) {
        self.changed.insert(Topic::Dashboard);
        self.changed.insert(Topic::Session(session));
    }
}
