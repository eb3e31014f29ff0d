//! Tokens of runners and command lines. The secret itself is never here, only its hash.

use serde::{Deserialize, Serialize};

use super::{Db, Param};
use crate::auth::secret;
use crate::auth::token::Scope;
use crate::error::Error;

/// A token's use is marked at most this often.
const USED_EVERY_MS: u64 = 60 * 60 * 1000;
/// Tokens of one person that are not revoked.
pub const TOKENS_MAX: u64 = 200;

/// A token that is not revoked, and whose it is.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenRow {
    /// Its id; for a runner, the runner's id.
    pub id: String,
    /// The owner's number.
    pub person: u64,
    /// The owner's name.
    pub person_name: String,
    /// Its own name.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// When its use was last marked.
    pub used_ms: u64,
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
    /// When it was revoked; 0: it works.
    pub revoked_ms: u64,
}

impl Db {
    /// A new token, by the hash of its secret. False when the person has as many as allowed.
    pub async fn add_token(
        &self,
        id: &str,
        person: u64,
        name: &str,
        scope: Scope,
        token: &str,
        now_ms: u64,
    ) -> Result<bool, Error> {
        let inserted = self
            .run(
                "INSERT INTO tokens (id, person, name, scope, secret_hash, created_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE (SELECT count(*) FROM tokens WHERE person = ?2 AND revoked_ms = 0) < ?7",
                &[
                    Param::Text(id),
                    Param::Number(person),
                    Param::Text(name),
                    Param::Text(scope.word()),
                    Param::Text(&secret::hash(token)),
                    Param::Number(now_ms),
                    Param::Number(TOKENS_MAX),
                ],
            )
            .await?;
        Ok(inserted > 0)
    }

    /// The token with this secret, unless revoked; its use is marked.
    pub async fn token_by_secret(&self, token: &str, now_ms: u64) -> Result<Option<TokenRow>, Error> {
        let row: Option<TokenRow> = self
            .first(
                "SELECT t.id, t.person, p.name AS person_name, t.name, t.scope, t.used_ms
                 FROM tokens t JOIN people p ON p.id = t.person WHERE t.secret_hash = ?1 AND t.revoked_ms = 0",
                &[Param::Text(&secret::hash(token))],
            )
            .await?;
        if let Some(row) = &row
            && row.used_ms + USED_EVERY_MS < now_ms
        {
            self.run("UPDATE tokens SET used_ms = ?2 WHERE id = ?1", &[Param::Text(&row.id), Param::Number(now_ms)])
                .await?;
        }
        Ok(row)
    }

    /// The token with this id, unless revoked.
    pub async fn token_by_id(&self, id: &str) -> Result<Option<TokenRow>, Error> {
        self.first(
            "SELECT t.id, t.person, p.name AS person_name, t.name, t.scope, t.used_ms
             FROM tokens t JOIN people p ON p.id = t.person WHERE t.id = ?1 AND t.revoked_ms = 0",
            &[Param::Text(id)],
        )
        .await
    }

    /// A person's tokens, newest first, revoked ones too.
    pub async fn tokens(&self, person: u64) -> Result<Vec<TokenEntry>, Error> {
        self.all(
            "SELECT id, name, scope, created_ms, used_ms, revoked_ms FROM tokens
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

    /// Revokes a token of this person; again changes nothing. Its scope, or `None` if there is no such token.
    pub async fn revoke_token(&self, person: u64, id: &str, now_ms: u64) -> Result<Option<Scope>, Error> {
        #[derive(Deserialize)]
        struct Row {
            scope: Scope,
        }
        self.run(
            "UPDATE tokens SET revoked_ms = ?3 WHERE id = ?1 AND person = ?2 AND revoked_ms = 0",
            &[Param::Text(id), Param::Number(person), Param::Number(now_ms)],
        )
        .await?;
        let row: Option<Row> = self
            .first("SELECT scope FROM tokens WHERE id = ?1 AND person = ?2", &[Param::Text(id), Param::Number(person)])
            .await?;
        Ok(row.map(|row| row.scope))
    }
}
