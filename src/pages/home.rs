//! `GET /`: the dashboard for whoever is signed in, and how to get in for everyone else.

use worker::Response;

use super::page;
use super::view::SignInPage;
use crate::error::Error;
use crate::http::{self, Visit};

/// Home or sign-in.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    if visit.sign_in().is_some() {
        return http::see_other("/dashboard");
    }
    let host = visit.url.host_str().unwrap_or_default();
    page(&SignInPage::new(visit.config.local_secret.is_some(), host, None))
}
