//! The Durable Object's class: it decodes an event, calls the hub, and executes the effects in order. It decides nothing.
//!
//! The class is exported by hand instead of with `#[durable_object]`: that macro makes every message handler `async`, which
//! costs each keystroke a future, a promise and a turn of the microtask queue, and copies the bytes before anyone asks. Here
//! a message is handled in the call that brings it, and forwarded as the very buffer that came.
//!
//! **Invariant.** Every handler is written and none panics: a panic would reset every object of the isolate. Sends on a
//! socket that is gone are ignored; its close arrives as an event of its own. **Invariant.** No timer, and no outbound call but
//! to a lobby before a call is answered: the object sleeps whenever nothing happens.

use std::cell::RefCell;

use js_sys::{ArrayBuffer, Date, Object, Uint8Array};
use protocol::close::CloseCode;
use protocol::control::ErrorCode;
use protocol::{PING, PONG};
use serde_json::json;
use session_hub::Hub;
use session_hub::call::{Call, Caller, LobbyOrder, Refusal, Reply, Request as HubRequest};
use session_hub::effect::{Effect, Input, Moment, Peer, SocketId, Topic};
use session_hub::limits::ALARM_RETRY_MS;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use worker::worker_sys::{DurableObjectState, WebSocketRequestResponsePair, web_sys};
use worker::{Env, Method, Request, Response, State, WebSocketPair, console_error, console_log};

use super::client::Entry;
use super::sockets::{self, Sockets};
use super::sqlite::Sqlite;
use super::{attachment, client, live, orders, push};
use crate::clock;
use crate::http::header;
use crate::random::Sequence;

/// Ids of sockets are numbers of JavaScript too.
const SOCKET_ID_MASK: u64 = (1 << 53) - 1;

/// One person's hub.
#[wasm_bindgen]
pub struct SessionHub {
    state: State,
    env: Env,
    awake: RefCell<Option<Awake>>,
}

/// What is in memory between two evictions.
struct Awake {
    hub: Hub<Sqlite>,
    sockets: Sockets,
    sequence: Sequence,
    /// Incoming bytes, kept so that a frame costs no allocation.
    scratch: Vec<u8>,
    /// What lobbies are to be told before the present call is answered.
    orders: Vec<(u32, LobbyOrder)>,
}

#[wasm_bindgen]
impl SessionHub {
    /// Called by the platform whenever the object comes to life. The hub itself is loaded by the first event.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> SessionHub {
        let state = State::from(state);
        match WebSocketRequestResponsePair::new(PING, PONG) {
            Ok(pair) => state.set_websocket_auto_response(&pair),
            Err(_) => console_error!("{}", json!({ "event": "hub_error", "detail": "no auto-response" })),
        }
        SessionHub { state, env, awake: RefCell::new(None) }
    }

    /// Requests of the Worker: a typed call, or a handshake.
    pub async fn fetch(&self, request: web_sys::Request) -> Result<JsValue, JsValue> {
        let response = self.answer(request.into()).await.unwrap_or_else(|error| {
            log_error(&error);
            Response::builder().with_status(500).empty()
        });
        Ok(web_sys::Response::from(response).into())
    }

    /// The time that the hub asked for has come.
    pub fn alarm(&self) {
        if self.with_awake(|awake, state| awake.run(state, Input::Alarm, None)).is_none() {
            // The hub could not be loaded: what ends now must not go on for that.
            set_alarm(&self.state, Some(clock::now_ms() + ALARM_RETRY_MS));
        }
    }

    /// A text or a binary message.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn websocket_message(&self, ws: web_sys::WebSocket, message: JsValue) {
        self.with_awake(|awake, state| {
            let Some(socket) = awake.sockets.id_of(&ws) else { return };
            match message.dyn_into::<ArrayBuffer>() {
                Ok(buffer) => awake.binary(state, socket, buffer),
                Err(message) => {
                    let text = message.as_string().unwrap_or_default();
                    awake.run(state, Input::Text { socket, text: &text }, None);
                }
            }
        });
    }

    /// A socket closed, cleanly or not, now or long ago.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn websocket_close(&self, ws: web_sys::WebSocket, code: u16, _reason: String, _was_clean: bool) {
        // Completes the closing handshake; 1005 and 1006 are not codes that may be sent.
        let _ = match code {
            1000 | 3000..=4999 => ws.close_with_code(code),
            _ => ws.close(),
        };
        self.closed(&ws);
    }

    /// A socket failed.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn websocket_error(&self, ws: web_sys::WebSocket, _error: JsValue) {
        self.closed(&ws);
    }
}

