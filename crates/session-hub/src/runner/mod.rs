//! What runners say. A runner speaks for its own terminals and no others; a word on any other is dropped.

mod hello;

use protocol::close::CloseCode;
use protocol::control::{
    ErrorCode, ErrorReport, RunnerCommand, RunnerMessage, Size, StatusReport, StopMode, TerminalReport, ViewerEvent,
};
use protocol::frame::{Frame, Kind};
use protocol::limits::TEXT_BYTES_MAX;

use crate::call::TerminalState;
use crate::db::Fault;
use crate::effect::{Moment, SocketId};
use crate::hub::Hub;
use crate::out::Out;
use crate::registry::Terminal;
use crate::status::Said;
use crate::store::Store;
use crate::text;
use crate::timeline::{self, Note};
use crate::watch::Wire;
use hello::Hello;

/// What a viewer hears of a terminal that neither its runner nor the hub can show.
pub(crate) const NOTHING_TO_SHOW: &str = "Its runner has nothing to show of this terminal: the process that kept it is gone \
    and cannot be started again. keeper.log in the terminal's folder there may say why.";

/// The id and the name of a runner, as the Worker gave them with the socket.
pub(crate) type Who<'a> = (&'a str, &'a str);

impl<S: Store> Hub<S> {
    /// A control message of a runner.
    pub(crate) fn runner_message(
        &mut self,
        moment: Moment,
        socket: SocketId,
        who: Who<'_>,
        message: RunnerMessage,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let ready = self.sockets.get(&socket).is_some_and(|known| known.ready);
        match (message, ready) {
            (RunnerMessage::Hello { version, hostname, os, arch, agents, home, terminals, .. }, false) => {
                let platform = format!("{os} {arch}");
                let hello = Hello { version, hostname, platform, agents, home, terminals };
                self.hello(moment, socket, who, hello, out)
            }
            (RunnerMessage::Unknown, _) => {
                self.answer_unknown(socket, "This hub does not know that message.", out);
                Ok(())
            }
            (_, false) => self.end(moment, socket, CloseCode::Protocol, "hello comes first", out),
            (RunnerMessage::Hello { .. }, true) => {
                self.end(moment, socket, CloseCode::Protocol, "hello comes once", out)
            }
            (message, true) => self.runner_report(moment, socket, who.0, message, out),
        }
    }

    fn runner_report(
        &mut self,
        moment: Moment,
        socket: SocketId,
        runner: &str,
        message: RunnerMessage,
        out: &mut Out,
    ) -> Result<(), Fault> {
        match message {
            RunnerMessage::Opened { report } => self.opened(moment, socket, runner, report, out),
            RunnerMessage::OpenFailed { terminal, message } => {
                self.open_failed(moment.now_ms, (socket, runner), terminal, &message, out)
            }
            RunnerMessage::Status { terminal, report, last_output_ms } => {
                if self.served(runner, terminal).is_some() {
                    let said = Said { terminal, status: report, last_output_ms, end: None, lost: false };
                    self.said(moment.now_ms, said, out)?;
                    self.pump(terminal, false, out)?;
                }
                Ok(())
            }
            RunnerMessage::Prompt { terminal, report } => {
                if self.served(runner, terminal).is_some() {
                    self.prompt_reported(moment.now_ms, terminal, &report, out)?;
                    self.pump(terminal, false, out)?;
                }
                Ok(())
            }
            RunnerMessage::Resized { terminal, size } => {
                if let Some(wire) = self.wire_of(socket, terminal) {
                    wire.resized(size.clamped(), out);
                }
                Ok(())
            }
            RunnerMessage::Gap { terminal, from, to, reason } => {
                let reason = text::plain(&reason, TEXT_BYTES_MAX / 4);
                if let Some(wire) = self.wire_of(socket, terminal) {
                    wire.gap(from, to.min(protocol::limits::OFFSET_MAX), &reason, out);
                }
                Ok(())
            }
            RunnerMessage::Pulse { rtt_ms } => {
                self.pulse(socket, rtt_ms, out);
                Ok(())
            }
            RunnerMessage::Error(report) => {
                let message = text::plain(&report.message, 200);
                out.log("runner_error", format!("{:?} terminal {:?}: {message}", report.code, report.terminal));
                match (report.code, report.terminal) {
                    (ErrorCode::NotFound, Some(terminal)) => self.not_served(moment.now_ms, socket, terminal, out),
                    _ => Ok(()),
                }
            }
            RunnerMessage::Hello { .. } | RunnerMessage::Unknown => Ok(()),
        }
    }

