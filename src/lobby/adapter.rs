//! The Durable Object's class of a lobby: it decodes an event, lets the lobby decide, and does what it says. It decides
//! nothing.
//!
//! Looking a token up and telling a hub take time; the event that they follow from stays open meanwhile, so the object is not
//! evicted, and others go on. What comes of them is fed back as one more input.
//!
//! **Invariant.** Every handler is written and none panics. Nothing is borrowed across an `.await`. **Invariant.** Nothing
//! waits but for an answer: no timer, so the object sleeps whenever nothing happens. Keep-alives of instances name
//! themselves, so unlike those of runners they wake it, for less than a millisecond each.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use protocol::audit::Via;
use protocol::claudecodeui::Secret;
use serde_json::json;
use session_hub::call::{Caller, LinkAnswer, LobbyOrder, LobbyReport, Reply, Request as HubRequest};
use session_hub::effect::SocketId;
use session_hub::lobby::{Guest, Lobby as Decisions, LobbyEffect, LobbyInput, Verdict};
use session_hub::standing::Standing;
use wasm_bindgen::prelude::*;
use worker::worker_sys::{DurableObjectState, web_sys};
use worker::{Env, Method, Request, Response, State, WebSocketPair, console_error, console_log};

use super::client::{FROM_HEADER, NUMBER_HEADER};
use crate::auth::access::{Gate, LATE_MS};
use crate::auth::token::{self, Scope};
use crate::clock;
use crate::config::Config;
use crate::error::Error;
use crate::http::header;
use crate::random::Sequence;
use crate::session_hub::{attachment, client as hub_client, set_alarm};
use crate::store::Db;

/// Ids of sockets are numbers of JavaScript too.
const SOCKET_ID_MASK: u64 = (1 << 53) - 1;
/// How often a hub is told before it counts as unreachable: one that was moved or restarted answers the second time.
const TELL_ATTEMPTS_MAX: usize = 3;

/// One lobby.
#[wasm_bindgen]
pub struct Lobby {
    state: State,
    env: Env,
    awake: RefCell<Option<Awake>>,
}

/// What is in memory between two evictions.
struct Awake {
    lobby: Decisions,
    sockets: BTreeMap<SocketId, web_sys::WebSocket>,
    sequence: Sequence,
}

/// What takes time.
enum Errand {
    Check { socket: SocketId, token: Secret, from: String },
    Tell { socket: SocketId, person: String, report: LobbyReport },
}

#[wasm_bindgen]
impl Lobby {
    /// Called by the platform whenever the object comes to life.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Lobby {
        Lobby { state: State::from(state), env, awake: RefCell::new(None) }
    }

    /// A handshake from the Worker, or an order from a hub.
    pub async fn fetch(&self, request: web_sys::Request) -> Result<JsValue, JsValue> {
        let response = self.answer(request.into()).await.unwrap_or_else(|error| {
            log_error(&error);
            Response::builder().with_status(500).empty()
        });
        Ok(web_sys::Response::from(response).into())
    }

    /// The time that the lobby asked for has come.
    pub async fn alarm(&self) {
        self.feed(LobbyInput::Alarm).await;
    }

    /// A text or a binary message.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub async fn websocket_message(&self, ws: web_sys::WebSocket, message: JsValue) {
        let Some(socket) = id_of(&ws) else { return };
        match message.as_string() {
            Some(text) => self.feed(LobbyInput::Text { socket, text: &text }).await,
            None => self.feed(LobbyInput::Binary { socket }).await,
        };
    }

    /// A socket closed, cleanly or not, now or long ago.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub async fn websocket_close(&self, ws: web_sys::WebSocket, code: u16, _reason: String, _was_clean: bool) {
        // Completes the closing handshake; 1005 and 1006 are not codes that may be sent.
        let _ = match code {
            1000 | 3000..=4999 => ws.close_with_code(code),
            _ => ws.close(),
        };
        self.closed(&ws).await;
    }

    /// A socket failed.
    #[wasm_bindgen(js_name = webSocketError)]
    pub async fn websocket_error(&self, ws: web_sys::WebSocket, _error: JsValue) {
        self.closed(&ws).await;
    }
}

