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
use session_hub::effect::{Pass, Peer, Topic};
use session_hub::standing::Standing;
use worker::{Method, Response};

use crate::auth::invitation::{self, Knock};
use crate::auth::jwt::Keys;
use crate::auth::token::{self, Scope};
use crate::auth::{Identity, Token, csrf};
use crate::error::{Error, Kind};
use crate::http::Visit;
use crate::lobby::client as lobby;
use crate::place::{Place, digits};
use crate::router::brake::{self, Door};
use crate::session_hub::client::{self, Entry};
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
    let Entrant { person, entry } = match identified {
        Ok(identified) => identified,
        Err(refused) => {
            brake::stranger(&visit, Door::Connect).await?;
            return Err(refused);
        }
    };
    brake::person(&visit, Door::Connect, &person).await?;
    let subprotocol = match (&entry.peer, offer) {
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
    client::connect(&visit.env, &person, &entry, subprotocol).await
}

/// Who comes in.
struct Entrant {
    /// The person, or whose runner it is.
    person: String,
    entry: Entry,
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

async fn by_jwt(visit: &Visit, authorization: &str) -> Result<Entrant, Error> {
    let refused = |message: &str| Error::unauthorized(message).with_header("WWW-Authenticate", "Bearer");
    let jwt = token::bearer(authorization).ok_or_else(|| refused("Send `Authorization: Bearer` and a JWT."))?;
    let db = Db::open(&visit.env)?;
    let pass = Keys::load(&visit.config, &db, visit.now_ms).await?.verify(jwt, visit.now_ms)?;
    // Five minutes are long enough for a token to be revoked in.
    let row = db.token_by_id(&pass.sub, visit.now_ms).await?;
    let row = row.filter(|row| row.scope == pass.typ && row.person.id == pass.hub);
    let row = row.ok_or_else(|| refused("The token has ended or was revoked: make a new one in the dashboard."))?;
    let ends_ms = row.expires_ms;
    match row.scope {
        Scope::Runner | Scope::Session => {
            let person = row.person.id.to_string();
            let peer = Peer::Runner { runner: row.id, name: row.name };
            Ok(Entrant { person, entry: Entry { peer, pass: Pass { standing: Standing::Owner, ends_ms } } })
        }
        Scope::Cli => {
            let person = row.person.into();
            let token = Token { id: row.id, name: row.name, scope: row.scope, session: row.session, person };
            let knock = invitation::knock(visit, &Identity::Token(token), hub_asked_for(visit)?).await?;
            Ok(viewer(knock, Via::Cli, ends_ms))
        }
        Scope::ClaudeCodeUi => Err(refused("A claudecodeui instance names its token when it registers.")),
    }
}

async fn by_cookie(visit: &Visit, offer: Offer) -> Result<Entrant, Error> {
    let origin = visit.header("origin");
    if !csrf::is_same_origin(&visit.origin(), origin.as_deref(), None) {
        return Err(Error::forbidden("A socket is opened from this hub's own pages, or with a JWT."));
    }
    let identity = visit.identify().await?;
    let ends_ms = match &identity {
        Identity::SignedIn(sign_in) => sign_in.ends_ms,
        Identity::Guest(guest) => guest.ends_ms,
        Identity::Nobody | Identity::Token(_) => return Err(Error::unauthorized("Sign in first.")),
    };
    match (offer, visit.query("page")) {
        (Offer::Nothing, Some(page)) => {
            // What a page shows is named by a parameter of the page's own name.
            let visitor = identity.person().map_or("", |person| person.id.as_str());
            let (owner, topic) = topic(&page, visit.query(&page).as_deref(), visitor).ok_or_else(|| {
                Error::invalid(
                    "page",
                    "Say page=dashboard, page=clients, page=session&session=<address>, page=client&client=<id> or \
                     page=shared&shared=<owner>.",
                )
            })?;
            let knock = invitation::knock(visit, &identity, owner).await?;
            let person = knock.person.id;
            let peer = Peer::Page { person: person.clone(), topic };
            let pass = Pass { standing: knock.standing, ends_ms: sooner(ends_ms, knock.ends_ms) };
            Ok(Entrant { person, entry: Entry { peer, pass } })
        }
        _ => {
            let knock = invitation::knock(visit, &identity, hub_asked_for(visit)?).await?;
            Ok(viewer(knock, Via::Browser, ends_ms))
        }
    }
}

fn viewer(knock: Knock, via: Via, ends_ms: u64) -> Entrant {
    let Knock { person, standing, ends_ms: knock_ends_ms } = knock;
    let peer = Peer::Viewer { person: person.id.clone(), name: person.name, via };
    let pass = Pass { standing, ends_ms: sooner(ends_ms, knock_ends_ms) };
    Entrant { person: person.id, entry: Entry { peer, pass } }
}

/// The sooner of two ends, of which 0 is none.
fn sooner(one_ms: u64, other_ms: u64) -> u64 {
    match (one_ms, other_ms) {
        (0, end_ms) | (end_ms, 0) => end_ms,
        (one_ms, other_ms) => one_ms.min(other_ms),
    }
}

/// Whose hub `?hub=` names; `None`: one's own.
fn hub_asked_for(visit: &Visit) -> Result<Option<u64>, Error> {
    let Some(text) = visit.query("hub").filter(|text| !text.is_empty()) else { return Ok(None) };
    digits(&text).map(Some).ok_or_else(|| Error::invalid("hub", "Name the owner of the hub by number."))
}

/// What a page shows, and whose hub it is in.
fn topic(page: &str, which: Option<&str>, visitor: &str) -> Option<(Option<u64>, Topic)> {
    match page {
        "dashboard" => Some((None, Topic::Dashboard)),
        "session" => {
            let place = Place::parse(which?, visitor)?;
            Some((place.owner, Topic::Session(place.number)))
        }
        "shared" => Some((Some(digits(which?)?), Topic::Shared)),
        "clients" => Some((None, Topic::Clients)),
        "client" => Some((None, Topic::Instance(instance_number(which?)?))),
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
    fn a_page_names_what_it_shows_and_where() {
        let topic = |page, which| topic(page, which, "3");
        assert_eq!(topic("dashboard", None), Some((None, Topic::Dashboard)));
        assert_eq!(topic("session", Some("7")), Some((None, Topic::Session(7))));
        assert_eq!(topic("session", Some("3-7")), Some((None, Topic::Session(7))));
        assert_eq!(topic("session", Some("5-7")), Some((Some(5), Topic::Session(7))));
        assert_eq!(topic("shared", Some("5")), Some((Some(5), Topic::Shared)));
        assert_eq!(topic("clients", None), Some((None, Topic::Clients)));
        assert_eq!(topic("client", Some("ui-7")), Some((None, Topic::Instance(7))));
        let wrong = [("session", None), ("session", Some("-1")), ("session", Some("x")), ("client", Some("7"))];
        for (page, which) in wrong.into_iter().chain([("client", None), ("other", None), ("shared", None)]) {
            assert_eq!(topic(page, which), None, "{page} {which:?}");
        }
    }

    #[test]
    fn a_socket_ends_with_the_first_of_its_grounds() {
        assert_eq!((sooner(0, 0), sooner(0, 5), sooner(5, 0), sooner(5, 9)), (0, 5, 5, 5));
    }
}
