//! GitHub, as far as the hub needs it: a person's consent, who the person is, and which organisations and teams the person
//! is in. [`Client`] knows neither people of the hub nor D1; [`webhook`] hands what it hears to [`crate::auth::access`].
//!
//! A GitHub App and an OAuth App work alike; only the App's tokens expire and are refreshed.

mod client;
pub mod signature;
pub mod webhook;

pub use client::{Client, Failure, Pin, Profile, Tokens};

/// How GitHub is reached, and as which app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// `MUSTER_GITHUB_CLIENT_ID`.
    pub client_id: String,
    /// `MUSTER_GITHUB_CLIENT_SECRET`.
    pub client_secret: String,
    /// `MUSTER_GITHUB_URL`: where people are sent to consent; an Enterprise Server has its own.
    pub web_url: String,
    /// `MUSTER_GITHUB_API_URL`.
    pub api_url: String,
}

/// An organisation, a team or a user who may come in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// Active members of an organisation.
    Org(String),
    /// Active members of a team: organisation and slug.
    Team(String, String),
    /// One person, by login.
    User(String),
}

impl Entity {
    /// The entity of this kind and name; `None` when GitHub could have no such name.
    pub fn parse(kind: &str, name: &str) -> Option<Entity> {
        let name = name.trim().trim_start_matches('@').to_lowercase();
        match kind {
            "org" => is_login(&name).then_some(Entity::Org(name)),
            "user" => is_login(&name).then_some(Entity::User(name)),
            "team" => {
                let (org, team) = name.split_once('/')?;
                (is_login(org) && is_slug(team)).then(|| Entity::Team(org.to_owned(), team.to_owned()))
            }
            _ => None,
        }
    }

    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Entity::Org(_) => "org",
            Entity::Team(..) => "team",
            Entity::User(_) => "user",
        }
    }

    /// Its name; a team's with its organisation.
    pub fn name(&self) -> String {
        match self {
            Entity::Org(name) | Entity::User(name) => name.clone(),
            Entity::Team(org, team) => format!("{org}/{team}"),
        }
    }

    /// Kind and name, as `people.allowed_by` has them.
    pub fn text(&self) -> String {
        format!("{}:{}", self.kind(), self.name())
    }

    /// Whether this is the organisation, or a team of it.
    pub fn is_of(&self, organisation: &str) -> bool {
        match self {
            Entity::Org(org) | Entity::Team(org, _) => org == organisation,
            Entity::User(_) => false,
        }
    }
}

/// Letters, digits and single hyphens inside, 39 characters: what GitHub lets people and organisations be called. Managed
/// users have an underscore before their company's code.
fn is_login(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=39).contains(&name.len())
        && name.bytes().all(is_inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn is_slug(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=100).contains(&name.len()) && name.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_in_any_case_and_nothing_else_is() {
        assert_eq!(Entity::parse("org", " Acme "), Some(Entity::Org("acme".into())));
        assert_eq!(Entity::parse("user", "@Octo-Cat"), Some(Entity::User("octo-cat".into())));
        assert_eq!(Entity::parse("user", "ann_acme"), Some(Entity::User("ann_acme".into())));
        assert_eq!(Entity::parse("team", "Acme/Platform"), Some(Entity::Team("acme".into(), "platform".into())));
        for (kind, name) in [
            ("org", ""),
            ("org", "a/b"),
            ("org", "../x"),
            ("user", "-a"),
            ("user", "a--b"),
            ("team", "acme"),
            ("team", "acme/"),
            ("team", "acme/a/b"),
            ("team", "acme/a b"),
            ("role", "acme"),
        ] {
            assert_eq!(Entity::parse(kind, name), None, "{kind} {name}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (kind, name) in [("org", "acme"), ("team", "acme/platform"), ("user", "ann")] {
            let entity = Entity::parse(kind, name).unwrap();
            assert_eq!((entity.kind(), entity.name().as_str()), (kind, name));
        }
        assert!(Entity::Team("acme".into(), "x".into()).is_of("acme"));
        assert!(!Entity::User("acme".into()).is_of("acme"));
    }
}
