//! Which hub and which stored credential a command means.

use anyhow::Context as _;

use crate::config::places;
use crate::credentials::{Credential, Credentials, Keyring, NoKeyring, Scope, SystemKeyring};
use crate::hub_link::{HubAddress, Secret};
use crate::runner::TokenSource;

/// What is stored for this person.
pub(super) fn credentials(no_keyring: bool) -> Credentials {
    let keyring: Box<dyn Keyring> = if no_keyring { Box::new(NoKeyring) } else { Box::new(SystemKeyring) };
    Credentials::new(places::credentials_file(&places::var, &places::home()), keyring)
}

/// The hub that was named.
pub(super) fn named_hub(hub: Option<String>) -> anyhow::Result<HubAddress> {
    let hub = hub.context("no hub: name it with --hub, MUSTER_HUB or `hub = \"https://…\"` in config.toml")?;
    Ok(HubAddress::parse(&hub)?)
}

/// The hub that was named, or else the only one that this machine is logged in at.
pub(super) fn hub_or_only(hub: Option<String>, credentials: &Credentials) -> anyhow::Result<HubAddress> {
    match hub {
        Some(_) => named_hub(hub),
        None => only_hub(&credentials.list()?),
    }
}

/// The token that `muster login --runner` was given, and its hub.
pub(super) fn stored_runner(hub: Option<String>) -> anyhow::Result<(HubAddress, TokenSource)> {
    let (hub, token) = stored(hub, Scope::Runner, |hub| {
        format!(
            "no token for {hub}: run `muster login --runner --hub {hub}`, or give one with --token-file, MUSTER_TOKEN_FILE or \
             MUSTER_TOKEN"
        )
    })?;
    Ok((hub, TokenSource::Given(token)))
}

/// The token that `muster login` was given, and its hub.
pub(super) fn stored_cli(hub: Option<String>) -> anyhow::Result<(HubAddress, Secret)> {
    stored(hub, Scope::Cli, |hub| format!("not logged in at {hub}: run `muster login --hub {hub}`"))
}

fn stored(
    hub: Option<String>,
    scope: Scope,
    why_none: impl FnOnce(&str) -> String,
) -> anyhow::Result<(HubAddress, Secret)> {
    let credentials = credentials(false);
    let hub = match hub {
        Some(_) => named_hub(hub)?,
        None => {
            let mut known = credentials.list()?;
            known.retain(|credential| credential.scope == scope);
            only_hub(&known)?
        }
    };
    let found = credentials.find(&hub.url(), scope)?.with_context(|| why_none(&hub.url()))?;
    let secret = credentials.secret(&found)?;
    Ok((hub, secret))
}

fn only_hub(credentials: &[Credential]) -> anyhow::Result<HubAddress> {
    let mut hubs: Vec<&str> = credentials.iter().map(|credential| credential.hub.as_str()).collect();
    hubs.sort_unstable();
    hubs.dedup();
    match hubs.as_slice() {
        [hub] => Ok(HubAddress::parse(hub)?),
        [] => named_hub(None),
        several => anyhow::bail!("this machine is logged in at {}: name one with --hub", several.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hub: &str, scope: Scope) -> Credential {
        Credential { hub: hub.into(), scope, id: "t".into(), name: "n".into(), person: "p".into() }
    }

    #[test]
    fn the_only_hub_need_not_be_named() {
        let (one, other) = (at("https://a.example", Scope::Cli), at("https://b.example", Scope::Cli));
        let runner = at("https://a.example", Scope::Runner);
        assert_eq!(only_hub(&[one.clone(), runner]).expect("one").url(), "https://a.example");
        let error = only_hub(&[one, other]).expect_err("two").to_string();
        assert!(error.contains("https://a.example and https://b.example"), "{error}");
        let error = only_hub(&[]).expect_err("none").to_string();
        assert!(error.contains("--hub"), "{error}");
    }
}