impl SessionHub {
    async fn answer(&self, request: Request) -> Result<Response, String> {
        match (request.method(), request.path().as_str()) {
            (Method::Post, "/call" | "/visit") => self.call(request).await,
            (Method::Get, "/connect") => self.connect(&request),
            (Method::Get, "/ping") => Ok(Response::builder().with_status(204).empty()),
            _ => Ok(Response::builder().with_status(404).empty()),
        }
    }

    async fn call(&self, mut request: Request) -> Result<Response, String> {
        let bytes = request.bytes().await.map_err(|error| error.to_string())?;
        let call: Call = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let again = orders::asks_again(&call.request).then(|| call.clone());
        let mut reply = self.run(Input::Call(call), None).ok_or("the hub gave no answer")?;
        let orders = self.with_awake(|awake, _| std::mem::take(&mut awake.orders)).unwrap_or_default();
        if !orders.is_empty() {
            let delivered = orders::deliver(&self.env, orders).await;
            for report in &delivered.absent {
                let request = HubRequest::Lobby { report: report.clone() };
                self.run(Input::Call(Call { caller: push::nobody(), request }), None);
            }
            if delivered.failed {
                reply = orders::undelivered();
            } else if let (false, Some(again)) = (delivered.absent.is_empty(), again) {
                reply = self.run(Input::Call(again), None).ok_or("the hub gave no answer")?;
            }
        }
        Response::from_json(&reply).map_err(|error| error.to_string())
    }

    fn connect(&self, request: &Request) -> Result<Response, String> {
        let entry = header(request, client::PEER_HEADER).as_deref().and_then(client::decode_entry).ok_or("no peer")?;
        let pair = WebSocketPair::new().map_err(|error| error.to_string())?;
        let server = pair.server.as_ref().clone();
        self.with_awake(|awake, state| awake.accept(state, server, entry)).ok_or("the hub did not load")??;
        let mut builder = Response::builder().with_websocket(pair.client).with_status(101);
        if let Some(subprotocol) = header(request, "sec-websocket-protocol") {
            builder = builder.with_header("Sec-WebSocket-Protocol", &subprotocol).map_err(|error| error.to_string())?;
        }
        Ok(builder.empty())
    }

    fn closed(&self, ws: &web_sys::WebSocket) {
        self.with_awake(|awake, state| {
            let Some(socket) = awake.sockets.id_of(ws) else { return };
            awake.sockets.remove(socket);
            awake.run(state, Input::Closed { socket }, None);
        });
    }

    fn run(&self, input: Input<'_>, incoming: Option<&ArrayBuffer>) -> Option<Reply> {
        self.with_awake(|awake, state| awake.run(state, input, incoming)).flatten()
    }

    /// The one place that borrows; no event runs inside another, and nothing in here waits.
    fn with_awake<T>(&self, work: impl FnOnce(&mut Awake, &State) -> T) -> Option<T> {
        let mut awake = self.awake.try_borrow_mut().ok()?;
        if awake.is_none() {
            match Awake::load(&self.state) {
                Ok((loaded, healing)) => awake.insert(loaded).carry_out(&self.state, healing, None),
                Err(error) => {
                    log_error(&error);
                    return None;
                }
            };
        }
        awake.as_mut().map(|awake| work(awake, &self.state))
    }
}

