//! One request to the hub's API and its whole answer, over a stream of our own that ends with it.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::{Dialler, LinkError, Secret};

/// Largest answer that is read where nothing else is said. A JWT has about 500 bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Seconds from request to whole answer.
const ANSWER_S_MAX: u64 = 20;

/// What is asked for.
pub struct Ask<'a> {
    /// How.
    pub method: Method,
    /// Where, below the hub's address.
    pub endpoint: &'a str,
    /// As whom.
    pub token: Option<&'a Secret>,
    /// With what.
    pub body: Option<serde_json::Value>,
}

/// What the hub said.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body, bounded.
    pub body: Bytes,
}

/// A refusal in the hub's own form.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Refusal {
    /// The word for programs.
    #[serde(default)]
    pub code: String,
    /// The sentence for people, fit for a line.
    pub message: String,
}

impl Answer {
    /// The refusal in it, if it is one of a hub's.
    pub fn refusal(&self) -> Option<Refusal> {
        #[derive(Deserialize)]
        struct Whole {
            error: Refusal,
        }
        let whole: Whole = serde_json::from_slice(&self.body).ok()?;
        Some(Refusal { code: shorten(&whole.error.code), message: shorten(&whole.error.message) })
    }
}

/// Asks, and reads the answer.
pub async fn ask(dialler: &Dialler, ask: Ask<'_>) -> Result<Answer, LinkError> {
    ask_up_to(dialler, ask, ANSWER_BYTES_MAX).await
}

/// Asks, and reads an answer of up to so many bytes.
pub async fn ask_up_to(dialler: &Dialler, ask: Ask<'_>, answer_bytes_max: usize) -> Result<Answer, LinkError> {
    let timed_out = || LinkError::TimedOut { address: dialler.address.authority().into(), seconds: ANSWER_S_MAX };
    let answer = tokio::time::timeout(Duration::from_secs(ANSWER_S_MAX), exchange(dialler, ask, answer_bytes_max));
    answer.await.map_err(|_| timed_out())?
}

async fn exchange(dialler: &Dialler, ask: Ask<'_>, answer_bytes_max: usize) -> Result<Answer, LinkError> {
    let address = &dialler.address;
    let unexpected = |why: String| LinkError::Answer { address: address.authority().into(), why };
    let mut request = Request::builder()
        .method(ask.method)
        .uri(address.path(ask.endpoint))
        .header(HOST, address.authority())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("muster/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = ask.token {
        let bearer = token.bearer().map_err(|_| unexpected("the token is not plain text".into()))?;
        request = request.header(AUTHORIZATION, bearer);
    }
    if ask.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = Full::new(Bytes::from(ask.body.map(|body| body.to_string()).unwrap_or_default()));
    let request = request.body(body).map_err(|error| unexpected(error.to_string()))?;
    let stream = dialler.dial().await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unexpected(error.to_string()))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| unexpected(error.to_string()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), answer_bytes_max).collect();
        let body = body.await.map_err(|error| unexpected(error.to_string()))?.to_bytes();
        Ok(Answer { status, body })
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

/// Words of a stranger, fit for a line of the log or of a terminal.
pub fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(protocol::limits::NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hub_refuses_in_a_hubs_form() {
        let answer = |body: &'static str| Answer { status: StatusCode::NOT_FOUND, body: Bytes::from(body) };
        let refusal = answer(r#"{"error":{"code":"not_found","message":"no\u001b[31m"}}"#).refusal();
        assert_eq!(refusal, Some(Refusal { code: "not_found".into(), message: "no[31m".into() }));
        for body in ["", "<html>", "{}", r#"{"error":"not_found"}"#] {
            assert_eq!(answer(body).refusal(), None, "{body}");
        }
    }
}
