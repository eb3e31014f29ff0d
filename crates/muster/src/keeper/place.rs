//! Where a keeper is reached and how it stays the only one: its lock, its socket, its place among processes.
//!
//! **Invariant: one keeper to a folder, and only its own user reaches it.** The socket lies in the terminal's folder when
//! the path is short enough for one, since such a folder outlives a login; otherwise under `$XDG_RUNTIME_DIR` or `/tmp`.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Longest path of a socket: 104 bytes on macOS, 108 on Linux, and a zero at the end.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Locks a folder; `None` when another keeper has it. The lock lasts as long as the file.
pub fn lock(dir: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join("lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Listens on a socket of the terminal's own. The caller holds the lock, so whatever lies there is left over.
pub fn listen(dir: &Path) -> io::Result<(UnixListener, PathBuf)> {
    let beside = dir.join("keeper.sock");
    // Some file systems have no sockets.
    if beside.as_os_str().len() <= SOCKET_PATH_BYTES_MAX
        && let Ok(listener) = bind(&beside)
    {
        return Ok((listener, beside));
    }
    let folder = runtime_folder()?;
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    let path = folder.join(format!("{:016x}.sock", hasher.finish()));
    Ok((bind(&path)?, path))
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn runtime_folder() -> io::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
    let folder = runtime.map_or_else(|| PathBuf::from(format!("/tmp/muster-{user}")), |dir| dir.join("muster"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // Anybody may make a folder in /tmp.
    let found = std::fs::symlink_metadata(&folder)?;
    if !found.is_dir() || found.uid() != user || found.mode() & 0o077 != 0 {
        let message = format!("{} is not a private folder of this user", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(folder)
}

/// Leaves the runner's session, terminal and pipes: nothing that happens to it reaches this process any more.
pub fn detach(dir: &Path) -> io::Result<()> {
    let _ = rustix::process::setsid(); // It fails when this process leads a session already.
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(dir.join("keeper.log"))?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&log)?;
    std::env::set_current_dir("/")
}

/// When the machine started, in milliseconds since 1970; 0 where that cannot be known.
pub fn machine_started_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
    seconds.unwrap_or(0) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_keeper_to_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        assert!(first.is_some() && lock(dir.path()).unwrap().is_none());
        drop(first);
        assert!(lock(dir.path()).unwrap().is_some());
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(120));
        std::fs::create_dir(&long).unwrap();
        for dir in [dir.path(), &long] {
            let (_listener, path) = listen(dir).unwrap();
            assert!(path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX);
            let (_again, same) = listen(dir).unwrap();
            assert_eq!(path, same, "what is left over is no hindrance");
            std::fs::remove_file(path).unwrap();
        }
    }
}
