//! The shape of the hub's tables: an append-only list of numbered steps and the table of those that were applied. A step
//! that was ever released is never edited; a test pins the text of each and the schema they end in.

use crate::db::{Columns, Db};
use crate::store::{Store, StoreError};

/// One step: its number is its place in [`ALL`], from 1.
pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) statements: &'static [&'static str],
}

/// All steps, in order.
pub(crate) const ALL: &[Migration] = &[
    Migration { name: "first tables", statements: FIRST_TABLES },
    Migration { name: "audit log", statements: AUDIT_LOG },
    Migration { name: "claudecodeui instances", statements: INSTANCES },
    Migration { name: "shares", statements: SHARES },
];

/// The number of the newest step.
pub(crate) const NEWEST: u32 = ALL.len() as u32;

/// Applies what is missing, each step whole or not at all: the hub that comes after a failure begins where it failed.
pub(crate) fn run<S: Store>(db: &Db<S>, now_ms: u64) -> Result<(), StoreError> {
    let table = db.read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'", &[])?;
    if table.is_empty() {
        db.write(
            "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT",
            &[],
        )?;
    }
    let rows = db.read("SELECT COALESCE(MAX(number), 0) FROM migrations", &[])?;
    let applied = match rows.into_iter().next() {
        Some(row) => Columns::new(row).u32()?,
        None => 0,
    };
    if applied > NEWEST {
        return Err(StoreError(format!("the store has schema {applied}, newer than {NEWEST}, which this hub knows")));
    }
    for (number, migration) in (1_u32..).zip(ALL).filter(|(number, _)| *number > applied) {
        let mut done = Ok(());
        db.store().transaction(&mut || {
            done = apply(db, number, migration, now_ms);
            done.is_ok()
        })?;
        done?;
    }
    Ok(())
}

fn apply<S: Store>(db: &Db<S>, number: u32, migration: &Migration, now_ms: u64) -> Result<(), StoreError> {
    for statement in migration.statements {
        db.write(statement, &[])?;
    }
    db.write(
        "INSERT INTO migrations (number, name, applied_ms) VALUES (?, ?, ?)",
        &[number.into(), migration.name.into(), now_ms.into()],
    )
}

/// Rows written are what a hub costs: integer keys and WITHOUT ROWID make one row of each insert, and the one index is on a
/// table that people write, not agents.
const FIRST_TABLES: &[&str] = &[
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE runners (
        runner TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        hostname TEXT NOT NULL,
        platform TEXT NOT NULL,
        version TEXT NOT NULL,
        agents TEXT NOT NULL,
        home TEXT NOT NULL,
        revoked INTEGER NOT NULL,
        added_ms INTEGER NOT NULL,
        connected_ms INTEGER NOT NULL,
        gone_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE sessions (
        session INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        task TEXT NOT NULL,
        runner TEXT NOT NULL,
        agent TEXT NOT NULL,
        agent_label TEXT NOT NULL,
        cwd TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        archived INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE terminals (
        terminal INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        place INTEGER NOT NULL,
        runner TEXT NOT NULL,
        agent TEXT NOT NULL,
        agent_label TEXT NOT NULL,
        cwd TEXT NOT NULL,
        state TEXT NOT NULL,
        status TEXT NOT NULL,
        status_ms INTEGER NOT NULL,
        heard_ms INTEGER NOT NULL,
        end_offset INTEGER NOT NULL,
        last_output_ms INTEGER NOT NULL,
        failure TEXT NOT NULL,
        opened_ms INTEGER NOT NULL,
        lost INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE prompts (
        prompt INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        terminal INTEGER NOT NULL,
        text TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        queued_ms INTEGER NOT NULL,
        changed_ms INTEGER NOT NULL,
        sent INTEGER NOT NULL,
        cancelling INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX prompts_by_session ON prompts (session)",
    "CREATE TABLE timeline (
        session INTEGER NOT NULL,
        entry INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        text TEXT NOT NULL,
        terminal INTEGER,
        PRIMARY KEY (session, entry)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE checkpoints (
        terminal INTEGER PRIMARY KEY,
        at_offset INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        frames BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE writers (
        terminal INTEGER NOT NULL,
        writer TEXT NOT NULL,
        person TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (terminal, writer)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE idempotency (
        key TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
];

/// The audit log, and who was last written down as a terminal's driver.
const AUDIT_LOG: &[&str] = &[
    "CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor_kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        actor_name TEXT NOT NULL,
        via TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        detail TEXT NOT NULL,
        prev TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT",
    "CREATE TRIGGER audit_is_appended BEFORE INSERT ON audit
    WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM audit), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TABLE drivers (terminal INTEGER PRIMARY KEY, writer TEXT NOT NULL) STRICT",
];

/// An instance is written when it comes, goes or changes its status: one row each time.
const INSTANCES: &[&str] = &[
    "CREATE TABLE instances (
        instance INTEGER PRIMARY KEY,
        client_id TEXT NOT NULL,
        token TEXT NOT NULL,
        hostname TEXT NOT NULL,
        project TEXT NOT NULL,
        status TEXT NOT NULL,
        version TEXT NOT NULL,
        status_ms INTEGER NOT NULL,
        connected_ms INTEGER NOT NULL,
        gone_ms INTEGER NOT NULL,
        lobby INTEGER,
        socket INTEGER
    ) STRICT",
    "CREATE TABLE barred_tokens (
        token TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
];

/// Who else may do what with a session; whose a prompt is; and runners that are for one session.
const SHARES: &[&str] = &[
    "CREATE TABLE shares (
        share INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        kind TEXT NOT NULL,
        grantee TEXT NOT NULL,
        name TEXT NOT NULL,
        right TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT",
    "ALTER TABLE prompts ADD COLUMN person TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runners ADD COLUMN session INTEGER NOT NULL DEFAULT 0",
];
