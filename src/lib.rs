//! The hub's Worker: entry points and a module map, no logic.
//!
//! * [`router`]: every route in one table, and who may come in.
//! * [`http`]: what a handler gets and gives; [`error`]: what can go wrong; [`headers`]: security headers.
//! * [`auth`]: who is asking. [`audit`]: what was done. [`store`]: D1. [`config`]: variables and secrets.
//! * [`pages`]: HTML. [`api`]: JSON. [`connect`]: the one WebSocket door. [`health`]: figures.
//! * [`lobby`]: the Durable Objects that hold the sockets of claudecodeui instances.
//! * [`session_hub`]: the Durable Object's adapter and the one typed call to it.
//! * [`github`]: calls to GitHub and its webhooks. [`outbound`]: how others are asked. [`scheduled`]: what time brings.
//! * [`clock`], [`random`]: time and chance, read nowhere else. [`assets`]: addresses of static files.
//!
//! **Invariant.** This is the only crate that imports `worker`. No borrow or guard lives across an `.await`.

pub mod api;
pub mod assets;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod config;
pub mod connect;
pub mod error;
pub mod github;
pub mod headers;
pub mod health;
pub mod http;
pub mod lobby;
pub mod outbound;
pub mod pages;
mod place;
pub mod random;
pub mod router;
pub mod scheduled;
pub mod session_hub;
pub mod static_files;
pub mod store;

use worker::{Context, Env, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

/// Every HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    router::handle(request, env).await
}

/// Every minute, as `wrangler.jsonc` says: what nobody would otherwise come by to do.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    scheduled::run(&env).await;
}
