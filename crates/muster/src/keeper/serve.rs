//! The keeper's one loop: waits for the PTY, the runner, a signal or the time, and does what is next.
//!
//! A single thread, so that a key's echo needs no second one to wake: what is typed is written to the PTY in the turn in
//! which it comes, what is printed goes to the log and to the runner in the next, and the screen sees it when nothing waits.
//! **Invariant: nothing in a turn blocks, and every turn is short.**

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::control::{RunnerMessage, StopMode, TerminalReport};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::client::Client;
use super::clock::Clock;
use super::follow::SCREEN_SLICE_BYTES;
use super::kept::Kept;
use super::place;
use super::spec::{KEEPER_FILE, KEEPER_PROTOCOL, KeeperFile};
use super::wire::Message;

/// Bytes read at once, from the PTY over several reads.
const BUFFER_BYTES: usize = 64 * 1024;
/// A read from a PTY gives at most 4 KiB; one that gives less than this has emptied it.
const PTY_READ_LEAST: usize = 2 * 1024;
/// Under bulk, how long a small frame waits to become a large one.
const BULK_WAIT: Duration = Duration::from_millis(1);
/// How much more the screen takes in a turn when somebody waits for it: twice what a turn reads, so that it catches up.
const URGENT_SLICES: usize = 2 * BUFFER_BYTES / SCREEN_SLICE_BYTES;
/// How often to see whether somebody has cleared the socket away.
const LOOK_AFTER_SOCKET_MS: u64 = 60_000;

/// What the loop waits for besides the terminal.
#[derive(Debug)]
pub struct Ends {
    /// Where runners connect.
    pub listener: UnixListener,
    /// Its path.
    pub socket: PathBuf,
    /// A byte for each SIGCHLD.
    pub children: UnixStream,
    /// A byte for each SIGTERM.
    pub terminated: UnixStream,
}

#[derive(Debug)]
struct Server {
    kept: Kept,
    ends: Ends,
    client: Option<Client>,
    /// Came while a runner was here, and what it was told: it only looks, until it says something.
    visitor: Option<(Client, TerminalReport)>,
    clock: Clock,
    buffer: Vec<u8>,
    /// When bulk output was read last, and since when some of it waits.
    bulk: Option<Instant>,
    held: Option<Instant>,
    socket_look_ms: u64,
    terminated: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ready {
    any: bool,
    children: bool,
    terminated: bool,
    listener: bool,
    client: bool,
    visitor: bool,
    pty: bool,
}

/// Writes `keeper.json`: from now on, runners find this keeper.
pub fn announce(dir: &Path, socket: &Path, started_ms: u64) -> io::Result<()> {
    let file = KeeperFile {
        pid: std::process::id(),
        socket: socket.to_owned(),
        protocol: KEEPER_PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms,
    };
    file.store(dir)
}

/// Serves a terminal until it is forgotten.
pub fn run(kept: Kept, ends: Ends, clock: Clock) -> anyhow::Result<()> {
    let socket_look_ms = clock.now_ms() + LOOK_AFTER_SOCKET_MS;
    let buffer = vec![0; BUFFER_BYTES];
    let mut server = Server {
        kept,
        ends,
        client: None,
        visitor: None,
        clock,
        buffer,
        bulk: None,
        held: None,
        socket_look_ms,
        terminated: false,
    };
    while !server.is_done() {
        server.turn()?;
    }
    let _ = std::fs::remove_file(&server.ends.socket); // It may lie in the folder that is gone.
    Ok(())
}

impl Server {
    fn is_done(&self) -> bool {
        let now = self.clock.now_ms();
        if self.kept.forget_ms.is_some_and(|at| self.kept.over || at <= now) {
            if let Err(error) = std::fs::remove_dir_all(&self.kept.dir) {
                eprintln!("{} cannot be removed: {error}", self.kept.dir.display());
            }
            return true;
        }
        self.terminated && self.kept.over
    }

