//! The hub with its store, its sockets and its clock, as the adapter would hold them: it carries effects out into queues,
//! keeps attachments as text, and can evict the hub between any two inputs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::audit::Via;
use protocol::close::CloseCode;
use protocol::control::{ViewerEvent, ViewerMessage};
use protocol::frame::{Frame, Kind};
use protocol::limits::{FRAME_INFLATED_BYTES_MAX, WINDOW_BYTES};
use session_hub::Hub;
use session_hub::call::{Call, Caller, LobbyOrder, Refusal, Reply, Request};
use session_hub::effect::{Attachment, Effect, Input, Moment, Pass, Peer, SocketId, Topic};
use session_hub::standing::Standing;

use super::Twin;

/// A message on its way to a peer.
#[derive(Clone, Debug, PartialEq)]
pub enum Down {
    Text(String),
    Binary(Vec<u8>),
    Close(CloseCode),
}

/// A message on its way to the hub.
#[derive(Clone, Debug, PartialEq)]
pub enum Up {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

/// What is under way to one watch, as the hub may know it.
#[derive(Default)]
struct Meter {
    sent: u64,
    window_from: u64,
    /// Evictions when the hub last knew the window.
    evictions: u64,
    /// Bytes sent past a hole, which a viewer drops and answers with a new attach.
    beyond: u64,
}

pub struct World {
    pub twin: Twin,
    hub: Option<Hub<Twin>>,
    pub now_ms: u64,
    entropy: u64,
    next_socket: SocketId,
    /// As the platform keeps them: by socket, serialised.
    pub attachments: BTreeMap<SocketId, String>,
    pub down: BTreeMap<SocketId, VecDeque<Down>>,
    pub up: BTreeMap<SocketId, VecDeque<Up>>,
    /// Topics that changed since somebody last looked.
    pub changed: BTreeSet<Topic>,
    pub logs: Vec<(&'static str, String)>,
    /// What lobbies are to do.
    pub orders: Vec<(u32, LobbyOrder)>,
    /// What the platform was asked to wake the hub for.
    pub alarm_ms: Option<u64>,
    /// Pages that were told that what they show is gone for them.
    pub farewells: Vec<(SocketId, Topic)>,
    pub evictions: u64,
    meters: BTreeMap<(SocketId, u32), Meter>,
    /// The most that was ever under way beyond a window, for reports.
    pub excess_max: u64,
}

impl World {
    pub fn new() -> World {
        World::with_seed(1)
    }

    pub fn with_seed(seed: u64) -> World {
        let mut world = World {
            twin: Twin::new(),
            hub: None,
            now_ms: 1_700_000_000_000,
            entropy: seed,
            next_socket: 1,
            attachments: BTreeMap::new(),
            down: BTreeMap::new(),
            up: BTreeMap::new(),
            changed: BTreeSet::new(),
            logs: Vec::new(),
            orders: Vec::new(),
            alarm_ms: None,
            farewells: Vec::new(),
            evictions: 0,
            meters: BTreeMap::new(),
            excess_max: 0,
        };
        world.wake();
        world
    }

    pub fn moment(&mut self) -> Moment {
        self.now_ms += 1;
        self.entropy = self.entropy.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Moment { now_ms: self.now_ms, entropy: self.entropy ^ (self.entropy >> 29) }
    }

