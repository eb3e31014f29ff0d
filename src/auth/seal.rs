//! Sealing what must be read again: GitHub's tokens at rest. AES-256-GCM; each text is bound to what it is for, so that one
//! row's text is worth nothing in another.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::keyring::KeyRing;
use crate::error::Error;
use crate::random;

const NONCE_BYTES: usize = 12;

/// A sealed text, and the name of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key.
    pub kid: String,
    /// base64url of nonce and ciphertext.
    pub text: String,
}

/// Seals `secret` with the current key. `purpose` has to be said again to open it.
pub fn seal(keys: &KeyRing, purpose: &str, secret: &str) -> Result<Sealed, Error> {
    let (kid, key) = keys.current()?;
    let nonce: [u8; NONCE_BYTES] = random::bytes()?;
    let payload = Payload { msg: secret.as_bytes(), aad: purpose.as_bytes() };
    let sealed = cipher(key).encrypt(Nonce::from_slice(&nonce), payload);
    let sealed = sealed.map_err(|_| Error::internal("a secret could not be sealed"))?;
    let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
    Ok(Sealed { kid: kid.to_owned(), text })
}

/// The secret again; `None` when its key is gone, or the text is not what was sealed for this purpose.
pub fn open(keys: &KeyRing, purpose: &str, sealed: &Sealed) -> Option<String> {
    let key = keys.get(&sealed.kid)?;
    let bytes = URL_SAFE_NO_PAD.decode(&sealed.text).ok()?;
    let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES)?;
    let payload = Payload { msg: ciphertext, aad: purpose.as_bytes() };
    String::from_utf8(cipher(key).decrypt(Nonce::from_slice(nonce), payload).ok()?).ok()
}

/// Keys may be longer than the cipher's: all of them are hashed to its size.
fn cipher(key: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&Sha256::digest(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(current: &str, kids: &[&str]) -> KeyRing {
        let keys = kids.iter().map(|kid| ((*kid).to_owned(), URL_SAFE_NO_PAD.encode([kid.as_bytes()[0]; 32])));
        KeyRing::from_text(current.to_owned(), keys.collect()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_alone() {
        let keys = ring("a", &["a"]);
        let sealed = seal(&keys, "access 7", "ghu_secret").unwrap();
        assert!(!sealed.text.contains("ghu"));
        assert_eq!(open(&keys, "access 7", &sealed).as_deref(), Some("ghu_secret"));
        assert_eq!(open(&keys, "access 8", &sealed), None);
        let mut changed = sealed.clone();
        changed.text.replace_range(20..21, if &sealed.text[20..21] == "A" { "B" } else { "A" });
        assert_eq!(open(&keys, "access 7", &changed), None);
        for wrong in ["", "short", "not base64 !"] {
            assert_eq!(open(&keys, "access 7", &Sealed { text: wrong.into(), ..sealed.clone() }), None);
        }
    }

    #[test]
    fn a_key_that_is_rotated_out_still_opens_until_it_is_gone() {
        let sealed = seal(&ring("a", &["a"]), "p", "secret").unwrap();
        assert_eq!(open(&ring("b", &["a", "b"]), "p", &sealed).as_deref(), Some("secret"));
        assert_eq!(open(&ring("b", &["b"]), "p", &sealed), None);
        assert_eq!(seal(&ring("b", &["a", "b"]), "p", "secret").unwrap().kid, "b");
    }

    #[test]
    fn the_same_secret_never_seals_to_the_same_text() {
        let keys = ring("a", &["a"]);
        assert_ne!(seal(&keys, "p", "s").unwrap(), seal(&keys, "p", "s").unwrap());
    }
}
