//! Who drives: the viewer whose size the PTY has and whose input is taken. The one before drives again when a driver
//! leaves, and with nobody left the PTY gets its ordinary size back, so that a phone never shrinks it for good.

use protocol::control::{Person, RunnerCommand, Size, ViewerEvent};

use super::{Watcher, Wire};
use crate::effect::SocketId;
use crate::out::Out;

impl Wire {
    /// The viewer that drives.
    pub(crate) fn driver(&self) -> Option<&Watcher> {
        self.watchers.iter().filter(|watcher| watcher.drive_order > 0).max_by_key(|watcher| watcher.drive_order)
    }

    /// The size that the PTY shall have. It follows from the watches alone, so it needs no row.
    pub(crate) fn size(&self) -> Size {
        self.driver().map_or(Size::DEFAULT, |driver| driver.size.clamped())
    }

    /// Makes a viewer the driver.
    pub(crate) fn drive(&mut self, socket: SocketId, out: &mut Out) {
        let next = self.watchers.iter().map(|watcher| watcher.drive_order).max().unwrap_or_default() + 1;
        let already = self.driver().is_some_and(|driver| driver.socket == socket);
        if let Some(watcher) = self.watcher_mut(socket)
            && !already
        {
            watcher.drive_order = next;
            out.touched.insert(socket);
            self.driver_changed(out);
        }
    }

    /// A viewer stops driving.
    pub(crate) fn release(&mut self, socket: SocketId, out: &mut Out) {
        if let Some(watcher) = self.watcher_mut(socket)
            && watcher.drive_order > 0
        {
            watcher.drive_order = 0;
            out.touched.insert(socket);
            self.driver_changed(out);
        }
    }

    /// The room of a viewer changed.
    pub(crate) fn resize(&mut self, socket: SocketId, size: Size, out: &mut Out) {
        if let Some(watcher) = self.watcher_mut(socket)
            && watcher.size != size.clamped()
        {
            watcher.size = size.clamped();
            out.touched.insert(socket);
            self.size_changed(out);
        }
    }

    pub(super) fn driver_changed(&mut self, out: &mut Out) {
        out.driving.insert(self.terminal);
        self.size_changed(out);
        self.tell_people(out);
    }

    /// Tells the runner the size that the PTY shall have, unless it was told already.
    pub(super) fn size_changed(&mut self, out: &mut Out) {
        let size = self.size();
        if !self.ended && self.link.is_some() && self.told != Some(size) {
            self.told = Some(size);
            self.command(&RunnerCommand::Resize { terminal: self.terminal, size }, out);
        }
    }

    /// Everybody who watches, in order of arrival; `you` is the receiver.
    pub(crate) fn people(&self, you: Option<SocketId>) -> Vec<Person> {
        let driver = self.driver().map(|driver| driver.socket);
        let person = |watcher: &Watcher| Person {
            id: watcher.socket.to_string(),
            name: watcher.name.clone(),
            drives: Some(watcher.socket) == driver,
            you: Some(watcher.socket) == you,
        };
        self.watchers.iter().map(person).collect()
    }

    pub(super) fn tell_people(&self, out: &mut Out) {
        for watcher in &self.watchers {
            let people = self.people(Some(watcher.socket));
            out.viewer(watcher.socket, &ViewerEvent::People { terminal: self.terminal, people });
        }
    }
}
