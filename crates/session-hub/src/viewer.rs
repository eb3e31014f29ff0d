//! What viewers say. A viewer speaks for the terminals that it attached to, and its input carries the writer it was given.

use protocol::audit::Action;
use protocol::control::{ErrorCode, ViewerEvent, ViewerMessage, writer_from_text, writer_to_text};
use protocol::frame::{Frame, Kind};
use protocol::limits::{ATTACHMENTS_PER_VIEWER_MAX, OFFSET_MAX, SCROLLBACK_LINES_MAX, WINDOW_BYTES};
use protocol::right::Right;
use protocol::status::Status;

use crate::answer::{self, ANSWER_BYTES_MAX, Keys};
use crate::call::TerminalState;
use crate::db::Fault;
use crate::effect::{Moment, Peer, SocketId};
use crate::hub::Hub;
use crate::limits::{VIEWERS_OF_OWNER_MIN, VIEWERS_PER_TERMINAL_MAX};
use crate::out::Out;
use crate::runner::NOTHING_TO_SHOW;
use crate::standing::too_little;
use crate::store::Store;
use crate::watch::{Attach, InputVerdict, Watcher, Wire};
use crate::writers;

/// Why an answer is not taken.
const NO_QUESTION: &str = "You may answer this agent while it waits for an answer, and now it does not.";

/// What is not there, or not for whoever asks.
const NO_TERMINAL: &str = "There is no such terminal. It may have been closed.";

/// The id and the name of a person, as the Worker gave them with the socket.
type Who<'a> = (&'a str, &'a str);

impl<S: Store> Hub<S> {
    /// A control message of a viewer.
    pub(crate) fn viewer_message(
        &mut self,
        moment: Moment,
        socket: SocketId,
        who: Who<'_>,
        message: ViewerMessage,
        out: &mut Out,
    ) -> Result<(), Fault> {
        match message {
            ViewerMessage::Attach { .. } => return self.attach(moment, socket, who, &message, out),
            ViewerMessage::Detach { terminal } => {
                if let Some(known) = self.sockets.get_mut(&socket) {
                    known.watching.retain(|watching| *watching != terminal);
                }
                self.leave(terminal, socket, out);
            }
            ViewerMessage::Size { terminal, size } => {
                if let Some(wire) = self.watched(moment, socket, terminal, out) {
                    wire.resize(socket, size, out);
                }
            }
            ViewerMessage::Drive { terminal } => {
                let right = self.right_at(socket, terminal, moment.now_ms);
                if right < Some(Right::Driver) {
                    let message = too_little(right.unwrap_or(Right::Viewer), Right::Driver);
                    out.viewer_error(socket, ErrorCode::Forbidden, message, Some(terminal));
                } else if let Some(wire) = self.watched(moment, socket, terminal, out) {
                    wire.drive(socket, out);
                    self.people_changed(terminal, out);
                }
            }
            ViewerMessage::Release { terminal } => {
                if let Some(wire) = self.watched(moment, socket, terminal, out) {
                    let drove = wire.driver().is_some_and(|driver| driver.socket == socket);
                    wire.release(socket, out);
                    let given_up = drove && wire.driver().is_none();
                    self.people_changed(terminal, out);
                    if given_up {
                        self.audit_release(moment.now_ms, terminal, socket)?;
                    }
                }
            }
            ViewerMessage::Snapshot { terminal, scrollback } => {
                if let Some(wire) = self.watched(moment, socket, terminal, out) {
                    wire.fresh_snapshot(socket, scrollback.min(SCROLLBACK_LINES_MAX), out);
                }
            }
            ViewerMessage::Unknown => self.answer_unknown(socket, "This hub does not know that message.", out),
        }
        Ok(())
    }

