//! A lobby with its sockets and the hubs of the people behind them, as the adapters would hold them: what takes time waits in
//! a queue until the test lets it happen, and both lobby and hubs can be evicted in between.

use protocol::audit::Via;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::close::CloseCode;
use session_hub::call::{Call, Caller, InstanceView, LinkAnswer, LobbyOrder, LobbyReport, Reply, Request};
use session_hub::effect::{Input, SocketId};
use session_hub::lobby::{Guest, Lobby, LobbyEffect, LobbyInput, Verdict};
use session_hub::standing::Standing;

use super::World;

/// The lobby's number in these tests.
pub const LOBBY: u32 = 3;

pub struct Hall {
    lobby: Lobby,
    pub now_ms: u64,
    next_socket: SocketId,
    /// As the platform keeps them, serialised.
    pub attachments: BTreeMap<SocketId, String>,
    pub heard: BTreeMap<SocketId, Vec<String>>,
    pub closed: BTreeMap<SocketId, CloseCode>,
    /// Tokens that are checked or reports that are told, in order.
    pub errands: VecDeque<LobbyEffect>,
    pub alarms: Vec<u64>,
    pub hubs: BTreeMap<&'static str, World>,
    /// D1: whose a token is.
    pub tokens: BTreeMap<&'static str, &'static str>,
    /// D1: when a token ends, of those that do.
    pub ends_ms: BTreeMap<&'static str, u64>,
    /// People whose hubs don't answer.
    pub silent: BTreeSet<&'static str>,
    /// Reports that were told.
    pub told: usize,
}

impl Hall {
    pub fn new() -> Hall {
        let hubs = BTreeMap::from([("ann", World::new()), ("bob", World::new())]);
        Hall {
            lobby: Lobby::open(Vec::new()),
            now_ms: 1_700_000_000_000,
            next_socket: 100,
            attachments: BTreeMap::new(),
            heard: BTreeMap::new(),
            closed: BTreeMap::new(),
            errands: VecDeque::new(),
            alarms: Vec::new(),
            hubs,
            tokens: BTreeMap::from([("ann-1", "ann"), ("ann-2", "ann"), ("bob-1", "bob")]),
            ends_ms: BTreeMap::new(),
            silent: BTreeSet::new(),
            told: 0,
        }
    }

    /// Throws the lobby's memory away.
    pub fn evict(&mut self) {
        let guests = self.attachments.values().map(|text| serde_json::from_str::<Guest>(text).expect("a guest"));
        self.lobby = Lobby::open(guests.collect());
    }

    pub fn counts(&self) -> (usize, usize) {
        self.lobby.counts()
    }

    pub fn input(&mut self, input: LobbyInput<'_>) -> Option<Vec<SocketId>> {
        // Orders come of looking, which must not move the clock that evictions are compared by.
        self.now_ms += u64::from(!matches!(input, LobbyInput::Order(_)));
        let mut absent = None;
        for effect in self.lobby.handle(self.now_ms, input) {
            match effect {
                LobbyEffect::Text { socket, text } => self.heard.entry(socket).or_default().push(text),
                LobbyEffect::Attach { guest } => {
                    let text = serde_json::to_string(&guest).expect("a guest");
                    assert!(text.len() <= 16 * 1024 && !text.contains("token"), "{text}");
                    self.attachments.insert(guest.socket, text);
                }
                LobbyEffect::Close { socket, code, reason } => {
                    assert!(reason.len() <= 123);
                    assert!(self.closed.insert(socket, code).is_none(), "closed once");
                    self.attachments.remove(&socket);
                }
                LobbyEffect::Absent(sockets) => absent = Some(sockets),
                LobbyEffect::SetAlarm(at_ms) => self.alarms.push(at_ms),
                LobbyEffect::Log { .. } => {}
                errand => self.errands.push_back(errand),
            }
        }
        absent
    }

    pub fn connect(&mut self) -> SocketId {
        self.next_socket += 1;
        self.input(LobbyInput::Connected { socket: self.next_socket, lobby: LOBBY, from: "203.0.113.7".into() });
        self.next_socket
    }

