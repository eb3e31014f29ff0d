//! `/api/terminals/:terminal/prompts` and `/api/prompts`.

use serde::Deserialize;
use serde_json::json;
use session_hub::call::{Reply, Request};
use worker::Response;

use super::{answer, idempotency_key};
use crate::error::Error;
use crate::http::{self, Visit};

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// The prompts of a terminal, oldest first: all that are not final, and the newest final ones.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    let Reply::Terminal(view) = visit.ask_at(&terminal, Request::Terminal { terminal: terminal.number }).await? else {
        return Err(Error::internal("the hub answered something else than a terminal"));
    };
    let Reply::Session(detail) = visit.ask_at(&terminal, Request::Session { session: view.session }).await? else {
        return Err(Error::internal("the hub answered something else than a session"));
    };
    let prompts: Vec<_> = detail.prompts.into_iter().filter(|prompt| prompt.terminal == terminal.number).collect();
    http::json(200, &json!({ "now_ms": detail.now_ms, "prompts": prompts }))
}

/// A prompt at the end of the queue.
pub async fn queue(mut visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    let idempotency_key = idempotency_key(&visit)?;
    let Text { text } = visit.json().await?;
    answer(
        201,
        visit.ask_at(&terminal, Request::QueuePrompt { terminal: terminal.number, text, idempotency_key }).await?,
    )
}

/// Another text for a prompt that is still queued.
pub async fn edit(mut visit: Visit) -> Result<Response, Error> {
    let prompt = visit.place("prompt")?;
    let Text { text } = visit.json().await?;
    answer(200, visit.ask_at(&prompt, Request::EditPrompt { prompt: prompt.number, text }).await?)
}

/// Takes back a prompt that is still queued.
pub async fn cancel(visit: Visit) -> Result<Response, Error> {
    let prompt = visit.place("prompt")?;
    answer(200, visit.ask_at(&prompt, Request::CancelPrompt { prompt: prompt.number }).await?)
}
