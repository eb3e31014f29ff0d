//! `muster ls`: one's own sessions, and below them those of others.

use std::process::ExitCode;

use super::LsArgs;
use super::credential::stored_cli;
use super::run::{load_config, print, runtime};
use crate::hub_link::Dialler;
use crate::sessions;

/// Does it.
pub(super) fn run(args: &LsArgs) -> anyhow::Result<ExitCode> {
    let config = load_config(&args.config)?;
    let (hub, token) = stored_cli(args.hub.clone().or(config.hub))?;
    if hub.is_exposed() {
        eprintln!("muster: {} is asked without TLS: whoever is on the way can take the token", hub.authority());
    }
    let list = runtime()?.block_on(sessions::list(&Dialler::new(hub), &token))?;
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&list)?));
    }
    print(&sessions::table(&list))
}
