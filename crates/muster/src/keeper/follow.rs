//! How a kept terminal's screen follows its log, a slice at a time, and what it hears in it.
//!
//! Invariant: the screen sees every byte that the log has, in order, each size at its offset; a fault in it never costs the
//! program. It knows no socket.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::kept::Kept;
use super::log::Read;
use super::screen::{Event, Screen};
use super::status::Signal;

/// How far the screen may be behind the log before the program has to wait for it: half a second of emulation.
pub const SCREEN_LAG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes that the screen takes at a time, so that a key never waits longer than about 0.1 ms for it.
pub const SCREEN_SLICE_BYTES: usize = 16 * 1024;

impl Kept {
    /// True while the screen has not seen all of the log.
    pub fn is_screen_behind(&self) -> bool {
        self.screen_at < self.log.end() || !self.resizes.is_empty()
    }

    /// True when the program has to wait for the screen.
    pub fn is_screen_far_behind(&self) -> bool {
        self.log.end() - self.screen_at >= SCREEN_LAG_BYTES_MAX
    }

    pub(super) fn catch_up(&mut self) {
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
}

/// Feeds the screen. A fault in it costs the screen, never the program: it begins anew.
fn feed(screen: &mut Screen, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| screen.feed(bytes))).is_err() {
        *screen = Screen::new(screen.size());
    }
}
