//! Terminals: opened, stopped, started again, closed.

use protocol::control::{ErrorCode, RunnerCommand, StatusReport, StopMode};
use protocol::limits::TERMINALS_PER_RUNNER_MAX;

use crate::call::{Caller, Reply, Request, TerminalState};
use crate::db::Fault;
use crate::hub::Hub;
use crate::limits::TERMINALS_PER_SESSION_MAX;
use crate::out::Out;
use crate::registry::{Session, Terminal};
use crate::store::{Store, StoreError};
use crate::text::{self, refused};

impl<S: Store> Hub<S> {
    pub(super) fn open_terminal(
        &mut self,
        now_ms: u64,
        who: &Caller,
        request: &Request,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let Request::OpenTerminal { session, runner, agent, cwd } = request else {
            return Err(refused(ErrorCode::Internal, "This is not a new terminal."));
        };
        let session = *session;
        let mut like = self.known_session(session)?.clone();
        let cwd = text::one_line("cwd", cwd)?;
        if !runner.is_empty() {
            like.runner = runner.clone();
        }
        like.agent_label = self.checked_agent(&like.runner, agent, session)?;
        like.agent = agent.trim().to_owned();
        if !cwd.is_empty() {
            like.cwd = cwd;
        }
        if like.archived {
            return Err(refused(ErrorCode::Conflict, "This session is archived. Restore it first."));
        }
        if self.registry.terminals_of(session).len() >= TERMINALS_PER_SESSION_MAX {
            let message = format!("A session has at most {TERMINALS_PER_SESSION_MAX} terminals. Close one first.");
            return Err(refused(ErrorCode::Limit, message));
        }
        self.has_room_on(&like.runner)?;
        let terminal = self.add_terminal(now_ms, &like, None)?;
        let text = format!("Asked for {}", like.agent_label);
        self.note(now_ms, session, Some(terminal), "opening", &who.name, text)?;
        self.send_open(terminal, out);
        out.session_changed(session);
        Ok(Reply::Terminal(self.terminal_view(self.known_terminal(terminal)?)))
    }

    pub(super) fn stop_terminal(
        &mut self,
        now_ms: u64,
        who: &Caller,
        terminal: u32,
        mode: StopMode,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let known = self.known_terminal(terminal)?;
        if !known.is_alive() {
            return Err(refused(ErrorCode::Ended, "The agent has ended already."));
        }
        let Some(socket) = self.online.get(&known.runner).copied() else {
            return Err(refused(ErrorCode::RunnerOffline, "Its runner is away. Try again when it is back."));
        };
        let text = match mode {
            StopMode::Interrupt => "Interrupted",
            StopMode::Terminate => "Asked to end",
            StopMode::Kill => "Killed",
        };
        self.note(now_ms, known.session, Some(terminal), "stopped", &who.name, text.to_owned())?;
        out.runner(socket, &RunnerCommand::Stop { terminal, mode });
        out.session_changed(self.known_terminal(terminal)?.session);
        Ok(Reply::Terminal(self.terminal_view(self.known_terminal(terminal)?)))
    }

    /// The ended terminal is forgotten with its log; the new one has its place and a number of its own.
    pub(super) fn restart_terminal(
        &mut self,
        now_ms: u64,
        who: &Caller,
        terminal: u32,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let ended = self.known_terminal(terminal)?.clone();
        let mut like = self.known_session(ended.session)?.clone();
        if ended.is_alive() {
            return Err(refused(ErrorCode::Conflict, "The agent still runs. Stop it first."));
        }
        if like.archived {
            return Err(refused(ErrorCode::Conflict, "This session is archived. Restore it first."));
        }
        like.agent_label = self.checked_agent(&ended.runner, &ended.agent, ended.session)?;
        like.runner = ended.runner.clone();
        (like.agent, like.cwd) = (ended.agent.clone(), ended.cwd.clone());
        let next = self.add_terminal(now_ms, &like, Some(ended.place))?;
        let text = format!("Started {} again", like.agent_label);
        self.note(now_ms, like.id, Some(next), "restarted", &who.name, text)?;
        self.registry.delete_terminal(&self.db, terminal)?;
        self.forget_wire(terminal, &ended.runner, out);
        self.send_open(next, out);
        out.session_changed(like.id);
        Ok(Reply::Terminal(self.terminal_view(self.known_terminal(next)?)))
    }

    pub(super) fn close_terminal(
        &mut self,
        now_ms: u64,
        who: &Caller,
        terminal: u32,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let known = self.known_terminal(terminal)?.clone();
        if known.is_alive() {
            return Err(refused(ErrorCode::Conflict, "The agent still runs. Stop it first."));
        }
        let text = format!("Closed {}", known.agent_label);
        self.note(now_ms, known.session, Some(terminal), "closed", &who.name, text)?;
        self.registry.delete_terminal(&self.db, terminal)?;
        self.forget_wire(terminal, &known.runner, out);
        out.session_changed(known.session);
        Ok(Reply::Done)
    }

    /// Writes a new terminal that the runner has still to open.
    pub(super) fn add_terminal(&mut self, now_ms: u64, like: &Session, place: Option<u32>) -> Result<u32, Fault> {
        let number = self.db.next_number("terminal")?;
        let id = u32::try_from(number).map_err(|_| StoreError("terminal numbers are used up".into()))?;
        let terminal = Terminal {
            id,
            session: like.id,
            place: place.unwrap_or(id),
            runner: like.runner.clone(),
            agent: like.agent.clone(),
            agent_label: like.agent_label.clone(),
            cwd: like.cwd.clone(),
            state: TerminalState::Opening,
            status: StatusReport::default(),
            status_ms: now_ms,
            heard_ms: 0,
            end: 0,
            last_output_ms: 0,
            failure: String::new(),
            opened_ms: now_ms,
            lost: false,
            prompts: Vec::new(),
            checkpoint: None,
        };
        self.registry.put_terminal(&self.db, terminal)?;
        Ok(id)
    }

    /// The runner may have one more terminal.
    pub(super) fn has_room_on(&self, runner: &str) -> Result<(), Fault> {
        if self.registry.terminals_on(runner).count() < TERMINALS_PER_RUNNER_MAX {
            return Ok(());
        }
        let message = format!("A runner has at most {TERMINALS_PER_RUNNER_MAX} terminals. Close some that have ended.");
        Err(refused(ErrorCode::Limit, message))
    }

    /// A terminal whose row is gone: its runner forgets the log, its viewers are told.
    pub(super) fn forget_wire(&mut self, terminal: u32, runner: &str, out: &mut Out) {
        let link = self.online.get(runner).copied();
        let mut wire = self.wires.remove(&terminal).unwrap_or_else(|| crate::watch::Wire::new(terminal));
        for socket in wire.forget(link, out) {
            if let Some(known) = self.sockets.get_mut(&socket) {
                known.watching.retain(|watching| *watching != terminal);
            }
        }
    }
}
