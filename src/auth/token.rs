//! Tokens: what a runner or a command line proves itself with. Shown once, kept as a hash.
//!
//! `mst_` and base64url of 32 random bytes and their CRC-32: a typo or half a paste is told apart from a revoked token
//! without asking the database, and secret scanners have a prefix to look for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::random;

/// What every token begins with.
pub const PREFIX: &str = "mst_";
const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A runner: `/ws/connect` as a runner, nothing else.
    Runner,
    /// A command line or a script: the JSON API, and `/ws/connect` as a viewer.
    Cli,
    /// A runner in a sandbox that was made for one session: ends with it.
    Session,
    /// A claudecodeui instance: named inside its register message, nothing else.
    #[serde(rename = "claudecodeui")]
    ClaudeCodeUi,
}

impl Scope {
    /// The scope of a word.
    pub fn from_word(word: &str) -> Option<Scope> {
        [Scope::Runner, Scope::Cli, Scope::Session, Scope::ClaudeCodeUi].into_iter().find(|scope| scope.word() == word)
    }

    /// The word in tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Runner => "runner",
            Scope::Cli => "cli",
            Scope::Session => "session",
            Scope::ClaudeCodeUi => "claudecodeui",
        }
    }
}

/// A fresh token.
pub fn mint() -> Result<String, Error> {
    let secret: [u8; SECRET_BYTES] = random::bytes()?;
    Ok(encode(&secret))
}

/// Whether the text is a whole token, right to the last letter; says nothing of whether it is known.
pub fn is_well_formed(token: &str) -> bool {
    let Some(Ok(bytes)) = token.strip_prefix(PREFIX).map(|text| URL_SAFE_NO_PAD.decode(text)) else { return false };
    match bytes.split_at_checked(SECRET_BYTES) {
        Some((secret, check)) => check == crc32(secret).to_be_bytes(),
        None => false,
    }
}

/// The token of an `Authorization` header, if that is what it holds.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, value) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim()).filter(|value| !value.is_empty())
}

fn encode(secret: &[u8; SECRET_BYTES]) -> String {
    let mut bytes = Vec::with_capacity(SECRET_BYTES + CHECK_BYTES);
    bytes.extend_from_slice(secret);
    bytes.extend_from_slice(&crc32(secret).to_be_bytes());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// CRC-32 of IEEE 802.3, bit by bit: 32 bytes once for each token need no table.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (0xedb8_8320 & mask);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_form_is_pinned() {
        // The CRC-32 of 32 zero bytes is 0x190a55ad.
        assert_eq!(encode(&[0; 32]), "mst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt");
    }

    #[test]
    fn every_single_changed_letter_is_noticed() {
        let token = mint().unwrap();
        assert!(is_well_formed(&token));
        for index in 0..token.len() {
            let mut letters: Vec<u8> = token.bytes().collect();
            letters[index] = if letters[index] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&letters).unwrap()), "letter {index}");
        }
        for wrong in ["", "mst_", "mst_AAAA", &token[..token.len() - 1], &token[1..], &format!("{token}A")] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn bearer_takes_the_scheme_in_any_case() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for header in ["", "abc", "Basic abc", "Bearer", "Bearer  "] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }

    #[test]
    fn scopes_are_written_as_their_words() {
        for scope in [Scope::Runner, Scope::Cli, Scope::Session, Scope::ClaudeCodeUi] {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.word());
            assert_eq!(Scope::from_word(scope.word()), Some(scope));
        }
    }
}
