//! `/api/clients`: everything that is connected or was, and what may be wanted of claudecodeui instances. What runners are
//! asked is under `/api/runners`.

use protocol::claudecodeui::InstanceCommand;
use serde_json::json;
use session_hub::call::{InstanceView, Reply, Request, instance_number};
use worker::Response;

use crate::error::Error;
use crate::http::{self, Visit};

/// All runners and claudecodeui instances.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let Reply::Board(board) = visit.ask(Request::Board).await? else { return Err(unexpected()) };
    http::json(200, &json!({ "now_ms": board.now_ms, "runners": board.runners, "instances": board.instances }))
}

/// One instance.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let instance = ask(&visit, number(&visit)?).await?;
    http::json(200, &instance)
}

/// It is told to leave, and its socket is closed.
pub async fn disconnect(visit: Visit) -> Result<Response, Error> {
    http::json(200, &command(&visit, InstanceCommand::Disconnect).await?)
}

/// It is asked what it is at; what it answers shows later.
pub async fn refresh(visit: Visit) -> Result<Response, Error> {
    http::json(200, &command(&visit, InstanceCommand::RefreshStatus).await?)
}

/// One that is away is forgotten; it is new when it comes again.
pub async fn forget(visit: Visit) -> Result<Response, Error> {
    drop_away(&visit).await?;
    http::no_content()
}

/// Forgets an instance that is not connected, for pages too. No audit log has it: an instance that comes and goes is in none.
pub async fn drop_away(visit: &Visit) -> Result<(), Error> {
    let instance = number(visit)?;
    match visit.ask(Request::ForgetInstance { instance }).await? {
        Reply::Done => Ok(()),
        _ => Err(unexpected()),
    }
}

/// An instance, for pages too.
pub async fn ask(visit: &Visit, instance: u64) -> Result<InstanceView, Error> {
    taken(visit.ask(Request::Instance { instance }).await?)
}

/// Passes a command on, for pages too.
pub async fn command(visit: &Visit, command: InstanceCommand) -> Result<InstanceView, Error> {
    let instance = number(visit)?;
    taken(visit.ask(Request::CommandInstance { instance, command }).await?)
}

fn number(visit: &Visit) -> Result<u64, Error> {
    instance_number(visit.param("client")).ok_or_else(|| Error::not_found("client"))
}

fn taken(reply: Reply) -> Result<InstanceView, Error> {
    match reply {
        Reply::Instance(instance) => Ok(instance),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> Error {
    Error::internal("the hub answered something else than was asked")
}
