//! Hashing and signing, in the few forms the hub needs. Secrets are compared by the hash's own constant-time check, or
//! never: a lookup by SHA-256 of 256 random bits tells nothing by its timing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::random::to_hex;

/// SHA-256 as lower-case hexadecimal digits: how secrets are kept at rest.
pub fn hash(secret: &str) -> String {
    to_hex(&Sha256::digest(secret.as_bytes()))
}

/// HMAC-SHA256 of `message`, as base64url.
pub fn sign(key: &[u8], message: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(key, message).finalize().into_bytes())
}

/// Whether `signature` is what [`sign`] gives, in constant time.
pub fn is_signed(key: &[u8], message: &str, signature: &str) -> bool {
    URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| mac(key, message).verify_slice(&signature).is_ok())
}

fn mac(key: &[u8], message: &str) -> Hmac<Sha256> {
    // HMAC takes keys of every length: longer ones are hashed first. The error cannot happen, and an all-zero block is
    // what an empty key means too.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(message.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_and_signature_match_published_vectors() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, test case 2.
        let signature = sign(b"Jefe", "what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(to_hex(&URL_SAFE_NO_PAD.decode(&signature).unwrap()), expected);
    }

    #[test]
    fn a_changed_key_message_or_signature_is_refused() {
        let signature = sign(b"key", "message");
        assert!(is_signed(b"key", "message", &signature));
        assert!(!is_signed(b"kez", "message", &signature));
        assert!(!is_signed(b"key", "messagf", &signature));
        assert!(!is_signed(b"key", "message", &signature[1..]));
        assert!(!is_signed(b"key", "message", ""));
        assert!(!is_signed(b"key", "message", "not base64 !"));
    }
}
