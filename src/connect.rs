//! `GET /ws/connect`: the one door for sockets. It finds out who comes, checks what they speak, and hands them to their hub.
//!
//! Runners and command lines show a JWT; browsers their cookie, from a page of this hub. With the subprotocol a browser is a
//! viewer; without it, and with `page=`, a page that receives fragments. Who brings none of all this may be a claudecodeui
//! instance, and is sent to a lobby.
//!
//! **Invariant.** The [`Peer`] that the hub sees is made here, from what was verified here.

use protocol::SUBPROTOCOL;
use protocol::audit::Via;
use session_hub::call::instance_number;
use session_hub::effect::{Peer, Topic};
use worker::{Method, Response};

use crate::auth::jwt::Keys;
use crate::auth::token::{self, Scope};
use crate::auth::{Identity, csrf};
use crate::error::{Error, Kind};
use crate::http::Visit;
use crate::lobby::client as lobby;
use crate::router::brake::{self, Door};
use crate::session_hub::client;
use crate::store::Db;

/// Opens a socket.
pub async fn open(visit: Visit) -> Result<Response, Error> {
    let is_upgrade = visit.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    if !is_upgrade || visit.request.method() != Method::Get {
        return Err(
            Error::new(Kind::UpgradeRequired, "This address speaks WebSocket.").with_header("Upgrade", "websocket")
        );
    }
    let offer = Offer::parse(visit.header("sec-websocket-protocol").as_deref());
    if is_instance(&visit, offer) {
        brake::stranger(&visit, Door::Connect).await?;
        return lobby::connect(&visit.env, visit.client_address().as_deref()).await;
    }
    let identified = match visit.header("authorization") {
        Some(authorization) => by_jwt(&visit, &authorization).await,
        None => by_cookie(&visit, offer).await,
    };
    let (owner, peer) = match identified {
        Ok(identified) => identified,
        Err(refused) => {
            brake::stranger(&visit, Door::Connect).await?;
            return Err(refused);
        }
    };
    brake::person(&visit, Door::Connect, &owner).await?;
    let subprotocol = match (&peer, offer) {
        (Peer::Page { .. }, _) => None,
        (_, Offer::Muster) => Some(SUBPROTOCOL),
        (_, Offer::Nothing) => {
            return Err(Error::invalid("Sec-WebSocket-Protocol", format!("Name the subprotocol {SUBPROTOCOL}.")));
        }
        (_, Offer::Other) => {
            let message = format!("This hub speaks {SUBPROTOCOL}: update the older side.");
            return Err(Error::new(Kind::UpgradeRequired, message).with_header("Sec-WebSocket-Protocol", SUBPROTOCOL));
        }
    };
    client::connect(&visit.env, &owner, &peer, subprotocol).await
}

/// What the handshake offers to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    Nothing,
    Muster,
    Other,
}

impl Offer {
    fn parse(header: Option<&str>) -> Offer {
        match header.map(str::trim).filter(|text| !text.is_empty()) {
            None => Offer::Nothing,
            Some(list) if list.split(',').any(|word| word.trim() == SUBPROTOCOL) => Offer::Muster,
            Some(_) => Offer::Other,
        }
    }
}

/// Who proves nothing and speaks nothing is taken for a claudecodeui instance: it proves itself with its first message.
fn is_instance(visit: &Visit, offer: Offer) -> bool {
    let proves_nothing = visit.header("authorization").is_none() && visit.header("cookie").is_none();
    proves_nothing && offer == Offer::Nothing && visit.query("page").is_none()
}

async fn by_jwt(visit: &Visit, authorization: &str) -> Result<(String, Peer), Error> {
    let refused = |message: &str| Error::unauthorized(message).with_header("WWW-Authenticate", "Bearer");
    let jwt = token::bearer(authorization).ok_or_else(|| refused("Send `Authorization: Bearer` and a JWT."))?;
    let db = Db::open(&visit.env)?;
    let pass = Keys::load(&visit.config, &db, visit.now_ms).await?.verify(jwt, visit.now_ms)?;
    // Five minutes are long enough for a token to be revoked in.
    let row = db.token_by_id(&pass.sub, visit.now_ms).await?;
    let row = row.filter(|row| row.scope == pass.typ && row.person.id == pass.hub);
    let row = row.ok_or_else(|| refused("The token has ended or was revoked: make a new one in the dashboard."))?;
    let person = row.person.id.to_string();
    let peer = match row.scope {
        Scope::Runner | Scope::Session => Peer::Runner { runner: row.id, name: row.name },
        Scope::Cli => Peer::Viewer { person: person.clone(), name: row.person.name, via: Via::Cli },
        Scope::ClaudeCodeUi => return Err(refused("A claudecodeui instance names its token when it registers.")),
    };
    Ok((person, peer))
}

async fn by_cookie(visit: &Visit, offer: Offer) -> Result<(String, Peer), Error> {
    let origin = visit.header("origin");
    if !csrf::is_same_origin(&visit.origin(), origin.as_deref(), None) {
        return Err(Error::forbidden("A socket is opened from this hub's own pages, or with a JWT."));
    }
    let Identity::SignedIn(sign_in) = visit.identify().await? else {
        return Err(Error::unauthorized("Sign in first."));
    };
    let person = sign_in.person;
    let peer = match (offer, visit.query("page")) {
        (Offer::Nothing, Some(page)) => {
            // What a page shows is named by a parameter of the page's own name.
            let topic = topic(&page, visit.query(&page).as_deref()).ok_or_else(|| {
                Error::invalid(
                    "page",
                    "Say page=dashboard, page=clients, page=session&session=<number> or page=client&client=<id>.",
                )
            })?;
            Peer::Page { person: person.id.clone(), topic }
        }
        _ => Peer::Viewer { person: person.id.clone(), name: person.name, via: Via::Browser },
    };
    Ok((person.id, peer))
}

fn topic(page: &str, which: Option<&str>) -> Option<Topic> {
    match page {
        "dashboard" => Some(Topic::Dashboard),
        "session" => which?.parse().ok().map(Topic::Session),
        "clients" => Some(Topic::Clients),
        "client" => instance_number(which?).map(Topic::Instance),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subprotocol_is_found_in_a_list_and_only_whole() {
        assert_eq!(Offer::parse(None), Offer::Nothing);
        assert_eq!(Offer::parse(Some(" ")), Offer::Nothing);
        assert_eq!(Offer::parse(Some("muster.2, muster.1")), Offer::Muster);
        assert_eq!(Offer::parse(Some("muster.10")), Offer::Other);
    }

    #[test]
    fn a_page_names_what_it_shows() {
        assert_eq!(topic("dashboard", None), Some(Topic::Dashboard));
        assert_eq!(topic("session", Some("7")), Some(Topic::Session(7)));
        assert_eq!(topic("clients", None), Some(Topic::Clients));
        assert_eq!(topic("client", Some("ui-7")), Some(Topic::Instance(7)));
        let wrong = [("session", None), ("session", Some("-1")), ("session", Some("x")), ("client", Some("7"))];
        for (page, which) in wrong.into_iter().chain([("client", None), ("other", None)]) {
            assert_eq!(topic(page, which), None, "{page} {which:?}");
        }
    }
}
