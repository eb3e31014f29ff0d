//! `/api/device`: how `muster login` comes to a token without anybody pasting one. RFC 8628, with this API's own errors.
//!
//! **Invariant.** A token is made at the poll that hands it out, once, and only after a person approved. Until then there is
//! nothing that could leak, and afterwards nothing but its hash is kept.

use serde::Deserialize;
use serde_json::json;
use worker::Response;

use super::tokens;
use crate::auth::device::{SLOWER_S, is_device_code, mint_device_code, mint_user_code};
use crate::auth::token::Scope;
use crate::auth::{Person, back};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::router::{self, brake};
use crate::store::Db;
use crate::store::device::{NewRequest, Polled, State};

/// User codes that are tried before the hub counts as full: two alike are one in millions.
const MINTS_MAX: usize = 3;

#[derive(Deserialize)]
struct Wanted {
    name: String,
    scope: String,
}

#[derive(Deserialize)]
struct Poll {
    device_code: String,
}

/// `POST /api/device`: a machine asks; nobody knows yet who it is.
pub async fn start(mut visit: Visit) -> Result<Response, Error> {
    router::rate_limit(&visit, "device").await?;
    let Wanted { name, scope } = visit.json().await?;
    let name = tokens::checked_name(&name)?;
    let scope = match scope.as_str() {
        "runner" => Scope::Runner,
        "cli" => Scope::Cli,
        _ => return Err(Error::invalid("scope", "The scope is runner or cli.")),
    };
    let db = Db::open(&visit.env)?;
    let address = visit.client_address().unwrap_or_default();
    let network = brake::network(&address);
    let (life_s, interval_s) = (visit.config.device_life_s, visit.config.device_interval_s);
    for _ in 0..MINTS_MAX {
        let (device_code, user_code) = (mint_device_code()?, mint_user_code()?);
        let request = NewRequest {
            device_code: &device_code,
            user_code: &user_code,
            name: &name,
            scope,
            address: &address,
            network: &network,
            interval_s,
            now_ms: visit.now_ms,
            expires_ms: visit.now_ms + life_s * 1000,
        };
        if db.add_device_request(&request).await? {
            let origin = visit.origin();
            let answer = json!({
                "device_code": device_code,
                "user_code": user_code.to_string(),
                "verification_uri": format!("{origin}{}", back::to_device(None)),
                "verification_uri_complete": format!("{origin}{}", back::to_device(Some(&user_code))),
                "expires_in": life_s,
                "interval": interval_s,
            });
            return http::json(200, &answer);
        }
    }
    let message = "Too many programs wait to be let in. Try again in some minutes, or make a token in the dashboard.";
    Err(Error::new(Kind::RateLimited, message).with_header("Retry-After", life_s.to_string()))
}

/// `POST /api/device/token`: the machine asks whether somebody decided.
pub async fn poll(mut visit: Visit) -> Result<Response, Error> {
    router::rate_limit(&visit, "device-token").await?;
    let Poll { device_code } = visit.json().await?;
    if !is_device_code(&device_code) {
        return Err(Error::invalid("device_code", "This is no code that /api/device gave."));
    }
    let db = Db::open(&visit.env)?;
    let Some(polled) = db.poll_device(&device_code, visit.now_ms).await? else {
        return Err(not_yet("expired_token", "The code has expired: run `muster login` again."));
    };
    match polled.state {
        State::Pending => Err(pending(&visit, &db, &device_code, &polled).await?),
        State::Denied => Err(not_yet("access_denied", "The person who was asked said no.")),
        State::Approved if polled.lost_ms.is_some_and(|lost_ms| lost_ms > 0) => {
            Err(not_yet("access_denied", "The person who approved it may not come in any more."))
        }
        State::Approved if db.collect_device(&device_code).await? => {
            let handed = hand_out(&visit, polled).await;
            if handed.is_err() {
                db.put_device_back(&device_code).await?;
            }
            handed
        }
        State::Approved | State::Collected => {
            Err(not_yet("expired_token", "The token for this code was handed out already: run `muster login` again."))
        }
    }
}

/// Nobody decided; a program that asks too often waits longer from now on.
async fn pending(visit: &Visit, db: &Db, device_code: &str, polled: &Polled) -> Result<Error, Error> {
    let is_too_soon = visit.now_ms < polled.polled_ms + polled.interval_s * 1000;
    let interval_s = polled.interval_s + if is_too_soon { SLOWER_S } else { 0 };
    db.mark_device_poll(device_code, interval_s, visit.now_ms).await?;
    if is_too_soon {
        return Ok(not_yet("slow_down", format!("Asked too soon: wait {interval_s} seconds between polls.")));
    }
    Ok(not_yet("authorization_pending", "Nobody confirmed the code yet."))
}

async fn hand_out(visit: &Visit, polled: Polled) -> Result<Response, Error> {
    let row = Db::open(&visit.env)?.person(polled.person.unwrap_or_default()).await?;
    let person: Person = row.ok_or_else(|| Error::internal("an approved device request names nobody"))?.into();
    let made = tokens::make_for(visit, &person, &polled.name, tokens::Use::of(polled.scope), 0).await?;
    let person = json!({ "id": person.id, "name": person.name });
    let answer =
        json!({ "token": made.token, "id": made.id, "name": made.name, "scope": polled.scope, "person": person });
    http::json(200, &answer)
}

/// RFC 8628, section 3.5: everything but the token is a 400 with a word.
fn not_yet(code: &'static str, message: impl Into<String>) -> Error {
    Error { code, ..Error::new(Kind::Invalid, message) }
}
