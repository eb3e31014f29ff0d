//! What time does to a kept terminal: looks at its foreground, steps of a stop, status, prompts, its end.
//!
//! Invariant: nothing here waits; what is not due yet says when it will be ([`Kept::next_tick_ms`]).

use protocol::control::StopMode;
use protocol::status::Status;
use rustix::process::Signal as UnixSignal;

use super::kept::{Kept, LOOK_AFTER_MS};
use super::prompt::{Action, Moment};
use super::pty::Program;
use super::status::Signal;

/// Silence after which an ended program's output is complete, though others hold its terminal open.
const EXIT_QUIET_MS: u64 = 250;
/// How long an end waits for that silence, and for the screen, at most: others may print for ever.
const EXIT_PATIENCE_MS: u64 = 2_000;
/// From hang-up to SIGTERM, and from there to SIGKILL.
const STOP_STEPS: [(u64, UnixSignal); 2] = [(2_000, UnixSignal::TERM), (5_000, UnixSignal::KILL)];

impl Kept {
    /// Ends the program, and after its end what it left behind in its terminal.
    pub fn stop(&mut self, now_ms: u64, mode: StopMode) {
        self.stop_asked |= mode != StopMode::Interrupt && self.ended.is_none();
        let Some(program) = self.running() else { return };
        match mode {
            StopMode::Interrupt => self.input.push(&[3]),
            StopMode::Terminate => {
                program.signal(UnixSignal::HUP);
                program.signal(UnixSignal::CONT); // A stopped program hears nothing.
                self.stop = Some((now_ms + STOP_STEPS[0].0, 0));
            }
            StopMode::Kill => program.signal(UnixSignal::KILL),
        }
    }

    /// Does what is due: looks, stops, status, prompts, the end. Returns what is to be told of prompts.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Action> {
        if let Some((_, step)) = self.look.take_if(|(at, _)| *at <= now_ms) {
            if let Some(program) = self.program.as_ref().filter(|_| self.ended.is_none()) {
                self.ladder.take(now_ms, Signal::Foreground { own: program.has_own_foreground() });
            }
            self.look = LOOK_AFTER_MS.get(step + 1).map(|after| (now_ms + after, step + 1));
        }
        if let Some((_, step)) = self.stop.take_if(|(at, _)| *at <= now_ms) {
            if let Some(program) = self.running() {
                program.signal(STOP_STEPS[step].1);
            }
            self.stop = STOP_STEPS.get(step + 1).map(|(after, _)| (now_ms + after, step + 1));
        }
        self.ladder.tick(now_ms);
        let silent = self.hung_up || now_ms >= self.ladder.last_output_ms() + EXIT_QUIET_MS;
        let late = self.ended.is_some() && now_ms >= self.ended_ms + EXIT_PATIENCE_MS;
        // The screen need not be waited for: it follows slice by slice while the runner is served.
        if self.is_ending() && (late || silent && !self.is_screen_behind()) {
            self.finish(now_ms);
        }
        let actions = self.move_prompts(now_ms);
        // Whoever reads it goes on from the screen's offset, wherever that is.
        if self.unwritten && (late || !self.is_screen_behind()) {
            self.unwritten = false;
            if let Err(error) = self.write_down() {
                eprintln!("the end cannot be written down: {error:#}");
            }
        }
        actions
    }

    fn move_prompts(&mut self, now_ms: u64) -> Vec<Action> {
        let moment = self.moment(now_ms);
        let mut actions = self.prompts.poll(&moment);
        for action in &actions {
            if let Action::Write(bytes) = action {
                self.input.push(bytes);
                self.stir(now_ms);
            }
        }
        actions.retain(|action| matches!(action, Action::Report(_)));
        actions
    }

    fn moment(&self, now_ms: u64) -> Moment {
        let report = self.ladder.report();
        Moment {
            now_ms,
            takes_paste: self.screen.term().modes().bracketed_paste,
            status: report.status,
            evidence: report.evidence,
            turns: self.ladder.turns(),
            last_output_ms: self.ladder.last_output_ms(),
            own_foreground: self.prompts.has_open() && self.program.as_ref().is_some_and(Program::has_own_foreground),
            ended: self.over.then_some(report.status == Status::Done),
        }
    }

    /// When [`Self::tick`] is to be called at the latest.
    pub fn next_tick_ms(&self, now_ms: u64) -> Option<u64> {
        let quiet_ms = if self.hung_up { 0 } else { EXIT_QUIET_MS };
        let ending =
            self.is_ending().then(|| (self.ladder.last_output_ms() + quiet_ms).min(self.ended_ms + EXIT_PATIENCE_MS));
        let prompts = self.prompts.has_open().then(|| self.prompts.next_poll_ms(&self.moment(now_ms))).flatten();
        let steps = [self.look, self.stop].into_iter().flatten().map(|(at, _)| at);
        [ending, prompts, self.ladder.next_tick_ms(), self.forget_ms].into_iter().flatten().chain(steps).min()
    }
}