impl Lobby {
    async fn answer(&self, mut request: Request) -> Result<Response, String> {
        match (request.method(), request.path().as_str()) {
            (Method::Get, "/connect") => self.connect(&request).await,
            (Method::Post, "/order") => {
                let bytes = request.bytes().await.map_err(|error| error.to_string())?;
                let order: LobbyOrder = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
                let absent = self.feed(LobbyInput::Order(order)).await.ok_or("the lobby did not load")?;
                Response::from_json(&absent).map_err(|error| error.to_string())
            }
            _ => Ok(Response::builder().with_status(404).empty()),
        }
    }

    async fn connect(&self, request: &Request) -> Result<Response, String> {
        let lobby = header(request, NUMBER_HEADER).and_then(|text| text.parse().ok()).ok_or("no number")?;
        let from = header(request, FROM_HEADER).unwrap_or_default();
        let pair = WebSocketPair::new().map_err(|error| error.to_string())?;
        let server = pair.server.as_ref().clone();
        let socket = self.with_awake(|awake, state| awake.accept(state, server)).ok_or("the lobby did not load")?;
        self.feed(LobbyInput::Connected { socket, lobby, from }).await;
        Ok(Response::builder().with_websocket(pair.client).with_status(101).empty())
    }

    async fn closed(&self, ws: &web_sys::WebSocket) {
        let Some(socket) = id_of(ws) else { return };
        self.with_awake(|awake, _| awake.sockets.remove(&socket));
        self.feed(LobbyInput::Closed { socket }).await;
    }

    /// One input and all that follows from it. Answers which sockets of an order are absent; `None` if the object could not
    /// come to life.
    async fn feed(&self, input: LobbyInput<'_>) -> Option<Vec<SocketId>> {
        let (absent, errands) = self.with_awake(|awake, state| awake.run(state, input))?;
        let mut errands = VecDeque::from(errands);
        while let Some(errand) = errands.pop_front() {
            let input = match errand {
                Errand::Check { socket, token, from } => {
                    LobbyInput::Checked { socket, verdict: self.check(&token, &from).await }
                }
                Errand::Tell { socket, person, report } => {
                    LobbyInput::Told { socket, answer: self.tell(person, report).await }
                }
            };
            errands.extend(self.with_awake(|awake, state| awake.run(state, input))?.1);
        }
        Some(absent)
    }

    async fn check(&self, token: &Secret, from: &str) -> Verdict {
        if !token::is_well_formed(token.expose()) {
            let message = "user_token has a typing error or is cut off: copy it again, from mst_ to its end.";
            return Verdict::Refused(message.to_owned());
        }
        match self.look_up(token, from).await {
            Ok(verdict) => verdict,
            Err(error) => {
                log_error(&error.detail);
                Verdict::Failed
            }
        }
    }

    async fn look_up(&self, token: &Secret, from: &str) -> Result<Verdict, Error> {
        let (db, config, now_ms) = (Db::open(&self.env)?, Config::read(&self.env), clock::now_ms());
        let row = db.token_by_secret(token.expose(), from, now_ms).await?;
        let gate = Gate { env: &self.env, config: &config, db: &db, now_ms };
        let row = match row {
            Some(row) if !gate.has_lapsed(&row.person) && gate.confirm_if_due(&row.person, LATE_MS).await? => Some(row),
            _ => None,
        };
        let refused = |message: &str| Verdict::Refused(message.to_owned());
        Ok(match row {
            Some(row) if row.scope == Scope::ClaudeCodeUi => {
                Verdict::Holder { person: row.person.id.to_string(), token: row.id, ends_ms: row.expires_ms }
            }
            Some(_) => refused("This token is for something else: make one with the scope claudecodeui."),
            None => refused("This token is unknown, has ended or was revoked: make a new one in the dashboard."),
        })
    }

