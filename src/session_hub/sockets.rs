//! Which socket has which id. A cache: after an eviction it is rebuilt from the sockets' attachments.
//!
//! A JavaScript `Map` keyed by the socket answers "who sent this" without reading its attachment, which would cost more
//! than all the rest of a keystroke.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use js_sys::Map;
use protocol::audit::Via;
use session_hub::call::Caller;
use session_hub::effect::{Attachment, Pass, Peer, SocketId, Topic};
use session_hub::standing::Standing;
use worker::State;
use worker::worker_sys::web_sys;

use super::attachment;

/// The open sockets of one object.
pub(super) struct Sockets {
    ids: Map,
    by_id: HashMap<SocketId, Socket, BuildHasherDefault<IdHasher>>,
}

/// An open socket.
pub(super) struct Socket {
    /// The platform's.
    pub ws: web_sys::WebSocket,
    /// What it shows, if it is a page's.
    pub topic: Option<Topic>,
    /// Whose runner it is, if it is one.
    pub runner: Option<String>,
    /// Who looks, if it is the page of somebody who was invited: they are shown what they may see.
    pub onlooker: Option<Caller>,
}

impl Sockets {
    /// The sockets that the platform kept, and their attachments. One without a readable attachment is closed: it cannot be
    /// told who it is.
    pub fn restore(state: &State) -> (Sockets, Vec<Attachment>) {
        let mut sockets = Sockets { ids: Map::new(), by_id: HashMap::default() };
        let mut attachments = Vec::new();
        for ws in state.get_websockets() {
            match attachment::read::<Attachment>(&ws) {
                Some(attachment) => {
                    sockets.insert(attachment.socket, ws.as_ref().clone(), &attachment.peer, &attachment.pass);
                    attachments.push(attachment);
                }
                // Its close is on its way, or was never finished; a second close changes nothing.
                None => drop(ws.close(Some(protocol::close::CloseCode::GoingAway.code()), Some("unknown socket"))),
            }
        }
        (sockets, attachments)
    }

    pub fn insert(&mut self, id: SocketId, ws: web_sys::WebSocket, peer: &Peer, pass: &Pass) {
        self.ids.set(&ws, &wasm_bindgen::JsValue::from_f64(id as f64));
        let (topic, runner) = match peer {
            Peer::Page { topic, .. } => (Some(*topic), None),
            Peer::Runner { runner, .. } => (None, Some(runner.clone())),
            Peer::Viewer { .. } => (None, None),
        };
        let onlooker = match (peer, &pass.standing) {
            (Peer::Page { person, .. }, standing @ Standing::Invited(_)) => {
                let (person, standing) = (person.clone(), standing.clone());
                Some(Caller { person, name: String::new(), via: Via::Browser, standing })
            }
            _ => None,
        };
        self.by_id.insert(id, Socket { ws, topic, runner, onlooker });
    }

    /// Who sent this; `None` once it is closed or was never ours.
    pub fn id_of(&self, ws: &web_sys::WebSocket) -> Option<SocketId> {
        self.ids.get(ws).as_f64().map(|id| id as SocketId)
    }

    pub fn get(&self, id: SocketId) -> Option<&Socket> {
        self.by_id.get(&id)
    }

    pub fn remove(&mut self, id: SocketId) -> Option<Socket> {
        let socket = self.by_id.remove(&id)?;
        self.ids.delete(&socket.ws);
        Some(socket)
    }

    pub fn iter(&self) -> impl Iterator<Item = (SocketId, &Socket)> {
        self.by_id.iter().map(|(id, socket)| (*id, socket))
    }
}

/// Ids are random already: hashing them again would buy nothing on the path of every frame.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, id: u64) {
        // hashbrown takes its tag from the top bits, which ids below 2^53 leave empty.
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
