//! What the Worker asks: one function for each request, checked field by field before anything is written.

mod instances;
mod prompts;
mod runners;
mod sessions;
mod shares;
mod terminals;

pub(crate) use shares::NOT_SHARED;

use protocol::control::ErrorCode;

use crate::call::{Call, Caller, Reply, Request};
use crate::db::{Fault, first};
use crate::effect::{Moment, Topic};
use crate::hub::Hub;
use crate::limits::{KEY_CHARS_MAX, KEY_KEPT_MS};
use crate::out::Out;
use crate::registry::{INVITATIONS, Runner, Session, Terminal};
use crate::store::Store;
use crate::text::{invalid, refused};

impl<S: Store> Hub<S> {
    /// Answers one call.
    pub(crate) fn call(&mut self, moment: Moment, call: Call, out: &mut Out) -> Result<Reply, Fault> {
        let now_ms = moment.now_ms;
        let who = &call.caller;
        self.admits(who, &call.request, now_ms)?;
        match call.request {
            Request::Health => Ok(Reply::Health(self.health())),
            Request::Board => {
                // A push asks for nobody, in the middle of another event: it is no look.
                if !who.person.is_empty() {
                    self.check_links(out);
                }
                Ok(Reply::Board(self.board(now_ms)))
            }
            Request::Session { session } => self.session_reply(now_ms, who, session),
            Request::CreateSession { .. } => self.create_session(moment, who, &call.request, out),
            Request::RenameSession { session, name } => self.rename_session(now_ms, who, session, &name, out),
            Request::ArchiveSession { session, archived } => self.archive_session(now_ms, who, session, archived, out),
            Request::DeleteSession { session } => self.delete_session(moment, session, out),
            Request::OpenTerminal { .. } => self.open_terminal(now_ms, who, &call.request, out),
            Request::StopTerminal { terminal, mode } => self.stop_terminal(now_ms, who, terminal, mode, out),
            Request::RestartTerminal { terminal } => self.restart_terminal(now_ms, who, terminal, out),
            Request::CloseTerminal { terminal } => self.close_terminal(now_ms, who, terminal, out),
            Request::Terminal { terminal } => Ok(Reply::Terminal(self.terminal_view(self.known_terminal(terminal)?))),
            Request::QueuePrompt { terminal, text, idempotency_key } => {
                self.queue_prompt(now_ms, who, terminal, &text, &idempotency_key, out)
            }
            Request::EditPrompt { prompt, text } => self.edit_prompt(now_ms, who, prompt, &text, out),
            Request::CancelPrompt { prompt } => self.cancel_prompt(now_ms, who, prompt, out),
            Request::Runner { runner } => Ok(Reply::Runner(self.runner_view(self.known_runner(&runner)?))),
            Request::AddRunner { runner, name, session } => self.add_runner(now_ms, &runner, &name, session, out),
            Request::RenameRunner { runner, name } => self.rename_runner(&runner, &name, out),
            Request::RevokeRunner { runner } => self.revoke_runner(moment, &runner, out),
            Request::Shares { session } => self.shares(now_ms, session),
            Request::Share { .. } => self.share(moment, who, &call.request, out),
            Request::Withdraw { session, share } => self.withdraw(moment, who, session, share, out),
            Request::Shared => Ok(self.shared(who, now_ms)),
            Request::Invited => {
                self.registry.invitations = self.db.next_number(INVITATIONS)?;
                out.changed.insert(Topic::Dashboard);
                Ok(Reply::Done)
            }
            Request::AuditFrom { seq, limit } => Ok(Reply::Audit(self.audit_from(seq, limit)?)),
            Request::AuditPage { wanted, limit } => Ok(Reply::Audit(self.audit_page(&wanted, limit)?)),
            Request::Instance { instance } => {
                let view = self.instance_view(self.known_instance(instance)?);
                if !who.person.is_empty() {
                    self.check_links(out);
                }
                Ok(Reply::Instance(view))
            }
            Request::CommandInstance { instance, command } => self.command_instance(now_ms, instance, command, out),
            Request::ForgetInstance { instance } => self.forget_instance(instance, out),
            Request::RevokeInstances { token } => self.revoke_instances(now_ms, &token, out),
            Request::Lobby { report } => self.lobby_report(now_ms, report, out),
            Request::CloseAll { revoke } => self.close_all(moment, revoke, out),
            Request::CloseSockets { person } => Ok(self.close_sockets(moment, &person, out)),
        }
    }

    pub(crate) fn session_reply(&self, now_ms: u64, who: &Caller, session: u64) -> Result<Reply, Fault> {
        Ok(Reply::Session(self.session_detail(now_ms, who, self.known_session(session)?)?))
    }

    pub(crate) fn known_session(&self, session: u64) -> Result<&Session, Fault> {
        let gone = || refused(ErrorCode::NotFound, "There is no such session. It may have been deleted.");
        self.registry.sessions.get(&session).ok_or_else(gone)
    }

    pub(crate) fn known_terminal(&self, terminal: u32) -> Result<&Terminal, Fault> {
        let gone = || refused(ErrorCode::NotFound, "There is no such terminal. It may have been closed.");
        self.registry.terminals.get(&terminal).ok_or_else(gone)
    }

    pub(crate) fn known_runner(&self, runner: &str) -> Result<&Runner, Fault> {
        self.registry.runners.get(runner).ok_or_else(|| refused(ErrorCode::NotFound, "There is no such runner."))
    }

    /// The number that this person's key stood for within the last day.
    pub(crate) fn keyed(&self, now_ms: u64, key: &Key) -> Result<Option<u64>, Fault> {
        let Some(key) = &key.0 else { return Ok(None) };
        let rows = self.db.read("SELECT number, at_ms FROM idempotency WHERE key = ?", &[key.into()])?;
        let Some(mut columns) = first(rows)? else { return Ok(None) };
        let (number, at_ms) = (columns.u64()?, columns.u64()?);
        Ok((now_ms.saturating_sub(at_ms) < KEY_KEPT_MS).then_some(number))
    }

    /// Remembers what a key stands for, and forgets keys of days before.
    pub(crate) fn remember_key(&self, now_ms: u64, key: &Key, number: u64) -> Result<(), Fault> {
        let Some(key) = &key.0 else { return Ok(()) };
        let oldest = now_ms.saturating_sub(KEY_KEPT_MS);
        let old = self.db.read("SELECT 1 FROM idempotency WHERE at_ms < ? LIMIT 1", &[oldest.into()])?;
        if !old.is_empty() {
            self.db.write("DELETE FROM idempotency WHERE at_ms < ?", &[oldest.into()])?;
        }
        self.db.write(
            "INSERT INTO idempotency (key, number, at_ms) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET number = excluded.number, at_ms = excluded.at_ms",
            &[key.into(), number.into(), now_ms.into()],
        )?;
        Ok(())
    }
}

/// An idempotency key, within what it was used for and by whom; none if the caller gave none.
pub(crate) struct Key(Option<String>);

impl Key {
    pub(crate) fn of(purpose: &str, person: &str, key: &str) -> Result<Key, Fault> {
        if key.chars().count() > KEY_CHARS_MAX || key.chars().any(char::is_control) {
            return Err(invalid("idempotency_key", format!("At most {KEY_CHARS_MAX} printable characters.")));
        }
        Ok(Key((!key.is_empty()).then(|| format!("{purpose}\n{person}\n{key}"))))
    }
}
