//! `muster login`: shows a code, waits for a person, keeps what they gave. And `--status`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;

use super::LoginArgs;
use super::credential::{credentials, hub_or_only};
use super::run::{load_config, print, runtime};
use crate::config::places;
use crate::credentials::{Credential, Credentials, Kept, Scope};
use crate::hub_link::{Dialler, HubAddress, LinkError};
use crate::login::{self, Granted, LoginError, Started};
use protocol::limits::NAME_CHARS_MAX;

/// What shells make of an end by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Does it.
pub(super) fn run(args: &LoginArgs) -> anyhow::Result<ExitCode> {
    if args.status {
        return status(args);
    }
    let scope = if args.runner { Scope::Runner } else { Scope::Cli };
    let credentials = credentials(args.no_keyring);
    let config = load_config(&args.config)?;
    let hub = hub_or_only(args.hub.clone().or(config.hub), &credentials)?;
    if hub.is_exposed() {
        eprintln!("muster: {} is asked without TLS: whoever is on the way can take the token", hub.authority());
    }
    let dialler = Dialler::new(hub.clone());
    let runtime = runtime()?;
    if let Some(known) = credentials.find(&hub.url(), scope)?
        && let Ok(secret) = credentials.secret(&known)
        && let Some(own) = runtime.block_on(login::own(&dialler, &secret))?
    {
        let runner = if args.runner { " --runner" } else { "" };
        eprintln!(
            "Already logged in at {} as {} ({}). To log in anew, `muster logout{runner}` first.",
            hub.url(),
            own.person.name,
            own.name
        );
        return print(&result(args, &known, "already_logged_in", None));
    }
    let name = args.name.clone().unwrap_or_else(host_name);
    let asked = runtime.block_on(async {
        tokio::select! {
            granted = ask(&dialler, &name, scope, args) => granted.map(Some),
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    });
    let Some(granted) = asked? else {
        eprintln!("\nStopped: nothing was stored, and nobody can use the code any more but you.");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    keep(args, &credentials, &hub, scope, granted, |token| runtime.block_on(login::revoke(&dialler, token)).is_ok())
}

/// From the question to the answer.
async fn ask(dialler: &Dialler, name: &str, scope: Scope, args: &LoginArgs) -> anyhow::Result<Granted> {
    let started = login::start(dialler, name, scope).await?;
    show(&started, args)?;
    let mut is_away = false;
    let away = |error: &LinkError| {
        if !is_away {
            eprintln!("{error}; still trying");
        }
        is_away = true;
    };
    Ok(login::wait(dialler, &started, away).await?)
}

fn show(started: &Started, args: &LoginArgs) -> anyhow::Result<()> {
    let Started { user_code, verification_uri, verification_uri_complete, life, .. } = started;
    if args.json {
        let line = json!({
            "event": "code",
            "user_code": user_code,
            "verification_uri": verification_uri,
            "verification_uri_complete": verification_uri_complete,
            "expires_in": life.as_secs(),
        });
        print(&format!("{line}\n"))?;
        return Ok(());
    }
    eprintln!("\n  Open   {verification_uri_complete}");
    eprintln!("  and see that it shows   {user_code}\n");
    eprintln!("On another device: {verification_uri} asks for the code.");
    let somebody_looks = std::io::stderr().is_terminal() && login::has_display(&places::var);
    if somebody_looks && !args.no_browser && login::open(verification_uri_complete) {
        eprintln!("Your browser should open now.");
    }
    eprintln!("Waiting for you to approve; the code lives {} minutes. Ctrl-C stops.", life.as_secs().div_ceil(60));
    Ok(())
}

/// Puts the token where it stays. One that cannot be kept is given back: nobody could ever use it or end it.
fn keep(
    args: &LoginArgs,
    credentials: &Credentials,
    hub: &HubAddress,
    scope: Scope,
    granted: Granted,
    revoke: impl FnOnce(&crate::hub_link::Secret) -> bool,
) -> anyhow::Result<ExitCode> {
    let Granted { token, own } = granted;
    let credential = Credential { hub: hub.url(), scope, id: own.id, name: own.name, person: own.person.name };
    let kept = match credentials.keep(credential.clone(), &token) {
        Ok(kept) => kept,
        Err(error) if revoke(&token) => {
            return Err(anyhow::Error::new(error).context("the token cannot be stored, so it was revoked again"));
        }
        Err(error) => {
            let message = "the token cannot be stored, and not be revoked either: revoke it in the hub's settings";
            return Err(anyhow::Error::new(error).context(message));
        }
    };
    if let Kept::File(why) = &kept {
        eprintln!("The token is in {}, which only you can read: {why}.", credentials.path().display());
    }
    print(&result(args, &credential, "logged_in", Some(&kept)))
}

fn result(args: &LoginArgs, credential: &Credential, event: &str, kept: Option<&Kept>) -> String {
    let Credential { hub, scope, id, name, person } = credential;
    if args.json {
        let kept = kept.map(|kept| if matches!(kept, Kept::Keyring) { "keyring" } else { "file" });
        let mut line = json!({ "event": event, "hub": hub, "scope": scope, "id": id, "name": name, "person": person });
        if let (Some(kept), Some(line)) = (kept, line.as_object_mut()) {
            line.insert("kept".into(), kept.into());
        }
        return format!("{line}\n");
    }
    match (kept, scope) {
        (None, _) => String::new(),
        (Some(_), Scope::Cli) => format!("Logged in at {hub} as {person}.\n"),
        (Some(_), Scope::Runner) => {
            format!("This machine is a runner of {person} at {hub}, called {name}. Start it: muster runner\n")
        }
    }
}

/// What the hub says of each credential.
fn status(args: &LoginArgs) -> anyhow::Result<ExitCode> {
    let credentials = credentials(false);
    let mut known = credentials.list()?;
    if let Some(hub) = &args.hub {
        let url = HubAddress::parse(hub)?.url();
        known.retain(|credential| credential.hub == url);
    }
    known.retain(|credential| !args.runner || credential.scope == Scope::Runner);
    let runtime = runtime()?;
    let mut all_work = !known.is_empty();
    let (mut lines, mut rows) = (String::new(), Vec::new());
    for credential in &known {
        let state = match credentials.secret(credential) {
            Err(error) => State::Unknown(error.to_string()),
            Ok(secret) => {
                let dialler = Dialler::new(HubAddress::parse(&credential.hub)?);
                State::of(runtime.block_on(login::own(&dialler, &secret)))
            }
        };
        all_work &= matches!(state, State::Works { .. });
        let Credential { hub, scope, id, name, person } = credential;
        let person = if let State::Works { person } = &state { person } else { person };
        let what = if *scope == Scope::Runner { "runner" } else { "command line" };
        lines += &format!("{hub}  {what}  {name}  {person}  {}\n", state.words());
        rows.push(json!({
            "hub": hub, "scope": scope, "id": id, "name": name, "person": person, "state": state.word(),
        }));
    }
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
    } else if known.is_empty() {
        eprintln!("Not logged in: run `muster login --hub URL`.");
    } else {
        print(&lines)?;
    }
    Ok(if all_work { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How it stands with a credential.
enum State {
    Works { person: String },
    Revoked,
    Unknown(String),
}

impl State {
    fn of(answer: Result<Option<login::Own>, LoginError>) -> State {
        match answer {
            Ok(Some(own)) => State::Works { person: own.person.name },
            Ok(None) => State::Revoked,
            Err(error) => State::Unknown(error.to_string()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            State::Works { .. } => "works",
            State::Revoked => "revoked",
            State::Unknown(_) => "unknown",
        }
    }

    fn words(&self) -> String {
        match self {
            State::Works { .. } => "works".into(),
            State::Revoked => "revoked: run `muster logout`, then `muster login`".into(),
            State::Unknown(why) => format!("unknown: {why}"),
        }
    }
}

/// What people call this machine, within what a hub takes as a name.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    if name.trim().is_empty() { "a machine without a name".into() } else { name }
}
