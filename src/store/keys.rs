//! Keys that sign JWTs, for deployments that set none: made once, by whoever needs one first.

use serde::Deserialize;

use super::{Db, Param};
use crate::error::Error;

/// A key as it is kept: base64url.
#[derive(Clone, Debug, Deserialize)]
pub struct KeyRow {
    /// Names the key in a JWT's header.
    pub kid: String,
    /// The key.
    pub key: String,
}

impl Db {
    /// All keys, newest first.
    pub async fn signing_keys(&self) -> Result<Vec<KeyRow>, Error> {
        self.all("SELECT kid, key FROM signing_keys ORDER BY created_ms DESC, kid", &[]).await
    }

    /// Keeps this key if there is none yet: of two that come at once, one stays.
    pub async fn add_first_signing_key(&self, kid: &str, key: &str, now_ms: u64) -> Result<(), Error> {
        self.run(
            "INSERT INTO signing_keys (kid, key, created_ms) SELECT ?1, ?2, ?3
             WHERE NOT EXISTS (SELECT 1 FROM signing_keys)",
            &[Param::Text(kid), Param::Text(key), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
    }
}