    async fn tell(&self, person: String, report: LobbyReport) -> Option<LinkAnswer> {
        for _ in 0..TELL_ATTEMPTS_MAX {
            let caller =
                Caller { person: person.clone(), name: String::new(), via: Via::Runner, standing: Standing::Owner };
            let request = HubRequest::Lobby { report: report.clone() };
            match hub_client::call(&self.env, caller, request).await {
                Ok(Reply::Link { answer }) => return Some(answer),
                Ok(_) => log_error("a hub answered something else than a link"),
                Err(error) => log_error(&error.detail),
            }
        }
        None
    }

    /// The one place that borrows; nothing in here waits.
    fn with_awake<T>(&self, work: impl FnOnce(&mut Awake, &State) -> T) -> Option<T> {
        let mut awake = self.awake.try_borrow_mut().ok()?;
        if awake.is_none() {
            match Awake::load(&self.state) {
                Ok(loaded) => *awake = Some(loaded),
                Err(error) => {
                    log_error(&error);
                    return None;
                }
            }
        }
        awake.as_mut().map(|awake| work(awake, &self.state))
    }
}

impl Awake {
    fn load(state: &State) -> Result<Awake, String> {
        let sequence = Sequence::seeded().map_err(|error| error.detail)?;
        let (mut guests, mut sockets) = (Vec::new(), BTreeMap::new());
        for ws in state.get_websockets() {
            match attachment::read::<Guest>(&ws) {
                Some(guest) => {
                    sockets.insert(guest.socket, ws.as_ref().clone());
                    guests.push(guest);
                }
                // Its close is on its way, or was never finished; a second close changes nothing.
                None => drop(ws.close(Some(protocol::close::CloseCode::GoingAway.code()), Some("unknown socket"))),
            }
        }
        Ok(Awake { lobby: Decisions::open(guests), sockets, sequence })
    }

    fn accept(&mut self, state: &State, ws: web_sys::WebSocket) -> SocketId {
        state.accept_web_socket(&ws.clone().into());
        let socket = self.sequence.next_u64() & SOCKET_ID_MASK;
        self.sockets.insert(socket, ws);
        socket
    }

    /// Lets the lobby decide and does what it says; what takes time is handed back.
    fn run(&mut self, state: &State, input: LobbyInput<'_>) -> (Vec<SocketId>, Vec<Errand>) {
        let (mut absent, mut errands) = (Vec::new(), Vec::new());
        for effect in self.lobby.handle(clock::now_ms(), input) {
            match effect {
                LobbyEffect::Text { socket, text } => {
                    if let Some(ws) = self.sockets.get(&socket) {
                        let _ = ws.send_with_str(&text); // one that is gone says so with an event of its own
                    }
                }
                LobbyEffect::Attach { guest } => {
                    let written = self.sockets.get(&guest.socket).map(|ws| attachment::write(ws, &guest));
                    if let Some(Err(error)) = written {
                        log_error(&error);
                    }
                }
                LobbyEffect::Close { socket, code, reason } => {
                    if let Some(ws) = self.sockets.remove(&socket) {
                        attachment::clear(&ws);
                        let _ = ws.close_with_code_and_reason(code.code(), &reason);
                    }
                }
                LobbyEffect::Check { socket, token, from } => errands.push(Errand::Check { socket, token, from }),
                LobbyEffect::Tell { socket, person, report } => errands.push(Errand::Tell { socket, person, report }),
                LobbyEffect::Absent(sockets) => absent = sockets,
                LobbyEffect::SetAlarm(at_ms) => set_alarm(state, Some(at_ms)),
                LobbyEffect::Log { event, detail } => console_log!("{}", json!({ "event": event, "detail": detail })),
            }
        }
        (absent, errands)
    }
}

/// Which of the lobby's this is; `None` once the lobby closed it.
fn id_of(ws: &web_sys::WebSocket) -> Option<SocketId> {
    attachment::read::<Guest>(&ws.clone().into()).map(|guest| guest.socket)
}

fn log_error(detail: &str) {
    console_error!("{}", json!({ "event": "lobby_error", "detail": detail }));
}
