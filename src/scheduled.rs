//! What time brings, without anybody asking: people's access is confirmed again, and what those have open who lost it is
//! closed.

use serde_json::json;
use worker::{Env, console_error};

use crate::auth::access::Gate;
use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::store::Db;

/// Does what is due. A failure is logged; the next minute tries again.
pub async fn run(env: &Env) {
    if let Err(error) = sweep(env).await {
        console_error!("{}", json!({ "event": "scheduled_failed", "detail": error.detail }));
    }
}

async fn sweep(env: &Env) -> Result<(), Error> {
    let config = Config::read(env);
    if config.github.is_none() && config.access.is_none() {
        return Ok(());
    }
    let db = Db::open(env)?;
    Gate { env, config: &config, db: &db, now_ms: clock::now_ms() }.sweep().await
}
