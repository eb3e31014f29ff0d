//! A kept terminal: its program, log, screen, status and prompts, and what time and signals do to them.
//!
//! **Invariant: what the program writes goes to the log first; everything else follows the log.** The screen follows when
//! there is nothing better to do, at most [`SCREEN_LAG_BYTES_MAX`] behind. It knows nothing of sockets: what is to be said
//! is asked for by `talk`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use protocol::control::{Size, TerminalReport};

use super::input::Input;
use super::log::{Log, Read};
use super::prompt::Prompts;
use super::pty::{Ended, Program};
use super::screen::{Event, Screen};
use super::spec::{ExitFile, OpenSpec, ProgramKind, SCREEN_FILE, write_whole};
use super::status::{Ladder, Signal};
use super::stream::Stream;

/// How far the screen may be behind the log before the program has to wait for it: half a second of emulation.
pub const SCREEN_LAG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes that the screen takes at a time, so that a key never waits longer than about 0.1 ms for it.
pub const SCREEN_SLICE_BYTES: usize = 16 * 1024;
/// Bytes of log from which a screen is made again when its keeper died without leaving it.
const REPLAY_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// When to look who holds the foreground, after something happened: a program starts and ends within moments of output.
pub(super) const LOOK_AFTER_MS: [u64; 3] = [25, 250, 1_500];

/// Milliseconds since 1970 that never go backwards. They go on evenly, whatever is done to the machine's clock, but for time
/// that passed unnoticed: while a laptop sleeps, [`Instant`] rests.
#[derive(Debug)]
pub struct Clock {
    base_ms: Cell<u64>,
    began: Instant,
}

/// How far the machine's clock may be ahead before that counts as sleep, or as having been set right.
const CLOCK_AHEAD_MS_MAX: u64 = 1_000;

impl Clock {
    /// A clock that begins with the machine's.
    pub fn new() -> Clock {
        Clock { base_ms: Cell::new(wall_ms()), began: Instant::now() }
    }

    /// Now.
    pub fn now_ms(&self) -> u64 {
        self.at(wall_ms(), self.began.elapsed().as_millis() as u64)
    }

