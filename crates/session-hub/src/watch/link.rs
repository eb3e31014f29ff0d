//! The runner comes and goes, and the hub wakes up without its positions: how the streams go on.

use protocol::control::{RunnerCommand, Size, ViewerEvent};

use super::{Stream, Trust, Wire};
use crate::effect::{SocketId, WatchMode};
use crate::out::Out;

impl Wire {
    /// The runner serves this terminal over a new connection, on which nothing streams yet. Its log ends at `end`.
    pub(crate) fn link_up(&mut self, link: SocketId, end: u64, size: Size, out: &mut Out) {
        self.forget_connection();
        self.link = Some(link);
        self.stream = Stream::Off;
        // Its answer to the last resize may have gone down with the old connection.
        self.resized(size, out);
        self.told = Some(size);
        self.size_changed(out);
        self.resync_unknown(out);
        let positions = self.watchers.iter().filter(|w| matches!(w.mode, WatchMode::Live | WatchMode::CatchingUp));
        // The stream goes on for the viewer that is furthest; the others read what they miss.
        if let Some(from) = positions.filter_map(|watcher| watcher.at).filter(|at| *at <= end).max() {
            self.start_at(from, out);
            self.stream = Stream::On { horizon: from, trust: Trust::Sure };
        }
        for watcher in &mut self.watchers {
            if watcher.mode == WatchMode::Live && watcher.at.is_some() {
                watcher.set_mode(WatchMode::CatchingUp, out);
            }
        }
        self.settle(out);
        self.ask_for_waiting(out);
    }

    /// The runner's connection is gone.
    pub(crate) fn link_down(&mut self) {
        self.forget_connection();
        self.link = None;
        self.stream = Stream::Off;
    }

    fn forget_connection(&mut self) {
        self.asked.clear();
        self.credited = 0;
        for watcher in &mut self.watchers {
            watcher.reading = None;
            watcher.receiving = false;
        }
    }

    /// After an eviction, with everything known again that the attachments hold.
    pub(crate) fn wake(&mut self, link: Option<SocketId>, out: &mut Out) {
        self.link = link;
        if !self.watchers.is_empty() {
            self.stream = match link {
                Some(_) => Stream::On { horizon: 0, trust: Trust::Guess },
                None => Stream::Off,
            };
        }
        for watcher in self.watchers.iter().filter(|watcher| watcher.mode == WatchMode::CatchingUp) {
            out.viewer(watcher.socket, &ViewerEvent::Resync { terminal: self.terminal });
        }
        self.ask_for_waiting(out);
    }

    /// Viewers whose position an eviction took away cannot go on by themselves on a new connection.
    fn resync_unknown(&mut self, out: &mut Out) {
        for watcher in &mut self.watchers {
            let unknown = watcher.at.is_none() && matches!(watcher.mode, WatchMode::Live | WatchMode::CatchingUp);
            if unknown {
                watcher.ask_where(self.terminal, out);
            }
        }
    }

    fn ask_for_waiting(&mut self, out: &mut Out) {
        let waiting = self.watchers.iter().filter(|watcher| watcher.mode == WatchMode::AwaitingSnapshot);
        let mut scrollbacks: Vec<u32> = waiting.map(|watcher| watcher.scrollback).collect();
        scrollbacks.sort_unstable();
        scrollbacks.dedup();
        for scrollback in scrollbacks {
            self.ask_snapshot(scrollback, out);
        }
    }

    /// The PTY has this size now.
    pub(crate) fn resized(&self, size: Size, out: &mut Out) {
        self.tell_all(&ViewerEvent::Resized { terminal: self.terminal, size }, out);
    }

    /// Everybody hears whether the runner is there.
    pub(crate) fn tell_runner(&self, online: bool, since_ms: u64, out: &mut Out) {
        self.tell_all(&ViewerEvent::Runner { terminal: self.terminal, online, since_ms }, out);
    }

    /// A terminal that is gone for good; its viewers are told and forgotten.
    pub(crate) fn forget(&mut self, link: Option<SocketId>, out: &mut Out) -> Vec<SocketId> {
        if let Some(link) = link {
            out.runner(link, &RunnerCommand::Forget { terminal: self.terminal });
        }
        let gone: Vec<SocketId> = self.watchers.drain(..).map(|watcher| watcher.socket).collect();
        for socket in &gone {
            let message = "This terminal was closed.";
            out.viewer_error(*socket, protocol::control::ErrorCode::NotFound, message, Some(self.terminal));
            out.touched.insert(*socket);
        }
        gone
    }
}
