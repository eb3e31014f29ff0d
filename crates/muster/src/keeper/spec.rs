//! What lies in a terminal's folder: the files that runner and keeper leave for each other.
//!
//! ```text
//! DIR/open.json     written by the runner before it starts the keeper: what to run
//! DIR/keeper.json   written by the keeper once it listens: how to reach it
//! DIR/exit.json     written by the keeper once the program has ended: how, and what became of its prompts
//! DIR/screen.bin    written with exit.json: the final screen, so that an ended terminal costs no replay
//! DIR/log/          the terminal's log, see `log`
//! DIR/lock          held by the living keeper
//! ```
//!
//! Every file appears whole (written beside, synced, renamed) and every field added later defaults, so that a runner and
//! a keeper of different versions understand each other. Nothing here knows a PTY or a socket.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use protocol::control::{PromptReport, Size, StatusReport};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The version of the conversation over a keeper's socket. A keeper outlives upgrades of the runner, so a runner speaks
/// every version that it ever shipped.
pub const KEEPER_PROTOCOL: u32 = 1;
/// Bytes of log that a terminal keeps when nothing else is said.
pub const LOG_BYTES_MAX_DEFAULT: u64 = 256 * 1024 * 1024;
/// Name of [`OpenSpec`]'s file.
pub const OPEN_FILE: &str = "open.json";
/// Name of [`KeeperFile`]'s file.
pub const KEEPER_FILE: &str = "keeper.json";
/// Name of [`ExitFile`]'s file.
pub const EXIT_FILE: &str = "exit.json";
/// Name of the final screen's file.
pub const SCREEN_FILE: &str = "screen.bin";

/// What kind of program a terminal runs; it decides what counts as evidence of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramKind {
    /// A shell: idle while it holds the terminal's foreground itself.
    #[default]
    Shell,
    /// A full-screen agent.
    Tui,
}

/// `open.json`: what a keeper shall run, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenSpec {
    /// The terminal's number in its hub.
    pub terminal: u32,
    /// The session's number in its hub.
    pub session: u64,
    /// The session's name, for people.
    pub name: String,
    /// The agent's word: `claude`, `codex`, `opencode`, `gemini`, `aider`, `shell` or one of the user's own.
    pub agent: String,
    /// Program and arguments; empty means the user's login shell.
    pub argv: Vec<String>,
    /// The folder to start in; empty means the user's home.
    pub cwd: String,
    /// Added to the runner's environment. The keeper sets `TERM`, `COLORTERM`, `MUSTER_TERMINAL` and `MUSTER_SESSION`
    /// first, so an entry here wins.
    pub env: BTreeMap<String, String>,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Bytes of log to keep.
    pub log_bytes_max: u64,
    /// What kind of program it is.
    pub kind: ProgramKind,
    /// Deflate output frames: worth it when the hub is far away, a waste of time on loopback.
    pub deflate_output: bool,
}

impl Default for OpenSpec {
    fn default() -> OpenSpec {
        OpenSpec {
            terminal: 0,
            session: 0,
            name: String::new(),
            agent: "shell".to_owned(),
            argv: Vec::new(),
            cwd: String::new(),
            env: BTreeMap::new(),
            cols: Size::DEFAULT.cols,
            rows: Size::DEFAULT.rows,
            log_bytes_max: LOG_BYTES_MAX_DEFAULT,
            kind: ProgramKind::Shell,
            deflate_output: false,
        }
    }
}

impl OpenSpec {
    /// The size, within its limits.
    pub fn size(&self) -> Size {
        Size { cols: self.cols, rows: self.rows }.clamped()
    }

    /// Reads `open.json`.
    pub fn load(dir: &Path) -> std::io::Result<OpenSpec> {
        load(&dir.join(OPEN_FILE))
    }

    /// Writes `open.json` whole.
    pub fn store(&self, dir: &Path) -> std::io::Result<()> {
        store(&dir.join(OPEN_FILE), self)
    }
}

/// `keeper.json`: how to reach a living keeper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeeperFile {
    /// Its process.
    pub pid: u32,
    /// Its socket.
    pub socket: PathBuf,
    /// What it speaks: [`KEEPER_PROTOCOL`].
    pub protocol: u32,
    /// Version of the program that it is.
    pub version: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
}

impl KeeperFile {
    /// Reads `keeper.json`. It may be that of a keeper that has died: only a connection tells.
    pub fn load(dir: &Path) -> std::io::Result<KeeperFile> {
        load(&dir.join(KEEPER_FILE))
    }

    /// Writes `keeper.json` whole.
    pub fn store(&self, dir: &Path) -> std::io::Result<()> {
        store(&dir.join(KEEPER_FILE), self)
    }
}

/// `exit.json`: how a terminal ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExitFile {
    /// The final status, exit code or signal included.
    pub status: StatusReport,
    /// The final size.
    pub cols: u16,
    /// The final size.
    pub rows: u16,
    /// When it last printed something, in milliseconds since 1970.
    pub last_output_ms: u64,
    /// Its newest prompts.
    pub prompts: Vec<PromptReport>,
}

impl ExitFile {
    /// Reads `exit.json`; `None` when the terminal has not ended, or not with a keeper to see it.
    pub fn load(dir: &Path) -> std::io::Result<Option<ExitFile>> {
        match load(&dir.join(EXIT_FILE)) {
            Ok(exit) => Ok(Some(exit)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes `exit.json` whole.
    pub fn store(&self, dir: &Path) -> std::io::Result<()> {
        store(&dir.join(EXIT_FILE), self)
    }
}

fn load<T: DeserializeOwned>(path: &Path) -> std::io::Result<T> {
    let bytes = std::fs::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

fn store<T: Serialize>(path: &Path, value: &T) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(std::io::Error::other)?;
    bytes.push(b'\n');
    write_whole(path, &bytes)
}

/// Writes a file so that a reader sees all of it or the one before, also after a crash of the machine.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_another_version_do_not_hinder() {
        let spec: OpenSpec =
            serde_json::from_str(r#"{"terminal":7,"argv":["sh"],"kind":"tui","newer":{"a":1}}"#).unwrap();
        assert_eq!((spec.terminal, spec.kind, spec.size()), (7, ProgramKind::Tui, Size::DEFAULT));
        assert_eq!(spec.log_bytes_max, LOG_BYTES_MAX_DEFAULT);
    }

    #[test]
    fn files_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ExitFile::load(dir.path()).unwrap(), None);
        let exit = ExitFile { cols: 80, rows: 24, ..ExitFile::default() };
        exit.store(dir.path()).unwrap();
        assert_eq!(ExitFile::load(dir.path()).unwrap(), Some(exit));
        let spec = OpenSpec { argv: vec!["sh".into()], ..OpenSpec::default() };
        spec.store(dir.path()).unwrap();
        assert_eq!(OpenSpec::load(dir.path()).unwrap(), spec);
    }
}