impl Awake {
    /// The hub as its store and its sockets tell it, and what it does at once to heal what an eviction took away.
    fn load(state: &State) -> Result<(Awake, Vec<Effect>), String> {
        let mut sequence = Sequence::seeded().map_err(|error| error.detail)?;
        let (sockets, attachments) = Sockets::restore(state);
        let opened = Hub::open(Sqlite::new(&state.storage()), attachments, moment(&mut sequence));
        let (hub, healing) = opened.map_err(|error| error.to_string())?;
        Ok((Awake { hub, sockets, sequence, scratch: Vec::new(), orders: Vec::new() }, healing))
    }

    fn accept(&mut self, state: &State, ws: web_sys::WebSocket, entry: Entry) -> Result<(), String> {
        let Entry { peer, pass } = entry;
        let tags = vec![JsValue::from_str(tag_of(&peer))];
        let accepted = state.as_raw().accept_websocket_with_tags(&ws, tags);
        accepted.map_err(|_| "the socket could not be accepted".to_owned())?;
        let socket = self.sequence.next_u64() & SOCKET_ID_MASK;
        self.sockets.insert(socket, ws, &peer, &pass);
        let topic = match &peer {
            Peer::Page { topic, .. } => Some(*topic),
            Peer::Runner { .. } | Peer::Viewer { .. } => None,
        };
        self.run(state, Input::Connected { socket, peer, pass }, None);
        // What changed between the page's rendering and its socket.
        if let Some(topic) = topic {
            self.push(state, topic, Some(socket));
        }
        Ok(())
    }

    fn binary(&mut self, state: &State, socket: SocketId, buffer: ArrayBuffer) {
        let view = Uint8Array::new(&buffer);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(view.length() as usize, 0);
        view.copy_to(&mut scratch);
        self.run(state, Input::Binary { socket, bytes: &scratch }, Some(&buffer));
        self.scratch = scratch;
        // One oversize message must not keep its size for good.
        if self.scratch.capacity() > protocol::limits::FRAME_BYTES_MAX {
            self.scratch = Vec::new();
        }
    }

    /// Lets the hub decide and does what it says; returns its answer to a call.
    fn run(&mut self, state: &State, input: Input<'_>, incoming: Option<&ArrayBuffer>) -> Option<Reply> {
        let effects = self.hub.handle(moment(&mut self.sequence), input);
        self.carry_out(state, effects, incoming)
    }

