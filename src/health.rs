//! `GET /health`: whether the hub lives, for monitors; its figures, for its owner.
//!
//! A stranger learns the version and whether D1 and the object's class answer: nothing of a person's hub, which is not
//! woken. Asking as its owner wakes the hub for as long as an answer takes.

use serde_json::{Value, json};
use session_hub::call::{Reply, Request};
use worker::Response;

use crate::error::Error;
use crate::http::{self, Visit};
use crate::session_hub::client;
use crate::store::Db;

/// The figures.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let migration = match Db::open(&visit.env) {
        Ok(db) => db.newest_migration().await,
        Err(error) => Err(error),
    };
    let (reachable, figures) = match visit.identity.person() {
        None => (client::ping(&visit.env).await.is_ok(), None),
        Some(_) => match visit.ask(Request::Health).await {
            Ok(Reply::Health(health)) => (true, Some(health)),
            Ok(_) | Err(_) => (false, None),
        },
    };
    let is_well = reachable && migration.is_ok();
    let mut answer = json!({
        "status": if is_well { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "hub": if reachable { "reachable" } else { "unreachable" },
        "d1": if migration.is_ok() { "reachable" } else { "unreachable" },
        "d1_migration": migration.ok().flatten(),
    });
    if let (Value::Object(answer), Some(figures)) = (&mut answer, figures)
        && let Value::Object(figures) = serde_json::to_value(figures)?
    {
        answer.extend(figures);
    }
    http::json(if is_well { 200 } else { 503 }, &answer)
}
