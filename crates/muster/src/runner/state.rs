//! The runner's folder: one lock, and one folder for each terminal.
//!
//! ```text
//! STATE/runner.lock                      held by the living runner; holds its process number
//! STATE/runners/ID/terminals/N/          a keeper's folder, see `keeper::spec`
//! ```
//!
//! ID is the runner's id in its hub, since terminal numbers are unique in one hub only. Invariant: a folder named by a
//! number is whole: it appears by a rename once `open.json` is in it, and disappears by one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::keeper::spec::OpenSpec;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another runner has it.
    #[error(
        "another runner (process {pid}) already uses {path}; stop that one, or give this one a folder of its own with --state"
    )]
    Locked {
        /// Its process.
        pid: String,
        /// The folder.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot use the state folder {path}: {why}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
}

/// The folder that `--state` names.
#[derive(Clone, Debug)]
pub struct StateDir {
    path: PathBuf,
}

/// Held for as long as the runner lives; the system lets go of it when the process dies, however it dies.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

impl StateDir {
    /// Makes the folder, for this user alone.
    pub fn open(path: &Path) -> Result<StateDir, StateError> {
        private_folder(path).map_err(|why| StateError::Io { path: path.into(), why })?;
        Ok(StateDir { path: path.into() })
    }

    /// Only to look at; it need not exist.
    pub fn look(path: &Path) -> StateDir {
        StateDir { path: path.into() }
    }

    /// Makes sure that this is the only runner here.
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let io = |why| StateError::Io { path: self.path.clone(), why };
        let name = self.path.join("runner.lock");
        let open = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(name);
        let mut file = open.map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                let pid = Some(pid.trim()).filter(|pid| !pid.is_empty()).unwrap_or("unknown").to_owned();
                return Err(StateError::Locked { pid, path: self.path.clone() });
            }
            Err(std::fs::TryLockError::Error(why)) => return Err(io(why)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
        Ok(StateLock { _file: file })
    }

    /// The terminals of one runner. What an interrupted open or forget left behind is swept away.
    pub fn terminals(&self, runner: &str) -> Result<Terminals, StateError> {
        let terminals = Terminals { path: self.path.join("runners").join(runner).join("terminals") };
        let swept = private_folder(&terminals.path).and_then(|()| terminals.sweep());
        swept.map_err(|why| StateError::Io { path: terminals.path.clone(), why })?;
        Ok(terminals)
    }

    /// The terminals of every runner that ever used this folder.
    pub fn all(&self) -> Vec<(String, Terminals)> {
        let folders = std::fs::read_dir(self.path.join("runners")).into_iter().flatten().flatten();
        let mut all: Vec<_> = folders
            .map(|entry| {
                (entry.file_name().to_string_lossy().into_owned(), Terminals { path: entry.path().join("terminals") })
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

/// The folders of one runner's terminals.
#[derive(Clone, Debug)]
pub struct Terminals {
    path: PathBuf,
}

impl Terminals {
    /// A terminal's folder, whether it exists or not.
    pub fn dir(&self, terminal: u32) -> PathBuf {
        self.path.join(terminal.to_string())
    }

    /// Every terminal that was opened and not forgotten.
    pub fn list(&self) -> Vec<u32> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut terminals: Vec<u32> =
            entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
        terminals.sort_unstable();
        terminals
    }

    /// A new terminal's folder with `open.json` in it.
    pub fn create(&self, spec: &OpenSpec) -> std::io::Result<PathBuf> {
        let (new, dir) = (self.path.join(format!("new-{}", spec.terminal)), self.dir(spec.terminal));
        if new.exists() {
            std::fs::remove_dir_all(&new)?;
        }
        private_folder(&new)?;
        spec.store(&new)?;
        std::fs::rename(&new, &dir)?;
        Ok(dir)
    }

    /// Removes a terminal's folder and the log in it; that it is not there is fine.
    pub fn remove(&self, terminal: u32) -> std::io::Result<()> {
        let gone = self.path.join(format!("gone-{terminal}"));
        match std::fs::rename(self.dir(terminal), &gone) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => std::fs::remove_dir_all(gone),
        }
    }

    fn sweep(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("new-") || name.to_string_lossy().starts_with("gone-") {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // It may have existed with other permissions: logs and sockets in it are nobody else's business.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_runner_at_a_time_and_the_message_names_the_other() {
        let folder = tempfile::tempdir().expect("folder");
        let state = StateDir::open(&folder.path().join("a/b")).expect("open");
        let held = state.lock().expect("first");
        let error = state.lock().expect_err("second").to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        state.lock().expect("after the first has gone");
        let mode = std::fs::metadata(folder.path().join("a/b")).expect("meta").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn terminals_appear_and_disappear_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let state = StateDir::open(folder.path()).expect("open");
        let terminals = state.terminals("tok_1").expect("terminals");
        for terminal in [12, 3] {
            terminals.create(&OpenSpec { terminal, ..OpenSpec::default() }).expect("create");
        }
        std::fs::create_dir(terminals.path.join("new-4")).expect("leftover");
        std::fs::create_dir(terminals.path.join("gone-5")).expect("leftover");
        assert_eq!(terminals.list(), [3, 12]);
        terminals.remove(3).expect("remove");
        terminals.remove(3).expect("twice");
        let terminals = state.terminals("tok_1").expect("again");
        assert_eq!(terminals.list(), [12]);
        assert_eq!(std::fs::read_dir(&terminals.path).expect("list").count(), 1);
        assert_eq!(state.terminals("tok_2").expect("other").list(), [] as [u32; 0]);
        assert_eq!(state.all().len(), 2);
    }
}
