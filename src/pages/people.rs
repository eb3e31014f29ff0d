//! `/sessions/:session/people`: with whom a session is shared, and how it is with more.

use serde::Deserialize;
use worker::Response;

use super::view::{FreshLink, PeoplePage};
use super::{page, visitor};
use crate::api::shares::{self, Made, Wish};
use crate::error::Error;
use crate::http::Visit;
use crate::place::Place;
use crate::store::Db;

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    grantee: String,
    #[serde(default)]
    right: String,
}

#[derive(Deserialize)]
struct LinkForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    right: String,
    #[serde(default)]
    hours: u64,
}

/// `GET /sessions/:session/people`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    show_with(&visit, &session, None).await
}

/// `POST /sessions/:session/people`: a person by login or address, or a team as organisation/team.
pub async fn share(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    let Form { grantee, right } = visit.form().await?;
    let kind = if grantee.contains('/') { "team" } else { "person" };
    let wish = Wish { kind: kind.to_owned(), grantee, name: String::new(), right, expires_in_s: None };
    shares::share(&visit, &session, wish).await?;
    show_with(&visit, &session, None).await
}

/// `POST /sessions/:session/people/link`: makes a guest link, and shows it this once.
pub async fn link(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    let LinkForm { name, right, hours } = visit.form().await?;
    let expires_in_s = Some(hours.saturating_mul(60 * 60));
    let wish = Wish { kind: "guest".to_owned(), grantee: String::new(), name, right, expires_in_s };
    let Made { view, link } = shares::share(&visit, &session, wish).await?;
    let link = link.ok_or_else(|| Error::internal("a guest link without its secret"))?;
    let fresh = FreshLink { name: view.name, address: shares::address_of(&visit, &link) };
    show_with(&visit, &session, Some(fresh)).await
}

/// `POST /sessions/:session/people/:share/withdraw`.
pub async fn withdraw(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    shares::end(&visit, &session, visit.number("share")?).await?;
    show_with(&visit, &session, None).await
}

async fn show_with(visit: &Visit, session: &Place<u64>, fresh: Option<FreshLink>) -> Result<Response, Error> {
    let shares = shares::of_session(visit, session).await?;
    let own = visit.person()?.number();
    let colleagues = Db::open(&visit.env)?.colleagues(own).await?;
    page(&PeoplePage::new(&shares, &colleagues, fresh, &visitor(visit)?))
}
