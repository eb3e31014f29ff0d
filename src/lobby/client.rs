//! The one way to a lobby: a handshake from the Worker, an order from a hub.
//!
//! Owns the binding's name, an object's name and the two internal routes.

use session_hub::call::LobbyOrder;
use session_hub::effect::SocketId;
use worker::{Env, Headers, Method, Request, RequestInit, Response, Stub};

use crate::error::Error;

/// The binding in `wrangler.jsonc`.
const BINDING: &str = "LOBBY";
/// How many lobbies there are. One address comes to one lobby, so a flood from one fills an eighth of the room. A hub finds
/// a socket by its lobby's number: fewer may be made of this, but never while old ones are still open.
const LOBBIES: u32 = 8;
/// Where the object takes sockets.
const CONNECT_URL: &str = "https://lobby/connect";
/// Where the object takes orders.
const ORDER_URL: &str = "https://lobby/order";
/// Carries the lobby's number, which an object does not know of itself.
pub(super) const NUMBER_HEADER: &str = "X-Muster-Lobby";
/// Carries the address that the instance came from, for the list of tokens.
pub(super) const FROM_HEADER: &str = "X-Muster-From";

/// Hands a handshake to the lobby of its address; the answer is the instance's 101.
pub async fn connect(env: &Env, address: Option<&str>) -> Result<Response, Error> {
    let address = address.unwrap_or_default();
    let lobby = lobby_of(address);
    let headers = Headers::new();
    headers.set("Upgrade", "websocket")?;
    headers.set(NUMBER_HEADER, &lobby.to_string())?;
    headers.set(FROM_HEADER, address)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    send(env, lobby, Request::new_with_init(CONNECT_URL, &init)?).await
}

/// Gives an order; the answer is which of the sockets that it names are not there.
pub async fn order(env: &Env, lobby: u32, order: &LobbyOrder) -> Result<Vec<SocketId>, Error> {
    let body = serde_json::to_string(order)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let mut response = send(env, lobby, Request::new_with_init(ORDER_URL, &init)?).await?;
    let bytes = response.bytes().await.map_err(|error| Error::unavailable(error.to_string()))?;
    match response.status_code() {
        200 => Ok(serde_json::from_slice(&bytes)?),
        status => Err(Error::unavailable(format!("lobby answered {status}"))),
    }
}

async fn send(env: &Env, lobby: u32, request: Request) -> Result<Response, Error> {
    stub(env, lobby)?.fetch_with_request(request).await.map_err(|error| Error::unavailable(error.to_string()))
}

fn stub(env: &Env, lobby: u32) -> Result<Stub, Error> {
    Ok(env.durable_object(BINDING)?.id_from_name(&format!("lobby:{lobby}"))?.get_stub()?)
}

/// FNV-1a: any spread will do.
fn lobby_of(address: &str) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    address.bytes().fold(2_166_136_261, mix) % LOBBIES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_always_comes_to_the_same_lobby_and_addresses_spread() {
        let mut seen = std::collections::BTreeSet::new();
        for last in 0..100 {
            let address = format!("203.0.113.{last}");
            assert_eq!(lobby_of(&address), lobby_of(&address));
            seen.insert(lobby_of(&address));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), (0..LOBBIES).collect::<Vec<_>>());
    }
}
