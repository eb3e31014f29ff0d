//! A program in a PTY: how it starts, gets a size, is signalled and ends.
//!
//! Invariant: the program has a session of its own with the PTY as its controlling terminal, and nothing of the keeper's
//! but its environment, without what is Muster's alone. It knows neither log nor screen.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::Child;

use protocol::control::Size;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use rustix::termios::Winsize;

use super::spec::OpenSpec;

/// A running program and the PTY's other end.
#[derive(Debug)]
pub struct Program {
    master: OwnedFd,
    child: Child,
    pid: Pid,
    reaped: bool,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl Program {
    /// Starts a program. The error is for people.
    pub fn start(spec: &OpenSpec) -> Result<Program, String> {
        let home = std::env::var("HOME").ok().filter(|home| !home.is_empty()).unwrap_or_else(|| "/".to_owned());
        let cwd = if spec.cwd.is_empty() { home } else { spec.cwd.clone() };
        if !Path::new(&cwd).is_dir() {
            return Err(format!("There is no folder {cwd}"));
        }
        let shell = login_shell();
        let program = spec.argv.first().unwrap_or(&shell);
        let failed = |error: &dyn std::fmt::Display| format!("{program} could not be started: {error}");
        let (pty, pts) = pty_process::blocking::open().map_err(|error| failed(&error))?;
        let Size { cols, rows } = spec.size();
        pty.resize(pty_process::Size::new(rows, cols)).map_err(|error| failed(&error))?;
        let mut command = pty_process::blocking::Command::new(program).args(spec.argv.iter().skip(1)).current_dir(&cwd);
        if spec.argv.is_empty() {
            let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
            command = command.arg0(format!("-{name}")); // A leading dash makes a shell a login shell.
        }
        // Tokens and settings of the runner are none of the program's business.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_")) {
            command = command.env_remove(name);
        }
        let own = [
            ("TERM", "xterm-256color".to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("MUSTER_TERMINAL", spec.terminal.to_string()),
            ("MUSTER_SESSION", spec.session.to_string()),
            ("PWD", cwd),
        ];
        let child = command.envs(own).envs(&spec.env).spawn(pts).map_err(|error| failed(&error))?;
        let master = OwnedFd::from(pty);
        let flags = fcntl_getfl(&master).map_err(|error| failed(&error))?;
        fcntl_setfl(&master, flags | OFlags::NONBLOCK).map_err(|error| failed(&error))?;
        let pid = Pid::from_child(&child);
        Ok(Program { master, child, pid, reaped: false })
    }

    /// Reads what the program wrote; 0 means that nobody can write any more.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.master, into) {
            // Linux says so once every process has closed its end.
            Err(rustix::io::Errno::IO) => Ok(0),
            other => other.map_err(io::Error::from),
        }
    }

    /// Writes what was typed.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        rustix::io::write(&self.master, bytes).map_err(io::Error::from)
    }

    /// Gives the PTY a size; the program gets SIGWINCH.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(&self.master, size)?)
    }

    /// True while the program itself holds the terminal's foreground.
    pub fn has_own_foreground(&self) -> bool {
        rustix::termios::tcgetpgrp(&self.master).is_ok_and(|group| group == self.pid)
    }

    /// Signals the program's group, and the group in the foreground if that is another. What the program left in them behind
    /// is reached too, until [`Self::reap`].
    pub fn signal(&self, signal: Signal) {
        let foreground = rustix::termios::tcgetpgrp(&self.master).ok().filter(|group| *group != self.pid);
        for group in [(!self.reaped).then_some(self.pid), foreground].into_iter().flatten() {
            let _ = rustix::process::kill_process_group(group, signal); // It may have ended in between.
        }
    }

    /// How it ended, once it has. Asking does not reap it, so that its number stays its group's and cannot become that of
    /// somebody else's.
    pub fn ended(&self) -> Option<Ended> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = rustix::process::waitid(WaitId::Pid(self.pid), options).ok()??;
        Some(Ended { code: status.exit_status(), signal: status.terminating_signal() })
    }

    /// Gives its number back, once it has ended and nobody holds its terminal open any more.
    pub fn reap(&mut self) {
        self.reaped |= matches!(self.child.try_wait(), Ok(Some(_)));
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

/// `$SHELL`, or what the user's entry in `/etc/passwd` says, or `/bin/sh`.
fn login_shell() -> String {
    let usable = |shell: &String| Path::new(shell).is_absolute() && Path::new(shell).exists();
    if let Some(shell) = std::env::var("SHELL").ok().filter(usable) {
        return shell;
    }
    let user = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|entry| entry.get(2) == Some(&user.as_str()));
    entry
        .and_then(|entry| entry.get(6).map(|shell| (*shell).to_owned()))
        .filter(usable)
        .unwrap_or_else(|| "/bin/sh".to_owned())
}
