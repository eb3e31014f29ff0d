//! Short-lived JWTs: what a token is exchanged for, and what opens `/ws/connect`.
//!
//! One algorithm (HS256), one audience, a `typ` claim for each use, five minutes. Keys are named by `kid`; while a key is
//! rotated, two are alive: the current one signs, both verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::prelude::*;
use serde::{Deserialize, Serialize};

use super::keyring::KeyRing;
use super::token::Scope;
use crate::config::Config;
use crate::error::Error;
use crate::random;
use crate::store::Db;

/// Life of a JWT: long enough for a slow handshake, short enough that a leaked one is soon worth nothing.
pub const LIFE_MS: u64 = 5 * 60 * 1000;
/// The only audience.
const AUDIENCE: &str = "muster/ws";

/// What a JWT says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Which door it opens.
    aud: String,
    /// As what.
    pub typ: Scope,
    /// The token's id.
    pub sub: String,
    /// Whose hub: the owner's number.
    pub hub: u64,
}

impl Pass {
    /// What a token of this scope and owner is exchanged for.
    pub fn new(typ: Scope, token: &str, owner: u64) -> Pass {
        Pass { aud: AUDIENCE.to_owned(), typ, sub: token.to_owned(), hub: owner }
    }
}

/// The keys, and which of them signs.
pub struct Keys(KeyRing);

impl Keys {
    /// The keys of the deployment's secret, or else those of the database, where the first is made on first use.
    pub async fn load(config: &Config, db: &Db, now_ms: u64) -> Result<Keys, Error> {
        if let Some(text) = &config.jwt_keys {
            return KeyRing::from_secret("MUSTER_JWT_KEYS", text).map(Keys);
        }
        let mut rows = db.signing_keys().await?;
        if rows.is_empty() {
            let key = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
            db.add_first_signing_key(&random::hex::<4>()?, &key, now_ms).await?;
            rows = db.signing_keys().await?;
        }
        let current = rows.first().map(|row| row.kid.clone()).unwrap_or_default();
        KeyRing::from_text(current, rows.into_iter().map(|row| (row.kid, row.key)).collect()).map(Keys)
    }

    /// A JWT for this pass; and when it ends.
    pub fn sign(&self, pass: Pass, now_ms: u64) -> Result<(String, u64), Error> {
        let (kid, key) = self.0.current()?;
        let header = Header::empty().with_key_id(kid);
        // JWTs count in seconds.
        let expires_s = (now_ms + LIFE_MS) / 1000;
        let mut claims = Claims::new(pass);
        claims.issued_at = DateTime::from_timestamp((now_ms / 1000) as i64, 0);
        claims.expiration = DateTime::from_timestamp(expires_s as i64, 0);
        let jwt = Hs256
            .token(&header, &claims, &Hs256Key::new(key))
            .map_err(|error| Error::internal(format!("JWT: {error}")))?;
        Ok((jwt, expires_s * 1000))
    }

    /// The pass of a JWT that one of the keys signed and that has not ended. Why not stays in the log.
    pub fn verify(&self, jwt: &str, now_ms: u64) -> Result<Pass, Error> {
        let refused =
            |why: String| Error::unauthorized("The pass is not valid: exchange the token again.").with_detail(why);
        let untrusted = UntrustedToken::new(jwt).map_err(|error| refused(error.to_string()))?;
        let kid = untrusted.header().key_id.as_deref().unwrap_or_default();
        let key = self.key(kid).ok_or_else(|| refused("unknown kid".to_owned()))?;
        let token = Hs256.validator::<Pass>(&key).validate(&untrusted).map_err(|error| refused(error.to_string()))?;
        let claims = token.claims();
        let expires_ms = claims.expiration.map_or(0, |at| u64::try_from(at.timestamp_millis()).unwrap_or(0));
        if expires_ms <= now_ms {
            return Err(refused("expired".to_owned()));
        }
        if claims.custom.aud != AUDIENCE {
            return Err(refused("another audience".to_owned()));
        }
        Ok(claims.custom.clone())
    }

    fn key(&self, kid: &str) -> Option<Hs256Key> {
        self.0.get(kid).map(Hs256Key::new)
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
