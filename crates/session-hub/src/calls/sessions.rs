//! Sessions: made, renamed, put away, deleted.

use protocol::control::{ErrorCode, RunnerCommand, StopMode};

use super::Key;
use crate::call::{Caller, Reply, Request, TerminalState};
use crate::db::Fault;
use crate::effect::Moment;
use crate::hub::Hub;
use crate::limits::{NAME_FROM_PROMPT_CHARS_MAX, SESSIONS_MAX};
use crate::out::Out;
use crate::registry::{Session, Terminal};
use crate::store::Store;
use crate::text::{self, invalid, refused};
use crate::timeline::{self, Note};

impl<S: Store> Hub<S> {
    pub(super) fn create_session(
        &mut self,
        moment: Moment,
        who: &Caller,
        request: &Request,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let Request::CreateSession { name, task, runner, agent, cwd, prompt, idempotency_key } = request else {
            return Err(refused(ErrorCode::Internal, "This is not a new session."));
        };
        let now_ms = moment.now_ms;
        let key = Key::of("session", &who.person, idempotency_key)?;
        if let Some(session) = self.keyed(now_ms, &key)?
            && self.registry.sessions.contains_key(&session)
        {
            return self.session_reply(now_ms, who, session);
        }
        let (name, task) = (text::name("name", name)?, text::one_line("task", task)?);
        let (cwd, prompt) = (text::one_line("cwd", cwd)?, text::prompt("prompt", prompt)?);
        let agent_label = self.checked_agent(runner, agent, 0)?;
        if self.registry.sessions.len() >= SESSIONS_MAX {
            let message = format!("There are {SESSIONS_MAX} sessions already. Delete some that are archived.");
            return Err(refused(ErrorCode::Limit, message));
        }
        self.has_room_on(runner)?;
        let name = if name.is_empty() { name_from(&prompt, &agent_label, &cwd) } else { name };
        let id = self.db.next_number("session")?;
        let session = Session {
            id,
            name,
            task,
            runner: runner.clone(),
            agent: agent.trim().to_owned(),
            agent_label,
            cwd,
            created_ms: now_ms,
            archived: false,
        };
        self.registry.put_session(&self.db, session.clone())?;
        self.note(now_ms, id, None, "created", &who.name, format!("Created {}", session.name))?;
        let terminal = self.add_terminal(now_ms, &session, None)?;
        if !prompt.is_empty() {
            self.append_prompt(now_ms, terminal, &prompt, who, out)?;
        }
        self.remember_key(now_ms, &key, id)?;
        self.send_open(terminal, out);
        out.session_changed(id);
        self.session_reply(now_ms, who, id)
    }

    pub(super) fn rename_session(
        &mut self,
        now_ms: u64,
        who: &Caller,
        session: u64,
        name: &str,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let mut known = self.known_session(session)?.clone();
        known.name = text::name_required("name", name)?;
        if known != *self.known_session(session)? {
            self.note(now_ms, session, None, "renamed", &who.name, format!("Renamed to {}", known.name))?;
            self.registry.put_session(&self.db, known)?;
            out.session_changed(session);
        }
        self.session_reply(now_ms, who, session)
    }

    pub(super) fn archive_session(
        &mut self,
        now_ms: u64,
        who: &Caller,
        session: u64,
        archived: bool,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let mut known = self.known_session(session)?.clone();
        if known.archived != archived {
            known.archived = archived;
            self.registry.put_session(&self.db, known)?;
            let (kind, text) = if archived { ("archived", "Archived") } else { ("restored", "Restored") };
            self.note(now_ms, session, None, kind, &who.name, text.to_owned())?;
            if archived {
                self.end_agents(now_ms, session, out)?;
            }
            out.session_changed(session);
        }
        self.session_reply(now_ms, who, session)
    }

