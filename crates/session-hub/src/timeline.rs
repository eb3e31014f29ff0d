//! The table of what happened in a session. One row an entry: the key is the session and a number of its own.
//!
//! Not everything is an entry. An agent turns from working to idle and back all day, and a row for each turn would be most
//! of what a hub costs while telling nobody anything; so a status is an entry when a person would want to look: `blocked`,
//! `failed`, `done`. A runner that comes and goes is none either.

use crate::call::TimelineEntry;
use crate::db::{Columns, Db, first};
use crate::limits::TIMELINE_TEXT_CHARS_MAX;
use crate::limits::{TIMELINE_PER_SESSION_MAX, TIMELINE_REPEAT_MS, TIMELINE_SHOWN_MAX, TIMELINE_SLACK};
use crate::store::{Store, StoreError};
use crate::text;

/// Kind of the entries that say with whom a session is shared: for its owner alone.
pub(crate) const SHARED: &str = "shared";

/// An entry to be.
pub(crate) struct Note<'a> {
    pub(crate) session: u64,
    pub(crate) terminal: Option<u32>,
    pub(crate) kind: &'static str,
    /// A person's name, or nothing.
    pub(crate) actor: &'a str,
    pub(crate) text: String,
}

/// Writes an entry, unless it only repeats the newest one.
pub(crate) fn write<S: Store>(db: &Db<S>, now_ms: u64, note: &Note<'_>) -> Result<(), StoreError> {
    let text = text::plain(&note.text.replace('\n', " "), TIMELINE_TEXT_CHARS_MAX);
    let newest = newest(db, note.session)?;
    if let Some(newest) = &newest {
        let repeats = newest.kind == note.kind && newest.text == text && newest.terminal == note.terminal;
        if repeats && note.actor.is_empty() && now_ms.saturating_sub(newest.at_ms) < TIMELINE_REPEAT_MS {
            return Ok(());
        }
    }
    let entry = newest.map_or(1, |newest| newest.entry + 1);
    db.write(
        "INSERT INTO timeline (session, entry, at_ms, kind, actor, text, terminal) VALUES (?, ?, ?, ?, ?, ?, ?)",
        &[
            note.session.into(),
            entry.into(),
            now_ms.into(),
            note.kind.into(),
            note.actor.into(),
            text.as_str().into(),
            note.terminal.into(),
        ],
    )?;
    if entry.is_multiple_of(TIMELINE_SLACK) && entry > TIMELINE_PER_SESSION_MAX {
        db.write(
            "DELETE FROM timeline WHERE session = ? AND entry <= ?",
            &[note.session.into(), (entry - TIMELINE_PER_SESSION_MAX).into()],
        )?;
    }
    Ok(())
}

/// The newest entries of a session, newest first.
pub(crate) fn read<S: Store>(db: &Db<S>, session: u64) -> Result<Vec<TimelineEntry>, StoreError> {
    let rows = db.read(
        "SELECT entry, at_ms, kind, actor, text, terminal FROM timeline WHERE session = ? ORDER BY entry DESC LIMIT ?",
        &[session.into(), TIMELINE_SHOWN_MAX.into()],
    )?;
    rows.into_iter().map(|row| entry(Columns::new(row))).collect()
}

fn newest<S: Store>(db: &Db<S>, session: u64) -> Result<Option<TimelineEntry>, StoreError> {
    let rows = db.read(
        "SELECT entry, at_ms, kind, actor, text, terminal FROM timeline WHERE session = ? ORDER BY entry DESC LIMIT 1",
        &[session.into()],
    )?;
    first(rows)?.map(entry).transpose()
}

fn entry(mut columns: Columns) -> Result<TimelineEntry, StoreError> {
    Ok(TimelineEntry {
        entry: columns.u64()?,
        at_ms: columns.u64()?,
        kind: columns.text()?,
        actor: columns.text()?,
        text: columns.text()?,
        terminal: columns.maybe_u64()?.and_then(|terminal| u32::try_from(terminal).ok()),
    })
}