    /// A data frame of a runner. The hot path is the first arm.
    pub(crate) fn runner_frame(
        &mut self,
        moment: Moment,
        socket: SocketId,
        frame: &Frame<'_>,
        bytes: &[u8],
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(wire) = self.wire_of(socket, frame.header.terminal) else {
            if self.sockets.get(&socket).is_some_and(|known| !known.ready) {
                return self.end(moment, socket, CloseCode::Protocol, "hello comes first", out);
            }
            return Ok(());
        };
        match frame.header.kind {
            Kind::Output => wire.output(frame.header.offset, frame.end(), out),
            Kind::InputAck => {
                if let Some((writer, _)) = frame.writer() {
                    wire.input_ack(writer, out);
                }
            }
            Kind::Snapshot => wire.snapshot(frame, out),
            Kind::Checkpoint => return self.checkpoint_part(moment.now_ms, socket, frame, bytes, out),
            Kind::Input | Kind::Credit => {}
        }
        Ok(())
    }

    /// The wire that this socket serves.
    fn wire_of(&mut self, socket: SocketId, terminal: u32) -> Option<&mut Wire> {
        self.wires.get_mut(&terminal).filter(|wire| wire.link == Some(socket))
    }

    /// A terminal that this runner serves now.
    fn served(&self, runner: &str, terminal: u32) -> Option<&Terminal> {
        self.registry.terminals.get(&terminal).filter(|known| known.runner == runner && known.is_served())
    }

    fn write_report(&mut self, now_ms: u64, report: &TerminalReport, out: &mut Out) -> Result<(), Fault> {
        for prompt in &report.prompts {
            self.prompt_reported(now_ms, report.terminal, prompt, out)?;
        }
        let said = Said {
            terminal: report.terminal,
            status: report.status.clone(),
            last_output_ms: report.last_output_ms,
            end: Some(report.end),
            lost: false,
        };
        self.said(now_ms, said, out)
    }

    /// Asks the terminal's runner, if it is there, to start its agent.
    pub(crate) fn send_open(&self, terminal: u32, out: &mut Out) {
        let Some(known) = self.registry.terminals.get(&terminal) else { return };
        let Some(socket) = self.online.get(&known.runner) else { return };
        let name = self.registry.sessions.get(&known.session).map(|session| session.name.clone());
        out.runner(
            *socket,
            &RunnerCommand::Open {
                terminal,
                session: known.session,
                name: name.unwrap_or_default(),
                agent: known.agent.clone(),
                cwd: known.cwd.clone(),
                size: self.wires.get(&terminal).map_or(Size::DEFAULT, Wire::size),
            },
        );
    }

    fn opened(
        &mut self,
        moment: Moment,
        socket: SocketId,
        runner: &str,
        report: TerminalReport,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let terminal = report.terminal;
        let Some(known) = self.registry.terminals.get(&terminal) else {
            out.runner(socket, &RunnerCommand::Forget { terminal });
            return Ok(());
        };
        if known.runner != runner {
            return Ok(());
        }
        let (session, first, archived) = (
            known.session,
            known.state == TerminalState::Opening,
            self.registry.sessions.get(&known.session).is_some_and(|session| session.archived),
        );
        self.write_report(moment.now_ms, &report, out)?;
        if first {
            let text = format!("Opened on {}", self.registry.runner_name(runner));
            let note = Note { session, terminal: Some(terminal), kind: "opened", actor: "", text };
            timeline::write(&self.db, moment.now_ms, &note)?;
        }
        if self.wires.get(&terminal).is_none_or(|wire| wire.link != Some(socket)) {
            self.link_one(socket, terminal, report.end, report.size, out);
            if let Some(wire) = self.wires.get(&terminal) {
                wire.tell_runner(true, moment.now_ms, out);
            }
        }
        if archived {
            out.runner(socket, &RunnerCommand::Stop { terminal, mode: StopMode::Terminate });
        }
        self.pump(terminal, false, out)
    }

