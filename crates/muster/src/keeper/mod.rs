//! The keeper: one small process for each terminal, which owns its PTY, its log, its screen and its status.
//!
//! It outlives the runner that started it: it has a session of its own, no terminal and no pipe to anyone, and serves one
//! runner at a time over a Unix socket. **Invariant: no byte that the program wrote is lost or doubled while the keeper
//! lives, whatever happens to the runner, the hub and the viewers.** It knows no network, no hub and no configuration:
//! what to run is in the folder that it is given ([`spec`]).
//!
//! * [`spec`], [`wire`]: what runner and keeper share, the files of a folder and the bytes on the socket;
//! * [`log`], [`pty`], [`screen`]: what is written, by whom, and how it looks;
//! * [`input`], [`prompt`], [`status`], [`stream`]: pure state machines, with [`signals`], [`answers`] and [`text`];
//! * `kept`, `follow`, `tick`, `talk`, `serve`: the terminal, its screen, what time does to it, its conversation, the loop;
//!   `clock` for all of them.

pub mod answers;
mod client;
mod clock;
pub mod debug;
mod follow;
pub mod input;
mod kept;
pub mod log;
mod place;
pub mod prompt;
pub mod pty;
pub mod screen;
mod serve;
pub mod signals;
pub mod spec;
pub mod status;
pub mod stream;
mod talk;
pub mod text;
mod tick;
pub mod wire;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use clock::Clock;
use kept::Kept;
use spec::{ExitFile, KeeperFile, OpenSpec};

/// Runs a keeper until its terminal is forgotten: `muster keeper --terminal-dir DIR`.
///
/// DIR holds `open.json`. When the program has ended already, or died with its keeper or machine, this serves what is
/// left of it, read-only. When another keeper has the folder, this one has nothing to do and returns.
pub fn keeper_main(dir: &Path) -> anyhow::Result<()> {
    let dir = dir.canonicalize().with_context(|| format!("there is no folder {}", dir.display()))?;
    let spec = OpenSpec::load(&dir).context("open.json cannot be read")?;
    let Some(_lock) = place::lock(&dir).context("the folder cannot be locked")? else { return Ok(()) };
    place::detach(&dir).context("the keeper cannot detach itself")?;
    let clock = Clock::new();
    let (children, terminated) = (hear(&[SIGCHLD])?, hear(&[SIGTERM, SIGINT])?);
    // A handler, since a program would inherit that a signal is ignored.
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
    let (listener, socket) = place::listen(&dir).context("no socket can be made")?;
    let kept = open(&dir, spec, clock.now_ms())?;
    serve::announce(&dir, &socket, clock.now_ms()).context("keeper.json cannot be written")?;
    serve::run(kept, serve::Ends { listener, socket, children, terminated }, clock)
}

/// A new terminal, or what is left of an old one.
fn open(dir: &Path, spec: OpenSpec, now_ms: u64) -> anyhow::Result<Kept> {
    if let Some(exit) = ExitFile::load(dir).context("exit.json cannot be read")? {
        return Kept::restore(dir, spec, exit);
    }
    match KeeperFile::load(dir) {
        Ok(before) if before.started_ms < place::machine_started_ms() => {
            Kept::lost(dir, spec, "The machine restarted while it ran", now_ms)
        }
        Ok(_) => Kept::lost(dir, spec, "Its keeper was killed, and it ended with it", now_ms),
        Err(_) => Kept::start(dir, spec, now_ms),
    }
}

fn hear(signals: &[i32]) -> anyhow::Result<UnixStream> {
    let (here, there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, there.try_clone()?)?;
    }
    Ok(here)
}
