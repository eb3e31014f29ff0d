//! The codes of `muster login`: one that the program keeps, one that a person types. RFC 8628, section 6.1.
//!
//! A user code has 8 letters of 20: 2.56e10 codes. At most [`OPEN_MAX`] requests wait at a time and a person may try
//! [`ATTEMPTS_MAX`] wrong codes in the life of one, so a person who does nothing else for a day, while the hub is as full as
//! it gets, hits another's request with a chance of 10 * 144 * 1000 / 2.56e10, below 1 in 17,000; with one request
//! waiting, below 1 in 17 million. What they would win is that another's program works for them, and it says for whom.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::random;

/// Life of a request: long enough to find a browser and sign in.
pub const LIFE_S: u64 = 10 * 60;
/// How far apart polls are, as RFC 8628 proposes.
pub const INTERVAL_S: u64 = 5;
/// What a program that polls too soon must wait longer from then on: RFC 8628, section 3.5.
pub const SLOWER_S: u64 = 5;
/// Requests that wait at a time, in the whole hub.
pub const OPEN_MAX: u64 = 1000;
/// ... and from one network, as the brake counts them, so that one household cannot use up the hub's.
pub const OPEN_PER_NETWORK_MAX: u64 = 20;
/// Wrong codes of one person in [`ATTEMPTS_MS`].
pub const ATTEMPTS_MAX: u64 = 10;
/// See [`ATTEMPTS_MAX`].
pub const ATTEMPTS_MS: u64 = LIFE_S * 1000;

/// No vowel, so no word; nothing that looks like something else.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTERS: usize = 8;
const DEVICE_CODE_CHARS: usize = 43;
/// Longest text that is looked at as a code: its letters with generous white space.
const TYPED_BYTES_MAX: usize = 64;

/// The largest multiple of the alphabet's size in a byte: what is above would make some letters likelier.
const FAIR_BELOW: u8 = 240;

/// A code for the program.
pub fn mint_device_code() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?))
}

/// Whether the text could be a device code.
pub fn is_device_code(text: &str) -> bool {
    text.len() == DEVICE_CODE_CHARS && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// A code that a person types, as [`UserCode`] keeps it.
pub fn mint_user_code() -> Result<UserCode, Error> {
    let mut letters = String::with_capacity(LETTERS);
    // 64 bytes hold fewer than 8 fair ones about never; then there is simply another round.
    while letters.len() < LETTERS {
        let bytes = random::bytes::<64>()?;
        letters.extend(fair(&bytes).take(LETTERS - letters.len()));
    }
    Ok(UserCode(letters))
}

fn fair(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes
        .iter()
        .filter(|byte| **byte < FAIR_BELOW)
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|letter| char::from(*letter))
}

/// Eight letters of the alphabet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Reads what a person typed: any case, with or without dashes and spaces. What could be no code is `None`, and costs
    /// no attempt.
    pub fn parse(text: &str) -> Option<UserCode> {
        if text.len() > TYPED_BYTES_MAX {
            return None;
        }
        let letters: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
        let fits = letters.len() == LETTERS && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        fits.then_some(UserCode(letters))
    }

    /// Its letters alone: what is hashed.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, second) = self.0.split_at_checked(LETTERS / 2).unwrap_or((&self.0, ""));
        write!(f, "{first}-{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        assert_eq!((code.letters(), code.to_string().as_str()), ("WDJBMJHT", "WDJB-MJHT"));
        for text in ["wdjbmjht", " wdjb mjht ", "W-D-J-B-M-J-H-T", "WDJB\u{a0}MJHT"] {
            assert_eq!(UserCode::parse(text).as_ref(), Some(&code), "{text}");
        }
        for text in ["", "WDJB-MJH", "WDJB-MJHTT", "ADJB-MJHT", "WDJB-MJH1", "WDJB_MJHT", &"x".repeat(10_000), "ÄÄÄÄ"]
        {
            assert_eq!(UserCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn minted_codes_are_read_back_and_differ() {
        let (one, other) = (mint_user_code().unwrap(), mint_user_code().unwrap());
        assert_eq!(UserCode::parse(&one.to_string()), Some(one.clone()));
        assert_ne!(one, other);
        assert!(is_device_code(&mint_device_code().unwrap()));
        for text in ["", "short", &"x".repeat(44), &"!".repeat(43)] {
            assert!(!is_device_code(text), "{text}");
        }
    }

    #[test]
    fn every_letter_is_as_likely_as_any_other() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let letters: Vec<char> = fair(&all).collect();
        for letter in ALPHABET {
            let count = letters.iter().filter(|each| **each == char::from(*letter)).count();
            assert_eq!(count, usize::from(FAIR_BELOW) / ALPHABET.len(), "{letter}");
        }
    }
}
