//! A kept terminal: its program, log, screen, status and prompts, and what time and signals do to them.
//!
//! **Invariant: what the program writes goes to the log first; everything else follows the log.** The screen follows when
//! there is nothing better to do (`follow`). It knows nothing of sockets: what is to be said
//! is asked for by `talk`.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use protocol::control::{Size, TerminalReport};

use super::input::Input;
use super::log::Log;
use super::prompt::Prompts;
use super::pty::{Ended, Program};
use super::screen::Screen;
use super::spec::{ExitFile, OpenSpec, ProgramKind, SCREEN_FILE, write_whole};
use super::status::{Ladder, Signal};
use super::stream::Stream;

/// Bytes of log from which a screen is made again when its keeper died without leaving it.
const REPLAY_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// When to look who holds the foreground, after something happened: a program starts and ends within moments of output.
pub(super) const LOOK_AFTER_MS: [u64; 3] = [25, 250, 1_500];

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
    pub(super) resizes: VecDeque<(u64, Size)>,
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
