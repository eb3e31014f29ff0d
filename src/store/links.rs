//! One-time links: which were used.

use super::{Db, Param};
use crate::auth::secret;
use crate::error::Error;

impl Db {
    /// Marks a link as used. True for exactly one caller, however many come at once: the insert decides.
    pub async fn use_link(&self, nonce: &str, expires_ms: u64, now_ms: u64) -> Result<bool, Error> {
        let inserted = self
            .run(
                "INSERT INTO used_links (nonce_hash, expires_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                &[Param::Text(&secret::hash(nonce)), Param::Number(expires_ms)],
            )
            .await?;
        // An expired link is refused by its own date, so its row is of no more use.
        self.run("DELETE FROM used_links WHERE expires_ms < ?1", &[Param::Number(now_ms)]).await?;
        Ok(inserted == 1)
    }
}
