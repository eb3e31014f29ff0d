//! Prompts of a session's page. Their states come back over the page's socket.

use serde::Deserialize;
use session_hub::call::Request;
use worker::Response;

use super::checked_key;
use super::terminals::terminal_of;
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
    let place = terminal_of(&visit).await?;
    let NewPrompt { text, key } = visit.form().await?;
    let (terminal, idempotency_key) = (place.number, checked_key(key)?);
    visit.ask_at(&place, Request::QueuePrompt { terminal, text: as_typed(&text), idempotency_key }).await?;
    http::no_content()
}

/// `POST /prompts/:prompt/edit`.
pub async fn edit(mut visit: Visit) -> Result<Response, Error> {
    let place = visit.place("prompt")?;
    let Text { text } = visit.form().await?;
    visit.ask_at(&place, Request::EditPrompt { prompt: place.number, text: as_typed(&text) }).await?;
    http::no_content()
}

/// `POST /prompts/:prompt/cancel`.
pub async fn cancel(visit: Visit) -> Result<Response, Error> {
    let place = visit.place("prompt")?;
    visit.ask_at(&place, Request::CancelPrompt { prompt: place.number }).await?;
    http::no_content()
}

/// Browsers send the lines of a form with CR LF; people typed LF.
fn as_typed(text: &str) -> String {
    text.replace("\r\n", "\n")
}
