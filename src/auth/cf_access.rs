//! Cloudflare Access: the assertion that it adds to every request it lets through, verified against the team's keys.
//!
//! RS256 only, one audience, one issuer, and a verified email. Keys are fetched from the team's own address and kept in
//! memory; Access rotates them every six weeks and publishes the next beside the current one, so a name that is not known is
//! looked up again, though never more than once a minute.
//!
//! **Invariant.** Nothing of an assertion is believed before its signature was.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Method;

use crate::error::Error;
use crate::outbound::{self, Question};

/// The header that Access adds.
pub const HEADER: &str = "cf-access-jwt-assertion";
/// Keys are fetched again after this long.
const KEYS_KEPT_MS: u64 = 60 * 60 * 1000;
/// An unknown key's name causes one fetch in this long.
const KEYS_AGAIN_MS: u64 = 60 * 1000;
/// Longest assertion that is looked at, in bytes.
const ASSERTION_BYTES_MAX: usize = 16 * 1024;
/// Clocks differ by so much.
const LEEWAY_MS: u64 = 30 * 1000;
/// Keys of a team: the current one, the next and the last.
const KEYS_MAX: usize = 16;

/// The Access application that stands before this hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// `MUSTER_ACCESS_TEAM`: `https://<team>.cloudflareaccess.com`, also the issuer.
    pub team: String,
    /// `MUSTER_ACCESS_AUD`: the application's audience tag.
    pub audience: String,
}

/// A public key as the team publishes it.
#[derive(Clone, Debug, Deserialize)]
struct PublicKey {
    kid: String,
    kty: String,
    n: String,
    e: String,
}

struct Kept {
    team: String,
    keys: Vec<PublicKey>,
    fetched_ms: u64,
}

thread_local! {
    /// One team's keys; an isolate serves one deployment.
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Whom Access vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The verified email, in lower case.
    pub email: String,
    /// When the assertion ends.
    pub ends_ms: u64,
}

/// What an assertion says, verified. The error's detail says what did not hold.
pub async fn vouched(application: &Application, assertion: &str, now_ms: u64) -> Result<Vouched, Error> {
    let refused =
        |why: &str| Error::unauthorized("Cloudflare Access did not vouch for you. Sign in again.").with_detail(why);
    if assertion.len() > ASSERTION_BYTES_MAX {
        return Err(refused("an assertion that is too long"));
    }
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(refused("not a JWT")) };
    let kid = kid_of(header).ok_or_else(|| refused("not an RS256 assertion with a kid"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| refused("a signature that is no base64url"))?;
    let key = key(application, &kid, now_ms)
        .await?
        .ok_or_else(|| refused("signed with a key that the team does not have"))?;
    let signed = format!("{header}.{claims}");
    let holds = verify(&key, &signature, signed.as_bytes()).await.map_err(|_| refused("a key that cannot be used"))?;
    if !holds {
        return Err(refused("the signature does not hold"));
    }
    read_claims(application, claims, now_ms).map_err(refused)
}

fn kid_of(header: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        kid: String,
    }
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    (header.alg == "RS256").then_some(header.kid)
}

fn read_claims(application: &Application, claims: &str, now_ms: u64) -> Result<Vouched, &'static str> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    #[derive(Deserialize)]
    struct Claims {
        aud: Audience,
        iss: String,
        exp: u64,
        #[serde(default)]
        nbf: u64,
        #[serde(default)]
        email: String,
    }
    let bytes = URL_SAFE_NO_PAD.decode(claims).map_err(|_| "claims that are no base64url")?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| "claims that are not of their form")?;
    let is_for_us = match &claims.aud {
        Audience::One(audience) => *audience == application.audience,
        Audience::Many(audiences) => audiences.contains(&application.audience),
    };
    if !is_for_us {
        return Err("for another application");
    }
    if claims.iss.trim_end_matches('/') != application.team {
        return Err("from another issuer");
    }
    if claims.exp.saturating_mul(1000) <= now_ms {
        return Err("expired");
    }
    if claims.nbf.saturating_mul(1000) > now_ms + LEEWAY_MS {
        return Err("not valid yet");
    }
    let email = claims.email.trim().to_lowercase();
    let is_address = (3..=254).contains(&email.len()) && email.contains('@') && !email.contains(char::is_whitespace);
    // A service token is a program, and programs have tokens of this hub.
    let ends_ms = claims.exp.saturating_mul(1000);
    if is_address { Ok(Vouched { email, ends_ms }) } else { Err("no email: a service token, not a person") }
}

