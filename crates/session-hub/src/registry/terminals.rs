//! The table of terminals, and what memory keeps beside each row: its open prompts and how far its checkpoint is.

use std::collections::BTreeMap;

use protocol::control::StatusReport;
use protocol::status::PromptState;

use super::Registry;
use crate::call::TerminalState;
use crate::db::{Columns, Db};
use crate::store::{Store, StoreError, Value};

/// A terminal as its runner last reported it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Terminal {
    pub(crate) id: u32,
    pub(crate) session: u64,
    /// Its place among the session's terminals; one that is started again keeps it.
    pub(crate) place: u32,
    pub(crate) runner: String,
    pub(crate) agent: String,
    pub(crate) agent_label: String,
    pub(crate) cwd: String,
    pub(crate) state: TerminalState,
    pub(crate) status: StatusReport,
    /// When its status changed, by the hub's clock.
    pub(crate) status_ms: u64,
    /// When this row was last written.
    pub(crate) heard_ms: u64,
    pub(crate) end: u64,
    pub(crate) last_output_ms: u64,
    pub(crate) failure: String,
    pub(crate) opened_ms: u64,
    /// Ended without a word: its runner came back without it, so nobody has its log any more.
    pub(crate) lost: bool,
    /// Prompts that are not final, oldest first.
    pub(crate) prompts: Vec<Pending>,
    pub(crate) checkpoint: Option<Checkpointed>,
}

/// A prompt that is not final.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pending {
    pub(crate) id: u64,
    pub(crate) state: PromptState,
    /// It went to the runner at least once, so that only the runner knows whether it can be taken back.
    pub(crate) sent: bool,
    /// A person took it back; the runner decides.
    pub(crate) cancelling: bool,
}

/// How far a stored checkpoint is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Checkpointed {
    pub(crate) offset: u64,
    pub(crate) at_ms: u64,
}

impl Terminal {
    /// A process runs in it, or is about to.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self.state, TerminalState::Opening | TerminalState::Open)
    }

    /// Its runner, while connected, can be asked for its bytes.
    pub(crate) fn is_served(&self) -> bool {
        match self.state {
            TerminalState::Open => true,
            TerminalState::Ended => !self.lost,
            TerminalState::Opening | TerminalState::Failed => false,
        }
    }

    /// When it last printed something, as far as the store knows.
    pub(crate) fn printed_ms(&self) -> u64 {
        self.last_output_ms.max(self.checkpoint.map_or(0, |checkpoint| checkpoint.at_ms))
    }

    /// Offset after the newest byte, as far as the store knows.
    pub(crate) fn known_end(&self) -> u64 {
        self.end.max(self.checkpoint.map_or(0, |checkpoint| checkpoint.offset))
    }
}

pub(super) fn load<S: Store>(db: &Db<S>) -> Result<Vec<Terminal>, StoreError> {
    let mut prompts = load_pending(db)?;
    let mut checkpoints = load_checkpointed(db)?;
    let rows = db.read(
        "SELECT terminal, session, place, runner, agent, agent_label, cwd, state, status, status_ms, heard_ms, end_offset,
         last_output_ms, failure, opened_ms, lost FROM terminals",
        &[],
    )?;
    let mut read = |row| {
        let mut columns = Columns::new(row);
        let id = columns.u32()?;
        Ok(Terminal {
            id,
            session: columns.u64()?,
            place: columns.u32()?,
            runner: columns.text()?,
            agent: columns.text()?,
            agent_label: columns.text()?,
            cwd: columns.text()?,
            state: state_from_word(&columns.text()?),
            // Written by this crate; a shape of another version shows as unknown until the next report.
            status: serde_json::from_str(&columns.text()?).unwrap_or_default(),
            status_ms: columns.u64()?,
            heard_ms: columns.u64()?,
            end: columns.u64()?,
            last_output_ms: columns.u64()?,
            failure: columns.text()?,
            opened_ms: columns.u64()?,
            lost: columns.bool()?,
            prompts: prompts.remove(&id).unwrap_or_default(),
            checkpoint: checkpoints.remove(&id),
        })
    };
    rows.into_iter().map(&mut read).collect()
}