    fn turn(&mut self) -> anyhow::Result<()> {
        let now = self.clock.now_ms();
        self.speak(now);
        let ready = self.wait(now)?;
        let now = self.clock.now_ms();
        if ready.children {
            drain(&self.ends.children);
            self.kept.child_ended(now);
        }
        if ready.terminated {
            drain(&self.ends.terminated);
            self.terminated = true;
            self.kept.stop(now, StopMode::Terminate);
        }
        if ready.client {
            self.listen(now);
        }
        if ready.visitor {
            self.hear_visitor(now);
        }
        if ready.pty {
            self.kept.write_input();
            self.read_pty(now);
        }
        if ready.listener {
            self.accept(now);
        }
        let urgent = self.kept.stream.wants_screen() || self.kept.is_screen_far_behind();
        let slices = if urgent { URGENT_SLICES } else { usize::from(!ready.any) };
        for _ in 0..slices {
            if self.kept.is_screen_behind() {
                self.kept.feed_screen(now);
            }
        }
        self.look_after_socket(now);
        Ok(())
    }

    /// Does what is due and says what is to be said.
    fn speak(&mut self, now: u64) {
        let actions = self.kept.tick(now);
        self.kept.write_input();
        let Some(client) = &mut self.client else { return };
        self.kept.tell(now, actions, client);
        let holds = self.held.is_some_and(|since| since.elapsed() < BULK_WAIT) && self.kept.is_worth_waiting();
        if !holds {
            self.held = None;
        }
        loop {
            if !holds {
                self.kept.pump(client, &mut self.buffer);
            }
            let had_something = client.waiting() > 0;
            if client.flush().is_err() {
                return self.part();
            }
            // A socket that took all of it has room for more, and nothing else would come back here to fill it. Bounded by
            // the window and by the reads that were asked for.
            if holds || !had_something || client.waiting() > 0 {
                break;
            }
        }
    }

    fn part(&mut self) {
        self.client = None;
        self.held = None;
        self.kept.stream.disconnect();
    }

    fn wait(&self, now: u64) -> io::Result<Ready> {
        let kept = &self.kept;
        let mut fds = Vec::with_capacity(6);
        fds.push(PollFd::new(&self.ends.children, PollFlags::IN));
        fds.push(PollFd::new(&self.ends.terminated, PollFlags::IN));
        fds.push(PollFd::new(&self.ends.listener, PollFlags::IN));
        if let Some(client) = &self.client {
            let out = if client.waiting() > 0 { PollFlags::OUT } else { PollFlags::empty() };
            fds.push(PollFd::from_borrowed_fd(client.as_fd(), PollFlags::IN | out));
        }
        if let Some((visitor, _)) = &self.visitor {
            fds.push(PollFd::from_borrowed_fd(visitor.as_fd(), PollFlags::IN));
        }
        if let Some(program) = kept.program.as_ref().filter(|_| kept.is_readable()) {
            let out = if kept.input.next().is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::from_borrowed_fd(program.as_fd(), PollFlags::IN | out));
        }
        let timeout = self.timeout(now);
        let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut at = 0;
        let mut next = |there: bool| {
            at += usize::from(there);
            there && !fds[at - 1].revents().is_empty()
        };
        let mut ready =
            Ready { children: next(true), terminated: next(true), listener: next(true), ..Ready::default() };
        ready.client = next(self.client.is_some());
        ready.visitor = next(self.visitor.is_some());
        ready.pty = next(kept.program.is_some() && kept.is_readable());
        ready.any = ready.children || ready.terminated || ready.listener || ready.client || ready.pty;
        Ok(ready)
    }

    fn timeout(&self, now: u64) -> Duration {
        if self.kept.is_screen_behind() {
            return Duration::ZERO;
        }
        if let Some(since) = self.held {
            return BULK_WAIT.saturating_sub(since.elapsed());
        }
        let word = self.client.as_ref().and_then(|_| self.kept.next_word_ms());
        let due = [self.kept.next_tick_ms(now), word].into_iter().flatten().min().unwrap_or(u64::MAX);
        Duration::from_millis(due.min(self.socket_look_ms).saturating_sub(now))
    }

