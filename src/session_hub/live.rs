//! The newest sign of life of each runner, read from the platform only when somebody looks: keep-alives are answered by the
//! runtime, so the hub itself never hears them.

use session_hub::call::{Reply, RunnerView};
use wasm_bindgen::prelude::*;
use worker::State;
use worker::worker_sys::web_sys;

use super::sockets::Sockets;

/// Puts the time of each connected runner's newest keep-alive into the views of an answer.
pub(super) fn mark_seen(state: &State, sockets: &Sockets, reply: &mut Reply) {
    let runners: &mut [RunnerView] = match reply {
        Reply::Board(board) => &mut board.runners,
        Reply::Session(detail) => std::slice::from_mut(&mut detail.runner_view),
        Reply::Runner(runner) => std::slice::from_mut(runner),
        Reply::Health(_)
        | Reply::Terminal(_)
        | Reply::Prompt(_)
        | Reply::Audit(_)
        | Reply::Shares(_)
        | Reply::Share(_)
        | Reply::Shared(_)
        | Reply::Done
        | Reply::Refused(_) => return,
        Reply::Instance(_) | Reply::Link { .. } => return, // what they show is the hub's own
    };
    for view in runners.iter_mut().filter(|view| view.online) {
        let own = sockets.iter().filter(|(_, socket)| socket.runner.as_deref() == Some(view.runner.as_str()));
        let newest = own.filter_map(|(_, socket)| keep_alive_ms(state, &socket.ws)).max();
        view.seen_ms = view.seen_ms.max(newest.unwrap_or_default());
    }
}

fn keep_alive_ms(state: &State, ws: &web_sys::WebSocket) -> Option<u64> {
    let raw: &JsValue = state.as_raw().as_ref();
    let at = raw.unchecked_ref::<RawState>().auto_response_timestamp(ws).ok()?;
    let date = at.dyn_into::<js_sys::Date>().ok()?;
    Some(date.get_time() as u64)
}

#[wasm_bindgen]
extern "C" {
    type RawState;
    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    fn auto_response_timestamp(this: &RawState, ws: &web_sys::WebSocket) -> Result<JsValue, JsValue>;
}
