//! `GET /`: the dashboard for whoever is signed in, and how to get in for everyone else.

use askama::Template;
use worker::Response;

use super::view::{SignInPage, SignInWays};
use crate::auth::{cf_access, return_path};
use crate::error::Error;
use crate::http::{self, Visit};

/// Home or sign-in.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    if visit.sign_in().is_some() {
        return http::see_other("/dashboard");
    }
    // Access has asked already who this is: the person need not press a button for it.
    if visit.config.access.is_some() && visit.config.github.is_none() && visit.header(cf_access::HEADER).is_some() {
        let to = visit.query("to").unwrap_or_default();
        return http::see_other(&format!(
            "/auth/access?{}",
            serde_urlencoded::to_string([("to", to)]).unwrap_or_default()
        ));
    }
    sign_in_page(&visit, 200, None)
}

/// How one gets in, and why one is not in when something refused.
pub fn sign_in_page(visit: &Visit, status: u16, reason: Option<&str>) -> Result<Response, Error> {
    let to = visit.query("to");
    let ways = SignInWays {
        local: visit.config.local_secret.is_some(),
        github: visit.config.github.is_some(),
        access: visit.config.access.is_some(),
        to: to.as_deref().and_then(return_path::checked).unwrap_or_default(),
    };
    let page = SignInPage::new(&ways, visit.url.host_str().unwrap_or_default(), reason);
    http::html_with_status(status, page.render().map_err(|error| Error::internal(format!("template: {error}")))?)
}
