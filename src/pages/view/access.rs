//! Who may come in and who came, for admins.

use askama::Template;

use super::time::{When, age};
use super::{Nav, Visitor};
use crate::auth::Role;
use crate::store::allowed::AllowedRow;
use crate::store::people::PersonEntry;

/// `GET /settings/access`.
#[derive(Template)]
#[template(path = "pages/access.html")]
pub struct AccessPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub allowed: Vec<Entry>,
    pub people: Vec<Person>,
}

/// An organisation, a team or a user of the list.
pub struct Entry {
    pub id: u64,
    pub kind: &'static str,
    pub name: String,
    pub added: When,
}

/// Somebody who came in.
pub struct Person {
    pub id: u64,
    pub name: String,
    pub login: String,
    pub is_admin: bool,
    pub is_you: bool,
    pub is_out: bool,
    pub by: String,
    /// Last active; `None`: not signed in anywhere.
    pub seen: Option<When>,
}

impl<'a> AccessPage<'a> {
    /// The page, as `you` sees it.
    #[must_use]
    pub fn new(
        allowed: &[AllowedRow],
        people: &[PersonEntry],
        you: &str,
        now_ms: u64,
        visitor: &'a Visitor,
    ) -> AccessPage<'a> {
        let entry = |row: &AllowedRow| Entry {
            id: row.id,
            kind: match row.kind.as_str() {
                "org" => "Organisation",
                "team" => "Team",
                _ => "User",
            },
            name: row.name.clone(),
            added: age(row.added_ms, now_ms),
        };
        let person = |row: &PersonEntry| Person {
            id: row.id,
            name: super::text::visible(&row.name),
            login: row.login.clone(),
            is_admin: row.role == Role::Admin,
            is_you: row.id.to_string() == you,
            is_out: row.lost_ms > 0,
            by: let_in_by(&row.allowed_by),
            seen: (row.seen_ms > 0).then(|| age(row.seen_ms, now_ms)),
        };
        AccessPage {
            visitor,
            nav: Nav::Settings,
            allowed: allowed.iter().map(entry).collect(),
            people: people.iter().map(person).collect(),
        }
    }
}

/// "the team acme/platform", of `team:acme/platform`.
fn let_in_by(text: &str) -> String {
    match text.split_once(':') {
        Some(("org", name)) => format!("organisation {name}"),
        Some(("team", name)) => format!("team {name}"),
        Some(("user", name)) => format!("user {name}"),
        _ if text == "admin" => "named as admin".to_owned(),
        _ if text == "access" => "Cloudflare Access".to_owned(),
        _ if text == "local" => "a one-time link".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::let_in_by;

    #[test]
    fn what_lets_in_is_said_in_words() {
        for (text, words) in [
            ("team:acme/platform", "team acme/platform"),
            ("org:acme", "organisation acme"),
            ("user:ann", "user ann"),
            ("admin", "named as admin"),
            ("local", "a one-time link"),
        ] {
            assert_eq!(let_in_by(text), words);
        }
    }
}
