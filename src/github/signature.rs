//! `X-Hub-Signature-256`: proof that GitHub sent a webhook.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Whether `header` is `sha256=` and the HMAC of exactly this body, in constant time.
pub fn is_genuine(secret: &str, body: &[u8], header: &str) -> bool {
    let Some(claimed) = header.strip_prefix("sha256=").and_then(from_hex) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&claimed).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes().chunks_exact(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GitHub's own example for testing an implementation.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_published_example_is_genuine() {
        assert!(is_genuine(SECRET, BODY, SIGNATURE));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(!is_genuine("another", BODY, SIGNATURE));
        assert!(!is_genuine(SECRET, b"Hello, World", SIGNATURE));
        for header in ["", "sha256=", "sha1=757107ea", &SIGNATURE[7..], &SIGNATURE[..70], "sha256=zz", "sha256=ä"] {
            assert!(!is_genuine(SECRET, BODY, header), "{header}");
        }
    }
}