    fn read_pty(&mut self, now: u64) {
        let Some(program) = &self.kept.program else { return };
        let mut length = 0;
        let mut hung_up = false;
        while length < self.buffer.len() {
            match program.read(&mut self.buffer[length..]) {
                Ok(0) => {
                    hung_up = true;
                    break;
                }
                Ok(count) => {
                    length += count;
                    if count < PTY_READ_LEAST {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    hung_up = true;
                    break;
                }
            }
        }
        if length > 0 {
            self.kept.take_output(now, &self.buffer[..length]);
            self.hold_if_bulk(length);
        }
        if hung_up {
            self.kept.hang_up(now);
        }
    }

    /// A second large read within a moment means bulk: what is small now will soon be more.
    fn hold_if_bulk(&mut self, length: usize) {
        if length < PTY_READ_LEAST {
            self.bulk = None;
            return;
        }
        let instant = Instant::now();
        if self.bulk.is_some_and(|last| instant - last < BULK_WAIT) {
            self.held.get_or_insert(instant);
        }
        self.bulk = Some(instant);
    }

    fn listen(&mut self, now: u64) {
        let Some(client) = &mut self.client else { return };
        let mut gone = client.receive(&mut self.buffer).is_err();
        while let Some(client) = &mut self.client {
            // The message is copied out, since an answer is queued where it lies.
            let text = match client.next() {
                Ok(None) => break,
                Ok(Some(Message::Json(text))) => text.to_owned(),
                Ok(Some(Message::Frame(frame))) => {
                    let length = frame.len();
                    self.buffer[..length].copy_from_slice(frame);
                    self.kept.frame(now, &self.buffer[..length], client);
                    continue;
                }
                Err(_) => {
                    gone = true;
                    break;
                }
            };
            self.kept.command(now, &text, client);
        }
        if gone {
            self.part();
        }
    }

    /// Who connects while no runner is here is the runner. Otherwise it is a visitor, who sees the report and disturbs nobody.
    fn accept(&mut self, now: u64) {
        let Ok((socket, _)) = self.ends.listener.accept() else { return };
        let Ok(mut client) = Client::new(socket) else { return };
        if self.client.is_none() {
            self.kept.greet(now, &mut client);
            self.client = Some(client);
            return;
        }
        let report = self.kept.report();
        client.send(&RunnerMessage::Opened { report: report.clone() });
        self.visitor = client.flush().is_ok().then_some((client, report));
    }

    /// A visitor that speaks is a runner, and replaces the one before, which must be gone or stuck.
    fn hear_visitor(&mut self, now: u64) {
        let Some((mut client, seen)) = self.visitor.take() else { return };
        if client.receive(&mut self.buffer).is_err() {
            return;
        }
        self.part();
        let report = self.kept.report();
        if (&report.status, &report.prompts) != (&seen.status, &seen.prompts) {
            client.send(&RunnerMessage::Opened { report });
        }
        self.client = Some(client);
        self.listen(now);
    }

    /// Some systems clear a user's runtime folder at logout; the terminal must stay reachable.
    fn look_after_socket(&mut self, now: u64) {
        if now < self.socket_look_ms {
            return;
        }
        self.socket_look_ms = now + LOOK_AFTER_SOCKET_MS;
        if self.ends.socket.exists() && self.kept.dir.join(KEEPER_FILE).exists() {
            return;
        }
        let again = place::listen(&self.kept.dir).and_then(|(listener, socket)| {
            announce(&self.kept.dir, &socket, now)?;
            Ok((listener, socket))
        });
        match again {
            Ok((listener, socket)) => (self.ends.listener, self.ends.socket) = (listener, socket),
            Err(error) => eprintln!("the socket is gone and cannot be made again: {error}"),
        }
    }
}

fn drain(mut pipe: &UnixStream) {
    let mut bytes = [0; 64];
    while matches!(io::Read::read(&mut pipe, &mut bytes), Ok(count) if count > 0) {}
}
