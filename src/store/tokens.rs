//! Tokens of runners and command lines. The secret itself is never here, only its hash.

use serde::{Deserialize, Serialize};

use super::people::PersonRow;
use super::{Db, Param};
use crate::auth::secret;
use crate::auth::token::Scope;
use crate::error::Error;

/// A token's use is marked at most this often.
const USED_EVERY_MS: u64 = 60 * 60 * 1000;
/// Longest address that is kept: an IPv6 address has 45 characters at most.
const FROM_CHARS_MAX: usize = 45;
/// Tokens of one person that work.
pub const TOKENS_MAX: u64 = 200;

/// A token that works, and whose it is.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenRow {
    /// Its id; for a runner, the runner's id.
    pub id: String,
    /// Its own name.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// The one session that it is for; 0: none in particular.
    pub session: u64,
    /// When its use was last marked.
    pub used_ms: u64,
    /// When it ends; 0: never.
    pub expires_ms: u64,
    /// Whose.
    #[serde(flatten)]
    pub person: PersonRow,
}

/// A token that is made.
pub struct NewToken<'a> {
    /// Its id.
    pub id: &'a str,
    /// The owner's number.
    pub person: u64,
    /// Its name.
    pub name: &'a str,
    /// What it may be used for.
    pub scope: Scope,
    /// The secret itself, of which the hash is kept.
    pub secret: &'a str,
    /// When it ends; 0: never.
    pub expires_ms: u64,
    /// The one session that it is for; 0: none in particular.
    pub session: u64,
    /// The token that makes it: it ends no later, and is revoked with it. Empty: a person makes it.
    pub maker: &'a str,
}

/// What a token may be used for, by its id.
#[derive(Clone, Debug, Deserialize)]
pub struct ScopeOf {
    /// Its id.
    pub id: String,
    /// Its scope.
    pub scope: Scope,
}

/// A token as its owner sees it in a list.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TokenEntry {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// When it was made.
    pub created_ms: u64,
    /// When it was last used, to the hour; 0: never.
    pub used_ms: u64,
    /// When it was revoked; 0: it was not.
    pub revoked_ms: u64,
    /// When it ends; 0: never.
    pub expires_ms: u64,
    /// The address that it was last used from, as far as it is known.
    pub used_from: String,
    /// The one session that it is for; 0: none in particular.
    pub session: u64,
}

