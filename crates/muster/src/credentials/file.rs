//! `credentials.json`: a list that appears whole, and that only its owner may read.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Credential;

/// The only version so far.
const VERSION: u32 = 1;
/// Largest file that is read: hundreds of hubs.
const BYTES_MAX: u64 = 256 * 1024;
/// What group and others may do with it: nothing.
const OTHERS: u32 = 0o077;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot use {path}: {why}")]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// Others could have read the tokens in it.
    #[error(
        "{path} can be used by others (mode {mode:03o}), so it is not read. If others use this machine, the tokens in it are \
         known to them: revoke them in your hub's settings. Then `chmod 600` it or delete it, and log in again"
    )]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Another program or a newer version wrote it.
    #[error("{path} is not a list of credentials that this version reads ({why}); move it away and log in again")]
    Format {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A credential, and its secret where the keyring does not have it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    #[serde(flatten)]
    pub credential: Credential,
    /// The secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Whole {
    version: u32,
    credentials: Vec<Entry>,
}

/// The file.
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// At this path; it need not exist.
    pub fn new(path: PathBuf) -> Store {
        Store { path }
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; nothing when there is no file.
    pub fn read(&self) -> Result<Vec<Entry>, FileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.io(error)),
        };
        // Asked of the open file, so that nobody can put another in its place.
        let facts = file.metadata().map_err(|error| self.io(error))?;
        let mode = facts.mode() & 0o777;
        if mode & OTHERS != 0 {
            return Err(FileError::Exposed { path: self.path.clone(), mode });
        }
        let wrong = |why: String| FileError::Format { path: self.path.clone(), why };
        if facts.len() > BYTES_MAX {
            return Err(wrong(format!("it has {} bytes", facts.len())));
        }
        let mut text = String::new();
        file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| self.io(error))?;
        // serde's words quote no values of the file, but for unexpected types of them: line and column must do.
        let whole: Whole = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("line {}, column {}", error.line(), error.column())))?;
        if whole.version != VERSION {
            return Err(wrong(format!("version {}", whole.version)));
        }
        Ok(whole.credentials)
    }

    /// Changes it while no other program of this kind does. An empty list is no file.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), FileError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| self.io(error))?;
        let lock = self.path.with_extension("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock);
        let lock = lock.map_err(|error| self.io(error))?;
        lock.lock().map_err(|error| self.io(error))?;
        let mut credentials = self.read()?;
        change(&mut credentials);
        if credentials.is_empty() {
            return match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(self.io(error)),
                _ => Ok(()),
            };
        }
        let whole = Whole { version: VERSION, credentials };
        let mut text = serde_json::to_vec_pretty(&whole).map_err(|error| self.io(error.into()))?;
        text.push(b'\n');
        self.write(&text).map_err(|error| self.io(error))
    }

    /// Written beside and renamed: a reader sees all of it or the one before, and never with other permissions.
    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let beside = self.path.with_extension("new");
        // What a crash left there may have any permissions.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&beside, &self.path)
    }

    fn io(&self, why: std::io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), why }
    }
}
