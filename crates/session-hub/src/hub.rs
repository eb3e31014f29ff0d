//! The dispatcher: one input in, effects out. It owns the parts and the order in which they change: first the store, then
//! memory. A failed statement drops the event's effects and loads the registry again, so memory never runs ahead.

use std::collections::BTreeMap;

use protocol::close::CloseCode;
use protocol::control::ErrorCode;

use crate::call::{Refusal, Reply};
use crate::checkpoints::Assembly;
use crate::db::{Db, Fault};
use crate::effect::{Attachment, Effect, Input, Moment, Peer, SocketId, Topic};
use crate::limits::ALARM_RETRY_MS;
use crate::migrations;
use crate::out::Out;
use crate::registry::Registry;
use crate::sockets::Socket;
use crate::store::{Store, StoreError};
use crate::watch::Wire;

/// One user's hub.
pub struct Hub<S> {
    pub(crate) db: Db<S>,
    pub(crate) registry: Registry,
    pub(crate) sockets: BTreeMap<SocketId, Socket>,
    /// The socket of each connected runner that has said hello.
    pub(crate) online: BTreeMap<String, SocketId>,
    pub(crate) wires: BTreeMap<u32, Wire>,
    /// Checkpoints of which parts are missing, by the runner's socket.
    pub(crate) assemblies: BTreeMap<(SocketId, u32), Assembly>,
    pub(crate) loaded_ms: u64,
    pub(crate) messages_in: u64,
    /// The lobbies were asked, since this was loaded, whether the instances' sockets are still there.
    pub(crate) links_checked: bool,
    /// When the platform was asked to wake this, as far as is known: never later than something ends.
    pub(crate) alarm_ms: Option<u64>,
    /// The registry has to be loaded again before anything else.
    stale: bool,
}

impl<S: Store> Hub<S> {
    /// Makes a hub from its store and the attachments of the sockets that are open: on a first start, and after every
    /// eviction. The effects heal what an eviction took away.
    pub fn open(store: S, sockets: Vec<Attachment>, moment: Moment) -> Result<(Hub<S>, Vec<Effect>), StoreError> {
        let db = Db::new(store);
        migrations::run(&db, moment.now_ms)?;
        let registry = Registry::load(&db)?;
        let mut hub = Hub {
            db,
            registry,
            sockets: BTreeMap::new(),
            online: BTreeMap::new(),
            wires: BTreeMap::new(),
            assemblies: BTreeMap::new(),
            loaded_ms: moment.now_ms,
            messages_in: 0,
            links_checked: false,
            alarm_ms: None,
            stale: false,
        };
        let mut out = Out::default();
        hub.restore_sockets(sockets, &mut out);
        hub.note_absent_runners(moment.now_ms)?;
        // Asked for by whatever ends first, before it could be forgotten. One that is over has rung, and perhaps for nobody.
        hub.alarm_ms = hub.first_end().filter(|first_ms| *first_ms > moment.now_ms);
        hub.set_alarm(moment.now_ms, &mut out);
        let effects = hub.finish(out);
        Ok((hub, effects))
    }

    /// Takes one event. It never panics and never fails: a statement that failed shows as a refusal or a closed socket.
    pub fn handle(&mut self, moment: Moment, input: Input<'_>) -> Vec<Effect> {
        let mut out = Out::default();
        let source = match &input {
            Input::Call(_) => Source::Call,
            Input::Connected { socket, .. } | Input::Text { socket, .. } | Input::Binary { socket, .. } => {
                Source::Socket(*socket)
            }
            Input::Closed { socket } => Source::Gone(*socket),
            Input::Alarm => Source::Neither,
        };
        let done = if self.stale { self.reload(moment.now_ms) } else { Ok(()) };
        match done.and_then(|()| self.dispatch_whole(moment, input, &mut out)) {
            Ok(()) => {}
            Err(Fault::Refused(refusal)) => out.reply(Reply::Refused(refusal)),
            Err(Fault::Store(error)) => {
                // Positions and watches may have moved before; their attachments still have to follow. So has the close of
                // who was forgotten: nobody would ever do it again.
                let forgotten: Vec<SocketId> =
                    out.closes().filter(|socket| !self.sockets.contains_key(socket)).collect();
                out = Out { effects: Vec::new(), ..out };
                for socket in forgotten {
                    out.close(socket, CloseCode::GoingAway, UNWRITTEN);
                }
                self.failed(moment, source, &error, &mut out);
            }
        }
        self.finish(out)
    }

