//! The exchange of a long-lived token for a JWT of minutes: one POST over a stream of our own.

use hyper::{Method, StatusCode};
use serde::Deserialize;

use super::http::{self, Answer as HttpAnswer, Ask, shorten};
use super::{Dialler, LinkError, Secret};

/// Endpoint of the exchange.
pub const EXCHANGE_PATH: &str = "/api/tokens/exchange";

/// What the hub gives for a token.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Opens `/ws/connect`.
    pub jwt: Secret,
    /// Until when, by the hub's clock.
    pub expires_at_ms: u64,
    /// The runner's id in its hub: a word that may name a folder.
    pub runner: String,
    /// Its name, for people.
    pub name: String,
}

#[derive(Deserialize)]
struct Answer {
    jwt: String,
    expires_at_ms: u64,
    runner: Option<RunnerAnswer>,
}

#[derive(Deserialize)]
struct RunnerAnswer {
    id: String,
    name: String,
}

/// Asks the hub for a pass.
pub async fn exchange(dialler: &Dialler, token: &Secret) -> Result<Pass, LinkError> {
    let ask = Ask { method: Method::POST, endpoint: EXCHANGE_PATH, token: Some(token), body: None };
    read(dialler.address.authority(), &http::ask(dialler, ask).await?)
}

fn read(authority: &str, answer: &HttpAnswer) -> Result<Pass, LinkError> {
    let status = answer.status;
    let unexpected = |why: String| LinkError::Answer { address: authority.into(), why };
    let refusal = || answer.refusal().map(|refusal| refusal.message);
    if status == StatusCode::UNAUTHORIZED {
        return Err(LinkError::TokenRefused { message: refusal().unwrap_or_else(|| "401".into()) });
    }
    if status != StatusCode::OK {
        let words = refusal().unwrap_or_else(|| "is this a Muster hub?".into());
        return Err(unexpected(format!("{status}: {words}")));
    }
    let answer: Answer = serde_json::from_slice(&answer.body).map_err(|error| unexpected(error.to_string()))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let wrong_scope =
        || LinkError::TokenRefused { message: "it is a token for the command line, not for a runner".into() };
    let runner = answer.runner.ok_or_else(wrong_scope)?;
    let id = &runner.id;
    if id.is_empty() || id.len() > 64 || !id.chars().all(fits) {
        return Err(unexpected("the runner's id is not a word of letters, digits, `-` and `_`".into()));
    }
    Ok(Pass {
        jwt: Secret::new(&answer.jwt),
        expires_at_ms: answer.expires_at_ms,
        runner: runner.id,
        name: shorten(&runner.name),
    })
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;

    use super::*;

    fn read(authority: &str, status: StatusCode, body: &'static [u8]) -> Result<Pass, LinkError> {
        super::read(authority, &HttpAnswer { status, body: Bytes::from_static(body) })
    }

    #[test]
    fn an_answer_gives_a_pass_that_never_prints_its_secret() {
        let body = br#"{"jwt":"secret.jwt","expires_at_ms":5,"runner":{"id":"tok_1","name":"laptop"},"more":1}"#;
        let pass = read("hub", StatusCode::OK, body).expect("pass");
        assert_eq!((pass.runner.as_str(), pass.name.as_str(), pass.expires_at_ms), ("tok_1", "laptop", 5));
        assert!(!format!("{pass:?}").contains("secret"));
    }

    #[test]
    fn refusals_and_nonsense_are_told_apart() {
        let refused = read("hub", StatusCode::UNAUTHORIZED, br#"{"error":{"code":"revoked","message":"no\nmore"}}"#);
        assert!(matches!(refused, Err(LinkError::TokenRefused { message }) if message == "nomore"));
        let cli = read("hub", StatusCode::OK, br#"{"jwt":"a","expires_at_ms":1,"scope":"cli"}"#);
        assert!(matches!(cli, Err(LinkError::TokenRefused { message }) if message.contains("command line")));
        for (status, body) in [
            (StatusCode::UNAUTHORIZED, &b"<html>"[..]),
            (StatusCode::BAD_GATEWAY, b""),
            (StatusCode::OK, b"[]"),
            (StatusCode::OK, br#"{"jwt":"a","expires_at_ms":1,"runner":{"id":"../x","name":""}}"#),
        ] {
            assert!(read("hub", status, body).is_err(), "{status}");
        }
    }
}
