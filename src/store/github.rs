//! What is kept of GitHub: people's tokens, sealed, and which webhooks were acted upon.

use serde::Deserialize;

use super::{Db, Param};
use crate::auth::seal::Sealed;
use crate::error::Error;

/// Longer than GitHub offers a delivery for redelivery: three days.
const DELIVERY_KEPT_MS: u64 = 4 * 24 * 60 * 60 * 1000;

/// A person's tokens, sealed with one key.
#[derive(Clone, Debug, Deserialize)]
pub struct GitHubTokensRow {
    /// The key.
    pub kid: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// When the access token ends; 0: never.
    pub expires_ms: u64,
}

impl Db {
    /// Keeps a person's tokens in place of older ones.
    pub async fn save_github_tokens(
        &self,
        person: u64,
        access: &Sealed,
        refresh: &Sealed,
        expires_ms: u64,
    ) -> Result<(), Error> {
        self.run(
            "INSERT INTO github_tokens (person, kid, access, refresh, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (person) DO UPDATE SET kid = excluded.kid, access = excluded.access,
                 refresh = excluded.refresh, expires_ms = excluded.expires_ms",
            &[
                Param::Number(person),
                Param::Text(&access.kid),
                Param::Text(&access.text),
                Param::Text(&refresh.text),
                Param::Number(expires_ms),
            ],
        )
        .await?;
        Ok(())
    }

    /// A person's tokens.
    pub async fn github_tokens(&self, person: u64) -> Result<Option<GitHubTokensRow>, Error> {
        self.first(
            "SELECT kid, access, refresh, expires_ms FROM github_tokens WHERE person = ?1",
            &[Param::Number(person)],
        )
        .await
    }

    /// Notes a webhook's delivery. False when it was noted before.
    pub async fn note_delivery(&self, id: &str, now_ms: u64) -> Result<bool, Error> {
        let noted = self
            .run(
                "INSERT INTO webhook_deliveries (id, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                &[Param::Text(id), Param::Number(now_ms)],
            )
            .await?;
        let oldest = now_ms.saturating_sub(DELIVERY_KEPT_MS);
        self.run("DELETE FROM webhook_deliveries WHERE at_ms < ?1", &[Param::Number(oldest)]).await?;
        Ok(noted > 0)
    }

    /// Forgets a delivery that could not be acted upon, so that it may come again.
    pub async fn forget_delivery(&self, id: &str) -> Result<(), Error> {
        self.run("DELETE FROM webhook_deliveries WHERE id = ?1", &[Param::Text(id)]).await?;
        Ok(())
    }
}
