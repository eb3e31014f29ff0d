//! `/settings/access`: who may come in, who came, and what they may do. For admins.

use serde::Deserialize;
use worker::Response;

use super::view::AccessPage;
use super::{page, visitor};
use crate::api::access;
use crate::auth::Role;
use crate::error::Error;
use crate::http::{self, Visit};

const PATH: &str = "/settings/access";

#[derive(Deserialize)]
struct NewEntity {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct NewRole {
    role: Role,
}

/// `GET /settings/access`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (allowed, people) = access::everybody(&visit).await?;
    let visitor = visitor(&visit)?;
    page(&AccessPage::new(&allowed, &people, &visit.person()?.id, visit.now_ms, &visitor))
}

/// `POST /settings/access`.
pub async fn add(mut visit: Visit) -> Result<Response, Error> {
    let NewEntity { kind, name } = visit.form().await?;
    access::allow(&visit, &kind, &name).await?;
    http::go_to(&visit, PATH)
}

/// `POST /settings/access/:entity/remove`.
pub async fn remove(visit: Visit) -> Result<Response, Error> {
    access::disallow(&visit, visit.number("entity")?).await?;
    http::go_to(&visit, PATH)
}

/// `POST /settings/people/:person/role`.
pub async fn set_role(mut visit: Visit) -> Result<Response, Error> {
    let NewRole { role } = visit.form().await?;
    access::give_role(&visit, visit.number("person")?, role).await?;
    http::go_to(&visit, PATH)
}

/// `POST /settings/people/:person/end`.
pub async fn end(visit: Visit) -> Result<Response, Error> {
    access::sign_out(&visit, visit.number("person")?).await?;
    http::go_to(&visit, PATH)
}
