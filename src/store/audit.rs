//! The deployment's audit log. Entries are added, and sealed into the chain; nothing else can be done to them.
//!
//! **Invariant.** The chain cannot fork: an entry's number comes from its insert, and its place in the chain follows from the
//! entries before it alone. Of many that seal at once, all write the same. An entry that was added and not sealed, because
//! its Worker died in between, is sealed by the next that is added or read.

use protocol::audit::{Actor, ActorKind, Chain, Draft, Entry, Head};
use serde::Deserialize;
use session_hub::call::AuditWanted;
use worker::{D1PreparedStatement, console_error};

use super::{Db, Param, changed};
use crate::error::Error;

/// Entries sealed in one go: with what reads them, fewer statements than the 50 that D1 grants a request of the free plan.
const SEAL_MAX: u64 = 20;
/// Entries read in one go, as many as a hub gives: 1,000 of some 500 bytes are half a megabyte.
pub const READ_MAX: u64 = session_hub::limits::AUDIT_READ_MAX;

/// An entry as it is kept.
#[derive(Deserialize)]
struct Row {
    seq: u64,
    at_ms: u64,
    actor_kind: String,
    actor: String,
    actor_name: String,
    via: String,
    action: String,
    target: String,
    detail: String,
    prev: String,
    hash: String,
}

impl Row {
    fn entry(self) -> Result<Entry, Error> {
        let unreadable = || Error::internal(format!("entry {} of the audit log cannot be read", self.seq));
        let kind = ActorKind::from_word(&self.actor_kind).ok_or_else(unreadable)?;
        let detail = serde_json::from_str(&self.detail).map_err(|_| unreadable())?;
        Ok(Entry {
            chain: Chain::Deployment,
            seq: self.seq,
            at_ms: self.at_ms,
            actor: Actor { kind, id: self.actor, name: self.actor_name },
            via: self.via,
            action: self.action,
            target: self.target,
            detail,
            prev: self.prev,
            hash: self.hash,
        })
    }
}

/// An entry on its way into the table.
pub(super) struct Drafted {
    draft: Draft,
    detail: String,
}

impl Drafted {
    pub(super) fn new(draft: Draft) -> Result<Drafted, Error> {
        let draft = draft.bounded();
        Ok(Drafted { detail: serde_json::to_string(&draft.detail)?, draft })
    }

    /// Its columns from at_ms to detail, in the table's order.
    pub(super) fn params(&self) -> [Param<'_>; 8] {
        [
            Param::Number(self.draft.at_ms),
            Param::Text(self.draft.actor.kind.word()),
            Param::Text(&self.draft.actor.id),
            Param::Text(&self.draft.actor.name),
            Param::Text(self.draft.via.word()),
            Param::Text(self.draft.action.word()),
            Param::Text(&self.draft.target),
            Param::Text(&self.detail),
        ]
    }
}

impl Db {
    /// Adds an entry. Once this returns, it is there for good.
    pub async fn append_audit(&self, draft: Draft) -> Result<(), Error> {
        let drafted = Drafted::new(draft)?;
        let insert = self.prepare(
            "INSERT INTO audit (at_ms, actor_kind, actor, actor_name, via, action, target, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &drafted.params(),
        )?;
        self.do_audited(insert, Vec::new()).await?;
        Ok(())
    }

    /// Adds an entry and does what it tells of, both or nothing. Whether there is anything to do, the statement of the entry
    /// asks for itself, and as the deeds do. Returns how many rows the last deed changed, 0 without one.
    pub(super) async fn do_audited(
        &self,
        entry: D1PreparedStatement,
        deeds: Vec<D1PreparedStatement>,
    ) -> Result<usize, Error> {
        let mut statements = vec![entry];
        statements.extend(deeds);
        let last = statements.len() - 1;
        statements.push(self.unsealed()?);
        let answers = self.batch(statements).await?;
        let tail = answers.last().map(|answer| answer.results::<Row>()).transpose()?.unwrap_or_default();
        if let Err(error) = self.seal(tail).await {
            // The entry itself is written: whoever adds or reads the next one seals it too.
            console_error!("{}", serde_json::json!({ "event": "audit_unsealed", "detail": error.detail }));
        }
        if last == 0 { Ok(0) } else { changed(answers.get(last)) }
    }

