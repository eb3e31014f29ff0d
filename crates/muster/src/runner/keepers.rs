//! Keepers as processes: starting, reaching and ending them.
//!
//! Invariant: a keeper that was started owes nothing to this process: no pipe, no terminal, no process group, no secret.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::state::Terminals;
use crate::keeper::spec::KeeperFile;
use crate::keeper::wire;

/// How long a keeper may take until it listens.
const START_MAX: Duration = Duration::from_secs(10);
/// How often its socket is tried meanwhile. It takes a few milliseconds to start.
const START_POLL: Duration = Duration::from_millis(3);
/// How long a keeper may take to end itself after `forget`.
const FORGET_MAX: Duration = Duration::from_secs(10);
/// Bytes of a failed keeper's own log that are shown.
const LOG_TAIL_BYTES: u64 = 600;
/// A keeper's own output, for when it fails.
const LOG_FILE: &str = "keeper.log";

/// Variables of the terminal or program that the runner happens to run in. An agent that saw them would adapt to that one.
const OUTER_VARIABLES: [&str; 22] = [
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "LC_TERMINAL",
    "LC_TERMINAL_VERSION",
    "ITERM_SESSION_ID",
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
    "KITTY_PID",
    "WEZTERM_PANE",
    "ALACRITTY_WINDOW_ID",
    "GHOSTTY_RESOURCES_DIR",
    "TMUX",
    "TMUX_PANE",
    "STY",
    "WINDOW",
    "ZELLIJ",
    "ZELLIJ_SESSION_NAME",
    "COLUMNS",
    "LINES",
    "WINDOWID",
    "WT_SESSION",
];

/// Why a keeper cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It did not start, or ended at once.
    #[error("the terminal's keeper did not start: {0}")]
    Start(String),
    /// It runs, but does not listen.
    #[error("the terminal's keeper did not answer within {} s", START_MAX.as_secs())]
    Silent,
}

/// A connection to the keeper of a folder; starts one when none lives.
pub async fn reach(dir: &Path) -> Result<UnixStream, KeeperError> {
    if let Some(stream) = try_reach(dir).await {
        return Ok(stream);
    }
    let mut child = start(dir).map_err(|error| KeeperError::Start(error.to_string()))?;
    let poll = async {
        loop {
            if let Some(stream) = try_reach(dir).await {
                return Ok(stream);
            }
            if let Ok(Some(status)) = child.try_wait() {
                // It may have lost a race with another keeper of the same folder, which then listens.
                let stream = try_reach(dir).await;
                return stream.ok_or_else(|| KeeperError::Start(format!("{status}. {}", log_tail(dir))));
            }
            tokio::time::sleep(START_POLL).await;
        }
    };
    tokio::time::timeout(START_MAX, poll).await.map_err(|_| KeeperError::Silent)?
}

/// A connection to the keeper of a folder, if one lives.
pub async fn try_reach(dir: &Path) -> Option<UnixStream> {
    let socket = KeeperFile::load(dir).ok()?.socket;
    UnixStream::connect(socket).await.ok()
}

/// Ends a terminal, whatever runs in it, and removes its folder.
pub async fn forget(terminals: &Terminals, terminal: u32) -> std::io::Result<()> {
    let dir = terminals.dir(terminal);
    let end = async {
        ask_to_end(&dir, terminal).await;
        while lives(&dir) {
            tokio::time::sleep(START_POLL).await;
        }
    };
    if tokio::time::timeout(FORGET_MAX, end).await.is_err() && lives(&dir) {
        let pid = KeeperFile::load(&dir).ok().and_then(|file| i32::try_from(file.pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            tracing::warn!(terminal, pid = pid.as_raw_nonzero().get(), "keeper does not end; killing it");
            // The program behind it loses its terminal with it, and hears a hang-up.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    let terminals = terminals.clone();
    // A log has up to hundreds of megabytes: other terminals shall not wait for the file system.
    tokio::task::spawn_blocking(move || terminals.remove(terminal)).await.map_err(std::io::Error::other)?
}

/// Says `forget` and waits until the keeper is gone.
async fn ask_to_end(dir: &Path, terminal: u32) {
    let Some(mut stream) = try_reach(dir).await else { return };
    let mut message = Vec::new();
    wire::push_json(&mut message, &protocol::control::encode(&protocol::control::RunnerCommand::Forget { terminal }));
    if stream.write_all(&message).await.is_err() {
        return;
    }
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
}

/// True while a keeper holds the folder's lock, so that its process number is not somebody else's by now.
fn lives(dir: &Path) -> bool {
    let file = std::fs::File::open(dir.join("lock"));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

fn start(dir: &Path) -> std::io::Result<Child> {
    let log = std::fs::File::options().create(true).append(true).open(dir.join(LOG_FILE))?;
    let mut command = Command::new(own_program()?);
    command.arg("keeper").arg("--terminal-dir").arg(dir).current_dir("/");
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(false);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_")) {
        command.env_remove(name);
    }
    for name in OUTER_VARIABLES {
        command.env_remove(name);
    }
    command.spawn()
}

/// This very program. An upgrade may have put another file in its place, or none: then the running one is still reachable.
fn own_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    if path.exists() {
        return Ok(path);
    }
    let replaced = path.to_string_lossy().strip_suffix(" (deleted)").map(PathBuf::from);
    Ok(replaced.filter(|path| path.exists()).unwrap_or_else(|| "/proc/self/exe".into()))
}

fn log_tail(dir: &Path) -> String {
    let tail = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(dir.join(LOG_FILE))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    tail().unwrap_or_default()
}
