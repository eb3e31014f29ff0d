//! Sockets come, speak and go. Who is at the other end is what the Worker said when it was accepted; each message is judged
//! by that, and by nothing in the message.

use protocol::close::CloseCode;
use protocol::control::{self, ControlError, ErrorCode, ErrorReport, RunnerCommand, RunnerMessage, ViewerMessage};
use protocol::frame::{Frame, FrameError, Kind};
use protocol::{PING, PONG};

use crate::calls::NOT_SHARED;
use crate::db::Fault;
use crate::effect::{Attachment, Effect, Moment, Pass, Peer, SocketId, Watch};
use crate::hub::Hub;
use crate::limits::{
    INVITED_SOCKETS_MAX, RATE_PERIOD_MS, RUNNER_TEXTS_PER_PERIOD_MAX, SOCKETS_MAX, SOCKETS_PER_VISITOR_MAX,
    TEXTS_PER_PERIOD_MAX,
};
use crate::out::Out;
use crate::standing::Standing;
use crate::store::{Store, StoreError};
use crate::watch::{Attach, Wire};

/// An open socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) peer: Peer,
    pub(crate) pass: Pass,
    pub(crate) connected_ms: u64,
    /// A runner has said hello.
    pub(crate) ready: bool,
    /// Terminals that a viewer watches, in order of attaching.
    pub(crate) watching: Vec<u32>,
    /// Round trip that a runner measured last; a gauge, forgotten with an eviction.
    pub(crate) rtt_ms: Option<u32>,
    /// Control messages in the present period, and when it began.
    texts: (u64, u32),
}

impl Socket {
    fn new(peer: Peer, pass: Pass, connected_ms: u64) -> Socket {
        Socket { peer, pass, connected_ms, ready: false, watching: Vec::new(), rtt_ms: None, texts: (0, 0) }
    }

    fn is_within_rate(&mut self, now_ms: u64) -> bool {
        let (began, count) = self.texts;
        self.texts = if now_ms.saturating_sub(began) < RATE_PERIOD_MS { (began, count + 1) } else { (now_ms, 1) };
        let most = match self.peer {
            Peer::Runner { .. } => RUNNER_TEXTS_PER_PERIOD_MAX,
            Peer::Viewer { .. } | Peer::Page { .. } => TEXTS_PER_PERIOD_MAX,
        };
        self.texts.1 <= most
    }
}

impl<S: Store> Hub<S> {
    /// A socket was accepted.
    pub(crate) fn connected(
        &mut self,
        moment: Moment,
        socket: SocketId,
        peer: Peer,
        pass: Pass,
        out: &mut Out,
    ) -> Result<(), Fault> {
        if self.sockets.len() >= SOCKETS_MAX {
            out.close(socket, CloseCode::Overloaded, "the hub has as many sockets as it takes");
            return Ok(());
        }
        if let Peer::Runner { runner, .. } = &peer
            && self.registry.runners.get(runner).is_some_and(|known| known.revoked)
        {
            out.close(socket, CloseCode::Revoked, "this runner's token was revoked");
            return Ok(());
        }
        if self.turns_away(moment, socket, &peer, &pass, out) {
            return Ok(());
        }
        self.sockets.insert(socket, Socket::new(peer, pass, moment.now_ms));
        out.touched.insert(socket);
        self.set_alarm(moment.now_ms, out);
        Ok(())
    }

    /// Whether somebody who comes as invited is closed at once: what was shared with them may have been withdrawn since the
    /// Worker looked, and nobody who was invited takes the owner's room.
    fn turns_away(&self, moment: Moment, socket: SocketId, peer: &Peer, pass: &Pass, out: &mut Out) -> bool {
        let (person, topic) = match (&pass.standing, peer) {
            (Standing::Owner, _) => return false,
            // The Worker sends no such runner: one that says it is invited is nobody's.
            (Standing::Invited(_), Peer::Runner { .. }) => {
                out.close(socket, CloseCode::Unauthorized, "a runner of nobody");
                return true;
            }
            (Standing::Invited(_), Peer::Viewer { person, .. }) => (person, None),
            (Standing::Invited(_), Peer::Page { person, topic }) => (person, Some(*topic)),
        };
        if !self.is_invited(&pass.standing, person, moment.now_ms) {
            out.effects.extend(topic.map(|topic| Effect::Farewell { socket, topic }));
            out.close(socket, CloseCode::Revoked, NOT_SHARED);
            return true;
        }
        let invited = self.sockets.values().filter(|known| !known.pass.standing.is_owner());
        let theirs = invited.clone().filter(|known| known.peer.person() == Some(person.as_str()));
        let is_full = invited.count() >= INVITED_SOCKETS_MAX || theirs.count() >= SOCKETS_PER_VISITOR_MAX;
        if is_full {
            out.close(socket, CloseCode::Overloaded, "the hub has as many of a visitor's sockets as it takes");
        }
        is_full
    }

