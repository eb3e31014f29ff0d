//! The prompt queue: one table, and beside each terminal the numbers of its prompts that are not final.
//!
//! The head of a queue goes to the runner when the agent can take it. From then on only the runner knows whether it was
//! written, so a prompt that went out once is taken back by asking the runner. States only go forward.

use protocol::audit::Action;
use protocol::control::{PromptReport, RunnerCommand};
use protocol::limits::TEXT_BYTES_MAX;
use protocol::right::Right;
use protocol::status::{PromptState, Status};

use crate::audit;
use crate::call::{Caller, PromptView, TerminalState};
use crate::db::{Columns, Db, Fault, first};
use crate::hub::Hub;
use crate::limits::{PROMPTS_KEPT_PER_SESSION_MAX, PROMPTS_SHOWN_MAX};
use crate::out::Out;
use crate::registry::{Pending, Terminal};
use crate::store::{Store, StoreError};
use crate::text;
use crate::timeline::{self, Note};

const COLUMNS: &str = "prompt, terminal, text, state, reason, author, queued_ms, changed_ms, person";

impl<S: Store> Hub<S> {
    /// Writes a prompt at the end of a terminal's queue, and sends it if it can be taken now. Its text was checked.
    pub(crate) fn append_prompt(
        &mut self,
        now_ms: u64,
        terminal: u32,
        text: &str,
        who: &Caller,
        out: &mut Out,
    ) -> Result<u64, Fault> {
        let Some(known) = self.registry.terminals.get_mut(&terminal) else {
            return Err(text::refused(protocol::control::ErrorCode::NotFound, "There is no such terminal."));
        };
        let (session, author) = (known.session, who.name.as_str());
        let id = self.db.next_number("prompt")?;
        self.db.write(
            "INSERT INTO prompts (prompt, session, terminal, text, state, reason, author, queued_ms, changed_ms, sent,
             cancelling, person) VALUES (?, ?, ?, ?, 'queued', '', ?, ?, ?, 0, 0, ?)",
            &[
                id.into(),
                session.into(),
                terminal.into(),
                text.into(),
                author.into(),
                now_ms.into(),
                now_ms.into(),
                (&who.person).into(),
            ],
        )?;
        known.prompts.push(Pending { id, state: PromptState::Queued, sent: false, cancelling: false });
        let first_line = text.lines().next().unwrap_or_default().to_owned();
        let note = Note { session, terminal: Some(terminal), kind: "prompt", actor: author, text: first_line };
        timeline::write(&self.db, now_ms, &note)?;
        prune(&self.db, session)?;
        self.audit_prompt(now_ms, who, Action::PromptQueued, (id, terminal), Some(text))?;
        out.session_changed(session);
        self.pump(terminal, false, out)?;
        Ok(id)
    }

    /// Writes down what was done to a prompt: how long it is, never what it says.
    pub(crate) fn audit_prompt(
        &self,
        now_ms: u64,
        who: &Caller,
        action: Action,
        (prompt, terminal): (u64, u32),
        text: Option<&str>,
    ) -> Result<(), Fault> {
        let mut detail = vec![("terminal", self.audit_terminal(terminal))];
        detail.extend(text.map(|text| ("chars", text.chars().count().to_string())));
        audit::called(&self.db, now_ms, who, action, format!("prompt {prompt}"), &detail)?;
        Ok(())
    }

    /// Sends the head of a terminal's queue if it can be taken now; `again` after a reconnect, when what was sent may not
    /// have arrived.
    pub(crate) fn pump(&mut self, terminal: u32, again: bool, out: &mut Out) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        let Some(head) = known.prompts.first().copied() else { return Ok(()) };
        let Some(socket) = self.online.get(&known.runner).copied() else { return Ok(()) };
        if known.state != TerminalState::Open || head.state != PromptState::Queued {
            return Ok(());
        }
        if head.cancelling {
            if again {
                out.runner(socket, &RunnerCommand::CancelPrompt { terminal, prompt: head.id });
            }
            return Ok(());
        }
        let can_take = matches!(known.status.status, Status::Idle | Status::Done | Status::Unknown);
        if head.sent && !again || !head.sent && !can_take {
            return Ok(());
        }
        let Some(prompt) = self.prompt(head.id)? else { return Ok(()) };
        if !head.sent {
            self.db.write("UPDATE prompts SET sent = 1 WHERE prompt = ?", &[head.id.into()])?;
            self.change_pending(terminal, head.id, |pending| pending.sent = true);
        }
        out.runner(socket, &RunnerCommand::Prompt { terminal, prompt: head.id, text: prompt.text });
        Ok(())
    }

    /// The runner says what became of a prompt. Late and doubled words change nothing.
    pub(crate) fn prompt_reported(
        &mut self,
        now_ms: u64,
        terminal: u32,
        report: &PromptReport,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        let Some(pending) = known.prompts.iter().find(|pending| pending.id == report.prompt) else { return Ok(()) };
        if !pending.state.may_become(report.state) {
            return Ok(());
        }
        let (session, reason) = (known.session, text::plain(&report.reason, TEXT_BYTES_MAX / 4));
        if report.state == PromptState::Failed {
            let text = format!("A prompt could not be delivered: {reason}");
            let note = Note { session, terminal: Some(terminal), kind: "prompt", actor: "", text };
            timeline::write(&self.db, now_ms, &note)?;
        }
        self.put_state(now_ms, terminal, report.prompt, report.state, &reason)?;
        out.session_changed(session);
        Ok(())
    }

    /// Writes a prompt's next state, then remembers it.
    pub(crate) fn put_state(
        &mut self,
        now_ms: u64,
        terminal: u32,
        prompt: u64,
        state: PromptState,
        reason: &str,
    ) -> Result<(), Fault> {
        self.db.write(
            "UPDATE prompts SET state = ?, reason = ?, changed_ms = ? WHERE prompt = ?",
            &[state.word().into(), reason.into(), now_ms.into(), prompt.into()],
        )?;
        self.change_pending(terminal, prompt, |pending| pending.state = state);
        if let Some(known) = self.registry.terminals.get_mut(&terminal) {
            known.prompts.retain(|pending| !pending.state.is_final());
        }
        Ok(())
    }

    pub(crate) fn change_pending(&mut self, terminal: u32, prompt: u64, change: impl FnOnce(&mut Pending)) {
        let known = self.registry.terminals.get_mut(&terminal);
        if let Some(pending) = known.and_then(|known| known.prompts.iter_mut().find(|pending| pending.id == prompt)) {
            change(pending);
        }
    }

    /// Ends every prompt of a terminal that has no agent any more.
    pub(crate) fn fail_prompts(
        &mut self,
        now_ms: u64,
        terminal: u32,
        reason: &str,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&terminal) else { return Ok(()) };
        let (session, open) = (known.session, known.prompts.clone());
        for pending in open {
            // One that was written before it could be taken back ran, and did not merely end unsaid.
            let unwritten = pending.cancelling && pending.state == PromptState::Queued;
            let state = if unwritten { PromptState::Cancelled } else { PromptState::Failed };
            self.put_state(now_ms, terminal, pending.id, state, reason)?;
            out.session_changed(session);
        }
        Ok(())
    }

    /// The terminal of a prompt that is not final.
    pub(crate) fn pending(&self, prompt: u64) -> Option<(&Terminal, Pending)> {
        let mut terminals = self.registry.terminals.values();
        terminals.find_map(|known| Some((known, *known.prompts.iter().find(|pending| pending.id == prompt)?)))
    }

    /// The session of a prompt, and the id of the person who sent it; `None`: there is no such prompt.
    pub(crate) fn prompt_origin(&self, prompt: u64) -> Result<Option<(u64, String)>, Fault> {
        let rows = self.db.read("SELECT session, person FROM prompts WHERE prompt = ?", &[prompt.into()])?;
        let Some(mut columns) = first(rows)? else { return Ok(None) };
        Ok(Some((columns.u64()?, columns.text()?)))
    }

    /// Says of each prompt whether this caller may change it, with this right in its session.
    pub(crate) fn mark_editable(who: &Caller, right: Right, prompts: &mut [PromptView]) {
        for prompt in prompts.iter_mut().filter(|prompt| prompt.state == PromptState::Queued) {
            prompt.editable = right >= Right::Driver || right >= Right::Prompter && prompt.person == who.person;
        }
    }

    /// One prompt.
    pub(crate) fn prompt(&self, prompt: u64) -> Result<Option<PromptView>, StoreError> {
        let rows = self.db.read(&format!("SELECT {COLUMNS} FROM prompts WHERE prompt = ?"), &[prompt.into()])?;
        first(rows)?.map(view).transpose()
    }

    /// A session's prompts, oldest first: all that are not final, and the newest final ones.
    pub(crate) fn prompts_of(&self, session: u64) -> Result<Vec<PromptView>, StoreError> {
        let mut rows = self.db.read(
            &format!(
                "SELECT {COLUMNS} FROM prompts WHERE session = ? AND state IN ('done', 'cancelled', 'failed')
                 ORDER BY prompt DESC LIMIT ?"
            ),
            &[session.into(), PROMPTS_SHOWN_MAX.into()],
        )?;
        rows.extend(self.db.read(
            &format!(
                "SELECT {COLUMNS} FROM prompts WHERE session = ? AND state IN ('queued', 'delivered', 'accepted')"
            ),
            &[session.into()],
        )?);
        let mut views = rows.into_iter().map(|row| view(Columns::new(row))).collect::<Result<Vec<_>, _>>()?;
        views.sort_by_key(|view| view.prompt);
        Ok(views)
    }
}

/// Deletes final prompts beyond what a session keeps.
fn prune<S: Store>(db: &Db<S>, session: u64) -> Result<(), StoreError> {
    let surplus = db.read(
        "SELECT prompt FROM prompts WHERE session = ? AND state IN ('done', 'cancelled', 'failed')
         ORDER BY prompt DESC LIMIT 1 OFFSET ?",
        &[session.into(), PROMPTS_KEPT_PER_SESSION_MAX.into()],
    )?;
    let Some(mut columns) = first(surplus)? else { return Ok(()) };
    db.write(
        "DELETE FROM prompts WHERE session = ? AND state IN ('done', 'cancelled', 'failed') AND prompt <= ?",
        &[session.into(), columns.u64()?.into()],
    )
}

fn view(mut columns: Columns) -> Result<PromptView, StoreError> {
    Ok(PromptView {
        prompt: columns.u64()?,
        terminal: columns.u32()?,
        text: columns.text()?,
        state: PromptState::from_word(&columns.text()?).unwrap_or(PromptState::Failed),
        reason: columns.text()?,
        author: columns.text()?,
        queued_ms: columns.u64()?,
        changed_ms: columns.u64()?,
        person: columns.text()?,
        editable: false,
    })
}