    /// The newest entry of the chain.
    pub async fn audit_head(&self) -> Result<Head, Error> {
        self.seal_all().await?;
        let row: Option<Head> =
            self.first("SELECT seq, hash FROM audit WHERE hash <> '' ORDER BY seq DESC LIMIT 1", &[]).await?;
        Ok(row.unwrap_or_default())
    }

    /// Entries from this number on, oldest first.
    pub async fn audit_from(&self, seq: u64, limit: u64) -> Result<Vec<Entry>, Error> {
        self.seal_all().await?;
        let rows: Vec<Row> = self
            .all(
                "SELECT seq, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash FROM audit
                 WHERE seq >= ?1 AND hash <> '' ORDER BY seq LIMIT ?2",
                &[Param::Number(seq), Param::Number(limit.min(READ_MAX))],
            )
            .await?;
        rows.into_iter().map(Row::entry).collect()
    }

    /// Entries that a page asks for, newest first.
    pub async fn audit_page(&self, wanted: &AuditWanted, limit: u64) -> Result<Vec<Entry>, Error> {
        self.seal_all().await?;
        let rows: Vec<Row> = self
            .all(
                "SELECT seq, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash FROM audit
                 WHERE (?1 = 0 OR seq < ?1) AND (?2 = '' OR actor = ?2 OR instr(lower(actor_name), lower(?2)) > 0)
                 AND (?3 = '' OR action = ?3) AND at_ms >= ?4 AND (?5 = 0 OR at_ms < ?5) AND hash <> ''
                 ORDER BY seq DESC LIMIT ?6",
                &[
                    Param::Number(wanted.before),
                    Param::Text(&wanted.actor),
                    Param::Text(&wanted.action),
                    Param::Number(wanted.since_ms),
                    Param::Number(wanted.until_ms),
                    Param::Number(limit.min(READ_MAX)),
                ],
            )
            .await?;
        rows.into_iter().map(Row::entry).collect()
    }

    /// The newest sealed entry and those that follow it.
    fn unsealed(&self) -> Result<D1PreparedStatement, Error> {
        self.prepare(
            "SELECT seq, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash FROM audit
             WHERE seq >= coalesce((SELECT seq FROM audit WHERE hash <> '' ORDER BY seq DESC LIMIT 1), 0)
             ORDER BY seq LIMIT ?1",
            &[Param::Number(SEAL_MAX + 1)],
        )
    }

    async fn seal_all(&self) -> Result<(), Error> {
        loop {
            let tail: Vec<Row> = self.unsealed()?.all().await.and_then(|result| result.results())?;
            let is_last = tail.len() as u64 <= SEAL_MAX;
            self.seal(tail).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Links entries that are not sealed to the one before them.
    async fn seal(&self, tail: Vec<Row>) -> Result<(), Error> {
        let mut head = Head::default();
        let mut statements = Vec::new();
        for row in tail {
            let is_sealed = !row.hash.is_empty();
            let entry = row.entry()?;
            if is_sealed {
                head = entry.head();
                continue;
            }
            let entry = entry.sealed(&head);
            statements.push(self.prepare(
                "UPDATE audit SET prev = ?2, hash = ?3 WHERE seq = ?1 AND hash = ''",
                &[Param::Number(entry.seq), Param::Text(&entry.prev), Param::Text(&entry.hash)],
            )?);
            head = entry.head();
        }
        if !statements.is_empty() {
            self.batch(statements).await?;
        }
        Ok(())
    }
}
