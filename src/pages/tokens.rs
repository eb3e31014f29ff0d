//! `/settings/tokens`: what programs of this person prove themselves with.

use serde::Deserialize;
use worker::Response;

use super::view::TokensPage;
use super::view::tokens::Fresh;
use super::{board, page, visitor};
use crate::api::tokens::{self, Use};
use crate::auth::token::Scope;
use crate::error::Error;
use crate::http::{self, Visit};
use crate::place::digits;
use crate::store::Db;

const PATH: &str = "/settings/tokens";
const DAY_S: u64 = 24 * 60 * 60;

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    name: String,
    /// A scope's word; `session:7` for that session alone.
    scope: String,
    /// 0: without an end.
    #[serde(default)]
    days: u64,
}

/// `GET /settings/tokens`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    list(&visit, None).await
}

/// `POST /settings/tokens`: makes one, and shows its secret this one time.
pub async fn create(mut visit: Visit) -> Result<Response, Error> {
    let Wish { name, scope, days } = visit.form().await?;
    let expires_ms = match days {
        0 => 0,
        days => tokens::end_after(days.saturating_mul(DAY_S), visit.now_ms)?,
    };
    let made = tokens::make(&visit, &name, used_for(&scope)?, expires_ms).await?;
    list(&visit, Some(Fresh { name: made.name, secret: made.token })).await
}

/// `POST /settings/tokens/:id/revoke`.
pub async fn revoke(visit: Visit) -> Result<Response, Error> {
    tokens::end(&visit, visit.person()?, visit.param("id").to_owned()).await?;
    http::go_to(&visit, PATH)
}

/// What the form's choice means.
fn used_for(choice: &str) -> Result<Use, Error> {
    let (word, session) = choice.split_once(':').map_or((choice, None), |(word, session)| (word, Some(session)));
    let scope = Scope::from_word(word).ok_or_else(|| Error::invalid("scope", "Choose what the token is for."))?;
    Ok(Use { scope, session: session.and_then(digits).unwrap_or(0) })
}

async fn list(visit: &Visit, fresh: Option<Fresh>) -> Result<Response, Error> {
    let rows = Db::open(&visit.env)?.tokens(visit.person()?.number()).await?;
    let sessions = board(visit).await?.sessions;
    page(&TokensPage::new(&rows, &sessions, fresh, visit.now_ms, &visitor(visit)?))
}