    pub fn advance(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Throws the hub's memory away; the next input finds it rebuilt.
    pub fn evict(&mut self) {
        self.hub = None;
        self.evictions += 1;
        self.wake();
    }

    fn wake(&mut self) {
        let attachments = self.restored();
        let moment = self.moment();
        self.twin.begin();
        let (hub, effects) = Hub::open(self.twin.clone(), attachments, moment).expect("the store opens");
        self.twin.commit();
        self.hub = Some(hub);
        self.carry_out(effects, None);
    }

    pub fn restored(&self) -> Vec<Attachment> {
        let parse = |text: &String| serde_json::from_str(text).expect("an attachment survives");
        self.attachments.values().map(parse).collect()
    }

    /// A hub rebuilt from the store and the attachments answers every question like the one in memory.
    pub fn is_rebuilt_the_same(&mut self) {
        let attachments = self.restored();
        let moment = self.moment();
        self.twin.begin();
        let (mut rebuilt, _) = Hub::open(self.twin.clone(), attachments, moment).expect("the store opens");
        for request in self.questions() {
            let caller =
                Caller { person: "p1".into(), name: "Ann".into(), via: Via::Browser, standing: Standing::Owner };
            let call = Call { caller, request };
            let mut answers = Vec::new();
            for hub in [self.hub.as_mut().expect("a hub"), &mut rebuilt] {
                let effects = hub.handle(moment, Input::Call(call.clone()));
                // Whether lobbies were asked since the load is forgotten on purpose: they are asked again.
                let effects = effects.into_iter().filter(|effect| !matches!(effect, Effect::Lobby { .. }));
                answers.push(effects.map(without_gauges).collect::<Vec<_>>());
            }
            assert_eq!(answers[0], answers[1], "memory and store differ about {call:?}");
        }
        self.twin.commit();
    }

    fn questions(&self) -> Vec<Request> {
        let numbers = |sql: &str| -> Vec<u64> {
            let rows = self.twin.query(sql, &[]).expect("numbers");
            let number = |row: &Vec<session_hub::store::Value>| match row[0] {
                session_hub::store::Value::Integer(number) => number as u64,
                ref other => panic!("{other:?}"),
            };
            rows.iter().map(number).collect()
        };
        let mut questions = vec![Request::Health, Request::Board];
        questions
            .extend(numbers("SELECT session FROM sessions").into_iter().map(|session| Request::Session { session }));
        let terminal = |terminal| Request::Terminal { terminal: terminal as u32 };
        questions.extend(numbers("SELECT terminal FROM terminals").into_iter().map(terminal));
        let instances = numbers("SELECT instance FROM instances").into_iter();
        questions.extend(instances.map(|instance| Request::Instance { instance }));
        let sessions = numbers("SELECT session FROM sessions").into_iter();
        questions.extend(sessions.map(|session| Request::Shares { session }));
        questions.extend(["r1", "r2"].map(|runner| Request::Runner { runner: runner.into() }));
        questions
    }

    /// One input, carried out. Returns the answer of a call.
    pub fn input(&mut self, input: Input<'_>) -> Option<Reply> {
        let incoming = match &input {
            Input::Binary { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        };
        let moment = self.moment();
        self.twin.begin();
        let effects = self.hub.as_mut().expect("a hub").handle(moment, input);
        self.twin.commit();
        self.carry_out(effects, incoming.as_deref())
    }

    /// The raw effects of an input, carried out too.
    pub fn effects(&mut self, input: Input<'_>) -> Vec<Effect> {
        let incoming = match &input {
            Input::Binary { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        };
        let moment = self.moment();
        self.twin.begin();
        let effects = self.hub.as_mut().expect("a hub").handle(moment, input);
        self.twin.commit();
        self.carry_out(effects.clone(), incoming.as_deref());
        effects
    }

    fn carry_out(&mut self, effects: Vec<Effect>, incoming: Option<&[u8]>) -> Option<Reply> {
        let mut reply = None;
        for effect in effects {
            match effect {
                Effect::Text { socket, text } => self.send(socket, Down::Text(text)),
                Effect::Binary { socket, bytes } => self.send(socket, Down::Binary(bytes)),
                Effect::Forward { sockets } => {
                    let bytes = incoming.expect("something to forward");
                    for socket in sockets {
                        self.send(socket, Down::Binary(bytes.to_vec()));
                    }
                }
                Effect::Attach { socket, attachment } => {
                    let text = serde_json::to_string(&attachment).expect("an attachment");
                    assert!(text.len() <= 16 * 1024, "an attachment beyond 16 KiB");
                    assert_eq!(socket, attachment.socket);
                    self.attachments.insert(socket, text);
                }
                Effect::Close { socket, code, reason } => {
                    assert!(reason.len() <= 123);
                    self.send(socket, Down::Close(code));
                    self.attachments.remove(&socket);
                }
                Effect::Changed { topic } => {
                    self.changed.insert(topic);
                }
                Effect::Reply(answer) => {
                    assert!(reply.is_none(), "one answer a call");
                    reply = Some(*answer);
                }
                Effect::Lobby { lobby, order } => self.orders.push((lobby, order)),
                Effect::SetAlarm(at_ms) => self.alarm_ms = at_ms,
                Effect::Farewell { socket, topic } => self.farewells.push((socket, topic)),
                Effect::Log { event, detail } => self.logs.push((event, detail)),
            }
        }
        reply
    }

    fn send(&mut self, socket: SocketId, message: Down) {
        match &message {
            Down::Binary(bytes) => self.measure(socket, bytes),
            Down::Text(text) => self.measure_gap(socket, text),
            Down::Close(_) => {}
        }
        if let Some(queue) = self.down.get_mut(&socket) {
            queue.push_back(message);
        }
    }

    /// Holds the hub to its bound: a window and one frame beyond what the viewer said it took.
    fn measure(&mut self, socket: SocketId, bytes: &[u8]) {
        let frame = Frame::decode(bytes).expect("a frame");
        let Some(meter) = self.meters.get_mut(&(socket, frame.header.terminal)) else { return };
        match frame.header.kind {
            Kind::Output if frame.header.offset > meter.sent => meter.beyond += frame.len(),
            Kind::Output => meter.sent = meter.sent.max(frame.end()),
            Kind::Snapshot => {
                let evictions = self.evictions;
                *meter = Meter { sent: frame.header.offset, window_from: frame.header.offset, evictions, beyond: 0 };
            }
            _ => {}
        }
        let under_way = meter.sent.saturating_sub(meter.window_from) + meter.beyond;
        // An eviction forgets what was taken; what that may cost is named, and bounded by a window each time.
        let forgotten = (self.evictions - meter.evictions) * WINDOW_BYTES;
        let bound = WINDOW_BYTES + FRAME_INFLATED_BYTES_MAX as u64 + forgotten;
        assert!(under_way <= bound, "{under_way} bytes under way to {socket}, at most {bound}");
        self.excess_max = self.excess_max.max(under_way.saturating_sub(WINDOW_BYTES));
    }

    /// Bytes that nobody has any more are not under way.
    fn measure_gap(&mut self, socket: SocketId, text: &str) {
        if let Ok(ViewerEvent::Gap { terminal, to, .. }) = protocol::control::decode(text)
            && let Some(meter) = self.meters.get_mut(&(socket, terminal))
        {
            meter.window_from = meter.window_from.max(to);
            meter.sent = meter.sent.max(to);
        }
    }

    /// Hears what the hub hears of a viewer's window.
    fn overhear(&mut self, socket: SocketId, message: &Up) {
        match message {
            Up::Text(text) => {
                if let Ok(ViewerMessage::Attach { terminal, from, .. }) = protocol::control::decode(text) {
                    let from = from.unwrap_or_default();
                    let meter = Meter { sent: from, window_from: from, evictions: self.evictions, beyond: 0 };
                    self.meters.insert((socket, terminal), meter);
                }
            }
            Up::Binary(bytes) => {
                let Ok(frame) = Frame::decode(bytes) else { return };
                let meter = self.meters.get_mut(&(socket, frame.header.terminal));
                if let (Some(meter), Kind::Credit) = (meter, frame.header.kind) {
                    meter.window_from = meter.window_from.max(frame.header.offset);
                    if meter.sent.saturating_sub(meter.window_from) <= WINDOW_BYTES {
                        meter.evictions = self.evictions; // what evictions cost is paid
                    }
                }
            }
            Up::Closed => {}
        }
    }

    /// Time passes, and the alarm rings if it is time.
    pub fn advance_to_alarm(&mut self, ms: u64) {
        self.advance(ms);
        if self.alarm_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            self.alarm_ms = None;
            self.input(Input::Alarm);
        }
    }

    /// A peer dials in.
    pub fn connect(&mut self, peer: Peer) -> SocketId {
        self.connect_with(peer, Pass::default())
    }

    /// ... and the Worker vouches for this besides.
    pub fn connect_with(&mut self, peer: Peer, pass: Pass) -> SocketId {
        let socket = self.next_socket;
        self.next_socket += 1;
        self.down.insert(socket, VecDeque::new());
        self.up.insert(socket, VecDeque::new());
        let attachment = Attachment {
            socket,
            peer: peer.clone(),
            pass: pass.clone(),
            connected_ms: 0,
            watches: Vec::new(),
            ready: false,
        };
        // The platform has a socket from its acceptance on; the hub's first attachment follows at once.
        self.attachments.insert(socket, serde_json::to_string(&attachment).expect("an attachment"));
        self.input(Input::Connected { socket, peer, pass });
        socket
    }

    /// Puts a message on its way to the hub.
    pub fn say(&mut self, socket: SocketId, message: Up) {
        if let Some(queue) = self.up.get_mut(&socket) {
            queue.push_back(message);
        }
    }

    /// Lets the hub take the oldest message that is on its way from a socket.
    pub fn deliver_up(&mut self, socket: SocketId) -> bool {
        let Some(message) = self.up.get_mut(&socket).and_then(VecDeque::pop_front) else { return false };
        self.overhear(socket, &message);
        match message {
            Up::Text(text) => {
                self.input(Input::Text { socket, text: &text });
            }
            Up::Binary(bytes) => {
                self.input(Input::Binary { socket, bytes: &bytes });
            }
            Up::Closed => {
                self.up.remove(&socket);
                self.attachments.remove(&socket);
                self.input(Input::Closed { socket });
            }
        }
        true
    }

    /// The connection breaks: what was on its way down is lost, of what was on its way up all but the first `kept`, and the
    /// hub hears of it when it has taken those.
    pub fn cut(&mut self, socket: SocketId, kept: usize) {
        self.down.remove(&socket);
        if let Some(queue) = self.up.get_mut(&socket) {
            queue.truncate(kept);
            queue.push_back(Up::Closed);
        }
    }

    /// The connection is gone and the hub never hears of it, as when the whole process died.
    pub fn vanish(&mut self, socket: SocketId) {
        self.down.remove(&socket);
        self.up.remove(&socket);
        self.attachments.remove(&socket);
    }

    /// The hub hears at last that a connection is gone.
    pub fn vanish_and_tell(&mut self, socket: SocketId) {
        self.vanish(socket);
        self.input(Input::Closed { socket });
    }

    pub fn take_down(&mut self, socket: SocketId) -> Option<Down> {
        self.down.get_mut(&socket)?.pop_front()
    }

    /// A call by Ann, whose answer is not a refusal.
    pub fn call(&mut self, request: Request) -> Reply {
        match self.ask(request) {
            Reply::Refused(refusal) => panic!("refused: {refusal:?}"),
            reply => reply,
        }
    }

    pub fn refused(&mut self, request: Request) -> Refusal {
        match self.ask(request) {
            Reply::Refused(refusal) => refusal,
            reply => panic!("not refused: {reply:?}"),
        }
    }

    pub fn ask(&mut self, request: Request) -> Reply {
        let caller = Caller { person: "p1".into(), name: "Ann".into(), via: Via::Browser, standing: Standing::Owner };
        self.ask_as(caller, request)
    }

    pub fn ask_as(&mut self, caller: Caller, request: Request) -> Reply {
        self.input(Input::Call(Call { caller, request })).expect("an answer")
    }
}

/// An answer without what is forgotten on purpose: counters, and the round trip that a runner measured last.
fn without_gauges(mut effect: Effect) -> Effect {
    if let Effect::Reply(reply) = &mut effect {
        match reply.as_mut() {
            Reply::Health(health) => {
                (health.messages_in, health.rows_written, health.loaded_ms) = (0, 0, 0);
            }
            Reply::Board(board) => board.runners.iter_mut().for_each(|runner| runner.rtt_ms = None),
            Reply::Session(detail) => detail.runner_view.rtt_ms = None,
            Reply::Runner(runner) => runner.rtt_ms = None,
            Reply::Terminal(_) | Reply::Prompt(_) | Reply::Audit(_) | Reply::Done | Reply::Refused(_) => {}
            Reply::Instance(_) | Reply::Link { .. } => {}
            Reply::Shares(_) | Reply::Share(_) | Reply::Shared(_) => {}
        }
    }
    effect
}
