//! `config.toml`: which agents this machine offers, and where things lie.
//!
//! Owns the file's grammar and the merge with the built-in entries. Invariant: only an agent of the merged list can ever be
//! started. It must not know the hub or a PTY.

mod agents;
pub mod places;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use agents::{Agent, find_program};
use agents::{AgentEntry, merge};

use crate::keeper::spec::LOG_BYTES_MAX_DEFAULT;
use protocol::limits::{AGENTS_PER_RUNNER_MAX, NAME_CHARS_MAX};

/// Smallest log that still serves a viewer which was away for a moment: eight windows.
pub const LOG_BYTES_MAX_LEAST: u64 = 8 * protocol::limits::WINDOW_BYTES;

/// The merged configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The hub's address, if the file names one.
    pub hub: Option<String>,
    /// The file that holds the token, if the file names one.
    pub token_file: Option<PathBuf>,
    /// Where a session starts that names no folder.
    pub default_folder: PathBuf,
    /// Bytes that a terminal's log keeps.
    pub log_bytes_max: u64,
    /// The allow-list, built-in entries first.
    pub agents: Vec<Agent>,
}

/// The file, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    hub: Option<String>,
    token_file: Option<String>,
    default_folder: Option<String>,
    log_bytes_max: Option<u64>,
    #[serde(default)]
    agents: BTreeMap<String, AgentEntry>,
}

/// Why a configuration cannot be used. The texts are for the person who wrote it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {why}")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Not TOML, an unknown key or a wrong type; `why` names line and column.
    #[error("{path} is not a valid configuration\n{why}")]
    Syntax {
        /// Which.
        path: PathBuf,
        /// Where and what.
        why: String,
    },
    /// A value out of its bounds.
    #[error("{path}: {why}")]
    Value {
        /// Which.
        path: PathBuf,
        /// Which value, and what would be right.
        why: String,
    },
}

impl Config {
    /// Reads a file. One that was not asked for by name may be absent: then the built-in entries hold.
    pub fn load(path: &Path, named: bool, home: &Path) -> Result<Config, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Config::parse(&text, path, home),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => Config::parse("", path, home),
            Err(error) => Err(ConfigError::Read { path: path.into(), why: error.to_string() }),
        }
    }

    /// Reads a text. `path` is for messages only.
    pub fn parse(text: &str, path: &Path, home: &Path) -> Result<Config, ConfigError> {
        let file: ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::Syntax { path: path.into(), why: error.to_string() })?;
        let wrong = |why: String| ConfigError::Value { path: path.into(), why };
        let log_bytes_max = file.log_bytes_max.unwrap_or(LOG_BYTES_MAX_DEFAULT);
        if log_bytes_max < LOG_BYTES_MAX_LEAST {
            return Err(wrong(format!("log_bytes_max is {log_bytes_max}; the least is {LOG_BYTES_MAX_LEAST}")));
        }
        let agents = merge(file.agents).map_err(wrong)?;
        if agents.len() > AGENTS_PER_RUNNER_MAX {
            return Err(wrong(format!("{} agents; the most is {AGENTS_PER_RUNNER_MAX}", agents.len())));
        }
        Ok(Config {
            hub: file.hub,
            token_file: file.token_file.map(|path| places::expand(&path, home)),
            default_folder: file.default_folder.map_or_else(|| home.to_path_buf(), |path| places::expand(&path, home)),
            log_bytes_max,
            agents,
        })
    }

    /// An agent of the allow-list.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.name == name)
    }
}

/// True for a word that may name an agent: it appears in URLs, tables and `data-` attributes.
fn is_word(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(fits)
}

#[cfg(test)]
mod tests;
