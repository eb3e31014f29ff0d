//! `/device`: where a person confirms the code of `muster login`, or says no.
//!
//! **Invariant.** Looking changes nothing and decides nothing: a code in the address is looked up, never confirmed, and one
//! that another site brought is not even looked up.

use serde::Deserialize;
use worker::Response;

use super::view::{DevicePage, Step};
use super::{page, visitor};
use crate::api::tokens;
use crate::audit::{self, Action, Event};
use crate::auth::device::UserCode;
use crate::auth::token::Scope;
use crate::auth::{Identity, back};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::store::Db;
use crate::store::device::Waiting;

const NO_CODE: &str = "A code has eight letters, like WDJB-MJHT.";
const UNKNOWN: &str = "No program waits with this code: it is mistyped, expired, or already decided. Codes live ten minutes; \
     run muster login again for a new one.";

#[derive(Deserialize)]
struct Confirmed {
    #[serde(default)]
    code: String,
}

/// `GET /device`: asks for a code, or shows what waits with the code in `?code=`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let typed = visit.query("code").unwrap_or_default();
    let code = UserCode::parse(&typed);
    match visit.identity {
        Identity::SignedIn(_) => {}
        Identity::Nobody | Identity::Guest(_) => return lead_to_sign_in(&visit, code.as_ref()),
        Identity::Token(_) => return Err(Error::forbidden("A person confirms a code, in a browser.")),
    }
    let visitor = visitor(&visit)?;
    let Some(code) = code else {
        let reason = (!typed.is_empty()).then_some(NO_CODE);
        return page(&DevicePage::new(Step::Enter { code: String::new(), reason }, &visitor));
    };
    if is_brought_by_another_site(&visit) {
        return page(&DevicePage::new(Step::Enter { code: code.to_string(), reason: None }, &visitor));
    }
    let db = Db::open(&visit.env)?;
    let person = visit.person()?.number();
    take_attempt(&visit, &db, person).await?;
    let Some(waiting) = db.waiting_device(&code, visit.now_ms).await? else {
        let step = Step::Enter { code: code.to_string(), reason: Some(UNKNOWN) };
        let body = askama::Template::render(&DevicePage::new(step, &visitor));
        return http::html_with_status(404, body.map_err(|error| Error::internal(format!("template: {error}")))?);
    };
    db.return_device_attempt(person).await?;
    page(&DevicePage::new(Step::confirm(&code.to_string(), &waiting_view(waiting), visit.now_ms), &visitor))
}

/// `POST /device/approve`: the program gets its token at its next poll.
pub async fn approve(visit: Visit) -> Result<Response, Error> {
    decide(visit, true).await
}

/// `POST /device/deny`: it gets none.
pub async fn deny(visit: Visit) -> Result<Response, Error> {
    decide(visit, false).await
}

async fn decide(mut visit: Visit, approve: bool) -> Result<Response, Error> {
    let Confirmed { code } = visit.form().await?;
    let code = UserCode::parse(&code).ok_or_else(|| Error::invalid("code", NO_CODE))?;
    let db = Db::open(&visit.env)?;
    let person = visit.person()?.number();
    // Said here, where somebody can do something about it, and not to the program that waits.
    if approve && !db.has_room_for_token(person, visit.now_ms).await? {
        return Err(tokens::too_many());
    }
    take_attempt(&visit, &db, person).await?;
    let decided = db.decide_device(&code, person, approve, visit.now_ms).await?;
    let decided = decided.ok_or_else(|| Error::new(Kind::NotFound, UNKNOWN))?;
    db.return_device_attempt(person).await?;
    let action = if approve { Action::DeviceConfirmed } else { Action::DeviceRefused };
    let event = Event::of(action).on(decided.name.as_str()).with("scope", decided.scope.word());
    // The token itself is written down when it is made, and is not made without that.
    audit::note(&visit, event.with("asked_from", decided.address.as_str())).await;
    let visitor = visitor(&visit)?;
    let waiting = waiting_view(decided);
    let step = if approve { Step::approved(&waiting) } else { Step::denied(&waiting) };
    page(&DevicePage::new(step, &visitor))
}

/// A wrong code costs an attempt: taken before the code is looked up, given back when it was right.
async fn take_attempt(visit: &Visit, db: &Db, person: u64) -> Result<(), Error> {
    let Some(again_ms) = db.take_device_attempt(person, visit.now_ms).await? else { return Ok(()) };
    let wait_s = again_ms.saturating_sub(visit.now_ms).div_ceil(1000).max(1);
    let message = format!("Too many wrong codes. Wait {} minutes, then try again.", wait_s.div_ceil(60));
    Err(Error::new(Kind::RateLimited, message).with_header("Retry-After", wait_s.to_string()))
}

/// A link of another site must not cost attempts, nor put a decision before a person who asked for none.
fn is_brought_by_another_site(visit: &Visit) -> bool {
    visit.header("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// To the sign-in, and back here afterwards: the sign-in page hands `to` on to GitHub, a one-time link finds the cookie.
fn lead_to_sign_in(visit: &Visit, code: Option<&UserCode>) -> Result<Response, Error> {
    let back = back::to_device(code);
    let to = serde_urlencoded::to_string([("to", &back)]).map_err(|error| Error::internal(error.to_string()))?;
    let response = http::see_other(&format!("/?{to}"))?;
    response.headers().set("Set-Cookie", &back::remember(&back, visit.is_https()))?;
    Ok(response)
}

fn waiting_view(waiting: Waiting) -> super::view::device::Asking {
    super::view::device::Asking {
        name: waiting.name,
        is_runner: waiting.scope == Scope::Runner,
        address: waiting.address,
        asked_ms: waiting.created_ms,
    }
}
