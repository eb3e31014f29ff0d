//! Prompts of a session's page. Their states come back over the page's socket.

use serde::Deserialize;
use session_hub::call::Request;
use worker::Response;

use super::checked_key;
use super::terminals::own_terminal;
use crate::error::Error;
use crate::http::{self, Visit};

#[derive(Deserialize)]
struct NewPrompt {
    text: String,
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

/// `POST /sessions/:session/terminals/:terminal/prompts`.
pub async fn queue(mut visit: Visit) -> Result<Response, Error> {
    let terminal = own_terminal(&visit).await?;
    let NewPrompt { text, key } = visit.form().await?;
    visit.ask(Request::QueuePrompt { terminal, text: as_typed(&text), idempotency_key: checked_key(key)? }).await?;
    http::no_content()
}

/// `POST /prompts/:prompt/edit`.
pub async fn edit(mut visit: Visit) -> Result<Response, Error> {
    let prompt = visit.number("prompt")?;
    let Text { text } = visit.form().await?;
    visit.ask(Request::EditPrompt { prompt, text: as_typed(&text) }).await?;
    http::no_content()
}

/// `POST /prompts/:prompt/cancel`.
pub async fn cancel(visit: Visit) -> Result<Response, Error> {
    visit.ask(Request::CancelPrompt { prompt: visit.number("prompt")? }).await?;
    http::no_content()
}

/// Browsers send the lines of a form with CR LF; people typed LF.
fn as_typed(text: &str) -> String {
    text.replace("\r\n", "\n")
}
