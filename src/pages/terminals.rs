//! `/sessions/:session/terminals`.

use protocol::control::StopMode;
use serde::Deserialize;
use session_hub::call::{Reply, Request, TerminalView};
use worker::Response;

use super::view::SessionPage;
use super::{page, session, unexpected, visitor};
use crate::error::Error;
use crate::http::{self, Visit};

#[derive(Deserialize)]
struct NewTerminal {
    #[serde(default)]
    agent: String,
    #[serde(default)]
    cwd: String,
}

/// `GET /sessions/:session/terminals/:terminal`: the session's page with this terminal in front.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (id, terminal, visitor) = (visit.number("session")?, visit.number("terminal")?, visitor(&visit)?);
    let detail = session(&visit, Request::Session { session: id }).await?;
    if !detail.terminal_views.iter().any(|view| view.terminal == terminal) {
        return Err(Error::not_found("terminal"));
    }
    page(&SessionPage::new(&detail, Some(terminal), &visitor))
}

/// `POST /sessions/:session/terminals`: opens one more and goes there.
pub async fn open(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.number("session")?;
    let NewTerminal { agent, cwd } = visit.form().await?;
    let view = terminal(visit.ask(Request::OpenTerminal { session, agent, cwd }).await?)?;
    go_to_terminal(&visit, &view)
}

/// `POST .../stop`.
pub async fn stop(visit: Visit) -> Result<Response, Error> {
    let terminal = own_terminal(&visit).await?;
    visit.ask(Request::StopTerminal { terminal, mode: StopMode::Terminate }).await?;
    http::no_content()
}

/// `POST .../restart`: the same agent again, and its terminal in front.
pub async fn restart(visit: Visit) -> Result<Response, Error> {
    let number = own_terminal(&visit).await?;
    let view = terminal(visit.ask(Request::RestartTerminal { terminal: number }).await?)?;
    go_to_terminal(&visit, &view)
}

/// `POST .../close`: forgets an ended terminal.
pub async fn close(visit: Visit) -> Result<Response, Error> {
    let terminal = own_terminal(&visit).await?;
    visit.ask(Request::CloseTerminal { terminal }).await?;
    http::go_to(&visit, &format!("/sessions/{}", visit.number::<u64>("session")?))
}

/// The terminal of the path, if the session of the path has it.
pub(super) async fn own_terminal(visit: &Visit) -> Result<u32, Error> {
    let (session, number) = (visit.number::<u64>("session")?, visit.number("terminal")?);
    let view = terminal(visit.ask(Request::Terminal { terminal: number }).await?)?;
    if view.session == session { Ok(number) } else { Err(Error::not_found("terminal")) }
}

fn terminal(reply: Reply) -> Result<TerminalView, Error> {
    match reply {
        Reply::Terminal(view) => Ok(view),
        _ => Err(unexpected("a terminal")),
    }
}

fn go_to_terminal(visit: &Visit, view: &TerminalView) -> Result<Response, Error> {
    http::go_to(visit, &format!("/sessions/{}/terminals/{}", view.session, view.terminal))
}
