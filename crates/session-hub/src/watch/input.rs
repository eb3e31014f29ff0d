//! Input on its way from a viewer to the runner, and acknowledgements back: the hot path of a keystroke.

use super::Wire;
use protocol::right::Right;

use crate::effect::SocketId;
use crate::out::Out;

/// What became of an input frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputVerdict {
    /// It went to the runner.
    Taken {
        /// Its sender became the driver by it.
        drives_now: bool,
    },
    /// The runner is away. The sender keeps it and sends it again when the runner is back.
    Kept,
    /// The sender does not watch this terminal.
    NotWatching,
    /// Another writer than the one it was given.
    NotItsWriter,
    /// Somebody else drives.
    NotDriver,
    /// Its sender has this right, which does not let it type now.
    Forbidden(Right),
    /// The agent has ended.
    Ended,
}

impl Wire {
    /// Input of a viewer who may do this. Who may answer an agent types while it `waits`, beside whoever drives.
    pub(crate) fn input(
        &mut self,
        socket: SocketId,
        writer: u64,
        right: Right,
        waits: bool,
        out: &mut Out,
    ) -> InputVerdict {
        let Some(sender) = self.watcher(socket) else { return InputVerdict::NotWatching };
        if sender.writer != writer {
            return InputVerdict::NotItsWriter;
        }
        if self.ended {
            return InputVerdict::Ended;
        }
        match right {
            Right::Owner | Right::Driver => {}
            Right::Approver if waits => {
                let Some(link) = self.link else { return InputVerdict::Kept };
                out.forward(vec![link]);
                return InputVerdict::Taken { drives_now: false };
            }
            Right::Viewer | Right::Prompter | Right::Approver => return InputVerdict::Forbidden(right),
        }
        let took_over = match self.driver() {
            Some(driver) if driver.socket == socket => false,
            Some(driver) if driver.person != sender.person => return InputVerdict::NotDriver,
            // Nobody drives, or the same person from another place: typing is asking to drive.
            _ => true,
        };
        let Some(link) = self.link else { return InputVerdict::Kept };
        if took_over {
            self.drive(socket, out);
        }
        out.forward(vec![link]);
        InputVerdict::Taken { drives_now: took_over }
    }

    /// An acknowledgement, for the viewer that has this writer.
    pub(crate) fn input_ack(&self, writer: u64, out: &mut Out) {
        if let Some(watcher) = self.watchers.iter().find(|watcher| watcher.writer == writer) {
            out.forward(vec![watcher.socket]);
        }
    }
}