    /// A data frame of a viewer: the hot path of a keystroke.
    pub(crate) fn viewer_frame(
        &mut self,
        moment: Moment,
        socket: SocketId,
        frame: &Frame<'_>,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let terminal = frame.header.terminal;
        if frame.header.kind == Kind::Credit {
            if let Some(wire) = self.wires.get_mut(&terminal) {
                wire.credit(socket, frame.header.offset, out);
            }
            return Ok(());
        }
        let Some((writer, typed)) = frame.writer() else { return Ok(()) };
        let right = self.right_at(socket, terminal, moment.now_ms);
        let answer =
            if right == Some(Right::Approver) { self.answer(terminal, socket, typed) } else { Err(NO_QUESTION) };
        let waits = answer.is_ok();
        let verdict = match (self.wires.get_mut(&terminal), right) {
            (Some(wire), Some(right)) => wire.input(socket, writer, right, waits, out),
            _ => InputVerdict::NotWatching,
        };
        let (code, message) = match verdict {
            InputVerdict::Kept => return Ok(()),
            InputVerdict::Taken { drives_now } => {
                if drives_now {
                    self.people_changed(terminal, out);
                }
                self.remember_writer(moment, terminal, socket, out)?;
                return match answer {
                    Ok(bytes) => self.note_answer(moment.now_ms, terminal, socket, bytes),
                    Err(_) => Ok(()),
                };
            }
            InputVerdict::NotWatching => (ErrorCode::NotFound, "Attach to the terminal first."),
            InputVerdict::NotItsWriter => (ErrorCode::Invalid, "This is not the writer that was given with attached."),
            InputVerdict::Forbidden(Right::Approver) => (ErrorCode::Forbidden, answer.err().unwrap_or(NO_QUESTION)),
            InputVerdict::Forbidden(right) => (ErrorCode::Forbidden, too_little(right, Right::Driver)),
            InputVerdict::NotDriver => (ErrorCode::NotDriver, "Somebody else drives. Take over to type."),
            InputVerdict::Ended => (ErrorCode::Ended, "The agent has ended."),
        };
        out.viewer(socket, &ViewerEvent::InputRefused { terminal, code, message: message.into() });
        Ok(())
    }

    /// What a viewer may do with a terminal at this moment: one comparison for the owner, who types the most.
    fn right_at(&self, socket: SocketId, terminal: u32, now_ms: u64) -> Option<Right> {
        let known = self.sockets.get(&socket)?;
        match &known.peer {
            Peer::Viewer { .. } if known.pass.standing.is_owner() => Some(Right::Owner),
            Peer::Viewer { person, .. } => self.right(&known.pass.standing, person, self.session_of(terminal)?, now_ms),
            Peer::Runner { .. } | Peer::Page { .. } => None,
        }
    }