    fn open_failed(
        &mut self,
        now_ms: u64,
        (socket, runner): (SocketId, &str),
        terminal: u32,
        message: &str,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        match known.state {
            _ if known.runner != runner => Ok(()),
            TerminalState::Opening => self.never_opened(now_ms, terminal, message, out),
            TerminalState::Open | TerminalState::Ended => self.not_served(now_ms, socket, terminal, out),
            TerminalState::Failed => Ok(()),
        }
    }

    /// The runner that was to serve a terminal's bytes cannot: whoever waits for them gets what the hub has, or is told.
    fn not_served(&mut self, now_ms: u64, socket: SocketId, terminal: u32, out: &mut Out) -> Result<(), Fault> {
        let Some(wire) = self.wire_of(socket, terminal) else { return Ok(()) };
        wire.link_down();
        wire.tell_runner(false, now_ms, out);
        let waiting = wire.waiting();
        let Some(known) = self.registry.terminals.get(&terminal).cloned() else { return Ok(()) };
        let has_checkpoint = known.checkpoint.is_some();
        if known.state == TerminalState::Ended {
            self.registry.put_terminal(&self.db, Terminal { lost: true, ..known })?; // until a `hello` lists it again
        }
        for viewer in waiting {
            if has_checkpoint {
                self.send_checkpoint(terminal, viewer, out)?;
            } else {
                out.viewer_error(viewer, ErrorCode::NotFound, NOTHING_TO_SHOW, Some(terminal));
            }
        }
        self.wires.retain(|_, wire| !wire.is_idle());
        Ok(())
    }

    /// A terminal that was to be opened never will be.
    pub(crate) fn never_opened(
        &mut self,
        now_ms: u64,
        terminal: u32,
        message: &str,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        let mut next = known.clone();
        next.failure = text::plain(message, TEXT_BYTES_MAX / 4);
        next.state = TerminalState::Failed;
        (next.status_ms, next.heard_ms) = (now_ms, now_ms);
        let (session, text) = (next.session, format!("Could not be opened: {}", next.failure));
        let note = Note { session, terminal: Some(terminal), kind: "failed", actor: "", text: text.clone() };
        self.registry.put_terminal(&self.db, next)?;
        timeline::write(&self.db, now_ms, &note)?;
        self.fail_prompts(now_ms, terminal, "The agent could not be started.", out)?;
        if let Some(wire) = self.wires.get_mut(&terminal) {
            wire.ended = true;
            let report = ErrorReport { code: ErrorCode::Ended, message: text, terminal: Some(terminal) };
            wire.tell_all(&ViewerEvent::Error(report), out);
        }
        out.session_changed(session);
        Ok(())
    }

    fn pulse(&mut self, socket: SocketId, rtt_ms: u32, out: &mut Out) {
        if let Some(known) = self.sockets.get_mut(&socket) {
            known.rtt_ms = Some(rtt_ms);
        }
        for (terminal, wire) in self.wires.iter().filter(|(_, wire)| wire.link == Some(socket)) {
            wire.tell_all(&ViewerEvent::Pulse { terminal: *terminal, rtt_ms }, out);
        }
    }
}

/// What a terminal is while its runner is away.
pub(crate) fn offline(report: &StatusReport) -> StatusReport {
    let status = protocol::status::Status::Offline;
    StatusReport { status, title: report.title.clone(), ..StatusReport::default() }
}