fn load_pending<S: Store>(db: &Db<S>) -> Result<BTreeMap<u32, Vec<Pending>>, StoreError> {
    let mut pending: BTreeMap<u32, Vec<Pending>> = BTreeMap::new();
    let rows = db.read(
        "SELECT terminal, prompt, state, sent, cancelling FROM prompts
         WHERE state IN ('queued', 'delivered', 'accepted') ORDER BY prompt",
        &[],
    )?;
    for row in rows {
        let mut columns = Columns::new(row);
        let terminal = columns.u32()?;
        let id = columns.u64()?;
        let state = PromptState::from_word(&columns.text()?).unwrap_or(PromptState::Queued);
        let prompt = Pending { id, state, sent: columns.bool()?, cancelling: columns.bool()? };
        pending.entry(terminal).or_default().push(prompt);
    }
    Ok(pending)
}

fn load_checkpointed<S: Store>(db: &Db<S>) -> Result<BTreeMap<u32, Checkpointed>, StoreError> {
    let rows = db.read("SELECT terminal, at_offset, at_ms FROM checkpoints", &[])?;
    let read = |row| {
        let mut columns = Columns::new(row);
        Ok((columns.u32()?, Checkpointed { offset: columns.u64()?, at_ms: columns.u64()? }))
    };
    rows.into_iter().map(read).collect()
}

impl Registry {
    /// Writes a terminal, new or changed, as one row, and keeps it.
    pub(crate) fn put_terminal<S: Store>(&mut self, db: &Db<S>, terminal: Terminal) -> Result<(), StoreError> {
        if self.terminals.get(&terminal.id) == Some(&terminal) {
            return Ok(());
        }
        db.write(
            "INSERT INTO terminals (terminal, session, place, runner, agent, agent_label, cwd, state, status, status_ms,
             heard_ms, end_offset, last_output_ms, failure, opened_ms, lost)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (terminal) DO UPDATE SET state = excluded.state, status = excluded.status,
             status_ms = excluded.status_ms, heard_ms = excluded.heard_ms, end_offset = excluded.end_offset,
             last_output_ms = excluded.last_output_ms, failure = excluded.failure, opened_ms = excluded.opened_ms,
             lost = excluded.lost",
            &[
                terminal.id.into(),
                terminal.session.into(),
                terminal.place.into(),
                (&terminal.runner).into(),
                (&terminal.agent).into(),
                (&terminal.agent_label).into(),
                (&terminal.cwd).into(),
                state_word(terminal.state).into(),
                serde_json::to_string(&terminal.status).unwrap_or_default().as_str().into(),
                terminal.status_ms.into(),
                terminal.heard_ms.into(),
                terminal.end.into(),
                terminal.last_output_ms.into(),
                (&terminal.failure).into(),
                terminal.opened_ms.into(),
                terminal.lost.into(),
            ],
        )?;
        self.terminals.insert(terminal.id, terminal);
        Ok(())
    }

    /// Deletes a terminal with everything that belongs to it. Its number is never given again.
    pub(crate) fn delete_terminal<S: Store>(&mut self, db: &Db<S>, terminal: u32) -> Result<(), StoreError> {
        let number: [Value; 1] = [terminal.into()];
        db.write("DELETE FROM checkpoints WHERE terminal = ?", &number)?;
        db.write("DELETE FROM writers WHERE terminal = ?", &number)?;
        db.write("DELETE FROM drivers WHERE terminal = ?", &number)?;
        db.write("DELETE FROM terminals WHERE terminal = ?", &number)?;
        self.terminals.remove(&terminal);
        Ok(())
    }
}

fn state_word(state: TerminalState) -> &'static str {
    match state {
        TerminalState::Opening => "opening",
        TerminalState::Open => "open",
        TerminalState::Ended => "ended",
        TerminalState::Failed => "failed",
    }
}

fn state_from_word(word: &str) -> TerminalState {
    match word {
        "opening" => TerminalState::Opening,
        "open" => TerminalState::Open,
        "failed" => TerminalState::Failed,
        _ => TerminalState::Ended,
    }
}
