//! What is sent of a terminal's bytes, and when: the live stream, single reads, snapshots, checkpoints. Pure.
//!
//! **Invariants: the live stream goes on byte by byte, or says where it does not (a gap, a jump to a snapshot); never is more
//! than a window under way beyond what was credited; unwatched, at most a checkpoint every [`CHECKPOINT_EVERY_MS`] while
//! something changes, one sooner when the agent comes to rest.** It holds offsets only: bytes are in the log, the screen is
//! the emulator's, and [`Stream::next`] says what to do with them.

use std::collections::VecDeque;

use protocol::limits::{SCROLLBACK_LINES_MAX, WINDOW_BYTES};

/// Payload of one output frame under bulk: large enough that a frame's cost does not count, two to a frame's limit.
pub const OUTPUT_BYTES_MAX: u64 = 32 * 1024;
/// Time between two checkpoints while output changes.
pub const CHECKPOINT_EVERY_MS: u64 = 60_000;
/// Time between two checkpoints when the agent has come to rest: with it, two a minute at most.
const CHECKPOINT_REST_MS: u64 = 30_000;
/// Reads and snapshots that may wait. The hub has one read a viewer under way.
const WAITING_MAX: usize = 256;

/// Where the log and the screen are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Oldest offset in the log.
    pub oldest: u64,
    /// Its end.
    pub end: u64,
    /// What the screen has seen.
    pub screen: u64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send bytes from `from`, at most up to `to`; then say so with [`Stream::sent`].
    Output {
        /// First offset.
        from: u64,
        /// Offset after the last.
        to: u64,
        /// Of the live stream, and not of a read.
        live: bool,
    },
    /// Send a snapshot of the screen; then say so with [`Stream::painted`].
    Snapshot {
        /// Lines above it.
        scrollback: u32,
        /// The live stream jumps to it.
        jump: bool,
    },
    /// The screen must see bytes up to this offset first.
    CatchUp(u64),
}

#[derive(Debug)]
struct Live {
    at: u64,
    /// Where the window begins.
    credit: u64,
    /// Where the last jump went that nobody has taken yet: there is no second one before.
    jumped: Option<u64>,
}

impl Live {
    fn new(at: u64) -> Live {
        Live { at, credit: at, jumped: None }
    }
}

/// The state machine.
#[derive(Debug, Default)]
pub struct Stream {
    live: Option<Live>,
    lag_bytes_max: Option<u64>,
    reads: VecDeque<(u64, u64)>,
    /// Scrollback wanted, and the offset that the screen must have seen.
    snapshots: VecDeque<(u32, u64)>,
    /// A jump is being prepared: the screen must have seen this.
    jump: Option<u64>,
    read_turn: bool,
    /// The newest checkpoint that was sent, and the newest that is durable.
    checkpoint: u64,
    checkpoint_ms: Option<u64>,
    saved: u64,
}

impl Stream {
    /// Starts the live stream, if it is not running.
    pub fn stream(&mut self, from: u64, end: u64) {
        let from = from.min(end);
        self.live.get_or_insert(Live::new(from));
    }

    /// Asks for a snapshot.
    pub fn snapshot(&mut self, scrollback: u32, end: u64) {
        let least = self.live.as_ref().map_or(end, |live| live.at);
        if self.snapshots.len() < WAITING_MAX {
            self.snapshots.push_back((scrollback.min(SCROLLBACK_LINES_MAX), least));
        }
    }

    /// Asks for bytes beside the live stream.
    pub fn read(&mut self, from: u64, to: u64, end: u64) {
        let to = to.min(end);
        if from < to && self.reads.len() < WAITING_MAX {
            self.reads.push_back((from, to));
        }
    }

    /// Allows jumps when this far behind, or forbids them.
    pub fn pace(&mut self, lag_bytes_max: Option<u64>) {
        self.lag_bytes_max = lag_bytes_max;
        if lag_bytes_max.is_none() {
            self.jump = None;
        }
    }

    /// Takes credit. It may be beyond what was streamed: a viewer whose snapshot was ahead of the stream has taken all before it,
    /// and its credit is the last that the hub passes on until the stream has come there.
    pub fn credit(&mut self, offset: u64, end: u64) {
        if let Some(live) = &mut self.live {
            live.credit = live.credit.max(offset.min(end));
            live.jumped.take_if(|jumped| *jumped <= offset);
        }
    }

    /// Nobody watches.
    pub fn unwatch(&mut self) {
        let (checkpoint, checkpoint_ms, saved) = (self.checkpoint, self.checkpoint_ms, self.saved);
        *self = Stream { checkpoint, checkpoint_ms, saved, ..Stream::default() };
    }

