//! Starting and stopping the runner's stream, and reading what a viewer missed until it has caught up with it.

use protocol::control::{RunnerCommand, ViewerEvent};
use protocol::limits::CREDIT_EVERY_BYTES;

use super::{Stream, Trust, Wire};
use crate::effect::WatchMode;
use crate::out::Out;

impl Wire {
    /// Brings every viewer that is catching up one step further, where a step is possible now.
    pub(super) fn settle(&mut self, out: &mut Out) {
        for index in 0..self.watchers.len() {
            self.settle_one(index, out);
        }
    }

    pub(super) fn settle_one(&mut self, index: usize, out: &mut Out) {
        let terminal = self.terminal;
        let Some(watcher) = self.watchers.get_mut(index) else { return };
        let (Some(_), WatchMode::CatchingUp, Some(at)) = (self.link, watcher.mode, watcher.at) else { return };
        let horizon = match self.stream {
            Stream::On { horizon, trust: Trust::Sure } => horizon,
            Stream::On { .. } => return self.ask_snapshot(0, out),
            Stream::Off | Stream::Unknown => {
                self.start_at(at, out);
                return self.go_live(index, out);
            }
        };
        if at >= horizon {
            return self.go_live(index, out);
        }
        if watcher.is_too_far_behind(horizon) {
            return self.await_snapshot(index, 0, out);
        }
        if watcher.reading.is_some() || watcher.room() < CREDIT_EVERY_BYTES {
            return; // the read's end or the viewer's credit comes back here
        }
        let to = horizon.min(at + watcher.room());
        watcher.reading = Some(to);
        self.command(&RunnerCommand::Read { terminal, from: at, to }, out);
    }

    /// From here on the viewer gets frames as they come.
    pub(super) fn go_live(&mut self, index: usize, out: &mut Out) {
        let Some(watcher) = self.watchers.get_mut(index) else { return };
        watcher.set_mode(WatchMode::Live, out);
        watcher.reading = None;
        watcher.receiving = false;
        let offset = watcher.at.unwrap_or_default();
        out.viewer(watcher.socket, &ViewerEvent::CaughtUp { terminal: self.terminal, offset });
        let credit = watcher.credit;
        self.pass_credit(credit, out);
    }

    /// Starts the runner's stream at an offset that a viewer named; whether the log reaches it is not known yet.
    pub(super) fn start_at(&mut self, from: u64, out: &mut Out) {
        self.stop_unknown(out);
        self.command(&RunnerCommand::Stream { terminal: self.terminal, from }, out);
        self.stream = Stream::On { horizon: from, trust: Trust::Asked };
        self.credited = from;
        self.send_pace(out);
    }

    /// Stops the runner's stream, if it may be running.
    pub(super) fn stop(&mut self, out: &mut Out) {
        if self.stream != Stream::Off {
            self.command(&RunnerCommand::Unwatch { terminal: self.terminal }, out);
        }
        self.stream = Stream::Off;
        self.asked.clear();
    }

    /// After an eviction the runner may still be streaming to nobody, and would take no notice of being started.
    pub(super) fn stop_unknown(&mut self, out: &mut Out) {
        if self.stream == Stream::Unknown {
            self.stop(out);
        }
    }
}
