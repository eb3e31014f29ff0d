//! Snapshots: who waits for one, which parts go to whom, and where the stream goes on after it.

use protocol::control::{Delivery, RunnerCommand};
use protocol::frame::{Flags, Frame};

use super::{Stream, Trust, Wire};
use crate::effect::{SocketId, WatchMode};
use crate::out::Out;

impl Wire {
    /// From here on the viewer waits for a snapshot, and gets nothing else.
    pub(super) fn await_snapshot(&mut self, index: usize, scrollback: u32, out: &mut Out) {
        let Some(watcher) = self.watchers.get_mut(index) else { return };
        watcher.set_mode(WatchMode::AwaitingSnapshot, out);
        watcher.scrollback = scrollback;
        watcher.receiving = false;
        watcher.reading = None;
        self.ask_snapshot(scrollback, out);
    }

    /// Those who wait for one.
    pub(crate) fn waiting(&self) -> Vec<SocketId> {
        let waits = |watcher: &&super::Watcher| watcher.mode == WatchMode::AwaitingSnapshot;
        self.watchers.iter().filter(waits).map(|watcher| watcher.socket).collect()
    }

    /// Asks for a snapshot unless one that would do is already on its way.
    pub(super) fn ask_snapshot(&mut self, scrollback: u32, out: &mut Out) {
        if self.link.is_none() || self.asked.contains(&scrollback) {
            return;
        }
        self.stop_unknown(out);
        self.command(&RunnerCommand::Snapshot { terminal: self.terminal, scrollback }, out);
        self.asked.push_back(scrollback);
        if self.stream == Stream::Off {
            self.stream = Stream::On { horizon: 0, trust: Trust::Guess };
            self.credited = 0;
            self.send_pace(out);
        }
    }

    /// A part of a snapshot from the runner at the other end of this wire.
    pub(crate) fn snapshot(&mut self, frame: &Frame<'_>, out: &mut Out) {
        let (flags, offset) = (frame.header.flags, frame.header.offset);
        if !flags.has(Flags::REST) {
            self.snapshot_begins(flags, out);
        }
        let sockets: Vec<SocketId> =
            self.watchers.iter().filter(|watcher| watcher.receiving).map(|watcher| watcher.socket).collect();
        out.forward(sockets);
        if !flags.has(Flags::MORE) {
            self.snapshot_ends(flags, offset, out);
        }
    }

    /// Decides who gets the parts. One that comes later waits for its own.
    fn snapshot_begins(&mut self, flags: Flags, out: &mut Out) {
        let jump = flags.has(Flags::JUMP);
        let asked = if jump { None } else { self.asked.pop_front() };
        self.unasked = !jump && asked.is_none();
        let with_scrollback = flags.has(Flags::SCROLLBACK) || asked.is_some_and(|lines| lines > 0);
        for watcher in &mut self.watchers {
            let waits = match watcher.scrollback {
                0 => !flags.has(Flags::SCROLLBACK),
                _ => with_scrollback && !jump,
            };
            watcher.receiving = match (watcher.mode, watcher.delivery) {
                (WatchMode::AwaitingSnapshot, _) => waits,
                (WatchMode::Live, Delivery::Screen) => jump,
                _ => false,
            };
            if watcher.receiving {
                // Until its end an eviction must know that this viewer has half a screen.
                watcher.set_mode(WatchMode::AwaitingSnapshot, out);
            }
        }
    }

    fn snapshot_ends(&mut self, flags: Flags, offset: u64, out: &mut Out) {
        let jump = flags.has(Flags::JUMP);
        self.stream = match self.stream {
            // A stream that jumps goes on at the snapshot; one that was not known, or began with it, is no further.
            Stream::On { horizon, trust: Trust::Sure } => {
                Stream::On { horizon: if jump { horizon.max(offset) } else { horizon }, trust: Trust::Sure }
            }
            Stream::On { .. } => Stream::On { horizon: offset, trust: Trust::Sure },
            other => other,
        };
        if std::mem::take(&mut self.unasked) {
            self.distrust(offset, out);
        }
        if jump {
            self.credited = self.credited.max(offset);
            self.leave_no_byte_viewer_behind(offset, out);
        }
        for watcher in self.watchers.iter_mut().filter(|watcher| watcher.receiving) {
            watcher.receiving = false;
            watcher.scrollback = 0;
            watcher.at = Some(offset);
            watcher.credit = Some(offset);
            // Live frames may have passed between its parts; settling finds out.
            watcher.set_mode(WatchMode::CatchingUp, out);
        }
        self.settle(out);
    }

    /// An answer to what was asked before the stream was stopped, or before an eviction. The runner may have begun a stream
    /// with it that this hub did not mean, so nobody below it counts as live.
    fn distrust(&mut self, offset: u64, out: &mut Out) {
        match &mut self.stream {
            Stream::Off => self.stream = Stream::Unknown,
            Stream::On { horizon, .. } => *horizon = (*horizon).max(offset),
            Stream::Unknown => {}
        }
        for watcher in &mut self.watchers {
            if watcher.mode == WatchMode::Live && watcher.at.is_some_and(|at| at < offset) {
                watcher.set_mode(WatchMode::CatchingUp, out);
            }
        }
    }

    /// The runner jumped before it heard that somebody needs every byte.
    fn leave_no_byte_viewer_behind(&mut self, offset: u64, out: &mut Out) {
        for watcher in &mut self.watchers {
            let missed = watcher.at.is_none_or(|at| at < offset);
            if watcher.mode == WatchMode::Live && watcher.delivery == Delivery::Bytes && missed {
                match watcher.at {
                    Some(_) => watcher.set_mode(WatchMode::CatchingUp, out),
                    None => watcher.ask_where(self.terminal, out),
                }
            }
        }
    }
}
