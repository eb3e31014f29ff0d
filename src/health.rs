//! `GET /health`: whether the hub lives, for monitors; its figures, for its owner.
//!
//! A stranger learns the version and whether D1 and the object's class answer: nothing of a person's hub, which is not
//! woken. Asking as its owner wakes the hub for as long as an answer takes.

use serde_json::{Value, json};
use session_hub::call::{Reply, Request};
use worker::{Response, console_error};

use crate::auth::Identity;
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::session_hub::client;
use crate::store::Db;

/// The figures. Whoever asks is found out here and not by the router: while D1 is away nobody can be known, and that is what
/// a monitor should hear, in place of an error.
pub async fn show(mut visit: Visit) -> Result<Response, Error> {
    let is_known = match visit.identify().await {
        Ok(identity) => {
            // A guest has no hub to have figures of.
            visit.identity = match identity {
                Identity::Guest(_) => Identity::Nobody,
                identity => identity,
            };
            true
        }
        Err(error) if error.kind == Kind::Unauthorized => return Err(error),
        Err(error) => {
            console_error!("{}", json!({ "event": "health", "request_id": visit.request_id, "detail": error.detail }));
            false
        }
    };
    let migration = match Db::open(&visit.env) {
        Ok(db) => db.newest_migration().await,
        Err(error) => Err(error),
    };
    let d1_answers = is_known && migration.is_ok();
    let (reachable, figures) = match visit.identity.person() {
        None => (client::ping(&visit.env).await.is_ok(), None),
        Some(_) => match visit.ask(Request::Health).await {
            Ok(Reply::Health(health)) => (true, Some(health)),
            Ok(_) | Err(_) => (false, None),
        },
    };
    let is_well = reachable && d1_answers;
    let mut answer = json!({
        "status": if is_well { "ok" } else { "degraded" },
        "version": env!("CARGO_PKG_VERSION"),
        "hub": if reachable { "reachable" } else { "unreachable" },
        "d1": if d1_answers { "reachable" } else { "unreachable" },
        "d1_migration": migration.ok().flatten(),
    });
    if let (Value::Object(answer), Some(figures)) = (&mut answer, figures)
        && let Value::Object(figures) = serde_json::to_value(figures)?
    {
        answer.extend(figures);
    }
    http::json(if is_well { 200 } else { 503 }, &answer)
}
