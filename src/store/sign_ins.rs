//! Sign-ins of browsers.

use serde::{Deserialize, Serialize};

use super::people::PersonRow;
use super::{Db, Param};
use crate::auth::cookie::{ABSOLUTE_MS, IDLE_MS};
use crate::auth::secret;
use crate::error::Error;

/// A sign-in is marked as seen at most this often, so that looking at pages writes next to nothing.
const SEEN_EVERY_MS: u64 = 60 * 60 * 1000;
/// Most characters kept of what a browser calls itself.
const AGENT_CHARS_MAX: usize = 200;
/// A live sign-in and whose it is.
#[derive(Clone, Debug)]
pub struct SignInRow {
    /// Its number.
    pub id: u64,
    /// When it ends, if nobody uses it from now on.
    pub ends_ms: u64,
    /// Whose.
    pub person: PersonRow,
}

/// A sign-in as its owner sees it in a list.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SignInEntry {
    /// Its number.
    pub id: u64,
    /// What the browser calls itself.
    pub agent: String,
    /// When it began.
    pub created_ms: u64,
    /// When it was last used, to the hour.
    pub seen_ms: u64,
}

impl Db {
    /// A new sign-in, by the hash of its cookie. Ended ones of the same person are swept out.
    pub async fn add_sign_in(&self, person: u64, cookie: &str, agent: &str, now_ms: u64) -> Result<(), Error> {
        let agent: String = agent.chars().filter(|char| !char.is_control()).take(AGENT_CHARS_MAX).collect();
        self.run(
            "INSERT INTO sign_ins (person, cookie_hash, agent, created_ms, seen_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
            &[Param::Number(person), Param::Text(&secret::hash(cookie)), Param::Text(&agent), Param::Number(now_ms)],
        )
        .await?;
        self.run(
            "DELETE FROM sign_ins WHERE person = ?1 AND (created_ms <= ?2 OR seen_ms <= ?3)",
            &[Param::Number(person), Param::Number(oldest_created(now_ms)), Param::Number(oldest_seen(now_ms))],
        )
        .await?;
        Ok(())
    }

    /// The live sign-in of a cookie: neither idle nor absolute limit has passed, and the person is in.
    pub async fn sign_in(&self, cookie: &str, now_ms: u64) -> Result<Option<SignInRow>, Error> {
        #[derive(Deserialize)]
        struct Row {
            id: u64,
            created_ms: u64,
            seen_ms: u64,
            #[serde(flatten)]
            person: PersonRow,
        }
        let row: Option<Row> = self
            .first(
                "SELECT s.id, s.created_ms, s.seen_ms, p.id AS person, p.name AS person_name, p.role,
                     CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                     p.recheck_ms, p.doubt
                 FROM sign_ins s JOIN people p ON p.id = s.person
                 WHERE s.cookie_hash = ?1 AND s.created_ms > ?2 AND s.seen_ms > ?3 AND p.lost_ms = 0",
                &[
                    Param::Text(&secret::hash(cookie)),
                    Param::Number(oldest_created(now_ms)),
                    Param::Number(oldest_seen(now_ms)),
                ],
            )
            .await?;
        if let Some(row) = &row
            && row.seen_ms + SEEN_EVERY_MS < now_ms
        {
            self.run("UPDATE sign_ins SET seen_ms = ?2 WHERE id = ?1", &[Param::Number(row.id), Param::Number(now_ms)])
                .await?;
        }
        let ends_ms = |row: &Row| (row.created_ms + ABSOLUTE_MS).min(row.seen_ms + IDLE_MS);
        Ok(row.map(|row| SignInRow { id: row.id, ends_ms: ends_ms(&row), person: row.person }))
    }

    /// A person's live sign-ins, newest first.
    pub async fn sign_ins(&self, person: u64, now_ms: u64) -> Result<Vec<SignInEntry>, Error> {
        self.all(
            "SELECT id, agent, created_ms, seen_ms FROM sign_ins
             WHERE person = ?1 AND created_ms > ?2 AND seen_ms > ?3 ORDER BY id DESC",
            &[Param::Number(person), Param::Number(oldest_created(now_ms)), Param::Number(oldest_seen(now_ms))],
        )
        .await
    }

    /// Ends all sign-ins of this person but one; `but` 0: all.
    pub async fn end_sign_ins(&self, person: u64, but: u64) -> Result<(), Error> {
        self.run("DELETE FROM sign_ins WHERE person = ?1 AND id <> ?2", &[Param::Number(person), Param::Number(but)])
            .await?;
        Ok(())
    }

    /// Ends a sign-in of this person. True if it was there.
    pub async fn end_sign_in(&self, person: u64, id: u64) -> Result<bool, Error> {
        let changed = self
            .run("DELETE FROM sign_ins WHERE id = ?1 AND person = ?2", &[Param::Number(id), Param::Number(person)])
            .await?;
        Ok(changed > 0)
    }
}

fn oldest_created(now_ms: u64) -> u64 {
    now_ms.saturating_sub(ABSOLUTE_MS)
}

fn oldest_seen(now_ms: u64) -> u64 {
    now_ms.saturating_sub(IDLE_MS)
}
