//! One attempt to sign in with GitHub, bound to the browser that began it by a cookie: the state that must come back, the
//! PKCE verifier that GitHub never saw, and where to go afterwards. Nothing of it is stored at the hub.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{cookie, return_path, secret};
use crate::error::Error;
use crate::random;

/// How long a person may take to consent, in seconds: as long as GitHub's codes live.
const LIFE_S: u32 = 600;
const PLAIN_NAME: &str = "muster_attempt";
const HOST_NAME: &str = "__Host-muster_attempt";

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Comes back with the browser.
    pub state: String,
    /// Proves that the code is exchanged by whoever asked for it.
    pub verifier: String,
    /// Where to go afterwards.
    pub to: String,
}

impl Attempt {
    /// A fresh one.
    pub fn begin(to: Option<&str>) -> Result<Attempt, Error> {
        let to = to.and_then(return_path::checked).unwrap_or(return_path::HOME).to_owned();
        Ok(Attempt { state: secret_text()?, verifier: secret_text()?, to })
    }

    /// What GitHub is told of the verifier (S256).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    /// Whether this is the state of the attempt. Compared as hashes: timing tells nothing of a text that is not known.
    pub fn is_state(&self, state: &str) -> bool {
        secret::hash(&self.state) == secret::hash(state)
    }

    /// `Set-Cookie` that binds it to the browser.
    pub fn to_set_cookie(&self, is_https: bool) -> String {
        let value = format!("{}.{}.{}", self.state, self.verifier, URL_SAFE_NO_PAD.encode(&self.to));
        cookie::line(name(is_https), &value, LIFE_S, is_https)
    }

    /// The attempt of this browser.
    pub fn of_browser(cookies: &str, is_https: bool) -> Option<Attempt> {
        let mut parts = cookie::value(cookies, name(is_https))?.splitn(3, '.');
        let (state, verifier, to) = (parts.next()?, parts.next()?, parts.next()?);
        let to = String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok()?;
        let to = return_path::checked(&to)?.to_owned();
        (state.len() == 43 && verifier.len() == 43).then(|| Attempt {
            state: state.into(),
            verifier: verifier.into(),
            to,
        })
    }
}

/// `Set-Cookie` that ends any attempt.
pub fn clear(is_https: bool) -> String {
    cookie::line(name(is_https), "", 0, is_https)
}

fn name(is_https: bool) -> &'static str {
    if is_https { HOST_NAME } else { PLAIN_NAME }
}

fn secret_text() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_survives_its_cookie() {
        let attempt = Attempt::begin(Some("/device?code=ABCD")).unwrap();
        for is_https in [false, true] {
            let set = attempt.to_set_cookie(is_https);
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Max-Age=600"));
            assert_eq!(set.starts_with("__Host-") && set.contains("Secure"), is_https);
            let pair = set.split(';').next().unwrap();
            assert_eq!(Attempt::of_browser(&format!("x=y; {pair}"), is_https), Some(attempt.clone()));
        }
        assert!(attempt.is_state(&attempt.state) && !attempt.is_state(&attempt.verifier) && !attempt.is_state(""));
    }

    #[test]
    fn a_cookie_leads_nowhere_else() {
        assert_eq!(Attempt::begin(Some("//evil.example")).unwrap().to, return_path::HOME);
        let text = "x".repeat(43);
        let forged = |to: &str| format!("muster_attempt={text}.{text}.{}", URL_SAFE_NO_PAD.encode(to));
        assert!(Attempt::of_browser(&forged("/ok"), false).is_some());
        assert_eq!(Attempt::of_browser(&forged("https://evil.example"), false), None);
        for cookie in ["", "muster_attempt=", "muster_attempt=a.b", "muster_attempt=a.b.c"] {
            assert_eq!(Attempt::of_browser(cookie, false), None);
        }
    }

    #[test]
    fn the_challenge_is_as_published() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let attempt = Attempt { state: String::new(), verifier, to: String::new() };
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
