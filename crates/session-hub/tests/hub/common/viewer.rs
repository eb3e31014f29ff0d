//! A viewer as the wire's documents describe it: it trims what it has, asks again where bytes are missing, returns credit
//! for what it rendered, and keeps input until it is acknowledged.

use protocol::control::{self, Delivery, ErrorCode, Person, Size, ViewerEvent, ViewerMessage};
use protocol::frame::{self, Flags, Frame, Header, Kind};
use protocol::limits::{CREDIT_EVERY_BYTES, WINDOW_BYTES};
use protocol::right::Right;
use session_hub::effect::{Pass, Peer, SocketId};

use super::{Down, Up, World, pattern};

pub struct ModelViewer {
    pub person: String,
    pub terminal: u32,
    pub delivery: Delivery,
    pub size: Size,
    pub drive: bool,
    pub socket: Option<SocketId>,
    /// What the Worker vouches for when it dials.
    pub pass: Pass,
    /// What it was told that it may do.
    pub right: Option<Right>,
    /// An `attach` was sent and not yet answered.
    attaching: bool,
    /// Everything below is here.
    pub have: Option<u64>,
    /// Where its bytes began, for a viewer of bytes.
    pub began: u64,
    /// Everything below is on the screen.
    pub rendered: u64,
    credited: u64,
    pub snapshots: u32,
    pub gaps: Vec<(u64, u64)>,
    pub resyncs: u32,
    /// Bytes that came although they were here already.
    pub doubled: u64,
    pub caught_up: Option<u64>,
    /// It returns no credit for being caught up.
    pub silent_when_caught_up: bool,
    pub writer: Option<u64>,
    /// Bytes typed, and how many of them the runner has.
    pub typed: u64,
    pub acked: u64,
    pub people: Vec<Person>,
    pub pty_size: Option<Size>,
    pub online: bool,
    pub errors: Vec<ErrorCode>,
    pub refused: Vec<ErrorCode>,
    pub events: Vec<ViewerEvent>,
    pub closed_with: Option<protocol::close::CloseCode>,
    /// The parts of a snapshot so far.
    parts: Option<(u64, Vec<u8>)>,
    pub screen: Vec<u8>,
}

impl ModelViewer {
    pub fn new(person: &str, terminal: u32, delivery: Delivery) -> ModelViewer {
        ModelViewer {
            person: person.into(),
            terminal,
            delivery,
            size: Size { cols: 100, rows: 30 },
            drive: false,
            socket: None,
            pass: Pass::default(),
            right: None,
            attaching: false,
            have: None,
            began: 0,
            rendered: 0,
            credited: 0,
            snapshots: 0,
            gaps: Vec::new(),
            resyncs: 0,
            doubled: 0,
            caught_up: None,
            silent_when_caught_up: false,
            writer: None,
            typed: 0,
            acked: 0,
            people: Vec::new(),
            pty_size: None,
            online: false,
            errors: Vec::new(),
            refused: Vec::new(),
            events: Vec::new(),
            closed_with: None,
            parts: None,
            screen: Vec::new(),
        }
    }

    /// One that wants every byte from the first.
    pub fn of_bytes(person: &str, terminal: u32) -> ModelViewer {
        let mut viewer = ModelViewer::new(person, terminal, Delivery::Bytes);
        viewer.have = Some(0);
        viewer
    }

    pub fn connect(&mut self, world: &mut World) {
        let peer = Peer::Viewer {
            person: self.person.clone(),
            name: self.person.to_uppercase(),
            via: protocol::audit::Via::Browser,
        };
        self.socket = Some(world.connect_with(peer, self.pass.clone()));
        self.attach(world);
    }

    pub fn attach(&mut self, world: &mut World) {
        self.attaching = true;
        self.parts = None;
        let message = ViewerMessage::Attach {
            terminal: self.terminal,
            from: self.have,
            delivery: self.delivery,
            size: self.size,
            drive: self.drive,
            writer: self.writer.map(control::writer_to_text),
        };
        self.say(world, &message);
    }

    pub fn say(&self, world: &mut World, message: &ViewerMessage) {
        if let Some(socket) = self.socket {
            world.say(socket, Up::Text(control::encode(message)));
        }
    }

    pub fn cut(&mut self, world: &mut World, kept: usize) {
        if let Some(socket) = self.socket.take() {
            world.cut(socket, kept);
        }
        self.parts = None;
    }

    /// Types some bytes: they are kept until the runner has them.
    pub fn type_bytes(&mut self, world: &mut World, bytes: u64) {
        let from = self.typed;
        self.typed += bytes;
        if self.writer.is_some() && !self.attaching {
            self.send_input(world, from);
        }
    }

    fn send_input(&self, world: &mut World, from: u64) {
        let (Some(writer), Some(socket)) = (self.writer, self.socket) else { return };
        let mut at = from;
        while at < self.typed {
            let end = self.typed.min(at + 700);
            let typed = pattern::bytes(writer as u32, at, end);
            world.say(socket, Up::Binary(frame::input(self.terminal, writer, at, &typed)));
            at = end;
        }
    }

    /// Puts up to this many bytes on the screen, and returns credit for them.
    pub fn render(&mut self, world: &mut World, bytes: u64) {
        let Some(have) = self.have else { return };
        self.rendered = have.min(self.rendered.saturating_add(bytes));
        if self.rendered.saturating_sub(self.credited) >= CREDIT_EVERY_BYTES {
            self.give_credit(world);
        }
    }

