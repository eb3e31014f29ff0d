//! The one-time link of a hub that was started on this machine: `GET /auth/local?link=<payload>.<signature>`.
//!
//! The payload is base64url of `{"nonce", "exp"}`, signed with HMAC-SHA256 under `MUSTER_LOCAL_SECRET`, which only the
//! program that started the hub shares. A hub without the secret, or asked by another name than a loopback address, answers
//! as if the page did not exist. A link signs in once; looking at it (HEAD, prefetch) uses nothing up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use worker::Response;

use super::{allowance, back, return_path, secret, sign_in};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::store::Db;

/// Longest link that is looked at, in bytes: a nonce of 64 and a date fit ten times.
const LINK_BYTES_MAX: usize = 1024;
/// Shortest and longest nonce, in characters.
const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Link {
    nonce: String,
    /// Unix seconds.
    exp: u64,
}

/// Why a link does not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    NotALink,
    Expired,
}

/// Signs in.
pub async fn open(visit: Visit) -> Result<Response, Error> {
    if is_speculative(&visit) {
        return Err(Error::forbidden("This link signs in once, so it is not opened ahead of time."));
    }
    allowance::check(&visit, &allowance::SIGN_IN).await?;
    match arrive(&visit).await {
        Err(error) if error.kind == Kind::Unauthorized => {
            sign_in::refused(&visit, "link", &error.message).await?;
            Err(error)
        }
        answer => answer,
    }
}

async fn arrive(visit: &Visit) -> Result<Response, Error> {
    let link = link_of(visit)?;
    let db = Db::open(&visit.env)?;
    if !db.use_link(&link.nonce, link.exp.saturating_mul(1000), visit.now_ms).await? {
        return Err(gone("This sign-in link was already used."));
    }
    let person = db.save_local_person(&visit.config.local_name, visit.now_ms).await?;
    let cookie = sign_in::begin(visit, &db, (person, &visit.config.local_name), "link").await?;
    let back = back::remembered(&visit.header("cookie").unwrap_or_default());
    let response = http::see_other(back.as_deref().unwrap_or(return_path::HOME))?;
    response.headers().set("Set-Cookie", &cookie)?;
    if back.is_some() {
        response.headers().append("Set-Cookie", &back::forget(visit.is_https()))?;
    }
    Ok(response)
}

/// Answers as [`open`] would begin to, and changes nothing.
pub async fn look(visit: Visit) -> Result<Response, Error> {
    link_of(&visit)?;
    Ok(Response::empty()?)
}

fn link_of(visit: &Visit) -> Result<Link, Error> {
    let secret = visit.config.local_secret.as_deref().ok_or_else(|| Error::not_found("page"))?;
    let text = visit.query("link").unwrap_or_default();
    parse(&text, secret, visit.now_ms).map_err(|refused| match refused {
        Refused::NotALink => gone("This is not a whole sign-in link."),
        Refused::Expired => gone("This sign-in link has expired."),
    })
}

fn gone(what: &str) -> Error {
    Error::new(
        Kind::Unauthorized,
        format!("{what} Run \"npm run link\" beside the running hub for a new one, or \"npm start\" again."),
    )
}

fn parse(text: &str, secret: &str, now_ms: u64) -> Result<Link, Refused> {
    if text.len() > LINK_BYTES_MAX {
        return Err(Refused::NotALink);
    }
    let (payload, signature) = text.split_once('.').ok_or(Refused::NotALink)?;
    if !secret::is_signed(secret.as_bytes(), payload, signature) {
        return Err(Refused::NotALink);
    }
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Refused::NotALink)?;
    let link: Link = serde_json::from_slice(&json).map_err(|_| Refused::NotALink)?;
    if !NONCE_CHARS.contains(&link.nonce.chars().count()) {
        return Err(Refused::NotALink);
    }
    if link.exp.saturating_mul(1000) <= now_ms {
        return Err(Refused::Expired);
    }
    Ok(link)
}

fn is_speculative(visit: &Visit) -> bool {
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| visit.header(name).is_some_and(|value| value.contains("prefetch")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of the starter";
    const NOW_MS: u64 = 1_800_000_000_000;

    fn link(json: &str, secret: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(json);
        let signature = secret::sign(secret.as_bytes(), &payload);
        format!("{payload}.{signature}")
    }

    #[test]
    fn a_signed_link_is_read_until_it_expires() {
        let text = link(r#"{"nonce":"0123456789abcdef","exp":1800000010}"#, SECRET);
        assert_eq!(parse(&text, SECRET, NOW_MS), Ok(Link { nonce: "0123456789abcdef".into(), exp: 1_800_000_010 }));
        assert_eq!(parse(&text, SECRET, NOW_MS + 9_999).map(|_| ()), Ok(()));
        assert_eq!(parse(&text, SECRET, NOW_MS + 10_000), Err(Refused::Expired));
    }

    #[test]
    fn the_form_is_pinned_for_scripts() {
        // The same computed by node's crypto.createHmac over the payload's text.
        let text = link(r#"{"nonce":"0123456789abcdef","exp":1800000010}"#, "s");
        assert!(text.starts_with("eyJub25jZSI6IjAxMjM0NTY3ODlhYmNkZWYiLCJleHAiOjE4MDAwMDAwMTB9."));
    }

    #[test]
    fn anything_else_is_not_a_link() {
        let good = link(r#"{"nonce":"0123456789abcdef","exp":1800000010}"#, SECRET);
        let other = link(r#"{"nonce":"0123456789abcdeX","exp":1800000010}"#, "another secret");
        let (_, good_signature) = good.split_once('.').unwrap();
        let (other_payload, _) = other.split_once('.').unwrap();
        for wrong in [
            "",
            ".",
            "a.b",
            &good[1..],
            &good[..good.len() - 1],
            &other,
            &format!("{other_payload}.{good_signature}"),
            &link("{}", SECRET),
            &link(r#"{"nonce":"short","exp":1800000010}"#, SECRET),
            &link(r#"{"nonce":"0123456789abcdef","exp":-1}"#, SECRET),
            &"x".repeat(LINK_BYTES_MAX + 1),
        ] {
            assert_eq!(parse(wrong, SECRET, NOW_MS), Err(Refused::NotALink), "{wrong}");
        }
    }
}
