//! `/api/runners`. A runner is made by making its token: see [`super::tokens`].

use serde::Deserialize;
use serde_json::json;
use session_hub::call::{Reply, Request};
use worker::Response;

use super::{answer, tokens};
use crate::error::Error;
use crate::http::{self, Visit};

#[derive(Deserialize)]
struct Rename {
    name: String,
}

/// All runners.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let Reply::Board(board) = visit.ask(Request::Board).await? else {
        return Err(Error::internal("the hub answered something else than a board"));
    };
    http::json(200, &json!({ "now_ms": board.now_ms, "runners": board.runners }))
}

/// One runner.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let runner = visit.param("runner").to_owned();
    answer(200, visit.ask(Request::Runner { runner }).await?)
}

/// Another name, for the runner and for its token.
pub async fn rename(mut visit: Visit) -> Result<Response, Error> {
    let Rename { name } = visit.json().await?;
    let runner = visit.param("runner").to_owned();
    answer(200, tokens::rename_runner(&visit, runner, name).await?)
}

/// Its token no longer works, its socket is closed, and it stays in sight as revoked.
pub async fn revoke(visit: Visit) -> Result<Response, Error> {
    let runner = visit.param("runner").to_owned();
    answer(200, tokens::revoke_runner(&visit, runner).await?)
}
