//! Pages: thin handlers that ask the hub once and render a view, or do what a form says.
//!
//! A form of a page is sent by htmx. Its answer is empty: what changed comes over the page's socket, to this page and to
//! everyone else's, or the answer names the page to go to. A page never changes by itself being asked for.

pub mod access;
pub mod audit;
pub mod clients;
pub mod dashboard;
pub mod device;
pub mod guest;
pub mod home;
pub mod people;
pub mod prompts;
pub mod sessions;
pub mod settings;
pub mod terminals;
pub mod tokens;
pub mod view;

use askama::Template;
use protocol::limits::NAME_CHARS_MAX;
use session_hub::call::{Board, Reply, Request, SessionDetail};
use worker::Response;

use crate::auth::{Identity, invitation};
use crate::error::Error;
use crate::http::{self, Visit};
use crate::place::Place;
use view::{Preferences, Vantage, Visitor};

/// Longest idempotency key of a form, in characters; pages send a UUID.
const KEY_CHARS_MAX: usize = NAME_CHARS_MAX;

/// The person, as pages need them.
fn visitor(visit: &Visit) -> Result<Visitor, Error> {
    let person = visit.person()?;
    Ok(Visitor {
        name: person.name.clone(),
        signed_in_by: match person.login.as_str() {
            "" if matches!(visit.identity, Identity::Guest(_)) => "a guest link".to_owned(),
            "" => "a one-time link".to_owned(),
            address if address.contains('@') => format!("Cloudflare Access as {address}"),
            login => format!("GitHub as {login}"),
        },
        is_admin: person.role == crate::auth::Role::Admin,
        is_guest: matches!(visit.identity, Identity::Guest(_)),
        csrf: visit.csrf_token().to_owned(),
        preferences: preferences(visit),
    })
}

fn preferences(visit: &Visit) -> Preferences {
    Preferences::from_cookies(&visit.header("cookie").unwrap_or_default())
}

/// A rendered template as an answer.
fn page(template: &impl Template) -> Result<Response, Error> {
    http::html(template.render().map_err(|error| Error::internal(format!("template: {error}")))?)
}

async fn board(visit: &Visit) -> Result<Board, Error> {
    match visit.ask(Request::Board).await? {
        Reply::Board(board) => Ok(board),
        _ => Err(unexpected("a board")),
    }
}

async fn session(visit: &Visit, request: Request) -> Result<SessionDetail, Error> {
    match visit.ask(request).await? {
        Reply::Session(detail) => Ok(detail),
        _ => Err(unexpected("a session")),
    }
}

/// A session, and from where whoever asks looks at it.
async fn session_at(visit: &Visit, place: &Place<u64>) -> Result<(SessionDetail, Vantage), Error> {
    let knock = invitation::knock(visit, &visit.identity, place.owner).await?;
    let vantage = Vantage::of(&knock.standing);
    match visit.ask_as(knock, Request::Session { session: place.number }).await? {
        Reply::Session(detail) => Ok((detail, vantage)),
        _ => Err(unexpected("a session")),
    }
}

fn unexpected(wanted: &str) -> Error {
    Error::internal(format!("the hub answered something else than {wanted}"))
}

/// A key that makes sending a form twice do it once.
fn checked_key(key: String) -> Result<String, Error> {
    if key.chars().count() > KEY_CHARS_MAX {
        return Err(Error::invalid("key", "Reload the page and try again."));
    }
    Ok(key)
}
