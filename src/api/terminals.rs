//! `/api/sessions/:session/terminals` and `/api/terminals`.

use protocol::control::StopMode;
use serde::Deserialize;
use session_hub::call::Request;
use worker::Response;

use super::answer;
use crate::error::Error;
use crate::http::Visit;

#[derive(Deserialize)]
struct NewTerminal {
    agent: String,
    #[serde(default)]
    cwd: String,
}

#[derive(Deserialize)]
struct Stop {
    #[serde(default = "terminate")]
    mode: StopMode,
}

fn terminate() -> StopMode {
    StopMode::Terminate
}

/// One more terminal in a session.
pub async fn open(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.number("session")?;
    let NewTerminal { agent, cwd } = visit.json().await?;
    answer(201, visit.ask(Request::OpenTerminal { session, agent, cwd }).await?)
}

/// One terminal.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.number("terminal")?;
    answer(200, visit.ask(Request::Terminal { terminal }).await?)
}

/// Ends its agent.
pub async fn stop(mut visit: Visit) -> Result<Response, Error> {
    let terminal = visit.number("terminal")?;
    let Stop { mode } = visit.json().await?;
    answer(200, visit.ask(Request::StopTerminal { terminal, mode }).await?)
}

/// The same agent again, in the ended one's place.
pub async fn restart(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.number("terminal")?;
    answer(201, visit.ask(Request::RestartTerminal { terminal }).await?)
}

/// Forgets an ended terminal.
pub async fn close(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.number("terminal")?;
    answer(204, visit.ask(Request::CloseTerminal { terminal }).await?)
}
