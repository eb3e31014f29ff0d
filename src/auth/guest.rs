//! Guests: whoever opened a guest link, with a name of their own and a cookie that ends with the link.
//!
//! The link's secret stands behind the `#` of its address, which no browser sends and no log holds; a page reads it there and
//! shows it in the body of a form, once.

use super::cookie;
use super::{Person, Role, csrf};
use crate::error::Error;
use crate::http::Visit;
use crate::store::Db;
use crate::store::shares::GuestRow;

const PLAIN_NAME: &str = "muster_guest";
const HOST_NAME: &str = "__Host-muster_guest";

/// A guest.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Who, as hubs know them; no person of this deployment has such an id.
    pub person: Person,
    /// As rows name the guest.
    pub id: String,
    /// Whose hub.
    pub owner: u64,
    /// What people call the owner.
    pub owner_name: String,
    /// The share that the link is.
    pub share: u64,
    /// Its session.
    pub session: u64,
    /// When the link ends.
    pub ends_ms: u64,
    /// What the guest's pages put into `X-CSRF-Token`.
    pub csrf_token: String,
    cookie: String,
}

impl Guest {
    /// Whether a page of this guest made the token.
    pub fn is_csrf_token(&self, token: &str) -> bool {
        csrf::is_token(&self.cookie, token)
    }

    fn new(row: GuestRow, cookie: &str) -> Guest {
        let id = format!("guest:{}", row.guest);
        // Whoever calls themself by a colleague's name is still told from the colleague.
        let name = format!("{} (guest)", row.name);
        Guest {
            person: Person { id, name, role: Role::Member, login: String::new() },
            id: row.guest,
            owner: row.owner,
            owner_name: row.owner_name,
            share: row.share,
            session: row.session,
            ends_ms: row.expires_ms,
            csrf_token: csrf::token(cookie),
            cookie: cookie.to_owned(),
        }
    }
}

/// The guest whose browser asks, if it is one's.
pub async fn of(visit: &Visit, db: &Db) -> Result<Option<Guest>, Error> {
    let cookies = visit.header("cookie").unwrap_or_default();
    let Some(value) = cookie::value(&cookies, name(visit.is_https())).filter(|value| value.len() == 43) else {
        return Ok(None);
    };
    Ok(db.guest(value, visit.now_ms).await?.map(|row| Guest::new(row, value)))
}

/// `Set-Cookie` that makes a browser a guest's, for so many milliseconds.
pub fn set(value: &str, life_ms: u64, is_https: bool) -> String {
    cookie::line(name(is_https), value, u32::try_from(life_ms / 1000).unwrap_or(u32::MAX), is_https)
}

/// `Set-Cookie` that ends it.
pub fn clear(is_https: bool) -> String {
    cookie::line(name(is_https), "", 0, is_https)
}

fn name(is_https: bool) -> &'static str {
    if is_https { HOST_NAME } else { PLAIN_NAME }
}
