//! `/clients`: runners, and connecting one.

use serde::Deserialize;
use worker::Response;

use super::view::{ClientPage, ClientsPage, ConnectPage, NewToken};
use super::{board, page, visitor};
use crate::api::tokens;
use crate::auth::token::Scope;
use crate::error::Error;
use crate::http::{self, Visit};

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

/// `GET /clients`.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    page(&ClientsPage::new(&board, &visitor))
}

/// `GET /clients/:runner`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    let template =
        ClientPage::new(&board, visit.param("runner"), &visitor).ok_or_else(|| Error::not_found("runner"))?;
    page(&template)
}

/// `GET /clients/connect`.
pub async fn connect(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    page(&ConnectPage::new(&board, None, &visitor))
}

/// `POST /clients/connect`: makes a token and shows the one command, once.
pub async fn make_command(mut visit: Visit) -> Result<Response, Error> {
    let Name { name } = visit.form().await?;
    let made = tokens::make(&visit, &name, Scope::Runner).await?;
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    let token = NewToken::new(&made.name, &made.id, &made.token, &visit.origin());
    page(&ConnectPage::new(&board, Some(token), &visitor))
}

/// `POST /clients/:runner/rename`.
pub async fn rename(mut visit: Visit) -> Result<Response, Error> {
    let Name { name } = visit.form().await?;
    let runner = visit.param("runner").to_owned();
    tokens::rename_runner(&visit, runner.clone(), name).await?;
    http::go_to(&visit, &format!("/clients/{runner}"))
}

/// `POST /clients/:runner/revoke`.
pub async fn revoke(visit: Visit) -> Result<Response, Error> {
    let runner = visit.param("runner").to_owned();
    tokens::revoke_runner(&visit, runner.clone()).await?;
    http::go_to(&visit, &format!("/clients/{runner}"))
}