    /// A text message.
    pub(crate) fn text(&mut self, moment: Moment, socket: SocketId, text: &str, out: &mut Out) -> Result<(), Fault> {
        let Some(known) = self.sockets.get_mut(&socket) else { return Ok(()) };
        if text == PING {
            out.text(socket, PONG.to_owned()); // the runtime answers these; one that comes here is answered too
            return Ok(());
        }
        if !known.is_within_rate(moment.now_ms) {
            return self.end(moment, socket, CloseCode::RateLimited, "too many messages", out);
        }
        match known.peer.clone() {
            Peer::Runner { runner, name } => match control::decode::<RunnerMessage>(text) {
                Ok(message) => self.runner_message(moment, socket, (&runner, &name), message, out),
                Err(error) => self.end_undecoded(moment, socket, &error, out),
            },
            Peer::Viewer { person, name, .. } => match control::decode::<ViewerMessage>(text) {
                Ok(message) => self.viewer_message(moment, socket, (&person, &name), message, out),
                Err(error) => self.end_undecoded(moment, socket, &error, out),
            },
            Peer::Page { .. } => self.end(moment, socket, CloseCode::Protocol, "a page has nothing to say", out),
        }
    }

    /// A binary message.
    pub(crate) fn binary(
        &mut self,
        moment: Moment,
        socket: SocketId,
        bytes: &[u8],
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(known) = self.sockets.get(&socket) else { return Ok(()) };
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => return self.end_unframed(moment, socket, error, out),
        };
        match (&known.peer, frame.header.kind) {
            (Peer::Runner { .. }, Kind::Output | Kind::Snapshot | Kind::InputAck | Kind::Checkpoint) => {
                self.runner_frame(moment, socket, &frame, bytes, out)
            }
            (Peer::Viewer { .. }, Kind::Input | Kind::Credit) => self.viewer_frame(moment, socket, &frame, out),
            _ => self.end(moment, socket, CloseCode::Protocol, "a frame that this side does not send", out),
        }
    }

    /// A socket is gone; it may have been gone for long.
    pub(crate) fn closed(&mut self, moment: Moment, socket: SocketId, out: &mut Out) -> Result<(), Fault> {
        self.note_gone(socket, moment.now_ms)?;
        self.drop_socket(moment, socket, out);
        Ok(())
    }

    /// Closes a socket and forgets it; whatever it still sends is of no interest.
    pub(crate) fn end(
        &mut self,
        moment: Moment,
        socket: SocketId,
        code: CloseCode,
        reason: &str,
        out: &mut Out,
    ) -> Result<(), Fault> {
        self.note_gone(socket, moment.now_ms)?;
        self.drop_socket(moment, socket, out);
        out.close(socket, code, reason);
        Ok(())
    }

    fn end_undecoded(
        &mut self,
        moment: Moment,
        socket: SocketId,
        error: &ControlError,
        out: &mut Out,
    ) -> Result<(), Fault> {
        match error {
            ControlError::TooLarge => self.end(moment, socket, CloseCode::TooLarge, "a message beyond its limit", out),
            ControlError::Malformed(why) => self.end(moment, socket, CloseCode::Malformed, why, out),
        }
    }

    fn end_unframed(
        &mut self,
        moment: Moment,
        socket: SocketId,
        error: FrameError,
        out: &mut Out,
    ) -> Result<(), Fault> {
        match error {
            FrameError::TooLarge => self.end(moment, socket, CloseCode::TooLarge, "a frame beyond its limit", out),
            FrameError::Version(_) => self.end(moment, socket, CloseCode::Version, "a frame of another version", out),
            FrameError::Kind(kind) => {
                self.answer_unknown(socket, &format!("This hub knows no frame of kind {kind}."), out);
                Ok(())
            }
            FrameError::Truncated | FrameError::Offset | FrameError::Payload => {
                self.end(moment, socket, CloseCode::Malformed, "not a frame", out)
            }
        }
    }

    /// A message of a newer version is answered and otherwise ignored.
    pub(crate) fn answer_unknown(&self, socket: SocketId, message: &str, out: &mut Out) {
        let report = ErrorReport { code: ErrorCode::UnknownType, message: message.into(), terminal: None };
        match self.sockets.get(&socket).map(|known| &known.peer) {
            Some(Peer::Runner { .. }) => out.runner(socket, &RunnerCommand::Error(report)),
            Some(Peer::Viewer { .. }) => out.viewer_error(socket, report.code, &report.message, None),
            Some(Peer::Page { .. }) | None => {}
        }
    }

    /// Forgets a socket with what hung on it, in memory alone.
    pub(crate) fn drop_socket(&mut self, moment: Moment, socket: SocketId, out: &mut Out) {
        let Some(gone) = self.sockets.remove(&socket) else { return };
        self.assemblies.retain(|(from, _), _| *from != socket);
        for terminal in gone.watching {
            self.leave(terminal, socket, out);
        }
        if let Peer::Runner { runner, .. } = gone.peer
            && self.online.get(&runner) == Some(&socket)
        {
            self.runner_away(&runner, moment.now_ms, out);
        }
    }

    /// A viewer no longer watches a terminal.
    pub(crate) fn leave(&mut self, terminal: u32, socket: SocketId, out: &mut Out) {
        let Some(wire) = self.wires.get_mut(&terminal) else { return };
        if wire.detach(socket, out) {
            self.people_changed(terminal, out);
        }
        if self.wires.get(&terminal).is_some_and(Wire::is_idle) {
            self.wires.remove(&terminal);
        }
    }

    pub(crate) fn people_changed(&self, terminal: u32, out: &mut Out) {
        if let Some(known) = self.registry.terminals.get(&terminal) {
            out.session_changed(known.session);
        }
    }

    /// What has to survive an eviction of this socket.
    pub(crate) fn attachment(&self, socket: SocketId) -> Option<Attachment> {
        let known = self.sockets.get(&socket)?;
        let watch = |terminal: &u32| -> Option<Watch> { self.wires.get(terminal)?.watch_of(socket) };
        Some(Attachment {
            socket,
            peer: known.peer.clone(),
            pass: known.pass.clone(),
            connected_ms: known.connected_ms,
            watches: known.watching.iter().filter_map(watch).collect(),
            ready: known.ready,
        })
    }

    /// Takes all sockets back from their attachments.
    pub(crate) fn restore_sockets(&mut self, mut attachments: Vec<Attachment>, out: &mut Out) {
        attachments.sort_by_key(|attachment| (attachment.connected_ms, attachment.socket));
        for attachment in attachments {
            let Attachment { socket, peer, pass, connected_ms, watches, ready } = attachment;
            let mut restored = Socket::new(peer.clone(), pass, connected_ms);
            restored.ready = ready;
            if let (Peer::Runner { runner, .. }, true) = (&peer, ready)
                && let Some(older) = self.online.insert(runner.clone(), socket)
            {
                self.sockets.remove(&older);
                out.close(older, CloseCode::Replaced, "a newer connection of this runner");
            }
            if let Peer::Viewer { person, name, .. } = &peer {
                let known = |watch: &&Watch| self.registry.terminals.contains_key(&watch.terminal);
                for watch in watches.iter().filter(known) {
                    restored.watching.push(watch.terminal);
                    let wire = self.wires.entry(watch.terminal).or_insert_with(|| Wire::new(watch.terminal));
                    wire.restore(
                        Attach {
                            socket,
                            person: person.clone(),
                            name: name.clone(),
                            connected_ms,
                            writer: control::writer_from_text(&watch.writer).unwrap_or_default(),
                            typed: watch.typed,
                            size: watch.size,
                            delivery: watch.delivery,
                            drive: false,
                            from: None,
                            checkpoint: None,
                        },
                        watch,
                    );
                }
            }
            self.sockets.insert(socket, restored);
        }
        self.wake_wires(out);
    }

    fn wake_wires(&mut self, out: &mut Out) {
        for (id, terminal) in &self.registry.terminals {
            let link = self.online.get(&terminal.runner).copied().filter(|_| terminal.is_served());
            if link.is_some() {
                self.wires.entry(*id).or_insert_with(|| Wire::new(*id));
            }
            if let Some(wire) = self.wires.get_mut(id) {
                wire.ended = !terminal.is_alive();
                wire.wake(link, out);
            }
        }
    }

    /// Runners whose sockets were lost without a word, while nobody was awake to hear it.
    pub(crate) fn note_absent_runners(&mut self, now_ms: u64) -> Result<(), StoreError> {
        let absent = |id: &&String| !self.online.contains_key(*id);
        let ids: Vec<String> = self.registry.runners.keys().filter(absent).cloned().collect();
        for id in ids {
            self.write_gone(&id, now_ms)?;
        }
        Ok(())
    }

    /// Writes down when a runner went, if this was its socket.
    fn note_gone(&mut self, socket: SocketId, now_ms: u64) -> Result<(), StoreError> {
        let Some((runner, _)) = self.online.iter().find(|(_, online)| **online == socket) else { return Ok(()) };
        let runner = runner.clone();
        self.write_gone(&runner, now_ms)
    }

    fn write_gone(&mut self, runner: &str, now_ms: u64) -> Result<(), StoreError> {
        let Some(known) = self.registry.runners.get(runner) else { return Ok(()) };
        if known.gone_ms >= known.connected_ms {
            return Ok(());
        }
        let mut known = known.clone();
        known.gone_ms = now_ms.max(known.connected_ms);
        self.registry.put_runner(&self.db, known)
    }
}
