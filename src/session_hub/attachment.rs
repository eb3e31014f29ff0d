//! What a socket keeps through an eviction, for hubs and lobbies alike: JSON text, so that its form is this project's own and
//! pinned by a test of the crate that decides.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::WebSocket;
use worker::worker_sys::web_sys;

/// Writes what survives.
pub(crate) fn write(ws: &web_sys::WebSocket, attachment: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string(attachment).map_err(|error| error.to_string())?;
    WebSocket::from(ws.clone()).serialize_attachment(text).map_err(|error| error.to_string())
}

/// Takes it away: a socket that was closed may linger until the other side answers, and must not come back to life with the
/// next load.
pub(crate) fn clear(ws: &web_sys::WebSocket) {
    // A socket that is gone already needs none taken away.
    let _ = WebSocket::from(ws.clone()).serialize_attachment(());
}

/// What was written; `None` where nothing is, or something else.
pub(crate) fn read<T: DeserializeOwned>(ws: &WebSocket) -> Option<T> {
    let text: String = ws.deserialize_attachment().ok().flatten()?;
    serde_json::from_str(&text).ok()
}
