//! `/sessions/:session/terminals`.

use protocol::control::StopMode;
use serde::Deserialize;
use session_hub::call::{Reply, Request, TerminalView};
use worker::Response;

use super::view::SessionPage;
use super::{page, session_at, unexpected, visitor};
use crate::error::Error;
use crate::http::{self, Visit};
use crate::place::Place;

#[derive(Deserialize)]
struct NewTerminal {
    #[serde(default)]
    agent: String,
    #[serde(default)]
    cwd: String,
}

/// `GET /sessions/:session/terminals/:terminal`: the session's page with this terminal in front.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (place, terminal, visitor) = (visit.place("session")?, visit.number("terminal")?, visitor(&visit)?);
    let (detail, vantage) = session_at(&visit, &place).await?;
    if !detail.terminal_views.iter().any(|view| view.terminal == terminal) {
        return Err(Error::not_found("terminal"));
    }
    page(&SessionPage::new(&detail, Some(terminal), &vantage, &visitor))
}

/// `POST /sessions/:session/terminals`: opens one more and goes there.
pub async fn open(mut visit: Visit) -> Result<Response, Error> {
    let place = visit.place("session")?;
    let NewTerminal { agent, cwd } = visit.form().await?;
    let request = Request::OpenTerminal { session: place.number, runner: String::new(), agent, cwd };
    let view = terminal(visit.ask_at(&place, request).await?)?;
    go_to_terminal(&visit, &view)
}

/// `POST .../stop`.
pub async fn stop(visit: Visit) -> Result<Response, Error> {
    let place = terminal_of(&visit).await?;
    visit.ask_at(&place, Request::StopTerminal { terminal: place.number, mode: StopMode::Terminate }).await?;
    http::no_content()
}

/// `POST .../restart`: the same agent again, and its terminal in front.
pub async fn restart(visit: Visit) -> Result<Response, Error> {
    let place = terminal_of(&visit).await?;
    let view = terminal(visit.ask_at(&place, Request::RestartTerminal { terminal: place.number }).await?)?;
    go_to_terminal(&visit, &view)
}

/// `POST .../close`: forgets an ended terminal.
pub async fn close(visit: Visit) -> Result<Response, Error> {
    let place = terminal_of(&visit).await?;
    visit.ask_at(&place, Request::CloseTerminal { terminal: place.number }).await?;
    http::go_to(&visit, &format!("/sessions/{}", visit.param("session")))
}

/// The terminal of the path, if the session of the path has it.
pub(super) async fn terminal_of(visit: &Visit) -> Result<Place<u32>, Error> {
    let (session, number) = (visit.place::<u64>("session")?, visit.number("terminal")?);
    let place = Place { owner: session.owner, number };
    let view = terminal(visit.ask_at(&place, Request::Terminal { terminal: number }).await?)?;
    if view.session == session.number { Ok(place) } else { Err(Error::not_found("terminal")) }
}

fn terminal(reply: Reply) -> Result<TerminalView, Error> {
    match reply {
        Reply::Terminal(view) => Ok(view),
        _ => Err(unexpected("a terminal")),
    }
}

fn go_to_terminal(visit: &Visit, view: &TerminalView) -> Result<Response, Error> {
    http::go_to(visit, &format!("/sessions/{}/terminals/{}", visit.param("session"), view.terminal))
}