    /// Now, with the machine's clock at `wall_ms` and so much time since the beginning that was not slept.
    fn at(&self, wall_ms: u64, awake_ms: u64) -> u64 {
        let behind_ms = wall_ms.saturating_sub(self.base_ms.get() + awake_ms);
        if behind_ms > CLOCK_AHEAD_MS_MAX {
            self.base_ms.set(self.base_ms.get() + behind_ms);
        }
        self.base_ms.get() + awake_ms
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// A kept terminal.
#[derive(Debug)]
pub struct Kept {
    pub(super) dir: PathBuf,
    pub(super) spec: OpenSpec,
    pub(super) size: Size,
    pub(super) log: Log,
    pub(super) screen: Screen,
    pub(super) screen_at: u64,
    pub(super) ladder: Ladder,
    pub(super) prompts: Prompts,
    pub(super) input: Input,
    pub(super) stream: Stream,
    pub(super) program: Option<Program>,
    /// How the process ended; its output may still be under way.
    pub(super) ended: Option<Ended>,
    /// When that was seen.
    pub(super) ended_ms: u64,
    /// The end is told.
    pub(super) over: bool,
    /// The end, or what came after it, is to be written down.
    pub(super) unwritten: bool,
    /// Nobody has the terminal open any more.
    pub(super) hung_up: bool,
    /// Sizes that the screen takes at these offsets.
    resizes: VecDeque<(u64, Size)>,
    /// Sizes that the live stream tells of at these offsets.
    pub(super) resizes_untold: VecDeque<(u64, Size)>,
    pub(super) look: Option<(u64, usize)>,
    pub(super) stop: Option<(u64, usize)>,
    pub(super) stop_asked: bool,
    /// The end of the log, as long as it is in memory, and where it begins.
    pub(super) fresh: Vec<u8>,
    pub(super) fresh_at: u64,
    /// Set when the terminal shall be forgotten; the time is when that is done at the latest.
    pub(super) forget_ms: Option<u64>,
    /// Why the program could not be started; told once.
    pub(super) open_failed: Option<String>,
}

impl Kept {
    /// Starts the program of a folder that has none yet. A program that cannot be started is a terminal that has ended.
    pub fn start(dir: &Path, spec: OpenSpec, now_ms: u64) -> anyhow::Result<Kept> {
        let ladder = Ladder::new(spec.kind, &spec.agent, now_ms);
        let mut kept = Kept::new(dir, spec, ladder)?;
        match Program::start(&kept.spec) {
            Ok(program) => {
                kept.program = Some(program);
                kept.stream.begin(now_ms);
                kept.stir(now_ms);
            }
            Err(message) => {
                kept.ladder.take(now_ms, Signal::Lost(message.clone()));
                kept.over = true;
                kept.write_down()?;
                kept.open_failed = Some(message);
            }
        }
        Ok(kept)
    }

    /// Serves what is left of a terminal that ended.
    pub fn restore(dir: &Path, mut spec: OpenSpec, exit: ExitFile) -> anyhow::Result<Kept> {
        if exit.cols > 0 {
            (spec.cols, spec.rows) = (exit.cols, exit.rows);
        }
        let mut kept = Kept::new(dir, spec, Ladder::ended(exit.status, exit.last_output_ms))?;
        kept.prompts.restore(exit.prompts);
        kept.over = true;
        let stored = std::fs::read(dir.join(SCREEN_FILE)).unwrap_or_default();
        if let Some((at, paint)) = stored.split_first_chunk::<8>() {
            kept.screen.feed(paint);
            kept.screen_at = u64::from_be_bytes(*at);
        } else {
            kept.screen_at = kept.log.end().saturating_sub(REPLAY_BYTES_MAX).max(kept.log.oldest());
        }
        kept.catch_up();
        kept.screen.take_events(); // Nobody is there to hear answers any more.
        Ok(kept)
    }

    /// Writes down the end of a terminal that ended with its keeper or its machine.
    pub fn lost(dir: &Path, spec: OpenSpec, reason: &str, now_ms: u64) -> anyhow::Result<Kept> {
        let mut ladder = Ladder::new(spec.kind, &spec.agent, now_ms);
        ladder.take(now_ms, Signal::Lost(reason.to_owned()));
        let size = spec.size();
        let exit =
            ExitFile { status: ladder.report().clone(), cols: size.cols, rows: size.rows, ..ExitFile::default() };
        let kept = Kept::restore(dir, spec, exit)?;
        kept.write_down()?;
        Ok(kept)
    }

    fn new(dir: &Path, spec: OpenSpec, ladder: Ladder) -> anyhow::Result<Kept> {
        let log = Log::open(&dir.join("log"), spec.log_bytes_max).context("the log cannot be opened")?;
        Ok(Kept {
            dir: dir.to_owned(),
            size: spec.size(),
            screen: Screen::new(spec.size()),
            screen_at: log.end(),
            ladder,
            prompts: Prompts::new(spec.kind, &spec.agent),
            input: Input::new(spec.terminal),
            stream: Stream::default(),
            program: None,
            ended: None,
            ended_ms: 0,
            over: false,
            unwritten: false,
            hung_up: false,
            resizes: VecDeque::new(),
            resizes_untold: VecDeque::new(),
            look: None,
            stop: None,
            stop_asked: false,
            fresh: Vec::new(),
            fresh_at: log.end(),
            forget_ms: None,
            open_failed: None,
            log,
            spec,
        })
    }

    /// The terminal as it is.
    pub fn report(&self) -> TerminalReport {
        TerminalReport {
            terminal: self.spec.terminal,
            oldest: self.log.oldest(),
            end: self.log.end(),
            size: self.size,
            status: self.ladder.report().clone(),
            last_output_ms: self.ladder.last_output_ms(),
            prompts: self.prompts.reports(),
        }
    }

    /// Takes what the program wrote.
    pub fn take_output(&mut self, now_ms: u64, bytes: &[u8]) {
        self.fresh_at = self.log.end();
        self.log.append(bytes);
        self.fresh.clear();
        self.fresh.extend_from_slice(bytes);
        self.ladder.take(now_ms, Signal::Output);
        self.look_soon(now_ms);
    }

    /// Nobody can write to the terminal any more.
    pub fn hang_up(&mut self, now_ms: u64) {
        self.hung_up = true;
        self.unwritten |= self.over; // Others printed after the program had ended.
        self.child_ended(now_ms);
    }

    /// A child may have ended.
    pub fn child_ended(&mut self, now_ms: u64) {
        let Some(program) = &mut self.program else { return };
        if self.ended.is_none() {
            (self.ended, self.ended_ms) = (program.ended(), now_ms);
        }
        if self.hung_up && self.ended.is_some() {
            program.reap();
        }
    }

    /// The program, while it runs or others hold its terminal open: what a signal can reach.
    pub(super) fn running(&self) -> Option<&Program> {
        self.program.as_ref().filter(|_| self.ended.is_none() || !self.hung_up)
    }

    /// True while the program has ended and its output may still come.
    pub(super) fn is_ending(&self) -> bool {
        self.ended.is_some() && !self.over
    }

    /// True while there is a PTY to read.
    pub fn is_readable(&self) -> bool {
        self.program.is_some() && !self.hung_up && !self.is_screen_far_behind()
    }

    pub(super) fn finish(&mut self, now_ms: u64) {
        let Some(Ended { code, signal }) = self.ended else { return };
        self.ladder.take(now_ms, Signal::Exit { code, signal, asked: self.stop_asked });
        self.input.clear();
        (self.over, self.unwritten) = (true, true);
    }

    /// Leaves what the next keeper of this folder needs.
    pub fn write_down(&self) -> anyhow::Result<()> {
        self.log.sync()?;
        let mut screen = self.screen_at.to_be_bytes().to_vec();
        screen.extend(self.screen.snapshot(usize::MAX));
        write_whole(&self.dir.join(SCREEN_FILE), &screen)?;
        let exit = ExitFile {
            status: self.ladder.report().clone(),
            cols: self.size.cols,
            rows: self.size.rows,
            last_output_ms: self.ladder.last_output_ms(),
            prompts: self.prompts.reports(),
        };
        Ok(exit.store(&self.dir)?)
    }

    /// True while the screen has not seen all of the log.
    pub fn is_screen_behind(&self) -> bool {
        self.screen_at < self.log.end() || !self.resizes.is_empty()
    }

    /// True when the program has to wait for the screen.
    pub fn is_screen_far_behind(&self) -> bool {
        self.log.end() - self.screen_at >= SCREEN_LAG_BYTES_MAX
    }

    fn catch_up(&mut self) {
        while self.is_screen_behind() {
            self.feed_screen(self.ladder.last_output_ms());
        }
    }

    /// Lets the screen see a little more of the log.
    pub fn feed_screen(&mut self, now_ms: u64) {
        if let Some((_, size)) = self.resizes.pop_front_if(|(at, _)| *at <= self.screen_at) {
            self.screen.resize(size);
            return;
        }
        let most = self
            .resizes
            .front()
            .map_or(SCREEN_SLICE_BYTES, |(at, _)| SCREEN_SLICE_BYTES.min((at - self.screen_at) as usize));
        let fresh = self.screen_at.checked_sub(self.fresh_at).and_then(|at| self.fresh.get(at as usize..));
        if let Some(bytes) = fresh.filter(|bytes| !bytes.is_empty()) {
            let bytes = &bytes[..bytes.len().min(most)];
            feed(&mut self.screen, bytes);
            self.screen_at += bytes.len() as u64;
        } else {
            let mut buffer = [0; SCREEN_SLICE_BYTES];
            match self.log.read(self.screen_at, &mut buffer[..most]) {
                Read::Bytes(count) => {
                    feed(&mut self.screen, &buffer[..count]);
                    self.screen_at += count as u64;
                }
                Read::Gap(to) => self.screen_at = to,
                Read::End => {}
            }
        }
        for event in self.screen.take_events() {
            self.hear(now_ms, event);
        }
    }

    fn hear(&mut self, now_ms: u64, event: Event) {
        match event {
            Event::Title(title) => self.ladder.take(now_ms, Signal::Title(title)),
            Event::Bell => self.ladder.take(now_ms, Signal::Bell),
            Event::Osc { number, text } => self.ladder.take(now_ms, Signal::Osc(number, text)),
            Event::Answer(bytes) if self.program.is_some() && !self.over => self.input.push(&bytes),
            Event::Answer(_) => {}
        }
    }

    /// Something was typed or changed, so that output follows which is no work.
    pub fn stir(&mut self, now_ms: u64) {
        self.ladder.take(now_ms, Signal::Stirred);
        self.look_soon(now_ms);
    }

    fn look_soon(&mut self, now_ms: u64) {
        let sooner = self.look.is_none_or(|(_, step)| step > 0);
        if self.spec.kind == ProgramKind::Shell && sooner {
            self.look = Some((now_ms + LOOK_AFTER_MS[0], 0));
        }
    }

    /// Gives the PTY, and the screen from here on, a size. True if it is another.
    pub fn resize(&mut self, now_ms: u64, size: Size) -> bool {
        let size = size.clamped();
        if size == self.size {
            return false;
        }
        self.size = size;
        if let Some(program) = &self.program {
            let _ = program.resize(size); // A PTY that is gone needs no size.
        }
        self.resizes.push_back((self.log.end(), size));
        self.resizes_untold.push_back((self.log.end(), size));
        self.stir(now_ms);
        true
    }

    /// Writes what was typed, as far as the program takes it.
    pub fn write_input(&mut self) {
        let Some(program) = &self.program else { return self.input.clear() };
        while !self.input.next().is_empty() {
            match program.write(self.input.next()) {
                Ok(count) if count > 0 => self.input.written(count),
                _ => return,
            }
        }
    }
}

/// Feeds the screen. A fault in it costs the screen, never the program: it begins anew.
fn feed(screen: &mut Screen, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| screen.feed(bytes))).is_err() {
        *screen = Screen::new(screen.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_follows_a_sleep_and_never_goes_back() {
        const HOUR_MS: u64 = 3_600_000;
        let clock = Clock { base_ms: Cell::new(HOUR_MS), began: Instant::now() };
        assert_eq!(clock.at(HOUR_MS + 10, 10), HOUR_MS + 10);
        assert_eq!(clock.at(HOUR_MS + 500, 20), HOUR_MS + 20, "a clock that is slewed is not followed");
        assert_eq!(clock.at(9 * HOUR_MS, 30), 9 * HOUR_MS, "a night");
        assert_eq!(clock.at(9 * HOUR_MS + 10, 40), 9 * HOUR_MS + 10);
        assert_eq!(clock.at(HOUR_MS, 50), 9 * HOUR_MS + 20, "set back");
        assert_eq!(clock.at(20 * HOUR_MS, 60), 20 * HOUR_MS, "a second night");
    }
}
