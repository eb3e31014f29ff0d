//! The JSON API: everything the pages do, for the command line and scripts. `docs/openapi.json` describes it.
//!
//! Handlers decode a body into a type, ask the hub once, and answer with the hub's own view. Bounds of fields are the hub's
//! to check; it names the field that is at fault.

pub mod access;
pub mod audit;
pub mod clients;
pub mod device;
pub mod prompts;
pub mod runners;
pub mod sessions;
pub mod shares;
pub mod terminals;
pub mod tokens;

use session_hub::call::Reply;
use worker::Response;

use crate::error::Error;
use crate::http::{self, Visit};

/// Longest `Idempotency-Key`, in characters.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// The key with which a request that is sent again does nothing twice; empty when there is none.
fn idempotency_key(visit: &Visit) -> Result<String, Error> {
    let key = visit.header("idempotency-key").unwrap_or_default();
    if key.chars().count() > IDEMPOTENCY_KEY_CHARS_MAX {
        let message = format!("The key has more than {IDEMPOTENCY_KEY_CHARS_MAX} characters.");
        return Err(Error::invalid("Idempotency-Key", message));
    }
    Ok(key)
}

/// The hub's answer, without the word that says which it is.
fn answer(status: u16, reply: Reply) -> Result<Response, Error> {
    match reply {
        Reply::Health(health) => http::json(status, &health),
        Reply::Board(board) => http::json(status, &board),
        Reply::Session(session) => http::json(status, &session),
        Reply::Terminal(terminal) => http::json(status, &terminal),
        Reply::Prompt(prompt) => http::json(status, &prompt),
        Reply::Runner(runner) => http::json(status, &runner),
        Reply::Shares(shares) => http::json(status, &shares),
        Reply::Share(share) => http::json(status, &share),
        Reply::Shared(shared) => http::json(status, &shared),
        Reply::Audit(page) => http::json(status, &page),
        Reply::Instance(instance) => http::json(status, &instance),
        Reply::Link { .. } => Err(Error::internal("a lobby's answer is nobody else's")),
        Reply::Done => http::no_content(),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}

#[cfg(test)]
mod openapi_tests;