    /// The runner is gone: nobody watches, and what was not saved was not sent.
    pub fn disconnect(&mut self) {
        self.unwatch();
        self.checkpoint = self.saved;
    }

    /// Where the live stream is, while there is one.
    pub fn live_at(&self) -> Option<u64> {
        self.live.as_ref().map(|live| live.at)
    }

    /// How much of what begins at `from` the live stream would take right now, if nothing else comes before it.
    pub fn takes(&self, from: u64) -> u64 {
        let free = self.snapshots.is_empty() && self.jump.is_none();
        let live = self.live.as_ref().filter(|live| free && live.at == from);
        live.map_or(0, |live| (live.credit + WINDOW_BYTES).saturating_sub(live.at))
    }

    /// True while the screen should be brought up to date before anything else.
    pub fn wants_screen(&self) -> bool {
        !self.snapshots.is_empty() || self.jump.is_some()
    }

    /// What to do next; `None` when there is nothing, or no credit for it.
    pub fn next(&mut self, now: Position) -> Option<Step> {
        if let Some((scrollback, least)) = self.snapshots.front() {
            return Some(match now.screen >= *least {
                true => Step::Snapshot { scrollback: *scrollback, jump: false },
                false => Step::CatchUp(*least),
            });
        }
        let live = self.next_live(now);
        let read = self.reads.front().map(|(from, to)| Step::Output {
            from: *from,
            to: (from + OUTPUT_BYTES_MAX).min(*to),
            live: false,
        });
        self.read_turn = !self.read_turn;
        if self.read_turn { read.or(live) } else { live.or(read) }
    }

    fn next_live(&mut self, now: Position) -> Option<Step> {
        let live = self.live.as_ref()?;
        let most = live.credit + WINDOW_BYTES;
        if live.at >= now.end || live.at >= most {
            return None;
        }
        let far = self.lag_bytes_max.is_some_and(|lag| now.end - live.at > lag);
        if (far && live.jumped.is_none()) || self.jump.is_some() {
            let least = *self.jump.get_or_insert(now.end);
            return Some(match now.screen >= least {
                true => Step::Snapshot { scrollback: 0, jump: true },
                false => Step::CatchUp(least),
            });
        }
        Some(Step::Output { from: live.at, to: (live.at + OUTPUT_BYTES_MAX).min(now.end).min(most), live: true })
    }

    /// Bytes up to `to` were sent, or were found to be missing and that was said.
    pub fn sent(&mut self, to: u64, live: bool) {
        if live {
            self.live.iter_mut().for_each(|live| live.at = to);
            return;
        }
        if let Some((from, end)) = self.reads.front_mut() {
            *from = to;
            if to >= *end {
                self.reads.pop_front();
            }
        }
    }

    /// A snapshot at this offset was sent.
    pub fn painted(&mut self, at: u64, jump: bool) {
        if !jump {
            self.snapshots.pop_front();
            self.live.get_or_insert(Live::new(at));
            return;
        }
        self.jump = None;
        if let Some(live) = &mut self.live {
            // The snapshot stands for the bytes before it, so the window begins anew.
            *live = Live { jumped: Some(at), ..Live::new(at) };
        }
    }

    /// When a checkpoint is due; `resting` says that the agent does not work, `ended` that it never will again.
    pub fn checkpoint_due_ms(&self, end: u64, resting: bool, ended: bool) -> Option<u64> {
        if self.live.is_some() || end <= self.saved {
            return None;
        }
        if end <= self.checkpoint {
            // Sent and not acknowledged: lost on its way, or it will be acknowledged before then.
            return self.checkpoint_ms.map(|at| at + CHECKPOINT_EVERY_MS);
        }
        let apart = match (ended, resting) {
            (true, _) => 0,
            (false, true) => CHECKPOINT_REST_MS,
            (false, false) => CHECKPOINT_EVERY_MS,
        };
        // The first comes after a while, too: there is nothing to see before.
        Some(self.checkpoint_ms.map_or(0, |at| at + apart))
    }

    /// The time from which the first checkpoint counts.
    pub fn begin(&mut self, now_ms: u64) {
        self.checkpoint_ms.get_or_insert(now_ms);
    }

    /// A checkpoint was sent.
    pub fn checkpointed(&mut self, now_ms: u64, at: u64) {
        (self.checkpoint, self.checkpoint_ms) = (at, Some(now_ms));
    }

    /// A checkpoint is durable.
    pub fn checkpoint_saved(&mut self, offset: u64) {
        self.saved = self.saved.max(offset.min(self.checkpoint));
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