impl Db {
    /// A new token, by the hash of its secret; when it ends, which is no later than its maker does. `None` when the person
    /// has as many as allowed, or the maker works no more.
    pub async fn add_token(&self, token: &NewToken<'_>, now_ms: u64) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Row {
            expires_ms: u64,
        }
        let row: Option<Row> = self
            .first(
                "INSERT INTO tokens (id, person, name, scope, secret_hash, created_ms, expires_ms, session, maker)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6,
                     CASE WHEN coalesce(m.expires_ms, 0) = 0 OR (?8 > 0 AND ?8 < m.expires_ms) THEN ?8 ELSE m.expires_ms END,
                     ?9, ?10
                 FROM (SELECT 1) LEFT JOIN tokens m ON m.id = ?10 AND m.person = ?2
                 WHERE (SELECT count(*) FROM tokens
                        WHERE person = ?2 AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > ?6)) < ?7
                   AND (?10 = '' OR (m.revoked_ms = 0 AND (m.expires_ms = 0 OR m.expires_ms > ?6)))
                 RETURNING expires_ms",
                &[
                    Param::Text(token.id),
                    Param::Number(token.person),
                    Param::Text(token.name),
                    Param::Text(token.scope.word()),
                    Param::Text(&secret::hash(token.secret)),
                    Param::Number(now_ms),
                    Param::Number(TOKENS_MAX),
                    Param::Number(token.expires_ms),
                    Param::Number(token.session),
                    Param::Text(token.maker),
                ],
            )
            .await?;
        Ok(row.map(|row| row.expires_ms))
    }

    /// Whether the person may have another token.
    pub async fn has_room_for_token(&self, person: u64, now_ms: u64) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Row {
            count: u64,
        }
        let row: Option<Row> = self
            .first(
                "SELECT count(*) AS count FROM tokens
                 WHERE person = ?1 AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > ?2)",
                &[Param::Number(person), Param::Number(now_ms)],
            )
            .await?;
        Ok(row.is_none_or(|row| row.count < TOKENS_MAX))
    }

    /// The token with this secret, if it works; its use is marked, with where from.
    pub async fn token_by_secret(&self, token: &str, from: &str, now_ms: u64) -> Result<Option<TokenRow>, Error> {
        let row: Option<TokenRow> = self
            .first(
                "SELECT t.id, t.name, t.scope, t.session, t.used_ms, t.expires_ms, p.id AS person, p.name AS person_name, p.role,
                     CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                     p.recheck_ms, p.doubt
                 FROM tokens t JOIN people p ON p.id = t.person
                 WHERE t.secret_hash = ?1 AND t.revoked_ms = 0 AND (t.expires_ms = 0 OR t.expires_ms > ?2)
                   AND p.lost_ms = 0",
                &[Param::Text(&secret::hash(token)), Param::Number(now_ms)],
            )
            .await?;
        if let Some(row) = &row
            && row.used_ms + USED_EVERY_MS < now_ms
        {
            let from: String = from.chars().take(FROM_CHARS_MAX).collect();
            self.run(
                "UPDATE tokens SET used_ms = ?2, used_from = ?3 WHERE id = ?1",
                &[Param::Text(&row.id), Param::Number(now_ms), Param::Text(&from)],
            )
            .await?;
        }
        Ok(row)
    }

    /// The token with this id, if it works. Whoever is in doubt shows the token itself, which has their access confirmed.
    pub async fn token_by_id(&self, id: &str, now_ms: u64) -> Result<Option<TokenRow>, Error> {
        self.first(
            "SELECT t.id, t.name, t.scope, t.session, t.used_ms, t.expires_ms, p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms, p.doubt
             FROM tokens t JOIN people p ON p.id = t.person
             WHERE t.id = ?1 AND t.revoked_ms = 0 AND (t.expires_ms = 0 OR t.expires_ms > ?2)
               AND p.lost_ms = 0 AND p.doubt = ''",
            &[Param::Text(id), Param::Number(now_ms)],
        )
        .await
    }

    /// A person's tokens, newest first, revoked ones too.
    pub async fn tokens(&self, person: u64) -> Result<Vec<TokenEntry>, Error> {
        self.all(
            "SELECT id, name, scope, created_ms, used_ms, revoked_ms, expires_ms, used_from, session FROM tokens
             WHERE person = ?1 ORDER BY created_ms DESC, id LIMIT ?2",
            &[Param::Number(person), Param::Number(2 * TOKENS_MAX)],
        )
        .await
    }

    /// Another name for a token of this person.
    pub async fn rename_token(&self, person: u64, id: &str, name: &str) -> Result<(), Error> {
        self.run(
            "UPDATE tokens SET name = ?3 WHERE id = ?1 AND person = ?2",
            &[Param::Text(id), Param::Number(person), Param::Text(name)],
        )
        .await?;
        Ok(())
    }

    /// What a token of this person may be used for.
    pub async fn token_scope(&self, person: u64, id: &str) -> Result<Option<Scope>, Error> {
        #[derive(Deserialize)]
        struct Row {
            scope: Scope,
        }
        let row: Option<Row> = self
            .first("SELECT scope FROM tokens WHERE id = ?1 AND person = ?2", &[Param::Text(id), Param::Number(person)])
            .await?;
        Ok(row.map(|row| row.scope))
    }

    /// Revokes a token of this person, and what it made, and what that made. Returns what was revoked with it, itself too;
    /// again changes nothing and returns the same. Empty: there is no such token.
    pub async fn revoke_token(&self, person: u64, id: &str, now_ms: u64) -> Result<Vec<ScopeOf>, Error> {
        let (person, id) = (Param::Number(person), Param::Text(id));
        self.run(
            "UPDATE tokens SET revoked_ms = ?3 WHERE revoked_ms = 0 AND id IN
                 (WITH RECURSIVE made (id) AS (SELECT id FROM tokens WHERE id = ?1 AND person = ?2
                      UNION SELECT t.id FROM tokens t JOIN made ON t.maker = made.id WHERE t.maker <> '' AND t.person = ?2)
                  SELECT id FROM made)",
            &[id, person, Param::Number(now_ms)],
        )
        .await?;
        self.all(
            "SELECT t.id, t.scope FROM tokens t WHERE t.id IN
                 (WITH RECURSIVE made (id) AS (SELECT id FROM tokens WHERE id = ?1 AND person = ?2
                      UNION SELECT t.id FROM tokens t JOIN made ON t.maker = made.id WHERE t.maker <> '' AND t.person = ?2)
                  SELECT id FROM made)
               AND t.revoked_ms = (SELECT revoked_ms FROM tokens WHERE id = ?1)
             ORDER BY t.id <> ?1, t.id",
            &[id, person],
        )
        .await
    }

    /// Revokes the tokens that were for one session alone.
    pub async fn revoke_session_tokens(&self, person: u64, session: u64, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE tokens SET revoked_ms = ?3 WHERE person = ?1 AND session = ?2 AND session <> 0 AND revoked_ms = 0",
            &[Param::Number(person), Param::Number(session), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
    }
}