    /// Ends the agents of a session that is put away. Those of a runner that is away are ended when it comes back.
    fn end_agents(&mut self, now_ms: u64, session: u64, out: &mut Out) -> Result<(), Fault> {
        let terminals: Vec<Terminal> = self.registry.terminals_of(session).into_iter().cloned().collect();
        for terminal in terminals.into_iter().filter(Terminal::is_alive) {
            let id = terminal.id;
            for pending in terminal.prompts.iter().filter(|pending| !pending.sent) {
                let (state, reason) = (protocol::status::PromptState::Cancelled, "The session was archived.");
                self.put_state(now_ms, id, pending.id, state, reason)?;
            }
            if terminal.state == TerminalState::Opening {
                let failure = "The session was archived before it opened.".to_owned();
                let failed = Terminal {
                    state: TerminalState::Failed,
                    failure,
                    status_ms: now_ms,
                    prompts: self.known_terminal(id)?.prompts.clone(),
                    ..terminal.clone()
                };
                self.registry.put_terminal(&self.db, failed)?;
                self.fail_prompts(now_ms, id, "The session was archived.", out)?;
            }
            if let Some(socket) = self.online.get(&terminal.runner) {
                out.runner(*socket, &RunnerCommand::Stop { terminal: id, mode: StopMode::Terminate });
            }
        }
        Ok(())
    }

    pub(super) fn delete_session(&mut self, moment: Moment, session: u64, out: &mut Out) -> Result<Reply, Fault> {
        self.known_session(session)?;
        // What was for this session alone ends with it.
        let its = self.registry.runners.values().filter(|runner| runner.session == session && !runner.revoked);
        for runner in its.map(|runner| runner.id.clone()).collect::<Vec<_>>() {
            self.revoke_runner(moment, &runner, out)?;
        }
        let terminals: Vec<(u32, String)> =
            self.registry.terminals_of(session).iter().map(|t| (t.id, t.runner.clone())).collect();
        self.registry.delete_session(&self.db, session)?;
        for (terminal, runner) in terminals {
            self.forget_wire(terminal, &runner, out);
        }
        self.shares_changed(moment, session, out)?;
        Ok(Reply::Done)
    }

    /// The label of an agent that can be started on this runner, for this session; 0: one that is being made.
    pub(super) fn checked_agent(&self, runner: &str, agent: &str, session: u64) -> Result<String, Fault> {
        let Some(known) = self.registry.runners.get(runner) else {
            return Err(invalid("runner", "There is no such runner."));
        };
        if known.revoked {
            return Err(invalid("runner", "This runner's token was revoked."));
        }
        if known.session != 0 && known.session != session {
            return Err(invalid("runner", format!("This runner is for session {} alone.", known.session)));
        }
        let agent = text::name_required("agent", agent)?;
        match known.agents.iter().find(|offer| offer.name == agent) {
            Some(offer) if offer.available => Ok(offer.label.clone()),
            Some(offer) => Err(invalid("agent", format!("{} is not installed on {}.", offer.label, known.name))),
            // Before it ever connected nobody knows what it offers.
            None if known.connected_ms == 0 => Ok(known.label(&agent).to_owned()),
            None => Err(invalid("agent", format!("{} does not offer this agent.", known.name))),
        }
    }

    pub(super) fn note(
        &self,
        now_ms: u64,
        session: u64,
        terminal: Option<u32>,
        kind: &'static str,
        actor: &str,
        text: String,
    ) -> Result<(), Fault> {
        Ok(timeline::write(&self.db, now_ms, &Note { session, terminal, kind, actor, text })?)
    }
}

/// A session's name where nobody gave one: the prompt's first line, or the agent and the folder.
fn name_from(prompt: &str, agent_label: &str, cwd: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let folder = cwd.rsplit('/').find(|part| !part.is_empty() && *part != "~");
    match (line, folder) {
        ("", Some(folder)) => text::plain(&format!("{agent_label} in {folder}"), NAME_FROM_PROMPT_CHARS_MAX),
        ("", None) => agent_label.to_owned(),
        (line, _) if line.chars().count() > NAME_FROM_PROMPT_CHARS_MAX => {
            let cut = text::plain(line, NAME_FROM_PROMPT_CHARS_MAX - 1);
            format!("{}…", cut.trim_end())
        }
        (line, _) => text::plain(line, NAME_FROM_PROMPT_CHARS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::name_from;

    #[test]
    fn a_name_comes_from_the_prompt_or_the_place() {
        assert_eq!(name_from("\n  fix the login\nand more", "Claude Code", "/src/app"), "fix the login");
        assert_eq!(name_from("", "Claude Code", "/src/app/"), "Claude Code in app");
        assert_eq!(name_from("", "Shell", ""), "Shell");
        assert_eq!(name_from(&"ä".repeat(90), "Shell", "").chars().count(), 60);
    }
}
