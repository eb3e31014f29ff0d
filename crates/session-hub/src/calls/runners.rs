//! Runners: added, renamed, revoked; and the sockets of a person who signed out.

use protocol::close::CloseCode;
use protocol::control::ErrorCode;
use protocol::limits::NAME_CHARS_MAX;

use crate::call::{Reply, TerminalState};
use crate::db::Fault;
use crate::effect::{Moment, Peer, SocketId, Topic};
use crate::hub::Hub;
use crate::limits::RUNNERS_MAX;
use crate::out::Out;
use crate::registry::{Runner, Terminal};
use crate::status::Said;
use crate::store::Store;
use crate::text::{self, invalid, refused};

impl<S: Store> Hub<S> {
    /// Twice is once: the second time answers with what is there.
    pub(super) fn add_runner(
        &mut self,
        now_ms: u64,
        runner: &str,
        name: &str,
        session: u64,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let name = text::name_required("name", name)?;
        if runner.is_empty() || runner.len() > NAME_CHARS_MAX || runner.chars().any(char::is_control) {
            return Err(invalid("runner", "This is not the id of a token."));
        }
        if session != 0 {
            self.known_session(session)?;
        }
        if !self.registry.runners.contains_key(runner) {
            if self.registry.runners.values().filter(|known| !known.revoked).count() >= RUNNERS_MAX {
                return Err(refused(ErrorCode::Limit, format!("At most {RUNNERS_MAX} runners.")));
            }
            let added = Runner { id: runner.to_owned(), name, added_ms: now_ms, session, ..Runner::default() };
            self.registry.put_runner(&self.db, added)?;
            out.changed.insert(Topic::Dashboard);
        }
        Ok(Reply::Runner(self.runner_view(self.known_runner(runner)?)))
    }

    pub(super) fn rename_runner(&mut self, runner: &str, name: &str, out: &mut Out) -> Result<Reply, Fault> {
        let mut known = self.known_runner(runner)?.clone();
        known.name = text::name_required("name", name)?;
        self.registry.put_runner(&self.db, known)?;
        self.runner_changed(runner, out);
        Ok(Reply::Runner(self.runner_view(self.known_runner(runner)?)))
    }

    pub(super) fn revoke_runner(&mut self, moment: Moment, runner: &str, out: &mut Out) -> Result<Reply, Fault> {
        let mut known = self.known_runner(runner)?.clone();
        known.revoked = true;
        self.registry.put_runner(&self.db, known)?;
        let is_its = |peer: &Peer| matches!(peer, Peer::Runner { runner: id, .. } if id == runner);
        for socket in self.sockets_of(is_its) {
            self.end(moment, socket, CloseCode::Revoked, "this runner's token was revoked", out)?;
        }
        self.end_terminals(moment.now_ms, runner, out)?;
        self.runner_changed(runner, out);
        Ok(Reply::Runner(self.runner_view(self.known_runner(runner)?)))
    }

    /// Ends what can never be heard of again, so that it can be closed and nothing waits for it.
    fn end_terminals(&mut self, now_ms: u64, runner: &str, out: &mut Out) -> Result<(), Fault> {
        let terminals: Vec<Terminal> = self.registry.terminals_on(runner).cloned().collect();
        for terminal in terminals {
            match terminal.state {
                TerminalState::Opening => {
                    let message = "Its runner's token was revoked before it opened.";
                    self.never_opened(now_ms, terminal.id, message, out)?;
                }
                TerminalState::Open => {
                    self.fail_prompts(now_ms, terminal.id, "Its runner's token was revoked.", out)?;
                    self.said(now_ms, Said::revoked(&terminal), out)?;
                }
                TerminalState::Ended | TerminalState::Failed => {}
            }
        }
        Ok(())
    }

    pub(super) fn close_sockets(&mut self, moment: Moment, person: &str, out: &mut Out) -> Reply {
        let is_theirs = |peer: &Peer| match peer {
            Peer::Viewer { person: id, .. } | Peer::Page { person: id, .. } => id == person,
            Peer::Runner { .. } => false,
        };
        for socket in self.sockets_of(is_theirs) {
            self.drop_socket(moment, socket, out);
            out.close(socket, CloseCode::Unauthorized, "signed out");
        }
        Reply::Done
    }

    pub(super) fn close_all(&mut self, moment: Moment, revoke: bool, out: &mut Out) -> Result<Reply, Fault> {
        if revoke {
            let living = self.registry.runners.values().filter(|runner| !runner.revoked);
            let runners: Vec<String> = living.map(|runner| runner.id.clone()).collect();
            for runner in runners {
                self.revoke_runner(moment, &runner, out)?;
            }
        }
        self.close_instances(moment.now_ms, revoke, out)?;
        for socket in self.sockets_of(|_| true) {
            self.end(moment, socket, CloseCode::Unauthorized, "access ended", out)?;
        }
        Ok(Reply::Done)
    }

    fn sockets_of(&self, wanted: impl Fn(&Peer) -> bool) -> Vec<SocketId> {
        self.sockets.iter().filter(|(_, socket)| wanted(&socket.peer)).map(|(id, _)| *id).collect()
    }

    fn runner_changed(&self, runner: &str, out: &mut Out) {
        out.changed.insert(Topic::Dashboard);
        for session in self.registry.sessions.values().filter(|session| session.runner == runner) {
            out.changed.insert(Topic::Session(session.id));
        }
    }
}
