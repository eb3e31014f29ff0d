//! Who is asking. Owns cookies, tokens, JWTs, one-time links and CSRF; the router decides with it who may come in.
//!
//! **Invariant.** Identity comes from a cookie, a token or a JWT that this module verified, never from a field of a request.

pub mod access;
pub mod allowance;
mod attempt;
pub mod back;
pub mod by_access;
pub mod cf_access;
mod closing;
pub mod cookie;
pub mod csrf;
pub mod device;
pub mod github;
pub mod guest;
pub mod invitation;
pub mod jwt;
pub mod keyring;
pub mod local;
pub mod lost;
pub mod return_path;
pub mod seal;
pub mod secret;
pub mod sign_in;
pub mod sign_out;
pub mod teams;
pub mod token;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::http::Visit;
use crate::store::Db;
use crate::store::people::{BY_ACCESS, PersonRow};
use access::Gate;
use guest::Guest;
use token::Scope;

/// What a person may do to the deployment. In their own hub everybody may do everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Says who may come in, and reads the audit log.
    Admin,
    /// Works.
    Member,
}

impl Role {
    /// The word in tables, forms and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Member => "member",
        }
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number, as text: it names the person's hub.
    pub id: String,
    /// For people.
    pub name: String,
    /// What the person may do to the deployment.
    pub role: Role,
    /// The login at GitHub, or the address at Cloudflare Access; empty on a local hub.
    pub login: String,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Person {
        Person { id: row.id.to_string(), name: row.name, role: row.role, login: row.login }
    }
}

impl Person {
    /// The number in D1.
    pub fn number(&self) -> u64 {
        self.id.parse().unwrap_or(0)
    }
}

/// A browser's sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub person: Person,
    /// What its pages put into `X-CSRF-Token`.
    pub csrf_token: String,
    /// When it ends by itself, if nobody uses it from now on.
    pub ends_ms: u64,
    /// The cookie itself, for checking that token; never rendered or logged.
    cookie: String,
}

impl SignIn {
    /// Whether a page of this sign-in made the token.
    pub fn is_csrf_token(&self, token: &str) -> bool {
        csrf::is_token(&self.cookie, token)
    }
}

/// A token that was shown.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// The one session that it is for; 0: none in particular.
    pub session: u64,
    /// Whose.
    pub person: Person,
}

/// Who is asking.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nobody said, or what they said does not hold.
    Nobody,
    /// A browser with a live sign-in.
    SignedIn(SignIn),
    /// A browser that opened a guest link: in for what that link is for, and a stranger everywhere else.
    Guest(Guest),
    /// A program with a token.
    Token(Token),
}

impl Identity {
    /// Whether an admin of the deployment is behind it.
    pub fn is_admin(&self) -> bool {
        self.person().is_some_and(|person| person.role == Role::Admin)
    }

    /// The person behind it.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Identity::Nobody => None,
            Identity::SignedIn(sign_in) => Some(&sign_in.person),
            Identity::Guest(guest) => Some(&guest.person),
            Identity::Token(token) => Some(&token.person),
        }
    }
}

/// Finds out who is asking. A token that is shown and does not hold is an error; a stale cookie is just nobody.
pub async fn identify(visit: &Visit) -> Result<Identity, Error> {
    let db = Db::open(&visit.env)?;
    if let Some(authorization) = visit.header("authorization") {
        return identify_token(visit, &authorization, &db).await.map(Identity::Token);
    }
    if let Some(sign_in) = identify_browser(visit, &db).await? {
        return Ok(Identity::SignedIn(sign_in));
    }
    Ok(guest::of(visit, &db).await?.map_or(Identity::Nobody, Identity::Guest))
}

async fn identify_browser(visit: &Visit, db: &Db) -> Result<Option<SignIn>, Error> {
    let cookies = visit.header("cookie").unwrap_or_default();
    let Some(cookie) = cookie::sign_in(&cookies, visit.is_https()) else { return Ok(None) };
    let Some(row) = db.sign_in(cookie, visit.now_ms).await? else { return Ok(None) };
    let Some(vouched_ms) = access_vouches_until(visit, db, &row.person).await? else { return Ok(None) };
    if !is_still_in(visit, db, &row.person).await? {
        return Ok(None);
    }
    Ok(Some(SignIn {
        id: row.id,
        person: row.person.into(),
        csrf_token: csrf::token(cookie),
        ends_ms: row.ends_ms.min(vouched_ms),
        cookie: cookie.to_owned(),
    }))
}

/// Whether whoever asks administers this deployment.
pub fn is_admin(visit: &Visit) -> bool {
    visit.identity.person().is_some_and(|person| person.role == Role::Admin)
}

async fn identify_token(visit: &Visit, authorization: &str, db: &Db) -> Result<Token, Error> {
    let refused = |message: &str| Error::unauthorized(message).with_header("WWW-Authenticate", "Bearer");
    let Some(text) = token::bearer(authorization) else { return Err(refused("Send `Authorization: Bearer mst_...`.")) };
    if !token::is_well_formed(text) {
        return Err(refused("The token has a typing error or is cut off: copy it again, from `mst_` to its end."));
    }
    let from = visit.client_address().unwrap_or_default();
    let row = db.token_by_secret(text, &from, visit.now_ms).await?;
    let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
    let unknown = || refused("The token is unknown, has ended or was revoked: make a new one in the dashboard.");
    let row = row.ok_or_else(unknown)?;
    if gate.has_lapsed(&row.person) {
        return Err(refused(
            "Cloudflare Access has not vouched for the token's person for 30 days: sign in once in the browser, then try again.",
        ));
    }
    if !gate.confirm_if_due(&row.person, access::LATE_MS).await? {
        return Err(unknown());
    }
    Ok(Token { id: row.id, name: row.name, scope: row.scope, session: row.session, person: row.person.into() })
}

/// Where Cloudflare Access stands in front, it has to vouch for each request of a browser, and for the same person if it is
/// what says who one is. Whoever it lets in no longer is out with the next request. Says until when it does; `None`: it does
/// not.
async fn access_vouches_until(visit: &Visit, db: &Db, person: &PersonRow) -> Result<Option<u64>, Error> {
    let is_from_access = person.allowed_by == BY_ACCESS;
    let Some(application) = &visit.config.access else {
        return Ok((!is_from_access).then_some(u64::MAX));
    };
    let assertion = visit.header(cf_access::HEADER).unwrap_or_default();
    match cf_access::vouched(application, &assertion, visit.now_ms).await {
        Ok(vouched) if is_from_access && vouched.email != person.login => Ok(None),
        Ok(vouched) => {
            let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
            gate.note_vouched(person).await?;
            Ok(Some(vouched.ends_ms))
        }
        Err(error) if error.kind == Kind::Unauthorized => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether what let the person in still does, asked by a request only when the scheduled sweep seems not to run, or what let
/// the person in was lost.
async fn is_still_in(visit: &Visit, db: &Db, person: &PersonRow) -> Result<bool, Error> {
    let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
    gate.confirm_if_due(person, access::LATE_MS).await
}
