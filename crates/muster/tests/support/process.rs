//! The runner as a process of its own, as a person starts it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use muster::keeper::spec::KeeperFile;

use super::hub::TOKEN;
use super::soon;

/// A state folder, a home and a configuration for one test.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place::with_config("")
    }

    pub fn with_config(config: &str) -> Place {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("config.toml"), config).expect("config");
        std::fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("token");
        Place { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    /// Where terminals of the model hub's runner lie.
    pub fn terminal(&self, terminal: u32) -> PathBuf {
        self.state().join("runners").join(super::hub::RUNNER).join("terminals").join(terminal.to_string())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(args).env("HOME", self.path()).env("MUSTER_CONFIG", self.path().join("config.toml"));
        command.env("MUSTER_STATE", self.state()).env("MUSTER_TOKEN_FILE", self.path().join("token"));
        command.env_remove("XDG_RUNTIME_DIR").env("SHELL", "/bin/sh").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self, hub: &str) -> Runner {
        Runner::spawn(self.command(&["runner", "--hub", hub]))
    }
}

/// Keepers outlive runners; none shall outlive its test.
impl Drop for Place {
    fn drop(&mut self) {
        let folders = self.terminal(0).parent().and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in folders.into_iter().flatten().flatten() {
            let Ok(keeper) = KeeperFile::load(&entry.path()) else { continue };
            let pid = rustix::process::Pid::from_raw(keeper.pid as i32);
            // While the lock is held the number is still the keeper's. A model keeper is this process, and holds none.
            let lock = std::fs::File::open(entry.path().join("lock"));
            let lives = lock.is_ok_and(|lock| lock.try_lock_shared().is_err());
            if let Some(pid) = pid.filter(|_| lives) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// A running `muster runner`; killed when dropped.
pub struct Runner {
    pub child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl Runner {
    pub fn spawn(mut command: Command) -> Runner {
        let mut child = command.spawn().expect("spawn");
        let lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
        Runner { child, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("alive")
    }

    /// The next log line that holds these words.
    pub async fn logs(&mut self, words: &str) -> String {
        let search = async {
            loop {
                match self.lines.next_line().await {
                    Ok(Some(line)) if line.contains(words) => return line,
                    Ok(Some(_)) => {}
                    other => panic!("wanted a line with {words:?}, got {other:?}"),
                }
            }
        };
        soon(words, search).await
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid() as i32).expect("pid");
        rustix::process::kill_process(pid, signal).expect("kill");
    }

    /// Waits for its end: the exit code, and what it logged last.
    pub async fn ended(&mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        while let Ok(Some(line)) = soon("the end of the log", self.lines.next_line()).await {
            log += &line;
            log += "\n";
        }
        (soon("the end", self.child.wait()).await.expect("wait").code(), log)
    }
}
