//! The exchange of a long-lived token for a JWT of minutes: one POST over a stream of our own.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::{Dialler, LinkError, Secret};

/// Endpoint of the exchange.
pub const EXCHANGE_PATH: &str = "/api/tokens/exchange";
/// Largest answer that is read. A JWT has about 500 bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Seconds from request to whole answer.
const ANSWER_S_MAX: u64 = 20;

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

#[derive(Deserialize)]
struct Refusal {
    error: RefusalError,
}

#[derive(Deserialize)]
struct RefusalError {
    message: String,
}

/// Asks the hub for a pass.
pub async fn exchange(dialler: &Dialler, token: &Secret) -> Result<Pass, LinkError> {
    let timed_out = || LinkError::TimedOut { address: dialler.address.authority().into(), seconds: ANSWER_S_MAX };
    let answer = tokio::time::timeout(Duration::from_secs(ANSWER_S_MAX), post(dialler, token));
    let (status, body) = answer.await.map_err(|_| timed_out())??;
    read(dialler.address.authority(), status, &body)
}

async fn post(dialler: &Dialler, token: &Secret) -> Result<(StatusCode, Bytes), LinkError> {
    let address = &dialler.address;
    let unexpected = |why: String| LinkError::Answer { address: address.authority().into(), why };
    let request = Request::builder()
        .method(Method::POST)
        .uri(address.path(EXCHANGE_PATH))
        .header(HOST, address.authority())
        .header(AUTHORIZATION, token.bearer().map_err(|_| unexpected("the token is not plain text".into()))?)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("muster/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| unexpected(error.to_string()))?;
    let stream = dialler.dial().await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unexpected(error.to_string()))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| unexpected(error.to_string()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let body = body.await.map_err(|error| unexpected(error.to_string()))?;
        Ok((status, body.to_bytes()))
    };
    // The connection is driven only as long as the answer takes.
    tokio::pin!(exchange, connection);
    let mut connected = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut exchange => return answer,
            _ = &mut connection, if connected => connected = false,
        }
    }
}

fn read(authority: &str, status: StatusCode, body: &[u8]) -> Result<Pass, LinkError> {
    let unexpected = |why: String| LinkError::Answer { address: authority.into(), why };
    let refusal = || serde_json::from_slice::<Refusal>(body).map(|refusal| shorten(&refusal.error.message));
    if status == StatusCode::UNAUTHORIZED {
        return Err(LinkError::TokenRefused { message: refusal().unwrap_or_else(|_| "401".into()) });
    }
    if status != StatusCode::OK {
        let words = refusal().unwrap_or_else(|_| "is this a Muster hub?".into());
        return Err(unexpected(format!("{status}: {words}")));
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unexpected(error.to_string()))?;
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

/// Words of a stranger, fit for a line of the log.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(protocol::limits::NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
