//! Who is asking. Owns cookies, tokens, JWTs, one-time links and CSRF; the router decides with it who may come in.
//!
//! **Invariant.** Identity comes from a cookie, a token or a JWT that this module verified, never from a field of a request.

pub mod cookie;
pub mod csrf;
pub mod jwt;
pub mod local;
pub mod secret;
pub mod sign_out;
pub mod token;

use worker::Request;

use crate::error::Error;
use crate::http::header;
use crate::store::Db;
use token::Scope;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number, as text: it names the person's hub.
    pub id: String,
    /// For people.
    pub name: String,
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
    /// A program with a token.
    Token(Token),
}

impl Identity {
    /// The person behind it.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Identity::Nobody => None,
            Identity::SignedIn(sign_in) => Some(&sign_in.person),
            Identity::Token(token) => Some(&token.person),
        }
    }
}

/// Finds out who is asking. A token that is shown and does not hold is an error; a stale cookie is just nobody.
pub async fn identify(request: &Request, db: &Db, is_https: bool, now_ms: u64) -> Result<Identity, Error> {
    if let Some(authorization) = header(request, "authorization") {
        return identify_token(&authorization, db, now_ms).await.map(Identity::Token);
    }
    let cookies = header(request, "cookie").unwrap_or_default();
    let Some(cookie) = cookie::sign_in(&cookies, is_https) else { return Ok(Identity::Nobody) };
    let Some(row) = db.sign_in(cookie, now_ms).await? else { return Ok(Identity::Nobody) };
    Ok(Identity::SignedIn(SignIn {
        id: row.id,
        person: Person { id: row.person.to_string(), name: row.name },
        csrf_token: csrf::token(cookie),
        cookie: cookie.to_owned(),
    }))
}

async fn identify_token(authorization: &str, db: &Db, now_ms: u64) -> Result<Token, Error> {
    let refused = |message: &str| Error::unauthorized(message).with_header("WWW-Authenticate", "Bearer");
    let Some(text) = token::bearer(authorization) else { return Err(refused("Send `Authorization: Bearer mst_...`.")) };
    if !token::is_well_formed(text) {
        return Err(refused("The token has a typing error or is cut off: copy it again, from `mst_` to its end."));
    }
    let row = db.token_by_secret(text, now_ms).await?;
    let row = row.ok_or_else(|| refused("The token is unknown or was revoked: make a new one in the dashboard."))?;
    let person = Person { id: row.person.to_string(), name: row.person_name };
    Ok(Token { id: row.id, name: row.name, scope: row.scope, person })
}
