//! The hub's own audit log: prompts and who drives, each written in the event that does it, so that both stay or neither.
//!
//! One row an entry, and two for a change of hands. Driving is an entry when a terminal gets another driver than the one last
//! written down: a person, or the same person at another viewer. A viewer that reconnects is the same viewer, by its writer,
//! and nothing is written by a key.
//!
//! **Invariant.** An entry follows the newest one in the chain; triggers refuse every change and every removal.

use std::collections::BTreeMap;

use protocol::audit::{Action, Actor, ActorKind, Chain, Draft, Entry, Head};
use protocol::control::writer_to_text;

use crate::call::{AuditPage, AuditWanted, Caller};
use crate::db::{Columns, Db, Fault, first};
use crate::effect::{Peer, SocketId};
use crate::hub::Hub;
use crate::limits::AUDIT_READ_MAX;
use crate::out::Out;
use crate::store::{Store, StoreError, Value};

const COLUMNS: &str = "seq, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash";

/// The newest entry.
pub(crate) fn head<S: Store>(db: &Db<S>) -> Result<Head, StoreError> {
    let rows = db.read("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[])?;
    let Some(mut columns) = first(rows)? else { return Ok(Head::default()) };
    Ok(Head { seq: columns.u64()?, hash: columns.text()? })
}

/// Adds an entry.
pub(crate) fn append<S: Store>(db: &Db<S>, draft: Draft) -> Result<(), StoreError> {
    let entry = draft.seal(Chain::Hub, &head(db)?);
    let detail = serde_json::to_string(&entry.detail).map_err(|error| StoreError(error.to_string()))?;
    db.write(
        "INSERT INTO audit (seq, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            entry.seq.into(),
            entry.at_ms.into(),
            entry.actor.kind.word().into(),
            entry.actor.id.as_str().into(),
            entry.actor.name.as_str().into(),
            entry.via.as_str().into(),
            entry.action.as_str().into(),
            entry.target.as_str().into(),
            detail.as_str().into(),
            entry.prev.as_str().into(),
            entry.hash.as_str().into(),
        ],
    )
}

/// Adds an entry about what a caller does.
pub(crate) fn called<S: Store>(
    db: &Db<S>,
    now_ms: u64,
    who: &Caller,
    action: Action,
    target: String,
    detail: &[(&str, String)],
) -> Result<(), StoreError> {
    let detail = detail.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let actor = Actor::person(&who.person, &who.name);
    append(db, Draft { at_ms: now_ms, actor, via: who.via, action, target, detail })
}

impl<S: Store> Hub<S> {
    /// Entries from this number on, oldest first.
    pub(crate) fn audit_from(&self, seq: u64, limit: u64) -> Result<AuditPage, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?");
        self.audit_entries(&sql, &[seq.into(), limit.min(AUDIT_READ_MAX).into()])
    }

    /// Entries that a page asks for, newest first.
    pub(crate) fn audit_page(&self, wanted: &AuditWanted, limit: u64) -> Result<AuditPage, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE (?1 = 0 OR seq < ?1)
             AND (?2 = '' OR actor = ?2 OR instr(lower(actor_name), lower(?2)) > 0) AND (?3 = '' OR action = ?3)
             AND at_ms >= ?4 AND (?5 = 0 OR at_ms < ?5) ORDER BY seq DESC LIMIT ?6"
        );
        self.audit_entries(
            &sql,
            &[
                wanted.before.into(),
                wanted.actor.as_str().into(),
                wanted.action.as_str().into(),
                wanted.since_ms.into(),
                wanted.until_ms.into(),
                limit.min(AUDIT_READ_MAX).into(),
            ],
        )
    }

    fn audit_entries(&self, sql: &str, params: &[Value]) -> Result<AuditPage, Fault> {
        let rows = self.db.read(sql, params)?;
        let entries = rows.into_iter().map(|row| entry(Columns::new(row))).collect::<Result<_, _>>()?;
        Ok(AuditPage { head: head(&self.db)?, entries })
    }

    /// Writes down who drives the terminals whose driver may have changed in this event.
    pub(crate) fn audit_driving(&self, now_ms: u64, out: &mut Out) -> Result<(), Fault> {
        for terminal in std::mem::take(&mut out.driving) {
            let Some(driver) = self.wires.get(&terminal).and_then(|wire| wire.driver()) else { continue };
            let writer = writer_to_text(driver.writer);
            let rows = self.db.read("SELECT writer FROM drivers WHERE terminal = ?", &[terminal.into()])?;
            let known = first(rows)?.map(|mut columns| columns.text()).transpose()?;
            if known.as_deref() == Some(&writer) {
                continue;
            }
            self.audit_viewer(now_ms, terminal, driver.socket, Action::DrivingTaken)?;
            self.db.write(
                "INSERT INTO drivers (terminal, writer) VALUES (?, ?)
                 ON CONFLICT (terminal) DO UPDATE SET writer = excluded.writer",
                &[terminal.into(), writer.as_str().into()],
            )?;
        }
        Ok(())
    }

    /// Writes down that a viewer gave a terminal up and nobody drives it now.
    pub(crate) fn audit_release(&self, now_ms: u64, terminal: u32, socket: SocketId) -> Result<(), Fault> {
        self.audit_viewer(now_ms, terminal, socket, Action::DrivingReleased)?;
        self.db.write("DELETE FROM drivers WHERE terminal = ?", &[terminal.into()])?;
        Ok(())
    }

    /// Writes down what a viewer does at a terminal.
    pub(crate) fn audit_viewer(
        &self,
        now_ms: u64,
        terminal: u32,
        socket: SocketId,
        action: Action,
    ) -> Result<(), Fault> {
        let Some(Peer::Viewer { person, name, via }) = self.sockets.get(&socket).map(|known| &known.peer) else {
            return Ok(());
        };
        let (actor, via) = (Actor::person(person, name), *via);
        let target = self.audit_terminal(terminal);
        append(&self.db, Draft { at_ms: now_ms, actor, via, action, target, detail: BTreeMap::new() })?;
        Ok(())
    }

    /// A terminal, as entries name it.
    pub(crate) fn audit_terminal(&self, terminal: u32) -> String {
        match self.registry.terminals.get(&terminal) {
            Some(known) => format!("terminal {terminal} of session {}", known.session),
            None => format!("terminal {terminal}"),
        }
    }
}

fn entry(mut columns: Columns) -> Result<Entry, StoreError> {
    let unreadable = |what: &str| StoreError(format!("an entry of the audit log has no {what}"));
    let (seq, at_ms) = (columns.u64()?, columns.u64()?);
    let kind = ActorKind::from_word(&columns.text()?).ok_or_else(|| unreadable("actor"))?;
    let actor = Actor { kind, id: columns.text()?, name: columns.text()? };
    let (via, action, target) = (columns.text()?, columns.text()?, columns.text()?);
    let detail = serde_json::from_str(&columns.text()?).map_err(|_| unreadable("detail"))?;
    let (prev, hash) = (columns.text()?, columns.text()?);
    Ok(Entry { chain: Chain::Hub, seq, at_ms, actor, via, action, target, detail, prev, hash })
}
