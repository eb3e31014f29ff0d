//! Exact counters: how often something was tried within a span of time. One row for each key, gone once its span is over.
//!
//! **Invariant.** Each call of [`Db::count`] gets a number of its own, however many come at once: one statement decides.

use serde::Deserialize;

use super::{Db, Param};
use crate::error::Error;

/// A counter after it was counted up, or as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// How often, within the span.
    pub count: u64,
    /// When the span is over; 0: none has begun.
    pub ends_ms: u64,
}

impl Db {
    /// Counts one more. The first one begins a span of `span_ms`, and sweeps out counters whose span is over.
    pub async fn count(&self, key: &str, span_ms: u64, now_ms: u64) -> Result<Count, Error> {
        let count: Option<Count> = self
            .first(
                "INSERT INTO counts (key, count, ends_ms) VALUES (?1, 1, ?2) ON CONFLICT (key) DO UPDATE SET
                 count = CASE WHEN ends_ms <= ?3 THEN 1 ELSE count + 1 END,
                 ends_ms = CASE WHEN ends_ms <= ?3 THEN excluded.ends_ms ELSE ends_ms END RETURNING count, ends_ms",
                &[Param::Text(key), Param::Number(now_ms + span_ms), Param::Number(now_ms)],
            )
            .await?;
        let count = count.ok_or_else(|| Error::internal("a counter did not say how far it is"))?;
        if count.count == 1 {
            self.run("DELETE FROM counts WHERE ends_ms <= ?1", &[Param::Number(now_ms)]).await?;
        }
        Ok(count)
    }

    /// How far a counter is; it is not moved.
    pub async fn counted(&self, key: &str, now_ms: u64) -> Result<Count, Error> {
        let count: Option<Count> = self
            .first(
                "SELECT count, ends_ms FROM counts WHERE key = ?1 AND ends_ms > ?2",
                &[Param::Text(key), Param::Number(now_ms)],
            )
            .await?;
        Ok(count.unwrap_or_default())
    }

    /// True for the first caller within a span; for all others nothing is written.
    pub async fn claim(&self, key: &str, span_ms: u64, now_ms: u64) -> Result<bool, Error> {
        let claimed = self
            .run(
                "INSERT INTO counts (key, count, ends_ms) VALUES (?1, 1, ?2)
                 ON CONFLICT (key) DO UPDATE SET ends_ms = excluded.ends_ms WHERE ends_ms <= ?3",
                &[Param::Text(key), Param::Number(now_ms + span_ms), Param::Number(now_ms)],
            )
            .await?;
        Ok(claimed > 0)
    }

    /// Gives a claim back: what it was for did not come about.
    pub async fn unclaim(&self, key: &str) -> Result<(), Error> {
        self.run("DELETE FROM counts WHERE key = ?1", &[Param::Text(key)]).await?;
        Ok(())
    }
}
