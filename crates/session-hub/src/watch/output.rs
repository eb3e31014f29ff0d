//! Output frames on their way from the runner to the viewers: the hot path. One look at each viewer of that terminal, one
//! list of sockets, nothing else.

use protocol::control::{Delivery, ViewerEvent};
use protocol::limits::SCREEN_LAG_BYTES_MAX;

use super::{Stream, Trust, Watcher, Wire};
use crate::effect::{SocketId, WatchMode};
use crate::limits::UNKNOWN_CREDIT_BYTES;
use crate::out::Out;

/// What a frame means for one viewer.
enum Verdict {
    /// It takes the frame.
    Send,
    /// It takes the frame, and something may follow from where it now is.
    SendAndSettle,
    /// It does not take the frame.
    Skip,
    /// It does not take the frame, and something follows from that.
    Settle,
}

impl Wire {
    /// A frame `[from, to)` of the runner at the other end of this wire.
    pub(crate) fn output(&mut self, from: u64, to: u64, out: &mut Out) {
        if to <= from {
            return;
        }
        let horizon = self.saw(from, to);
        let mut sockets: Vec<SocketId> = Vec::with_capacity(self.watchers.len());
        let mut settle = false;
        for watcher in &mut self.watchers {
            match watcher.takes(self.terminal, from, to, horizon, out) {
                Verdict::Send => sockets.push(watcher.socket),
                Verdict::SendAndSettle => {
                    sockets.push(watcher.socket);
                    settle = true;
                }
                Verdict::Skip => {}
                Verdict::Settle => settle = true,
            }
        }
        out.forward(sockets);
        if settle {
            self.settle(out);
        }
        if self.watchers.is_empty() && self.stream == Stream::Unknown {
            // Nobody has watched since before an eviction, and the runner was never told, nor what size to go back to.
            self.stop(out);
            self.size_changed(out);
        }
    }

    /// Learns from a frame how far the stream is, and returns the horizon.
    fn saw(&mut self, from: u64, to: u64) -> u64 {
        match &mut self.stream {
            Stream::On { horizon, trust } => {
                if *trust == Trust::Asked && from <= *horizon && *horizon < to {
                    *trust = Trust::Sure; // the stream does begin where it was asked to
                }
                *horizon = (*horizon).max(to);
                *horizon
            }
            Stream::Unknown | Stream::Off => to,
        }
    }

    /// The bytes `[from, to)` are in nobody's log any more.
    pub(crate) fn gap(&mut self, from: u64, to: u64, reason: &str, out: &mut Out) {
        if to <= from {
            return;
        }
        if let Stream::On { horizon, .. } = &mut self.stream
            && (from..to).contains(horizon)
        {
            *horizon = to;
        }
        let event = ViewerEvent::Gap { terminal: self.terminal, from, to, reason: reason.to_owned() };
        for watcher in &mut self.watchers {
            let concerned = match (watcher.mode, watcher.at) {
                (WatchMode::AwaitingSnapshot | WatchMode::Stalled, _) => false,
                (WatchMode::Live, None) => true,
                (WatchMode::CatchingUp, None) => false,
                (WatchMode::Live | WatchMode::CatchingUp, Some(at)) => (from..to).contains(&at),
            };
            if concerned {
                watcher.at = Some(to);
                watcher.credit = watcher.credit.map(|credit| credit.max(to));
                watcher.finish_read();
                out.viewer(watcher.socket, &event);
            }
        }
        self.settle(out);
    }
}

impl Watcher {
    fn takes(&mut self, terminal: u32, from: u64, to: u64, horizon: u64, out: &mut Out) -> Verdict {
        match self.mode {
            WatchMode::Live => self.takes_live(terminal, from, to, out),
            WatchMode::CatchingUp => self.takes_catching_up(from, to, horizon),
            WatchMode::AwaitingSnapshot | WatchMode::Stalled => Verdict::Skip,
        }
    }

    fn takes_live(&mut self, terminal: u32, from: u64, to: u64, out: &mut Out) -> Verdict {
        let Some(at) = self.at else {
            return self.takes_blindly(terminal, from, to, out);
        };
        if to <= at {
            return Verdict::Skip;
        }
        if at < from {
            self.set_mode(WatchMode::CatchingUp, out);
            return Verdict::Settle;
        }
        if self.room() == 0 {
            self.set_mode(WatchMode::Stalled, out);
            self.reading = None;
            return Verdict::Skip;
        }
        self.at = Some(to);
        Verdict::Send
    }

    /// Since an eviction its position is not known. It is at the stream's, or has the frame already and drops it.
    fn takes_blindly(&mut self, terminal: u32, from: u64, to: u64, out: &mut Out) -> Verdict {
        match self.credit {
            Some(credit) if to <= credit => return Verdict::Skip,
            Some(_) => self.at = Some(to),
            None => {
                self.blind += to - from;
                if self.blind > UNKNOWN_CREDIT_BYTES {
                    // A healthy viewer has returned credit by now, unless it had all of these before: let it say.
                    self.ask_where(terminal, out);
                    return Verdict::Skip;
                }
            }
        }
        Verdict::Send
    }

    /// Nothing is sent until the viewer has said where it is.
    pub(super) fn ask_where(&mut self, terminal: u32, out: &mut Out) {
        self.set_mode(WatchMode::CatchingUp, out);
        (self.at, self.reading) = (None, None);
        out.viewer(self.socket, &ViewerEvent::Resync { terminal });
    }

    fn takes_catching_up(&mut self, from: u64, to: u64, horizon: u64) -> Verdict {
        let Some(at) = self.at else {
            return Verdict::Skip; // it has been asked where it is
        };
        if to <= at || at < from {
            return Verdict::Skip;
        }
        if self.room() == 0 {
            self.reading = None; // what was dropped is asked for again once there is room
            return Verdict::Skip;
        }
        self.at = Some(to);
        let had_read = self.reading.is_some();
        self.finish_read();
        let settle = to >= horizon || (had_read && self.reading.is_none());
        if settle { Verdict::SendAndSettle } else { Verdict::Send }
    }

    /// Ends the read under way once it has brought all it was asked for.
    pub(super) fn finish_read(&mut self) {
        if self.reading.is_some_and(|end| self.at.is_some_and(|at| at >= end)) {
            self.reading = None;
        }
    }

    /// A screen viewer that far behind gets a snapshot instead of the bytes between.
    pub(super) fn is_too_far_behind(&self, horizon: u64) -> bool {
        self.delivery == Delivery::Screen && self.at.is_some_and(|at| horizon.saturating_sub(at) > SCREEN_LAG_BYTES_MAX)
    }
}
