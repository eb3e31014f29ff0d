//! `/api/sessions`.

use serde::Deserialize;
use session_hub::call::Request;
use worker::Response;

use super::{answer, idempotency_key, shares};
use crate::error::Error;
use crate::http::Visit;

#[derive(Deserialize)]
struct NewSession {
    #[serde(default)]
    name: String,
    #[serde(default)]
    task: String,
    runner: String,
    agent: String,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    prompt: String,
}

#[derive(Deserialize)]
struct Rename {
    name: String,
}

/// All sessions that are not archived, and all runners.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    answer(200, visit.ask(Request::Board).await?)
}

/// A new session with its first terminal.
pub async fn create(mut visit: Visit) -> Result<Response, Error> {
    let idempotency_key = idempotency_key(&visit)?;
    let NewSession { name, task, runner, agent, cwd, prompt } = visit.json().await?;
    let request = Request::CreateSession { name, task, runner, agent, cwd, prompt, idempotency_key };
    answer(201, visit.ask(request).await?)
}

/// One session in full.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    answer(200, visit.ask_at(&session, Request::Session { session: session.number }).await?)
}

/// Another name.
pub async fn rename(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    let Rename { name } = visit.json().await?;
    answer(200, visit.ask_at(&session, Request::RenameSession { session: session.number, name }).await?)
}

/// Gone for good.
pub async fn delete(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    answer(204, shares::delete_session(&visit, &session).await?)
}

/// Out of sight, its agents ended.
pub async fn archive(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    answer(200, visit.ask_at(&session, Request::ArchiveSession { session: session.number, archived: true }).await?)
}

/// Back in sight.
pub async fn restore(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    answer(200, visit.ask_at(&session, Request::ArchiveSession { session: session.number, archived: false }).await?)
}
