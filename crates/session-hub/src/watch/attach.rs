//! Viewers come, start over and leave.

use protocol::control::{Delivery, Size, ViewerEvent};

use super::{Stream, Watcher, Wire};
use crate::effect::{SocketId, Watch, WatchMode};
use crate::out::Out;

/// What a viewer asks for when it attaches, with who it is.
#[derive(Clone, Debug)]
pub(crate) struct Attach {
    pub(crate) socket: SocketId,
    pub(crate) person: String,
    pub(crate) name: String,
    pub(crate) connected_ms: u64,
    pub(crate) writer: u64,
    /// The store knows whose the writer is, which is so once it has typed.
    pub(crate) typed: bool,
    pub(crate) size: Size,
    pub(crate) delivery: Delivery,
    pub(crate) drive: bool,
    pub(crate) from: Option<u64>,
    /// Offset of the stored checkpoint, which serves while the runner is away.
    pub(crate) checkpoint: Option<u64>,
}

impl Wire {
    /// A viewer begins to watch, or starts over. `attached` is its answer, before any byte. Returns the socket that held
    /// the same writer until now, and true when the stored checkpoint shall be sent after the effects so far.
    pub(crate) fn attach(&mut self, attach: Attach, attached: &ViewerEvent, out: &mut Out) -> (Option<SocketId>, bool) {
        let driver_before = self.driver().map(|driver| driver.socket);
        let (drive_order, again, other) = self.take_place_of(&attach);
        let drive_order = match (drive_order, attach.drive && self.driver().is_none()) {
            (0, true) => self.watchers.iter().map(|watcher| watcher.drive_order).max().unwrap_or_default() + 1,
            (kept, _) => kept,
        };
        let index = self.insert(Watcher {
            socket: attach.socket,
            person: attach.person,
            name: attach.name,
            connected_ms: attach.connected_ms,
            writer: attach.writer,
            typed: attach.typed,
            answered_ms: 0,
            answer_bytes: 0,
            size: attach.size.clamped(),
            delivery: attach.delivery,
            drive_order,
            mode: WatchMode::CatchingUp,
            scrollback: 0,
            receiving: false,
            at: attach.from,
            credit: attach.from,
            reading: None,
            blind: 0,
        });
        out.touched.insert(attach.socket);
        out.viewer(attach.socket, attached);
        self.size_changed(out);
        // Who opens a terminal and never types has driven nothing; the first key is written down with its writer, and an
        // attach waits for no row.
        if self.driver().is_some_and(|driver| driver.typed && Some(driver.socket) != driver_before) {
            out.driving.insert(self.terminal);
        }
        let driver = self.driver().map(|driver| driver.socket);
        if !again || other.is_some() || driver != driver_before {
            self.tell_people(out);
        }
        if matches!(self.stream, Stream::On { .. }) {
            self.send_pace(out);
        }
        (other, self.begin(index, attach.checkpoint, out))
    }

    /// The PTY's size once this viewer watches.
    pub(crate) fn size_with(&self, attach: &Attach) -> Size {
        let drives = match self.driver() {
            Some(driver) => driver.socket == attach.socket || driver.writer == attach.writer,
            None => attach.drive,
        };
        if drives { attach.size.clamped() } else { self.size() }
    }

    /// Decides how the viewer's bytes begin; true when the checkpoint shall serve for now.
    fn begin(&mut self, index: usize, checkpoint: Option<u64>, out: &mut Out) -> bool {
        let Some(watcher) = self.watchers.get_mut(index) else { return false };
        let Some(from) = watcher.at else {
            self.await_snapshot(index, 0, out);
            return self.link.is_none() && checkpoint.is_some();
        };
        let newer = checkpoint.is_some_and(|offset| offset > from);
        if self.link.is_none() && newer && watcher.delivery == Delivery::Screen {
            self.await_snapshot(index, 0, out);
            return true;
        }
        self.settle_one(index, out);
        false
    }

    /// Removes the watch that this one replaces: an older one of the same socket, or of another that had the same writer.
    /// Its place among the drivers is kept.
    fn take_place_of(&mut self, attach: &Attach) -> (u64, bool, Option<SocketId>) {
        let mut drive_order = 0;
        let (mut again, mut other) = (false, None);
        self.watchers.retain(|watcher| {
            let same_socket = watcher.socket == attach.socket;
            if same_socket {
                again = true;
            } else if watcher.writer == attach.writer {
                other = Some(watcher.socket);
            } else {
                return true;
            }
            drive_order = drive_order.max(watcher.drive_order);
            false
        });
        (drive_order, again, other)
    }

    fn insert(&mut self, watcher: Watcher) -> usize {
        let order = |watcher: &Watcher| (watcher.connected_ms, watcher.socket);
        let index = self.watchers.partition_point(|present| order(present) < order(&watcher));
        self.watchers.insert(index, watcher);
        index
    }

    /// A viewer stops watching. False when it did not watch.
    pub(crate) fn detach(&mut self, socket: SocketId, out: &mut Out) -> bool {
        let Some(index) = self.watchers.iter().position(|watcher| watcher.socket == socket) else { return false };
        self.watchers.remove(index);
        out.touched.insert(socket);
        self.driver_changed(out);
        if self.watchers.is_empty() {
            self.stop(out);
        } else if matches!(self.stream, Stream::On { .. }) && self.pace().is_some() {
            self.send_pace(out);
        }
        true
    }

    /// The viewer asks for a fresh screen.
    pub(crate) fn fresh_snapshot(&mut self, socket: SocketId, scrollback: u32, out: &mut Out) {
        if let Some(index) = self.watchers.iter().position(|watcher| watcher.socket == socket) {
            self.await_snapshot(index, scrollback, out);
        }
    }

    /// Takes back a watch from a socket's attachment, after an eviction.
    pub(crate) fn restore(&mut self, attach: Attach, watch: &Watch) {
        self.insert(Watcher {
            socket: attach.socket,
            person: attach.person,
            name: attach.name,
            connected_ms: attach.connected_ms,
            writer: attach.writer,
            typed: watch.typed,
            answered_ms: 0,
            answer_bytes: 0,
            size: watch.size,
            delivery: watch.delivery,
            drive_order: watch.drive_order,
            mode: watch.mode,
            scrollback: 0,
            receiving: false,
            at: None,
            credit: None,
            reading: None,
            blind: 0,
        });
    }
}
