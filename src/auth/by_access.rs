//! `GET /auth/access`: signing in where Cloudflare Access stands in front and nothing else asks who one is.

use worker::Response;

use super::access::Gate;
use super::{allowance, cf_access, return_path, sign_in};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::pages::home;
use crate::router;
use crate::store::Db;

/// Signs in whom Access vouches for.
pub async fn open(visit: Visit) -> Result<Response, Error> {
    let application = match &visit.config.access {
        // With a GitHub app Access only stands before it: GitHub says who one is.
        Some(application) if visit.config.github.is_none() => application,
        Some(_) | None => return Err(Error::not_found("page")),
    };
    router::rate_limit(&visit, "sign-in").await?;
    allowance::check(&visit, &allowance::SIGN_IN).await?;
    let assertion = visit.header(cf_access::HEADER).unwrap_or_default();
    let email = match cf_access::vouched(application, &assertion, visit.now_ms).await {
        Ok(vouched) => vouched.email,
        Err(error) if error.kind == Kind::Internal => return Err(error),
        Err(error) => {
            sign_in::refused(&visit, "access", &error.detail).await?;
            return home::sign_in_page(&visit, error.status(), Some(&error.message));
        }
    };
    let db = Db::open(&visit.env)?;
    let is_named_admin = visit.config.is_admin(&email);
    let first_is_admin = visit.config.admins.is_empty();
    let until_ms = Gate { env: &visit.env, config: &visit.config, db: &db, now_ms: visit.now_ms }.vouched_until_ms();
    let person = db.save_access_person(&email, is_named_admin, first_is_admin, until_ms, visit.now_ms).await?;
    let to = visit.query("to");
    let response = http::see_other(to.as_deref().and_then(return_path::checked).unwrap_or(return_path::HOME))?;
    response.headers().set("Set-Cookie", &sign_in::begin(&visit, &db, (person, &email), "access").await?)?;
    Ok(response)
}
