//! The table of writers: which person has typed under which name. A viewer that comes back with its old writer keeps it, and
//! so nothing that it sends again is typed twice; another person with that writer gets a new one.

use protocol::control::writer_to_text;

use crate::db::{Db, first};
use crate::limits::WRITERS_PER_TERMINAL_MAX;
use crate::store::{Store, StoreError};

/// Who has typed on this terminal under this writer.
pub(crate) fn owner<S: Store>(db: &Db<S>, terminal: u32, writer: u64) -> Result<Option<String>, StoreError> {
    let rows = db.read(
        "SELECT person FROM writers WHERE terminal = ? AND writer = ?",
        &[terminal.into(), writer_to_text(writer).as_str().into()],
    )?;
    first(rows)?.map(|mut columns| columns.text()).transpose()
}

/// Remembers a new writer, and forgets the oldest when there are too many.
pub(crate) fn remember<S: Store>(
    db: &Db<S>,
    terminal: u32,
    writer: u64,
    person: &str,
    now_ms: u64,
) -> Result<(), StoreError> {
    db.write(
        "INSERT INTO writers (terminal, writer, person, at_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (terminal, writer) DO UPDATE SET person = excluded.person, at_ms = excluded.at_ms",
        &[terminal.into(), writer_to_text(writer).as_str().into(), person.into(), now_ms.into()],
    )?;
    let surplus = db.read(
        "SELECT writer FROM writers WHERE terminal = ? ORDER BY at_ms DESC, writer LIMIT 16 OFFSET ?",
        &[terminal.into(), WRITERS_PER_TERMINAL_MAX.into()],
    )?;
    for row in surplus {
        let writer = crate::db::Columns::new(row).text()?;
        db.write("DELETE FROM writers WHERE terminal = ? AND writer = ?", &[terminal.into(), writer.as_str().into()])?;
    }
    Ok(())
}
