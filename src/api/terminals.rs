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
    /// On which runner; empty: that of the session.
    #[serde(default)]
    runner: String,
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
    let session = visit.place("session")?;
    let NewTerminal { runner, agent, cwd } = visit.json().await?;
    answer(201, visit.ask_at(&session, Request::OpenTerminal { session: session.number, runner, agent, cwd }).await?)
}

/// One terminal.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    answer(200, visit.ask_at(&terminal, Request::Terminal { terminal: terminal.number }).await?)
}

/// Ends its agent.
pub async fn stop(mut visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    let Stop { mode } = visit.json().await?;
    answer(200, visit.ask_at(&terminal, Request::StopTerminal { terminal: terminal.number, mode }).await?)
}

/// The same agent again, in the ended one's place.
pub async fn restart(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    answer(201, visit.ask_at(&terminal, Request::RestartTerminal { terminal: terminal.number }).await?)
}

/// Forgets an ended terminal.
pub async fn close(visit: Visit) -> Result<Response, Error> {
    let terminal = visit.place("terminal")?;
    answer(204, visit.ask_at(&terminal, Request::CloseTerminal { terminal: terminal.number }).await?)
}
