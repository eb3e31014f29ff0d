//! `/clients`: runners and claudecodeui instances, and connecting one.

use protocol::claudecodeui::InstanceCommand;
use serde::Deserialize;
use session_hub::call::instance_number;
use worker::Response;

use super::view::{ClientPage, ClientsFragment, ClientsPage, ConnectPage, InstanceFragment, InstancePage, NewToken};
use super::{board, page, visitor};
use crate::api::{clients, tokens};
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
    let board = board(&visit).await?;
    if visit.is_htmx {
        return page(&ClientsFragment::new(&board));
    }
    page(&ClientsPage::new(&board, &visitor(&visit)?))
}

/// `GET /clients/:client`: a runner, or a claudecodeui instance.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    if let Some(instance) = instance_number(visit.param("client")) {
        let instance = clients::ask(&visit, instance).await?;
        if visit.is_htmx {
            return page(&InstanceFragment::new(&instance, visit.now_ms));
        }
        return page(&InstancePage::new(&instance, visit.now_ms, &visitor(&visit)?));
    }
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    let template =
        ClientPage::new(&board, visit.param("client"), &visitor).ok_or_else(|| Error::not_found("client"))?;
    page(&template)
}

/// `GET /clients/connect`.
pub async fn connect(visit: Visit) -> Result<Response, Error> {
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    page(&ConnectPage::new(&board, None, &visit.origin(), &visitor))
}

/// `POST /clients/connect`: makes a token and shows the one command, once.
pub async fn make_command(mut visit: Visit) -> Result<Response, Error> {
    let Name { name } = visit.form().await?;
    let made = tokens::make(&visit, &name, tokens::Use::of(Scope::Runner), 0).await?;
    let (board, visitor) = (board(&visit).await?, visitor(&visit)?);
    let token = NewToken::new(&made.name, &made.id, &made.token, &visit.origin());
    page(&ConnectPage::new(&board, Some(token), &visit.origin(), &visitor))
}

/// `POST /clients/:client/rename`.
pub async fn rename(mut visit: Visit) -> Result<Response, Error> {
    let Name { name } = visit.form().await?;
    let runner = visit.param("client").to_owned();
    tokens::rename_runner(&visit, runner.clone(), name).await?;
    http::go_to(&visit, &format!("/clients/{runner}"))
}

/// `POST /clients/:client/revoke`.
pub async fn revoke(visit: Visit) -> Result<Response, Error> {
    let runner = visit.param("client").to_owned();
    tokens::revoke_runner(&visit, runner.clone()).await?;
    http::go_to(&visit, &format!("/clients/{runner}"))
}

/// `POST /clients/:client/disconnect`.
pub async fn disconnect(visit: Visit) -> Result<Response, Error> {
    command(visit, InstanceCommand::Disconnect).await
}

/// `POST /clients/:client/refresh`.
pub async fn refresh(visit: Visit) -> Result<Response, Error> {
    command(visit, InstanceCommand::RefreshStatus).await
}

/// `POST /clients/:client/forget`.
pub async fn forget(visit: Visit) -> Result<Response, Error> {
    clients::drop_away(&visit).await?;
    http::go_to(&visit, "/clients")
}

async fn command(visit: Visit, command: InstanceCommand) -> Result<Response, Error> {
    let instance = clients::command(&visit, command).await?;
    if visit.is_htmx { http::no_content() } else { http::see_other(&format!("/clients/{}", instance.client)) }
}
