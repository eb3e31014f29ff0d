//! From parsed words to an exit code.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{
    AuditCommand, Cli, Command, ConfigArg, ConfigCommand, DebugCommand, LogLevel, RunnerArgs, RunnerSubcommand,
    StateArg, credential, login, logout, ls,
};
use crate::config::{Config, places};
use crate::hub_link::Secret;
use crate::runner::state::StateDir;
use crate::runner::{self, Options, Outcome, TokenSource};
use protocol::close::CloseCode;

/// Does what was asked for.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    start_log(cli.log);
    match cli.command {
        Command::Runner(RunnerArgs { command: Some(RunnerSubcommand::Status { json, state }), .. }) => {
            status(json, &state)
        }
        Command::Runner(args) => run_runner(args),
        Command::Ls(args) => ls::run(&args),
        Command::Login(args) => login::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Keeper { terminal_dir } => {
            crate::keeper::keeper_main(&terminal_dir)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Debug { command: DebugCommand::Snapshot { cols, rows, at, scrollback } } => {
            let size = protocol::control::Size { cols, rows };
            crate::keeper::debug::snapshots(
                std::io::stdin().lock(),
                &mut std::io::stdout().lock(),
                size,
                &at,
                scrollback,
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { command: ConfigCommand::Check { config } } => check(&config),
        Command::Audit { command: AuditCommand::Verify(args) } => print(&super::audit::verify(&args)?),
        Command::Version => print(&format!("muster {}\n", env!("CARGO_PKG_VERSION"))),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "muster", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Plain lines on standard error.
fn start_log(level: LogLevel) {
    let level = match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false);
    // Only a test that runs two commands in one process has one already.
    let _ = log.with_writer(std::io::stderr).try_init();
}

/// A closed pipe is not an error: `muster runner status | head`.
pub(super) fn print(text: &str) -> anyhow::Result<ExitCode> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn run_runner(args: RunnerArgs) -> anyhow::Result<ExitCode> {
    let home = places::home();
    let config = load_config(&args.config)?;
    let hub = args.hub.or_else(|| config.hub.clone());
    let file = args.token_file.or_else(|| config.token_file.clone());
    let (hub, token) = match (file, places::var("MUSTER_TOKEN")) {
        (Some(path), _) => (credential::named_hub(hub)?, TokenSource::File(path)),
        (None, Some(token)) => (credential::named_hub(hub)?, TokenSource::Given(Secret::new(&token))),
        (None, None) => credential::stored_runner(hub)?,
    };
    let options = Options { hub, token, config, home, state: state_dir(&args.state) };
    let outcome = runtime()?.block_on(async {
        let (stopper, stop) = watch::channel(false);
        // A hang-up keeps its ordinary meaning, so that `nohup muster runner` does what it says.
        let mut signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let asked = async {
            let [terminate, interrupt] = &mut signals;
            tokio::select! {
                () = next(terminate) => {}
                () = next(interrupt) => {}
            }
            let _ = stopper.send(true);
            std::future::pending::<()>().await
        };
        tokio::select! {
            outcome = runner::run(options, stop) => outcome,
            () = asked => Ok(Outcome::Stopped),
        }
    })?;
    Ok(match outcome {
        Outcome::Stopped => ExitCode::SUCCESS,
        Outcome::Refused(CloseCode::Version) => ExitCode::from(10),
        Outcome::Refused(CloseCode::Replaced) => ExitCode::from(11),
        Outcome::Refused(CloseCode::Revoked) => ExitCode::from(12),
        Outcome::Refused(_) => ExitCode::FAILURE,
    })
}

/// Waits for a signal; for ever if the system cannot deliver it.
async fn next(signal: &mut std::io::Result<tokio::signal::unix::Signal>) {
    let came = match signal {
        Ok(signal) => signal.recv().await.is_some(),
        Err(_) => false,
    };
    if !came {
        std::future::pending().await
    }
}

fn status(json: bool, state: &StateArg) -> anyhow::Result<ExitCode> {
    let state = StateDir::look(&state_dir(state));
    let lines = runtime()?.block_on(runner::status::terminals(&state));
    if json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&lines)?));
    }
    print(&runner::status::table(&lines))
}

fn check(arg: &ConfigArg) -> anyhow::Result<ExitCode> {
    let config = load_config(arg)?;
    let home = places::home();
    let mut text = format!("{} is valid.\n", config_file(arg).0.display());
    for agent in &config.agents {
        let program = agent.program(&places::var, &home);
        let found = program.map_or_else(|| "not installed".into(), |path| path.display().to_string());
        text += &format!("{:<12} {:<20} {found}\n", agent.name, agent.label);
    }
    print(&text)
}

pub(super) fn load_config(arg: &ConfigArg) -> anyhow::Result<Config> {
    let (path, named) = config_file(arg);
    Ok(Config::load(&path, named, &places::home())?)
}

fn config_file(arg: &ConfigArg) -> (PathBuf, bool) {
    match &arg.config {
        Some(path) => (path.clone(), true),
        None => (places::config_file(&places::var, &places::home()), false),
    }
}

fn state_dir(arg: &StateArg) -> PathBuf {
    let path = arg.state.clone().unwrap_or_else(|| places::state_dir(&places::var, &places::home()));
    // Keepers start in another folder.
    std::path::absolute(&path).unwrap_or(path)
}

pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}