    fn give_credit(&mut self, world: &mut World) {
        if let Some(socket) = self.socket {
            self.credited = self.rendered;
            world.say(socket, Up::Binary(frame::credit(self.terminal, self.rendered)));
        }
    }

    /// Takes one message of the hub.
    pub fn receive(&mut self, world: &mut World) -> bool {
        let Some(socket) = self.socket else { return false };
        match world.take_down(socket) {
            None => false,
            Some(Down::Text(text)) => {
                let event: ViewerEvent = control::decode(&text).expect("an event");
                self.events.push(event.clone());
                self.hear(world, event);
                true
            }
            Some(Down::Binary(bytes)) => {
                self.take_frame(world, &bytes);
                true
            }
            Some(Down::Close(code)) => {
                self.closed_with = Some(code);
                self.cut(world, 0);
                true
            }
        }
    }

    fn hear(&mut self, world: &mut World, event: ViewerEvent) {
        match event {
            ViewerEvent::Attached { terminal, writer, size, online, window, right, .. } => {
                self.right = Some(right);
                assert_eq!((terminal, window), (self.terminal, WINDOW_BYTES));
                let writer = control::writer_from_text(&writer).expect("a writer");
                assert!(self.writer.is_none_or(|before| before == writer), "the writer that was given is kept");
                self.writer = Some(writer);
                self.pty_size = Some(size);
                self.online = online;
                self.attaching = false;
                self.send_input(world, self.acked);
            }
            ViewerEvent::CaughtUp { offset, .. } => {
                self.caught_up = Some(offset);
                // What was on its way is rendered by now: the terminal writes in order.
                self.rendered = self.have.unwrap_or_default();
                if !self.silent_when_caught_up {
                    self.give_credit(world);
                }
            }
            ViewerEvent::Gap { from, to, .. } => {
                if let Some(have) = self.have
                    && (from..to).contains(&have)
                {
                    self.gaps.push((have, to));
                    self.have = Some(to);
                    self.rendered = self.rendered.max(to);
                }
            }
            ViewerEvent::Resync { .. } => {
                self.resyncs += 1;
                self.attach(world);
            }
            ViewerEvent::Resized { size, .. } => self.pty_size = Some(size),
            ViewerEvent::People { people, .. } => self.people = people,
            ViewerEvent::Runner { online, .. } => {
                self.online = online;
                if online && !self.attaching {
                    self.send_input(world, self.acked);
                }
            }
            ViewerEvent::InputRefused { code, .. } => self.refused.push(code),
            ViewerEvent::Error(report) => self.errors.push(report.code),
            ViewerEvent::Right { right, .. } => self.right = Some(right),
            ViewerEvent::Status { .. } | ViewerEvent::Pulse { .. } => {}
            ViewerEvent::Unknown => panic!("an event that nobody knows"),
        }
    }

    fn take_frame(&mut self, world: &mut World, bytes: &[u8]) {
        let frame = Frame::decode(bytes).expect("a frame");
        let Header { kind, terminal, offset, flags } = frame.header;
        assert_eq!(terminal, self.terminal, "a frame of a terminal that was not attached");
        if self.attaching {
            return; // of the watch before
        }
        match kind {
            Kind::Output => self.take_output(world, &frame),
            Kind::Snapshot => self.take_snapshot(flags, offset, &frame),
            Kind::InputAck => {
                let (writer, _) = frame.writer().expect("a writer");
                assert_eq!(Some(writer), self.writer, "an acknowledgement for somebody else");
                assert!(offset <= self.typed);
                self.acked = self.acked.max(offset);
                if flags.has(Flags::RESEND) {
                    self.send_input(world, self.acked);
                }
            }
            other => panic!("the hub sent a viewer {other:?}"),
        }
    }

    fn take_output(&mut self, world: &mut World, frame: &Frame<'_>) {
        let (from, to) = (frame.header.offset, frame.end());
        let Some(have) = self.have else { return };
        if from > have {
            self.resyncs += 1;
            return self.attach(world);
        }
        self.doubled += have.min(to) - from;
        if to > have {
            let raw = frame.raw_payload().expect("a payload");
            let fresh = &raw[(have - from) as usize..];
            assert_eq!(fresh, pattern::bytes(self.terminal, have, to), "bytes out of place");
            self.have = Some(to);
        }
    }

    fn take_snapshot(&mut self, flags: Flags, offset: u64, frame: &Frame<'_>) {
        if !flags.has(Flags::REST) {
            self.parts = Some((offset, Vec::new()));
        }
        let Some((begun, mut raw)) = self.parts.take() else { panic!("the rest of a snapshot without its beginning") };
        assert_eq!(begun, offset, "parts of two snapshots");
        raw.extend_from_slice(&frame.raw_payload().expect("a payload"));
        if flags.has(Flags::MORE) {
            self.parts = Some((begun, raw));
            return;
        }
        assert!(self.delivery == Delivery::Screen || self.have.is_none(), "a viewer of bytes got a screen");
        let shown = format!("screen {} {offset}", self.terminal);
        assert!(raw[4..].starts_with(shown.as_bytes()), "a screen of another place");
        self.screen = raw;
        self.snapshots += 1;
        if self.have.is_none() {
            self.began = offset;
        }
        self.have = Some(offset);
        self.rendered = offset;
        self.credited = self.credited.min(offset);
    }
}
