//! Credit: what viewers say they have taken, and what the runner hears of it.

use protocol::control::Delivery;
use protocol::frame;
use protocol::limits::CREDIT_EVERY_BYTES;

use super::Wire;
use crate::effect::{SocketId, WatchMode};
use crate::out::Out;

impl Wire {
    /// A viewer has taken everything below `offset`.
    pub(crate) fn credit(&mut self, socket: SocketId, offset: u64, out: &mut Out) {
        let Some(index) = self.watchers.iter().position(|watcher| watcher.socket == socket) else { return };
        let watcher = &mut self.watchers[index];
        if watcher.at.is_some_and(|at| offset > at) {
            // It has what this hub did not send, as after an attach that overtook another: positions differ, so ask.
            return watcher.ask_where(self.terminal, out);
        }
        watcher.credit = Some(watcher.credit.unwrap_or_default().max(offset));
        match watcher.mode {
            WatchMode::Live => {
                if offset > self.credited
                    && let Some(link) = self.link
                {
                    // What a viewer whose position is unknown says can't be checked, so it must not silence the others.
                    if watcher.at.is_some() {
                        self.credited = offset;
                    }
                    out.forward(vec![link]);
                }
            }
            WatchMode::CatchingUp => self.settle_one(index, out),
            WatchMode::Stalled => self.has_drained(index, offset, out),
            WatchMode::AwaitingSnapshot => {}
        }
    }

    /// A stalled viewer took something. Once less than what it owes no word about is under way, it goes on.
    fn has_drained(&mut self, index: usize, offset: u64, out: &mut Out) {
        let watcher = &mut self.watchers[index];
        let Some(at) = watcher.at else { return watcher.ask_where(self.terminal, out) };
        if at.saturating_sub(offset) >= CREDIT_EVERY_BYTES {
            return;
        }
        match watcher.delivery {
            Delivery::Screen => self.await_snapshot(index, 0, out),
            Delivery::Bytes => {
                watcher.set_mode(WatchMode::CatchingUp, out);
                self.settle_one(index, out);
            }
        }
    }

    /// Tells the runner of a credit that it has not heard of, because its viewer was not live then.
    pub(super) fn pass_credit(&mut self, credit: Option<u64>, out: &mut Out) {
        if let (Some(credit), Some(link)) = (credit, self.link)
            && credit > self.credited
        {
            self.credited = credit;
            out.binary(link, frame::credit(self.terminal, credit));
        }
    }
}