    pub fn say(&mut self, socket: SocketId, text: &str) {
        if self.attachments.contains_key(&socket) {
            self.input(LobbyInput::Text { socket, text });
        }
    }

    pub fn register(&mut self, socket: SocketId, client_id: &str, token: &str) {
        let metadata = r#"{"hostname":"h","project":"p","status":"active","version":"1"}"#;
        let text =
            format!(r#"{{"type":"register","client_id":"{client_id}","user_token":"{token}","metadata":{metadata}}}"#);
        self.say(socket, &text);
    }

    pub fn status(&mut self, socket: SocketId, client_id: &str, status: &str) {
        self.say(socket, &format!(r#"{{"type":"status_update","client_id":"{client_id}","status":"{status}"}}"#));
    }

    /// One that is let in.
    pub fn instance(&mut self, client_id: &str, token: &str) -> SocketId {
        let socket = self.connect();
        self.register(socket, client_id, token);
        self.settle();
        socket
    }

    /// The other side is gone, and the platform says so.
    pub fn vanish(&mut self, socket: SocketId) {
        self.attachments.remove(&socket);
        self.input(LobbyInput::Closed { socket });
    }

    /// Lets the oldest errand happen.
    pub fn run_errand(&mut self) -> bool {
        match self.errands.pop_front() {
            Some(LobbyEffect::Check { socket, token, from }) => {
                assert_eq!(from, "203.0.113.7");
                let ends_ms = self.ends_ms.get(token.expose()).copied().unwrap_or_default();
                let verdict = match self.tokens.get(token.expose()) {
                    Some(person) => Verdict::Holder { person: (*person).into(), token: token.expose().into(), ends_ms },
                    None => Verdict::Refused("This token is unknown.".into()),
                };
                self.input(LobbyInput::Checked { socket, verdict });
            }
            Some(LobbyEffect::Tell { socket, person, report }) => {
                self.told += 1;
                let answer = (!self.silent.contains(person.as_str())).then(|| self.tell(&person, report));
                self.input(LobbyInput::Told { socket, answer });
            }
            Some(other) => panic!("{other:?} is no errand"),
            None => return false,
        }
        true
    }

    pub fn settle(&mut self) {
        while self.run_errand() {}
    }

    pub fn tell(&mut self, person: &str, report: LobbyReport) -> LinkAnswer {
        match self.ask(person, Request::Lobby { report }) {
            Reply::Link { answer } => answer,
            other => panic!("{other:?}"),
        }
    }

    /// Asks a person's hub; its orders are carried out first, as the adapter does.
    pub fn ask(&mut self, person: &str, request: Request) -> Reply {
        let world = self.hubs.get_mut(person).expect("a person");
        world.advance(self.now_ms.saturating_sub(world.now_ms));
        let caller =
            Caller { person: person.into(), name: person.into(), via: Via::Browser, standing: Standing::Owner };
        let reply = world.input(Input::Call(Call { caller, request })).expect("an answer");
        for (lobby, order) in std::mem::take(&mut world.orders) {
            let absent = self.order(lobby, order);
            if !absent.is_empty() {
                self.tell(person, LobbyReport::Gone { lobby, sockets: absent });
            }
        }
        reply
    }

    pub fn order(&mut self, lobby: u32, order: LobbyOrder) -> Vec<SocketId> {
        assert_eq!(lobby, LOBBY, "an order for a lobby that nobody came from");
        self.input(LobbyInput::Order(order)).expect("an answer to an order")
    }

    /// What a person sees, after a look that may have found something out.
    pub fn instances(&mut self, person: &str) -> Vec<InstanceView> {
        self.ask(person, Request::Board);
        match self.ask(person, Request::Board) {
            Reply::Board(board) => board.instances,
            other => panic!("{other:?}"),
        }
    }

    pub fn one(&mut self, person: &str, client_id: &str) -> InstanceView {
        let found = self.instances(person).into_iter().find(|view| view.client_id == client_id);
        found.unwrap_or_else(|| panic!("{person} has no {client_id}"))
    }

    pub fn heard(&self, socket: SocketId) -> Vec<&str> {
        self.heard.get(&socket).into_iter().flatten().map(String::as_str).collect()
    }
}
