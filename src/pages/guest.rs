//! `/guest`: where a guest link leads. The page reads the link's secret from behind the `#`, and asks for a name to be known by.

use protocol::limits::NAME_CHARS_MAX;
use serde::Deserialize;
use worker::Response;

use super::page;
use super::view::GuestPage;
use crate::audit::{self, Action, Actor, Event};
use crate::auth::{allowance, cookie, csrf, guest, invitation, token};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::random;
use crate::router::brake::{self, Door};
use crate::store::Db;

/// Why a link opens nothing. One sentence for all: a stranger learns nothing of what there was.
const NO_LINK: &str =
    "This link opens nothing: it has ended, was withdrawn, or is not whole. Ask whoever sent it for a new one.";

#[derive(Deserialize)]
struct Arrival {
    #[serde(default)]
    link: String,
    #[serde(default)]
    name: String,
}

/// `GET /guest`: asks for a name.
pub async fn show(_visit: Visit) -> Result<Response, Error> {
    page(&GuestPage {})
}

/// `POST /guest`: the browser becomes a guest's, and sees the session.
pub async fn join(mut visit: Visit) -> Result<Response, Error> {
    is_from_here(&visit)?;
    brake::stranger(&visit, Door::SignIn).await?;
    allowance::check(&visit, &allowance::SIGN_IN).await?;
    let Arrival { link, name } = visit.form().await?;
    let name = checked_name(&name)?;
    let db = Db::open(&visit.env)?;
    let found = match link.trim() {
        link if token::is_well_formed(link) => db.guest_link(link, visit.now_ms).await?,
        _ => None,
    };
    let Some(found) = found else {
        allowance::failed(&visit, &allowance::SIGN_IN).await?;
        return Err(Error::new(Kind::NotFound, NO_LINK));
    };
    let (id, value) = (random::hex::<8>()?, cookie::mint()?);
    let event = Event::of(Action::GuestLinkOpened)
        .on(format!("session {}", found.session))
        .by(Actor::person(&format!("guest:{id}"), &name))
        .with("owner", found.owner.to_string())
        .with("share", found.share.to_string());
    audit::record(&visit, event).await?;
    if !db.add_guest((&id, &name), &value, &found, visit.now_ms).await? {
        return Err(Error::new(Kind::Limit, "This link has let in as many guests as it may. Ask for another one."));
    }
    let response = http::go_to(&visit, &format!("/sessions/{}-{}", found.owner, found.session))?;
    let life_ms = found.expires_ms.saturating_sub(visit.now_ms);
    response.headers().append("Set-Cookie", &guest::set(&value, life_ms, visit.is_https()))?;
    Ok(response)
}

/// `POST /guest/leave`: the browser is nobody's again.
pub async fn leave(visit: Visit) -> Result<Response, Error> {
    is_from_here(&visit)?;
    let db = Db::open(&visit.env)?;
    if let Some(guest) = guest::of(&visit, &db).await? {
        db.drop_guest(&guest.id).await?;
        // Also in their other tabs.
        invitation::close_sockets_at(&visit.env, guest.owner, &guest.person.id).await?;
    }
    let response = http::go_to(&visit, "/")?;
    response.headers().append("Set-Cookie", &guest::clear(visit.is_https()))?;
    Ok(response)
}

/// Nobody is known yet whose CSRF token it could be: what another site's page sends is refused by where it comes from.
fn is_from_here(visit: &Visit) -> Result<(), Error> {
    let (origin, site) = (visit.header("origin"), visit.header("sec-fetch-site"));
    if csrf::is_same_origin(&visit.origin(), origin.as_deref(), site.as_deref()) {
        return Ok(());
    }
    Err(Error::forbidden("This was sent from another site, so nothing was done."))
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "Say how you want to be called there."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_has_a_name_of_one_line() {
        assert_eq!(checked_name("  Gus ").unwrap(), "Gus");
        for wrong in ["", "  ", "a\nb", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(checked_name(wrong).unwrap_err().field.as_deref(), Some("name"), "{wrong:?}");
        }
    }
}
