//! `/settings`: how pages look and act, and where one is signed in.

use serde::Deserialize;
use worker::Response;

use super::view::{Preferences, SettingsPage, SignIn, Theme};
use super::{page, preferences, visitor};
use crate::auth::sign_out;
use crate::error::Error;
use crate::http::{self, Visit};
use crate::store::Db;

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    theme: String,
    /// Set by the form that has all choices: there, an absent checkbox means off.
    #[serde(default)]
    all: String,
    #[serde(default)]
    shortcuts: String,
    #[serde(default)]
    screen_reader: String,
}

/// `GET /settings`.
pub async fn show(visit: Visit) -> Result<Response, Error> {
    let visitor = visitor(&visit)?;
    let own = visit.sign_in().map(|sign_in| sign_in.id);
    let rows = Db::open(&visit.env)?.sign_ins(visit.person()?.number(), visit.now_ms).await?;
    let sign_ins: Vec<SignIn> = rows
        .into_iter()
        .map(|row| SignIn {
            current: Some(row.id) == own,
            id: row.id.to_string(),
            device: row.agent,
            created_ms: row.created_ms,
            seen_ms: row.seen_ms,
        })
        .collect();
    page(&SettingsPage::new(&sign_ins, visit.now_ms, &visitor))
}

/// `POST /settings/theme`: keeps the choice in this browser.
pub async fn choose(mut visit: Visit) -> Result<Response, Error> {
    let Choice { theme, all, shortcuts, screen_reader } = visit.form().await?;
    let before = preferences(&visit);
    let theme = Theme::from_word(&theme);
    let chosen = match all.as_str() {
        "" => Preferences { theme, ..before },
        _ => Preferences { theme, shortcuts: shortcuts == "on", screen_reader: screen_reader == "on" },
    };
    let response = http::no_content()?;
    response.headers().set("Set-Cookie", &chosen.to_set_cookie(visit.is_https()))?;
    Ok(response)
}

/// `POST /settings/sign-ins/end-others`: only this browser stays signed in.
pub async fn end_other_sign_ins(visit: Visit) -> Result<Response, Error> {
    sign_out::end_others(&visit).await?;
    http::go_to(&visit, "/settings")
}

/// `POST /settings/sign-ins/:sign_in/end`.
pub async fn end_sign_in(visit: Visit) -> Result<Response, Error> {
    sign_out::end(&visit, visit.number("sign_in")?).await?;
    http::go_to(&visit, "/settings")
}
