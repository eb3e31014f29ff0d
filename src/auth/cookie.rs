//! The sign-in cookie: its names, its attributes, and reading it. Lookup and limits are in [`crate::store::sign_ins`].
//!
//! Over https the name carries `__Host-`, which makes browsers refuse it from other hosts and without Secure. A local hub
//! speaks plain http on a loopback address, where neither is possible.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::random;

/// Absolute life of a sign-in: 60 days.
pub const ABSOLUTE_MS: u64 = 60 * DAY_MS;
/// A sign-in that was not used for this long has ended: 14 days.
pub const IDLE_MS: u64 = 14 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const PLAIN_NAME: &str = "muster_sign_in";
const HOST_NAME: &str = "__Host-muster_sign_in";

/// A fresh cookie value of 256 random bits.
pub fn mint() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?))
}

/// The sign-in cookie of a `Cookie` header.
pub fn sign_in(header: &str, is_https: bool) -> Option<&str> {
    value(header, name(is_https)).filter(|value| value.len() == 43)
}

/// The value of a cookie.
pub fn value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// `Set-Cookie` that signs in.
pub fn set(value: &str, is_https: bool) -> String {
    line(name(is_https), value, (ABSOLUTE_MS / 1000) as u32, is_https)
}

/// `Set-Cookie` that signs out.
pub fn clear(is_https: bool) -> String {
    line(name(is_https), "", 0, is_https)
}

/// A cookie that scripts cannot read, for the whole hub.
pub fn line(name: &str, value: &str, max_age_s: u32, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}")
}

fn name(is_https: bool) -> &'static str {
    if is_https { HOST_NAME } else { PLAIN_NAME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_back() {
        for is_https in [false, true] {
            let minted = mint().unwrap();
            let set = set(&minted, is_https);
            let pair = set.split(';').next().unwrap();
            assert_eq!(sign_in(&format!("a=b; {pair}; c=d"), is_https), Some(minted.as_str()));
            assert_eq!(sign_in(pair, !is_https), None, "the name of the other scheme counts for nothing");
            assert_eq!(set.contains("Secure"), is_https);
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"));
        }
    }

    #[test]
    fn odd_headers_are_no_cookie() {
        for header in ["", ";;;", "muster_sign_in", "muster_sign_in=", "muster_sign_in=short", "xmuster_sign_in=abc"] {
            assert_eq!(sign_in(header, false), None, "{header}");
        }
    }

    #[test]
    fn two_sign_ins_never_share_a_value() {
        assert_ne!(mint().unwrap(), mint().unwrap());
    }
}
