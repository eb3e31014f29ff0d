//! `/sessions`.

use serde::Deserialize;
use session_hub::call::Request;
use worker::Response;

use super::view::{NewSessionDialog, NewSessionPage, SessionPage};
use super::{board, checked_key, page, session, session_at, visitor};
use crate::api::shares;
use crate::error::Error;
use crate::http::{self, Visit};
use crate::random;

#[derive(Deserialize)]
struct NewSession {
    #[serde(default)]
    name: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    runner: String,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    cwd: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    key: String,
}

#[derive(Deserialize)]
struct Rename {
    name: String,
}

/// `GET /sessions/new`: the dialog, or a page with it.
pub async fn new(visit: Visit) -> Result<Response, Error> {
    let (board, key) = (board(&visit).await?, random::hex::<16>()?);
    if visit.is_htmx {
        return page(&NewSessionDialog::new(&board, &key));
    }
    page(&NewSessionPage::new(&board, &key, &visitor(&visit)?))
}

/// `POST /sessions`: starts it and goes there.
pub async fn create(mut visit: Visit) -> Result<Response, Error> {
    let NewSession { name, task, runner, agent, cwd, prompt, key } = visit.form().await?;
    let idempotency_key = checked_key(key)?;
    let request = Request::CreateSession { name, task, runner, agent, cwd, prompt, idempotency_key };
    let detail = session(&visit, request).await?;
    http::go_to(&visit, &format!("/sessions/{}", detail.view.session))
}

/// `GET /sessions/:session`, with its main terminal in front.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (place, visitor) = (visit.place("session")?, visitor(&visit)?);
    let (detail, vantage) = session_at(&visit, &place).await?;
    page(&SessionPage::new(&detail, None, &vantage, &visitor))
}

/// `POST /sessions/:session/rename`.
pub async fn rename(mut visit: Visit) -> Result<Response, Error> {
    let place = visit.place("session")?;
    let Rename { name } = visit.form().await?;
    visit.ask_at(&place, Request::RenameSession { session: place.number, name }).await?;
    http::no_content()
}

/// `POST /sessions/:session/archive`: its page stays, and offers to restore it.
pub async fn archive(visit: Visit) -> Result<Response, Error> {
    let place = visit.place("session")?;
    visit.ask_at(&place, Request::ArchiveSession { session: place.number, archived: true }).await?;
    http::no_content()
}

/// `POST /sessions/:session/restore`.
pub async fn restore(visit: Visit) -> Result<Response, Error> {
    let place = visit.place("session")?;
    visit.ask_at(&place, Request::ArchiveSession { session: place.number, archived: false }).await?;
    http::no_content()
}

/// `POST /sessions/:session/delete`.
pub async fn delete(visit: Visit) -> Result<Response, Error> {
    shares::delete_session(&visit, &visit.place("session")?).await?;
    http::go_to(&visit, "/dashboard")
}
