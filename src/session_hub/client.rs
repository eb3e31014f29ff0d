//! The one way from the Worker to a hub: a typed call or a socket, never a string URL of a caller's own.
//!
//! Owns the binding's name, an object's name and the two internal routes. Which hub is asked follows from the caller alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use session_hub::call::{Call, Caller, Reply, Request as HubRequest};
use session_hub::effect::{Pass, Peer};
use session_hub::standing::Standing;
use worker::{Env, Headers, Method, Request, RequestInit, Response, Stub};

use crate::error::Error;

/// The binding in `wrangler.jsonc`.
pub const BINDING: &str = "SESSION_HUB";
/// Where the object takes typed calls.
pub const CALL_URL: &str = "https://hub/call";
/// Where the object takes typed calls of those who were invited: an object of a version that knows no invitations answers
/// nothing here, where it would take them for the owner.
pub const VISIT_URL: &str = "https://hub/visit";
/// Where the object takes sockets.
pub const CONNECT_URL: &str = "https://hub/connect";
/// Where the object says that it lives.
pub const PING_URL: &str = "https://hub/ping";
/// Carries the [`Entry`] that the Worker vouches for. Requests to the object are built from nothing, so that no client can
/// bring one along.
pub const PEER_HEADER: &str = "X-Muster-Peer";

/// Who comes through a socket, and what else the Worker vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub peer: Peer,
    /// On what grounds, and until when.
    pub pass: Pass,
}

/// Asks the caller's hub, or the one that they were invited to. A refusal becomes an error.
pub async fn call(env: &Env, caller: Caller, request: HubRequest) -> Result<Reply, Error> {
    let stub = stub(env, hub_of(&caller.standing, &caller.person))?;
    let url = url_for(&caller.standing);
    let body = serde_json::to_string(&Call { caller, request })?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init(url, &init)?;
    let mut response = stub.fetch_with_request(request).await.map_err(|error| Error::unavailable(error.to_string()))?;
    let bytes = response.bytes().await.map_err(|error| Error::unavailable(error.to_string()))?;
    if response.status_code() != 200 {
        return Err(Error::unavailable(format!("hub answered {}", response.status_code())));
    }
    match serde_json::from_slice(&bytes)? {
        Reply::Refused(refusal) => Err(refusal.into()),
        reply => Ok(reply),
    }
}

/// Hands a WebSocket handshake of this person to their hub, or to the one that they were invited to; the answer is the
/// browser's or the runner's 101.
pub async fn connect(env: &Env, person: &str, entry: &Entry, subprotocol: Option<&str>) -> Result<Response, Error> {
    let headers = Headers::new();
    headers.set("Upgrade", "websocket")?;
    headers.set(PEER_HEADER, &encode_entry(entry)?)?;
    if let Some(subprotocol) = subprotocol {
        headers.set("Sec-WebSocket-Protocol", subprotocol)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    let request = Request::new_with_init(CONNECT_URL, &init)?;
    let hub = hub_of(&entry.pass.standing, person);
    stub(env, hub)?.fetch_with_request(request).await.map_err(|error| Error::unavailable(error.to_string()))
}

/// Whether the object's class answers at all. It wakes nobody's hub and touches no storage.
pub async fn ping(env: &Env) -> Result<(), Error> {
    let stub = env.durable_object(BINDING)?.id_from_name("ping")?.get_stub()?;
    let response = stub.fetch_with_str(PING_URL).await.map_err(|error| Error::unavailable(error.to_string()))?;
    match response.status_code() {
        204 => Ok(()),
        status => Err(Error::unavailable(format!("ping answered {status}"))),
    }
}

/// The entry as a header's value.
pub fn encode_entry(entry: &Entry) -> Result<String, Error> {
    // Names are free text: base64 keeps the header within ASCII.
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(entry)?))
}

/// The entry of a header's value.
pub fn decode_entry(value: &str) -> Option<Entry> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
}

/// Whose hub somebody on these grounds comes to.
fn hub_of<'a>(standing: &'a Standing, person: &'a str) -> &'a str {
    match standing {
        Standing::Owner => person,
        Standing::Invited(invited) => &invited.owner,
    }
}

fn url_for(standing: &Standing) -> &'static str {
    match standing {
        Standing::Owner => CALL_URL,
        Standing::Invited(_) => VISIT_URL,
    }
}

fn stub(env: &Env, owner: &str) -> Result<Stub, Error> {
    let namespace = env.durable_object(BINDING)?;
    Ok(namespace.id_from_name(&format!("person:{owner}"))?.get_stub()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use session_hub::standing::Invited;

    #[test]
    fn an_entry_survives_its_header_whatever_its_name() {
        let peer = Peer::Runner { runner: "r1".into(), name: "Köln\r\nX-Evil: 1".into() };
        let invited = Invited { owner: "3".into(), owner_name: "Ännä".into(), ..Invited::default() };
        let entry = Entry { peer, pass: Pass { standing: Standing::Invited(invited), ends_ms: 9 } };
        let value = encode_entry(&entry).unwrap();
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(decode_entry(&value), Some(entry));
        assert_eq!(decode_entry("not an entry"), None);
    }

    #[test]
    fn who_was_invited_comes_to_the_owners_hub_and_nobody_else_does() {
        let invited = Invited { owner: "3".into(), ..Invited::default() };
        assert_eq!(url_for(&Standing::Invited(invited.clone())), VISIT_URL);
        assert_eq!(url_for(&Standing::Owner), CALL_URL);
        assert_eq!(hub_of(&Standing::Invited(invited), "7"), "3");
        assert_eq!(hub_of(&Standing::Owner, "7"), "7");
    }
}
