//! Named keys of a deployment's secret: one is current, older ones still count while they are rotated out. Used to sign JWTs
//! and to seal what must be readable again.
//!
//! The secret's form is `{"current": "<kid>", "keys": {"<kid>": "<base64url of 32 bytes or more>"}}`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::error::Error;

/// Shortest key, in bytes: the size of the hash.
const KEY_BYTES_MIN: usize = 32;

/// The keys, and which of them is current.
#[derive(Clone)]
pub struct KeyRing {
    current: String,
    keys: BTreeMap<String, Vec<u8>>,
}

impl KeyRing {
    /// The keys of a secret of this name.
    pub fn from_secret(name: &str, text: &str) -> Result<KeyRing, Error> {
        #[derive(Deserialize)]
        struct Secret {
            current: String,
            keys: BTreeMap<String, String>,
        }
        let secret: Secret =
            serde_json::from_str(text).map_err(|_| Error::internal(format!("{name} is not of its form")))?;
        KeyRing::from_text(secret.current, secret.keys)
    }

    /// Keys as base64url, by name.
    pub fn from_text(current: String, keys: BTreeMap<String, String>) -> Result<KeyRing, Error> {
        let mut decoded = BTreeMap::new();
        for (kid, key) in keys {
            match URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')) {
                Ok(key) if key.len() >= KEY_BYTES_MIN => decoded.insert(kid, key),
                Ok(_) | Err(_) => return Err(Error::internal(format!("key {kid:?} is not 32 bytes of base64url"))),
            };
        }
        if !decoded.contains_key(&current) {
            return Err(Error::internal("the current key is missing"));
        }
        Ok(KeyRing { current, keys: decoded })
    }

    /// One key.
    pub fn single(kid: &str, key: Vec<u8>) -> KeyRing {
        KeyRing { current: kid.to_owned(), keys: [(kid.to_owned(), key)].into() }
    }

    /// The current key and its name.
    pub fn current(&self) -> Result<(&str, &[u8]), Error> {
        let key = self.get(&self.current).ok_or_else(|| Error::internal("the current key is missing"))?;
        Ok((&self.current, key))
    }

    /// The key of this name, current or not.
    pub fn get(&self, kid: &str) -> Option<&[u8]> {
        self.keys.get(kid).map(Vec::as_slice)
    }
}
