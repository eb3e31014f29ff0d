//! What a hub wants of the lobbies that its instances' sockets are in: delivered before the call that it comes of is answered,
//! so that a person who disconnects an instance reads of what happened.

use std::collections::BTreeMap;

use protocol::control::ErrorCode;
use serde_json::json;
use session_hub::call::{LobbyOrder, LobbyReport, Refusal, Reply, Request};
use session_hub::effect::SocketId;
use worker::{Env, console_error};

use crate::lobby::client;

/// What came of orders.
#[derive(Default)]
pub(super) struct Delivered {
    /// Sockets that lobbies do not have, to be reported to the hub.
    pub absent: Vec<LobbyReport>,
    /// A person's command did not reach its lobby.
    pub failed: bool,
}

/// Gives the orders, in order.
pub(super) async fn deliver(env: &Env, orders: Vec<(u32, LobbyOrder)>) -> Delivered {
    let mut absent: BTreeMap<u32, Vec<SocketId>> = BTreeMap::new();
    let mut failed = false;
    for (lobby, order) in orders {
        match client::order(env, lobby, &order).await {
            Ok(sockets) if sockets.is_empty() => {}
            Ok(sockets) => absent.entry(lobby).or_default().extend(sockets),
            Err(error) => {
                // A close that was lost ends when the instance next speaks: the hub does not know its link any more.
                failed |= matches!(order, LobbyOrder::Command { .. });
                console_error!("{}", json!({ "event": "hub_error", "detail": error.detail }));
            }
        }
    }
    let absent = absent.into_iter().map(|(lobby, sockets)| LobbyReport::Gone { lobby, sockets }).collect();
    Delivered { absent, failed }
}

/// Whether a request is asked once more when it turned out that something it showed is gone.
pub(super) fn asks_again(request: &Request) -> bool {
    use protocol::claudecodeui::InstanceCommand::RefreshStatus;
    matches!(
        request,
        Request::Board | Request::Instance { .. } | Request::CommandInstance { command: RefreshStatus, .. }
    )
}

/// The answer to a command that did not reach its lobby.
pub(super) fn undelivered() -> Reply {
    let message = "The command could not be passed on. Try again.".to_owned();
    Reply::Refused(Refusal { code: ErrorCode::Internal, message, field: None })
}