    /// Dispatches so that either all statements of the event stay or none. A data frame is spared the savepoint: each of its
    /// statements is whole by itself.
    fn dispatch_whole(&mut self, moment: Moment, input: Input<'_>, out: &mut Out) -> Result<(), Fault> {
        if matches!(input, Input::Binary { .. }) {
            return self.dispatch(moment, input, out);
        }
        let store = self.db.store();
        let mut input = Some(input);
        let mut done = Ok(());
        store.transaction(&mut || {
            if let Some(input) = input.take() {
                done = self.dispatch(moment, input, out);
            }
            !matches!(done, Err(Fault::Store(_)))
        })?;
        done
    }

    fn dispatch(&mut self, moment: Moment, input: Input<'_>, out: &mut Out) -> Result<(), Fault> {
        self.take(moment, input, out)?;
        self.audit_driving(moment.now_ms, out)
    }

    fn take(&mut self, moment: Moment, input: Input<'_>, out: &mut Out) -> Result<(), Fault> {
        match input {
            Input::Binary { socket, bytes } => {
                self.messages_in += 1;
                self.binary(moment, socket, bytes, out)
            }
            Input::Text { socket, text } => {
                self.messages_in += 1;
                self.text(moment, socket, text, out)
            }
            Input::Call(call) => {
                let reply = self.call(moment, call, out)?;
                out.reply(reply);
                Ok(())
            }
            Input::Connected { socket, peer, pass } => self.connected(moment, socket, peer, pass, out),
            Input::Closed { socket } => self.closed(moment, socket, out),
            Input::Alarm => self.alarm(moment, out),
        }
    }

    /// A statement failed: what was decided in this event is dropped, and memory is made to equal the store again.
    fn failed(&mut self, moment: Moment, source: Source, error: &StoreError, out: &mut Out) {
        out.log("store_failed", error.to_string());
        self.stale = true;
        if let Err(Fault::Store(error)) = self.reload(moment.now_ms) {
            out.log("reload_failed", error.to_string());
        }
        // What was dropped may have been the asking for an alarm. One that failed is not asked for without a pause.
        self.alarm_ms = None;
        let pause_ms = if matches!(source, Source::Neither) { ALARM_RETRY_MS } else { 0 };
        self.set_alarm(moment.now_ms + pause_ms, out);
        match source {
            Source::Call => {
                let message = "The hub could not write that down. Nothing was changed; try again.".into();
                out.reply(Reply::Refused(Refusal { code: ErrorCode::Internal, message, field: None }));
            }
            Source::Socket(socket) => {
                // Its peer reconnects and says again where it is: the one answer that heals any half of an event.
                out.close(socket, CloseCode::GoingAway, UNWRITTEN);
                self.drop_socket(moment, socket, out);
            }
            Source::Gone(socket) => {
                self.drop_socket(moment, socket, out);
            }
            Source::Neither => {}
        }
        // A socket may just have been dropped, and with it a runner.
        self.stale |= self.note_absent_runners(moment.now_ms).is_err();
    }

    fn reload(&mut self, now_ms: u64) -> Result<(), Fault> {
        self.registry = Registry::load(&self.db)?;
        let gone: Vec<u32> =
            self.wires.keys().filter(|terminal| !self.registry.terminals.contains_key(terminal)).copied().collect();
        for terminal in gone {
            self.wires.remove(&terminal);
        }
        self.note_absent_runners(now_ms)?;
        self.stale = false;
        Ok(())
    }

    /// Messages in their order, then attachments, then what pages show.
    fn finish(&mut self, mut out: Out) -> Vec<Effect> {
        for socket in std::mem::take(&mut out.touched) {
            if let Some(attachment) = self.attachment(socket) {
                out.effects.push(Effect::Attach { socket, attachment });
            }
        }
        let mut changed = std::mem::take(&mut out.changed);
        if changed.contains(&Topic::Dashboard) {
            changed.insert(Topic::Clients); // made of the same board
            changed.insert(Topic::Shared); // ... and of some of its lines
        }
        for topic in changed {
            if self.is_shown(topic) {
                out.effects.push(Effect::Changed { topic });
            }
        }
        out.effects
    }

    fn is_shown(&self, shown: Topic) -> bool {
        self.sockets.values().any(|socket| matches!(&socket.peer, Peer::Page { topic, .. } if *topic == shown))
    }
}

/// The reason of a close after a statement failed.
const UNWRITTEN: &str = "the hub could not write; reconnect";

/// Who has to hear of a failure.
enum Source {
    Call,
    Socket(SocketId),
    Gone(SocketId),
    Neither,
}
