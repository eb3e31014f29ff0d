//! A person's tokens, and the one that was just made.

use askama::Template;
use session_hub::call::SessionView;

use super::time::{When, age};
use super::{Nav, Visitor};
use crate::auth::token::Scope;
use crate::store::tokens::TokenEntry;

/// `GET /settings/tokens`.
#[derive(Template)]
#[template(path = "pages/tokens.html")]
pub struct TokensPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub fresh: Option<Fresh>,
    /// Sessions that a token may be for alone, by number and name.
    pub sessions: Vec<(u64, String)>,
    pub rows: Vec<Row>,
}

/// A token that was made a moment ago: the only time that its secret is shown.
pub struct Fresh {
    pub name: String,
    pub secret: String,
}

/// A token in the list.
pub struct Row {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub created: When,
    /// Last use; `None`: never.
    pub used: Option<When>,
    pub used_from: String,
    /// What it is: works until a day, for ever, has ended, was revoked.
    pub state: String,
    pub works: bool,
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl<'a> TokensPage<'a> {
    /// The page; tokens that work come first.
    #[must_use]
    pub fn new(
        tokens: &[TokenEntry],
        sessions: &[SessionView],
        fresh: Option<Fresh>,
        now_ms: u64,
        visitor: &'a Visitor,
    ) -> TokensPage<'a> {
        let mut rows: Vec<Row> = tokens.iter().map(|token| row(token, now_ms)).collect();
        rows.sort_by_key(|row| !row.works);
        let sessions = sessions.iter().map(|session| (session.session, super::text::visible(&session.name))).collect();
        TokensPage { visitor, nav: Nav::Settings, fresh, sessions, rows }
    }
}

fn row(token: &TokenEntry, now_ms: u64) -> Row {
    let works = token.revoked_ms == 0 && (token.expires_ms == 0 || token.expires_ms > now_ms);
    Row {
        id: token.id.clone(),
        name: super::text::visible(&token.name),
        scope: match token.scope {
            Scope::Runner => "Runner".to_owned(),
            Scope::Cli => "Command line".to_owned(),
            Scope::Session => format!("Session {} alone", token.session),
            Scope::ClaudeCodeUi => "claudecodeui".to_owned(),
        },
        created: age(token.created_ms, now_ms),
        used: (token.used_ms > 0).then(|| age(token.used_ms, now_ms)),
        used_from: token.used_from.clone(),
        state: match token {
            _ if token.revoked_ms > 0 => "Revoked".to_owned(),
            _ if token.expires_ms == 0 => "No end".to_owned(),
            _ if !works => "Ended".to_owned(),
            _ => match (token.expires_ms - now_ms).div_ceil(DAY_MS) {
                1 => "Ends within a day".to_owned(),
                days => format!("{days} days left"),
            },
        },
        works,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(revoked_ms: u64, expires_ms: u64) -> Row {
        let entry = TokenEntry {
            id: "t".into(),
            name: "ci".into(),
            scope: Scope::Cli,
            created_ms: 1,
            used_ms: 0,
            revoked_ms,
            expires_ms,
            used_from: String::new(),
            session: 0,
        };
        row(&entry, 10 * DAY_MS)
    }

    #[test]
    fn a_token_says_how_long_it_works() {
        for (revoked_ms, expires_ms, state, works) in [
            (0, 0, "No end", true),
            (0, 10 * DAY_MS + 1, "Ends within a day", true),
            (0, 17 * DAY_MS, "7 days left", true),
            (0, 10 * DAY_MS, "Ended", false),
            (5, 17 * DAY_MS, "Revoked", false),
        ] {
            let row = token(revoked_ms, expires_ms);
            assert_eq!((row.state.as_str(), row.works), (state, works));
        }
    }
}
