//! `muster runner`: the process that dials in to the hub.
//!
//! A thin switch. It owns no PTY, no log and no screen: each terminal has a keeper, a process that outlives this one. It
//! finds keepers by their folders, connects them to the hub while the hub is there, and leaves them alone while it is not.
//! **Invariant: nothing is kept here that a `kill -9` could lose.** It must not know what is in a terminal's bytes.

pub mod connection;
mod hello;
mod keepers;
mod link;
mod open;
pub mod state;
pub mod status;
mod switch;
mod token;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::hub_link::backoff::{Backoff, End, Next};
use crate::hub_link::exchange::{self, Pass};
use crate::hub_link::socket::{self, HubSocket};
use crate::hub_link::{Dialler, HubAddress, LinkError};
use connection::{Ended, Report, UP_MESSAGES_MAX};
use link::{Link, Up};
use open::Machine;
use protocol::close::CloseCode;
use protocol::control::TerminalReport;
use state::{StateDir, StateError, Terminals};
use switch::Switch;
pub use token::TokenSource;

/// A JWT with less than this left is not worth a handshake.
const JWT_LEFT_MS_MIN: u64 = 30_000;

/// What a runner needs to know.
#[derive(Debug)]
pub struct Options {
    /// The hub.
    pub hub: HubAddress,
    /// Where the token comes from.
    pub token: TokenSource,
    /// The merged configuration.
    pub config: Config,
    /// The user's home folder.
    pub home: PathBuf,
    /// The state folder.
    pub state: PathBuf,
}

/// Why a runner ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// The hub closed in a way that dialling again cannot change.
    Refused(CloseCode),
}

/// Why a runner did not start.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Its folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its token.
    #[error(transparent)]
    Token(#[from] token::TokenError),
}

/// Serves the hub until `stop` becomes true or the hub says never to come back.
pub async fn run(options: Options, mut stop: watch::Receiver<bool>) -> Result<Outcome, RunnerError> {
    let state = StateDir::open(&options.state)?;
    let _lock = state.lock()?;
    options.token.read()?;
    if options.hub.is_exposed() {
        tracing::warn!(hub = options.hub.authority(), "the token and everything typed travel there without TLS");
    }
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine = Machine { config: options.config, home: options.home, hostname };
    let dialler = Dialler::new(options.hub);
    let mut runner = Runner { state, machine, dialler, token: options.token, pass: None };
    let mut backoff = Backoff::default();
    tracing::info!(hub = runner.dialler.address.authority(), state = %options.state.display(), "runner starts");
    loop {
        let attempt = runner.attempt(stop.clone()).await;
        if *stop.borrow() {
            tracing::info!("stopped; the agents keep working");
            return Ok(Outcome::Stopped);
        }
        let (end, good_for) = judge(attempt);
        let after = match backoff.ended(end, good_for, chance()) {
            Next::Stop(code) => {
                tracing::error!(code = code.code(), "{}", farewell(code));
                return Ok(Outcome::Refused(code));
            }
            Next::Dial { after, fresh_jwt } => {
                if fresh_jwt {
                    runner.pass = None;
                }
                after
            }
        };
        tracing::info!(in_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX), "dialling again");
        tokio::select! {
            () = tokio::time::sleep(after) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

struct Runner {
    state: StateDir,
    machine: Machine,
    dialler: Dialler,
    token: TokenSource,
    pass: Option<Pass>,
}

impl Runner {
    /// One attempt, from a pass to the end of the connection.
    async fn attempt(&mut self, mut stop: watch::Receiver<bool>) -> Result<Report, LinkError> {
        let connected = tokio::select! {
            connected = self.connect() => connected?,
            () = stopped(&mut stop) => return Ok(Report { ended: Ended::Stopped, good_for: None }),
        };
        let Connected { socket, terminals, up, ups, links, reports } = connected;
        tracing::info!(terminals = reports.len(), "dialled in");
        let hello = hello::message(&self.machine, reports);
        let switch = Switch::new(&self.machine, &terminals, up, links);
        Ok(connection::serve(socket, hello, switch, ups, stopped(&mut stop)).await)
    }

    async fn connect(&mut self) -> Result<Connected, LinkError> {
        let local = |error: &dyn std::fmt::Display| LinkError::Local(error.to_string());
        let pass = match self.pass.take().filter(|pass| pass.expires_at_ms > now_ms() + JWT_LEFT_MS_MIN) {
            Some(pass) => pass,
            None => {
                let token = self.token.read().map_err(|error| local(&error))?;
                exchange::exchange(&self.dialler, &token).await?
            }
        };
        let terminals = self.state.terminals(&pass.runner).map_err(|error| local(&error))?;
        let jwt = pass.jwt.clone();
        self.pass = Some(pass);
        let (up, ups) = mpsc::channel(UP_MESSAGES_MAX);
        // Before the handshake, so that the hub need not wait for a keeper that must be started first.
        let (links, reports) = hello::gather(&terminals, &up).await;
        let socket = socket::connect(&self.dialler, &jwt).await?;
        Ok(Connected { socket, terminals, up, ups, links, reports })
    }
}

struct Connected {
    socket: HubSocket,
    terminals: Terminals,
    up: mpsc::Sender<Up>,
    ups: mpsc::Receiver<Up>,
    links: BTreeMap<u32, Link>,
    reports: Vec<TerminalReport>,
}

/// Logs how it ended, once, and says it in the words of the backoff.
fn judge(attempt: Result<Report, LinkError>) -> (End, Option<Duration>) {
    let report = match attempt {
        Ok(report) => report,
        Err(error) => {
            let end = match error {
                LinkError::TokenRefused { .. } => End::TokenRefused,
                LinkError::Unauthorized => End::Unauthorized,
                LinkError::Version => End::Closed(CloseCode::Version.code()),
                _ => End::Lost,
            };
            if end == End::TokenRefused {
                tracing::error!("{error}")
            } else {
                tracing::warn!("{error}")
            }
            return (end, None);
        }
    };
    let end = match &report.ended {
        Ended::Closed { code, reason } => {
            let name = CloseCode::from_code(*code).map_or("", CloseCode::name);
            tracing::warn!(code, name, reason, "the hub closed the connection");
            End::Closed(*code)
        }
        Ended::Lost(why) => {
            tracing::warn!(why, "lost the hub; the agents keep working");
            End::Lost
        }
        Ended::Keeper(_) | Ended::Stopped => End::Lost,
    };
    (end, report.good_for)
}

fn farewell(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Replaced => {
            "another runner with the same token took over; give each machine a token of its own. The agents keep working"
        }
        CloseCode::Revoked => "the token was revoked; make a new one in the hub's settings. The agents keep working",
        CloseCode::Version => "the hub does not speak this version any more; update muster. The agents keep working",
        _ => "the hub does not want this runner back. The agents keep working",
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could ask.
        std::future::pending().await
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn chance() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the delay is its shortest: still a delay.
    let _ = getrandom::fill(&mut bytes);
    u32::from_be_bytes(bytes)
}