    /// What somebody who answers has used of this answer with these keys, if they are one; or why they are not taken.
    fn answer(&self, terminal: u32, socket: SocketId, typed: &[u8]) -> Result<usize, &'static str> {
        let known = self.registry.terminals.get(&terminal).filter(|known| known.status.status == Status::Blocked);
        let asked_ms = known.ok_or(NO_QUESTION)?.status_ms;
        let watcher = self.wires.get(&terminal).and_then(|wire| wire.watcher(socket));
        let before =
            watcher.filter(|watcher| watcher.answered_ms == asked_ms).map_or(0, |watcher| watcher.answer_bytes);
        let bytes = match answer::keys(typed) {
            Keys::Other => return Err("Only an answer is taken: text, arrows and Return."),
            Keys::Last => ANSWER_BYTES_MAX,
            Keys::Part => before.saturating_add(typed.len()),
        };
        if before >= ANSWER_BYTES_MAX || bytes > ANSWER_BYTES_MAX {
            return Err("This question has its answer. Wait until the agent asks again.");
        }
        Ok(bytes)
    }

    /// Remembers how much of an answer was given, and writes down that somebody who does not drive answered: once for each
    /// time that the agent waited.
    fn note_answer(&mut self, now_ms: u64, terminal: u32, socket: SocketId, bytes: usize) -> Result<(), Fault> {
        let Some(asked_ms) = self.registry.terminals.get(&terminal).map(|known| known.status_ms) else { return Ok(()) };
        let watcher = self.wires.get_mut(&terminal).and_then(|wire| wire.watcher_mut(socket));
        let Some(watcher) = watcher else { return Ok(()) };
        let is_first = watcher.answered_ms != asked_ms;
        (watcher.answered_ms, watcher.answer_bytes) = (asked_ms, bytes);
        if is_first { self.audit_viewer(now_ms, terminal, socket, Action::ApprovalAnswered) } else { Ok(()) }
    }

    /// Writes down whose a writer is, once it has typed: the runner hears nothing of it before that is on the disk.
    fn remember_writer(&mut self, moment: Moment, terminal: u32, socket: SocketId, out: &mut Out) -> Result<(), Fault> {
        let watcher = self.wires.get_mut(&terminal).and_then(|wire| wire.watcher_mut(socket));
        let Some(watcher) = watcher.filter(|watcher| !watcher.typed) else { return Ok(()) };
        writers::remember(&self.db, terminal, watcher.writer, &watcher.person, moment.now_ms)?;
        watcher.typed = true;
        out.driving.insert(terminal);
        out.touched.insert(socket);
        Ok(())
    }

    /// The wire of a terminal that this viewer watches, and may watch at this moment; it hears when it does not.
    fn watched(&mut self, moment: Moment, socket: SocketId, terminal: u32, out: &mut Out) -> Option<&mut Wire> {
        let may = self.right_at(socket, terminal, moment.now_ms).is_some();
        let wire = self.wires.get_mut(&terminal).filter(|wire| may && wire.watcher(socket).is_some());
        if wire.is_none() {
            out.viewer_error(socket, ErrorCode::NotFound, "Attach to the terminal first.", Some(terminal));
        }
        wire
    }

    fn attach(
        &mut self,
        moment: Moment,
        socket: SocketId,
        who: Who<'_>,
        message: &ViewerMessage,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let ViewerMessage::Attach { terminal, from, delivery, size, drive, writer } = message else { return Ok(()) };
        let (terminal, person) = (*terminal, who.0);
        let Some(right) = self.right_at(socket, terminal, moment.now_ms) else {
            out.viewer_error(socket, ErrorCode::NotFound, NO_TERMINAL, Some(terminal));
            return Ok(());
        };
        if let Some((code, why)) = self.refuses(socket, terminal, *from) {
            out.viewer_error(socket, code, why, Some(terminal));
            return Ok(());
        }
        let asked = writer.as_deref().and_then(writer_from_text);
        let connected_ms = self.sockets.get(&socket).map_or(0, |known| known.connected_ms);
        if asked.is_some_and(|asked| self.is_held_by_a_newer(terminal, asked, socket, connected_ms)) {
            // It was under way on a connection that its viewer has already given up for a newer one.
            out.viewer_error(socket, ErrorCode::Conflict, "A newer connection has this one's place.", Some(terminal));
            return Ok(());
        }
        let (writer, typed) = self.writer_for(moment, terminal, person, asked)?;
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        let (status, _) = self.shown(known);
        let (last_output_ms, checkpoint) = (known.printed_ms(), known.checkpoint.map(|stored| stored.offset));
        let ended = !known.is_alive();
        let is_awaited = match known.state {
            TerminalState::Opening => true,
            TerminalState::Open => !self.online.contains_key(&known.runner),
            TerminalState::Ended => !known.lost,
            TerminalState::Failed => false,
        };
        let wire = self.wires.entry(terminal).or_insert_with(|| Wire::new(terminal));
        wire.ended = ended;
        let attach = Attach {
            socket,
            person: person.to_owned(),
            name: who.1.to_owned(),
            connected_ms,
            writer,
            typed,
            size: *size,
            delivery: *delivery,
            drive: *drive && right >= Right::Driver,
            from: *from,
            checkpoint,
        };
        let attached = ViewerEvent::Attached {
            terminal,
            writer: writer_to_text(writer),
            size: wire.size_with(&attach),
            online: wire.link.is_some(),
            window: WINDOW_BYTES,
            status,
            last_output_ms,
            right,
        };
        let (other, from_checkpoint) = wire.attach(attach, &attached, out);
        if wire.link.is_none() && !is_awaited && from.is_none() && checkpoint.is_none() {
            out.viewer_error(socket, ErrorCode::NotFound, NOTHING_TO_SHOW, Some(terminal));
        }
        if let Some(known) = self.sockets.get_mut(&socket)
            && !known.watching.contains(&terminal)
        {
            known.watching.push(terminal);
        }
        if let Some(other) = other {
            self.displaced(other, terminal, out);
        }
        self.people_changed(terminal, out);
        if from_checkpoint { self.send_checkpoint(terminal, socket, out) } else { Ok(()) }
    }

    /// Why a viewer cannot watch this terminal.
    fn refuses(&self, socket: SocketId, terminal: u32, from: Option<u64>) -> Option<(ErrorCode, &'static str)> {
        let Some(known) = self.registry.terminals.get(&terminal) else {
            return Some((ErrorCode::NotFound, NO_TERMINAL));
        };
        let watching = self.sockets.get(&socket).map_or(&[][..], |known| &known.watching);
        let again = watching.contains(&terminal);
        let is_owner = self.sockets.get(&socket).is_some_and(|known| known.pass.standing.is_owner());
        let viewers_max = VIEWERS_PER_TERMINAL_MAX - if is_owner { 0 } else { VIEWERS_OF_OWNER_MIN };
        if known.state == TerminalState::Failed {
            Some((ErrorCode::Ended, "This terminal could not be opened."))
        } else if from.is_some_and(|from| from >= OFFSET_MAX) {
            Some((ErrorCode::Invalid, "An offset beyond what a terminal can hold."))
        } else if !again && watching.len() >= ATTACHMENTS_PER_VIEWER_MAX {
            Some((ErrorCode::Limit, "This connection watches as many terminals as it may."))
        } else if !again && self.wires.get(&terminal).is_some_and(|wire| wire.watchers.len() >= viewers_max) {
            Some((ErrorCode::Limit, "This terminal has as many viewers as it takes."))
        } else {
            None
        }
    }

    fn is_held_by_a_newer(&self, terminal: u32, writer: u64, socket: SocketId, connected_ms: u64) -> bool {
        let Some(wire) = self.wires.get(&terminal) else { return false };
        let newer = |watcher: &&Watcher| watcher.socket != socket && watcher.connected_ms > connected_ms;
        wire.watchers.iter().filter(newer).any(|watcher| watcher.writer == writer)
    }

    /// The writer that was asked for, unless it is another person's, or a new one: who names none begins to count anew. Also
    /// whether it is written down.
    fn writer_for(
        &self,
        moment: Moment,
        terminal: u32,
        person: &str,
        asked: Option<u64>,
    ) -> Result<(u64, bool), Fault> {
        let watchers = self.wires.get(&terminal).map_or(&[][..], |wire| &wire.watchers);
        if let Some(asked) = asked {
            let owner = writers::owner(&self.db, terminal, asked)?;
            let is_held = |watcher: &Watcher| watcher.writer == asked && watcher.person != person;
            match owner {
                Some(owner) if owner == person => return Ok((asked, true)),
                None if !watchers.iter().any(is_held) => return Ok((asked, false)),
                _ => {}
            }
        }
        let mut writer = moment.entropy;
        while watchers.iter().any(|watcher| watcher.writer == writer) {
            writer = writer.wrapping_add(1);
        }
        Ok((writer, false))
    }

    /// Another socket came with the same writer: the older one is out.
    fn displaced(&mut self, socket: SocketId, terminal: u32, out: &mut Out) {
        if let Some(known) = self.sockets.get_mut(&socket) {
            known.watching.retain(|watching| *watching != terminal);
            out.touched.insert(socket);
            let message = "A newer connection took this one's place.";
            out.viewer_error(socket, ErrorCode::Conflict, message, Some(terminal));
        }
    }
}