async fn key(application: &Application, kid: &str, now_ms: u64) -> Result<Option<PublicKey>, Error> {
    let (known, age_ms) = KEPT.with_borrow(|kept| match kept {
        Some(kept) if kept.team == application.team => {
            (kept.keys.iter().find(|key| key.kid == kid).cloned(), now_ms.saturating_sub(kept.fetched_ms))
        }
        _ => (None, u64::MAX),
    });
    let is_fresh = age_ms < if known.is_some() { KEYS_KEPT_MS } else { KEYS_AGAIN_MS };
    if is_fresh {
        return Ok(known);
    }
    match fetch_keys(&application.team).await {
        Ok(keys) => {
            let found = keys.iter().find(|key| key.kid == kid).cloned();
            let kept = Kept { team: application.team.clone(), keys, fetched_ms: now_ms };
            KEPT.with_borrow_mut(|slot| *slot = Some(kept));
            Ok(found)
        }
        // Keys outlive an hour by weeks: while they cannot be fetched, the known one serves.
        Err(_) if known.is_some() => Ok(known),
        Err(why) => Err(Error::unavailable(format!("the keys of Cloudflare Access: {why}"))),
    }
}

async fn fetch_keys(team: &str) -> Result<Vec<PublicKey>, String> {
    #[derive(Deserialize)]
    struct Certs {
        keys: Vec<PublicKey>,
    }
    let url = format!("{team}/cdn-cgi/access/certs");
    let answer = outbound::ask(Question { method: Method::Get, url: &url, headers: &[], body: None }).await?;
    if answer.status != 200 {
        return Err(format!("answered {}", answer.status));
    }
    let certs: Certs = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    Ok(certs.keys.into_iter().filter(|key| key.kty == "RSA").take(KEYS_MAX).collect())
}

/// RSASSA-PKCS1-v1_5 with SHA-256, by the platform: its RSA is native and has no timing of ours.
async fn verify(key: &PublicKey, signature: &[u8], signed: &[u8]) -> Result<bool, JsValue> {
    let algorithm = object(&[("name", "RSASSA-PKCS1-v1_5".into()), ("hash", "SHA-256".into())])?;
    let jwk =
        object(&[("kty", "RSA".into()), ("alg", "RS256".into()), ("n", (&key.n).into()), ("e", (&key.e).into())])?;
    let usages = Array::of1(&"verify".into());
    let imported = JsFuture::from(import_key("jwk", &jwk, &algorithm, false, &usages)?).await?;
    let (signature, signed) = (Uint8Array::from(signature), Uint8Array::from(signed));
    let holds = JsFuture::from(verify_signature(&algorithm, &imported, &signature, &signed)?).await?;
    Ok(holds.as_bool().unwrap_or_default())
}

fn object(fields: &[(&str, JsValue)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &Object,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    fn verify_signature(
        algorithm: &Object,
        key: &JsValue,
        signature: &Uint8Array,
        signed: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_800_000_000_000;

    fn application() -> Application {
        Application { team: "https://acme.cloudflareaccess.com".into(), audience: "aud1".into() }
    }

    fn claims(json: &str) -> Result<String, &'static str> {
        read_claims(&application(), &URL_SAFE_NO_PAD.encode(json), NOW_MS).map(|vouched| vouched.email)
    }

    #[test]
    fn claims_for_this_hub_name_a_person() {
        let many = r#"{"aud":["other","aud1"],"iss":"https://acme.cloudflareaccess.com","exp":1800000001,"email":"Ann@Acme.com"}"#;
        assert_eq!(claims(many), Ok("ann@acme.com".to_owned()));
        let one = r#"{"aud":"aud1","iss":"https://acme.cloudflareaccess.com","exp":1800000001,"nbf":1800000020,"email":"a@b"}"#;
        assert_eq!(claims(one), Ok("a@b".to_owned()));
    }

    #[test]
    fn every_other_claim_is_refused_by_name() {
        let with = |change: (&str, &str)| {
            let good =
                r#"{"aud":["aud1"],"iss":"https://acme.cloudflareaccess.com","exp":1800000001,"nbf":0,"email":"a@b"}"#;
            claims(&good.replace(change.0, change.1))
        };
        assert!(with(("", "")).is_ok());
        assert_eq!(with((r#"["aud1"]"#, r#"["aud2"]"#)), Err("for another application"));
        assert_eq!(with(("acme.", "evil.")), Err("from another issuer"));
        assert_eq!(with(("1800000001", "1800000000")), Err("expired"));
        assert_eq!(with((r#""nbf":0"#, r#""nbf":1800000031"#)), Err("not valid yet"));
        for no_address in ["", "ann", "a b@c", "@"] {
            assert!(with(("a@b", no_address)).is_err(), "{no_address}");
        }
        assert!(claims("not json").is_err());
    }

    #[test]
    fn only_rs256_with_a_kid_is_looked_at() {
        let header = |json: &str| kid_of(&URL_SAFE_NO_PAD.encode(json));
        assert_eq!(header(r#"{"alg":"RS256","kid":"k1"}"#).as_deref(), Some("k1"));
        for json in [r#"{"alg":"none","kid":"k1"}"#, r#"{"alg":"HS256","kid":"k1"}"#, r#"{"alg":"RS256"}"#, "", "x"] {
            assert_eq!(header(json), None, "{json}");
        }
    }
}
