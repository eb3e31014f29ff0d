//! What ends by itself: the proof behind a socket, a share. One alarm, at the earliest of them; nothing else in a hub waits.

use protocol::close::CloseCode;

use crate::db::Fault;
use crate::effect::{Effect, Moment, SocketId};
use crate::hub::Hub;
use crate::out::Out;
use crate::store::Store;

impl<S: Store> Hub<S> {
    /// When the next of them ends.
    pub(crate) fn first_end(&self) -> Option<u64> {
        let sockets = self.sockets.values().map(|socket| socket.pass.ends_ms);
        let shares = self.registry.shares.values().map(|share| share.expires_ms);
        sockets.chain(shares).filter(|ends_ms| *ends_ms != 0).min()
    }

    /// Asks to be woken when the next of them ends, unless that was asked already. One that rings for what is gone is left:
    /// taking it back would cost as much as letting it ring.
    pub(crate) fn set_alarm(&mut self, now_ms: u64, out: &mut Out) {
        let Some(first) = self.first_end() else { return };
        let at_ms = first.max(now_ms);
        if self.alarm_ms.is_none_or(|asked_ms| at_ms < asked_ms) {
            self.alarm_ms = Some(at_ms);
            out.effects.push(Effect::SetAlarm(Some(at_ms)));
        }
    }

    /// The time has come, or the platform says so twice.
    pub(crate) fn alarm(&mut self, moment: Moment, out: &mut Out) -> Result<(), Fault> {
        self.alarm_ms = None;
        self.expire_shares(moment, out)?;
        let over = |ends_ms: u64| ends_ms != 0 && ends_ms <= moment.now_ms;
        let sockets = self.sockets.iter().filter(|(_, socket)| over(socket.pass.ends_ms));
        for socket in sockets.map(|(id, _)| *id).collect::<Vec<SocketId>>() {
            self.end(moment, socket, CloseCode::Unauthorized, "what let this in has ended", out)?;
        }
        self.set_alarm(moment.now_ms, out);
        Ok(())
    }
}
