//! `muster logout`: the token ends at the hub and on this machine, or at least here.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::LogoutArgs;
use super::credential::{credentials, hub_or_only};
use super::run::{load_config, print, runtime};
use crate::credentials::Scope;
use crate::hub_link::Dialler;
use crate::login;

/// Does it.
pub(super) fn run(args: &LogoutArgs) -> anyhow::Result<ExitCode> {
    let scope = if args.runner { Scope::Runner } else { Scope::Cli };
    let credentials = credentials(false);
    let config = load_config(&args.config)?;
    let hub = hub_or_only(args.hub.clone().or(config.hub), &credentials)?;
    let known = credentials.find(&hub.url(), scope)?.with_context(|| {
        let other = if args.runner { "without" } else { "with" };
        format!("not logged in at {} this way; try {other} --runner, or see `muster login --status`", hub.url())
    })?;
    let revoked = match credentials.secret(&known) {
        Ok(secret) => {
            let dialler = Dialler::new(hub.clone());
            runtime()?.block_on(login::revoke(&dialler, &secret)).map_err(anyhow::Error::from)
        }
        Err(error) => Err(error.into()),
    };
    // Whatever the hub said: this machine lets go.
    let forgotten = credentials.forget(&known);
    if let Err(error) = &revoked {
        eprintln!(
            "The token could not be revoked, so it still works at {}: {error:#}.\nRevoke it there, in the settings: it is \
             called {}.",
            hub.url(),
            known.name
        );
    }
    forgotten?;
    if args.json {
        let line = json!({ "hub": hub.url(), "scope": scope, "id": known.id, "revoked": revoked.is_ok() });
        return print(&format!("{line}\n"));
    }
    print(&match revoked {
        Ok(true) => format!("Logged out of {}: the token is revoked and removed.\n", hub.url()),
        Ok(false) => {
            format!("Logged out of {}: the token was revoked there already, and is removed here.\n", hub.url())
        }
        Err(_) => "Logged out on this machine only.\n".to_owned(),
    })
}
