//! Prompts: queued, rewritten, taken back.

use protocol::audit::Action;
use protocol::control::{ErrorCode, RunnerCommand};
use protocol::status::PromptState;

use super::Key;
use crate::call::{Caller, Reply};
use crate::db::Fault;
use crate::hub::Hub;
use crate::limits::PROMPTS_OPEN_PER_TERMINAL_MAX;
use crate::out::Out;
use crate::registry::Pending;
use crate::store::Store;
use crate::text::{self, invalid, refused};

impl<S: Store> Hub<S> {
    pub(super) fn queue_prompt(
        &mut self,
        now_ms: u64,
        who: &Caller,
        terminal: u32,
        text: &str,
        key: &str,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let key = Key::of("prompt", &who.person, key)?;
        if let Some(prompt) = self.keyed(now_ms, &key)?
            && let Some(view) = self.prompt(prompt)?
            // One for another terminal is not what was asked for, and may be of a session that is theirs no longer.
            && view.terminal == terminal
        {
            return Ok(Reply::Prompt(view));
        }
        let text = required_prompt(text)?;
        let known = self.known_terminal(terminal)?;
        if !known.is_alive() {
            return Err(refused(ErrorCode::Ended, "The agent has ended. Start it again to send it a prompt."));
        }
        if known.prompts.len() >= PROMPTS_OPEN_PER_TERMINAL_MAX {
            let message = format!("At most {PROMPTS_OPEN_PER_TERMINAL_MAX} prompts wait for one agent.");
            return Err(refused(ErrorCode::Limit, message));
        }
        let prompt = self.append_prompt(now_ms, terminal, &text, who, out)?;
        self.remember_key(now_ms, &key, prompt)?;
        self.prompt_reply(prompt)
    }

    pub(super) fn edit_prompt(
        &mut self,
        now_ms: u64,
        who: &Caller,
        prompt: u64,
        text: &str,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let text = required_prompt(text)?;
        let (session, terminal, pending) = self.queued(prompt)?;
        if pending.sent {
            return Err(refused(ErrorCode::Conflict, "This prompt is on its way to the agent."));
        }
        self.db.write(
            "UPDATE prompts SET text = ?, changed_ms = ? WHERE prompt = ?",
            &[text.as_str().into(), now_ms.into(), prompt.into()],
        )?;
        self.audit_prompt(now_ms, who, Action::PromptEdited, (prompt, terminal), Some(&text))?;
        out.session_changed(session);
        self.prompt_reply(prompt)
    }

    pub(super) fn cancel_prompt(
        &mut self,
        now_ms: u64,
        who: &Caller,
        prompt: u64,
        out: &mut Out,
    ) -> Result<Reply, Fault> {
        let (session, terminal, pending) = self.queued(prompt)?;
        if pending.sent {
            // The runner may be writing it at this moment: it decides, and says so.
            self.db.write("UPDATE prompts SET cancelling = 1 WHERE prompt = ?", &[prompt.into()])?;
            self.change_pending(terminal, prompt, |pending| pending.cancelling = true);
            let runner = self.known_terminal(terminal)?.runner.clone();
            if let Some(socket) = self.online.get(&runner) {
                out.runner(*socket, &RunnerCommand::CancelPrompt { terminal, prompt });
            }
        } else {
            self.put_state(now_ms, terminal, prompt, PromptState::Cancelled, "")?;
            self.pump(terminal, false, out)?;
        }
        self.audit_prompt(now_ms, who, Action::PromptCancelled, (prompt, terminal), None)?;
        out.session_changed(session);
        self.prompt_reply(prompt)
    }

    /// The session, the terminal and the state of a prompt that is still queued.
    fn queued(&self, prompt: u64) -> Result<(u64, u32, Pending), Fault> {
        match self.pending(prompt) {
            Some((terminal, pending)) if pending.state == PromptState::Queued => {
                Ok((terminal.session, terminal.id, pending))
            }
            Some(_) => Err(refused(ErrorCode::Conflict, "The agent has this prompt already.")),
            None if self.prompt(prompt)?.is_some() => {
                Err(refused(ErrorCode::Conflict, "This prompt is finished already."))
            }
            None => Err(refused(ErrorCode::NotFound, "There is no such prompt.")),
        }
    }

    fn prompt_reply(&self, prompt: u64) -> Result<Reply, Fault> {
        let gone = || refused(ErrorCode::NotFound, "There is no such prompt.");
        Ok(Reply::Prompt(self.prompt(prompt)?.ok_or_else(gone)?))
    }
}

fn required_prompt(text: &str) -> Result<String, Fault> {
    let text = text::prompt("text", text)?;
    if text.trim().is_empty() { Err(invalid("text", "Write what the agent shall do.")) } else { Ok(text) }
}
