//! Requests of the hub to others: bounded in time and in bytes, and told apart by whether asking again may help.

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use worker::{AbortController, Delay, Fetch, Headers, Method, Request, RequestInit};

/// Nobody waits longer than this for somebody else's server.
const PATIENCE: Duration = Duration::from_secs(8);
/// Largest answer that is read: what is asked for here is a few kilobytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What to ask.
pub struct Question<'a> {
    /// GET or POST.
    pub method: Method,
    /// Where.
    pub url: &'a str,
    /// With which headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body of a POST.
    pub body: Option<String>,
}

/// An answer, whatever its status.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, within its bound.
    pub body: Vec<u8>,
    headers: Headers,
}

impl Answer {
    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok().flatten()
    }
}

/// Asks. The error is for the log: no answer in time, none at all, or one too long to be what was asked for.
pub async fn ask(question: Question<'_>) -> Result<Answer, String> {
    let abort = AbortController::default();
    let signal = abort.signal();
    let asking = pin!(answer(question, &signal));
    match select(asking, pin!(Delay::from(PATIENCE))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            abort.abort();
            Err(format!("no answer within {} s", PATIENCE.as_secs()))
        }
    }
}

async fn answer(question: Question<'_>, signal: &worker::AbortSignal) -> Result<Answer, String> {
    let request = request(question).map_err(|error| error.to_string())?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await.map_err(|error| error.to_string())?;
    let (status, headers) = (response.status_code(), response.headers().clone());
    let mut body = Vec::new();
    let mut stream = response.stream().map_err(|error| error.to_string())?;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(format!("an answer of more than {} KiB", ANSWER_BYTES_MAX / 1024));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body, headers })
}

fn request(question: Question<'_>) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in question.headers {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(question.method).with_headers(headers);
    // Somebody else's server must not send secrets on to a third: a redirect is an answer like any other.
    init.with_redirect(worker::RequestRedirect::Manual);
    if let Some(body) = question.body {
        init.with_body(Some(body.into()));
    }
    Request::new_with_init(question.url, &init)
}