    fn carry_out(&mut self, state: &State, effects: Vec<Effect>, incoming: Option<&ArrayBuffer>) -> Option<Reply> {
        let mut reply = None;
        let mut changed: Vec<Topic> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Reply(answer) => reply = Some(*answer),
                Effect::Changed { topic } if !changed.contains(&topic) => changed.push(topic),
                Effect::Changed { .. } => {}
                effect => self.execute(state, effect, incoming),
            }
        }
        for topic in changed {
            self.push(state, topic, None);
        }
        if let Some(reply) = &mut reply {
            live::mark_seen(state, &self.sockets, reply);
        }
        reply
    }

    fn execute(&mut self, state: &State, effect: Effect, incoming: Option<&ArrayBuffer>) {
        match effect {
            Effect::Forward { sockets } => {
                let Some(buffer) = incoming else { return };
                for socket in sockets {
                    if let Some(socket) = self.sockets.get(socket) {
                        let _ = socket.ws.send_with_array_buffer(buffer);
                    }
                }
            }
            Effect::Text { socket, text } => {
                if let Some(socket) = self.sockets.get(socket) {
                    let _ = socket.ws.send_with_str(&text);
                }
            }
            Effect::Binary { socket, bytes } => {
                if let Some(socket) = self.sockets.get(socket) {
                    // The platform sends later, so it must be given a copy of its own.
                    let _ = socket.ws.send_with_array_buffer(&Uint8Array::from(bytes.as_slice()).buffer());
                }
            }
            Effect::Attach { socket, attachment } => {
                let Some(socket) = self.sockets.get(socket) else { return };
                if let Err(error) = attachment::write(&socket.ws, &attachment) {
                    log_error(&error);
                }
            }
            Effect::Farewell { socket, topic } => self.farewell(socket, topic),
            Effect::Close { socket, code, reason } => self.close(socket, code, &reason),
            Effect::Lobby { lobby, order } => self.orders.push((lobby, order)),
            Effect::SetAlarm(at_ms) => set_alarm(state, at_ms),
            Effect::Log { event, detail } => console_log!("{}", json!({ "event": event, "detail": detail })),
            Effect::Reply(_) | Effect::Changed { .. } => {}
        }
    }

    fn close(&mut self, socket: SocketId, code: CloseCode, reason: &str) {
        if let Some(socket) = self.sockets.remove(socket) {
            attachment::clear(&socket.ws);
            let _ = socket.ws.close_with_code_and_reason(code.code(), reason);
        }
    }

    /// The last word to the page of somebody who was invited.
    fn farewell(&self, socket: SocketId, topic: Topic) {
        let Some(socket) = self.sockets.get(socket) else { return };
        let gone = Reply::Refused(Refusal { code: ErrorCode::NotFound, message: String::new(), field: None });
        if let Some(html) = push::render(topic, &gone, clock::now_ms(), socket.onlooker.as_ref()) {
            let _ = socket.ws.send_with_str(&html);
        }
    }

    /// Sends a topic's fragments to the pages that show it, or to one of them. The owner's pages are all alike; whoever was
    /// invited is shown what they may see now.
    fn push(&mut self, state: &State, topic: Topic, only: Option<SocketId>) {
        let shows = |id: SocketId, socket: &sockets::Socket| match only {
            Some(only) => id == only,
            None => socket.topic == Some(topic),
        };
        if !self.sockets.iter().any(|(id, socket)| shows(id, socket)) {
            return;
        }
        let ids: Vec<SocketId> =
            self.sockets.iter().filter(|(id, socket)| shows(*id, socket)).map(|(id, _)| id).collect();
        let (invited, own): (Vec<SocketId>, Vec<SocketId>) =
            ids.into_iter().partition(|id| self.onlooker(*id).is_some());
        for group in invited.into_iter().map(|id| vec![id]).chain([own]) {
            let Some(first) = group.first() else { continue };
            let onlooker = self.onlooker(*first).cloned();
            let Some(html) = self.fragments(state, topic, onlooker.as_ref()) else { continue };
            for socket in group.into_iter().filter_map(|id| self.sockets.get(id)) {
                let _ = socket.ws.send_with_str(&html);
            }
        }
    }

    fn onlooker(&self, socket: SocketId) -> Option<&Caller> {
        self.sockets.get(socket)?.onlooker.as_ref()
    }

    fn fragments(&mut self, state: &State, topic: Topic, onlooker: Option<&Caller>) -> Option<String> {
        let request = push::question(topic, onlooker);
        let effects = self.hub.handle(moment(&mut self.sequence), Input::Call(request));
        let reply = effects.into_iter().find_map(|effect| match effect {
            Effect::Reply(reply) => Some(*reply),
            _ => None,
        });
        let mut reply = reply?;
        live::mark_seen(state, &self.sockets, &mut reply);
        push::render(topic, &reply, clock::now_ms(), onlooker)
    }
}

fn moment(sequence: &mut Sequence) -> Moment {
    Moment { now_ms: clock::now_ms(), entropy: sequence.next_u64() }
}

fn tag_of(peer: &Peer) -> &'static str {
    match peer {
        Peer::Runner { .. } => "runner",
        Peer::Viewer { .. } => "viewer",
        Peer::Page { .. } => "page",
    }
}

/// Asks for an alarm, or takes it back. The write needs no waiting for: the output gate orders it before any answer.
pub(crate) fn set_alarm(state: &State, at_ms: Option<u64>) {
    let storage = state.storage();
    let options = Object::new();
    let asked = match at_ms {
        Some(at_ms) => storage.as_raw().set_alarm(Date::new(&JsValue::from_f64(at_ms as f64)), options),
        None => storage.as_raw().delete_alarm(options),
    };
    if asked.is_err() {
        log_error("the alarm could not be set");
    }
}

fn log_error(detail: &str) {
    console_error!("{}", json!({ "event": "hub_error", "detail": detail }));
}
