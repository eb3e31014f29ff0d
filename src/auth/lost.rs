//! What somebody loses: an entity, or an organisation with all its teams. What that means for people is `access.rs`'s.

use crate::github::Entity;

/// What an event said is lost, whatever GitHub's API still answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// One entity.
    Entity(Entity),
    /// An organisation with all its teams.
    Organisation(String),
}

impl Lost {
    /// As `people.doubt` has it.
    pub fn text(&self) -> String {
        match self {
            Lost::Entity(entity) => entity.text(),
            Lost::Organisation(organisation) => format!("organisation:{organisation}"),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Lost> {
        match text.split_once(':')? {
            ("organisation", name) => Some(Lost::Organisation(name.to_owned())),
            (kind, name) => Entity::parse(kind, name).map(Lost::Entity),
        }
    }

    /// What `people.allowed_by` is for whoever loses it: this, or something that begins so; empty: nothing does.
    pub fn letting_in(&self) -> (String, String) {
        match self {
            Lost::Entity(entity) => (entity.text(), String::new()),
            Lost::Organisation(organisation) => (format!("org:{organisation}"), format!("team:{organisation}/")),
        }
    }

    pub(super) fn is(&self, entity: &Entity) -> bool {
        match self {
            Lost::Entity(lost) => lost == entity,
            Lost::Organisation(organisation) => entity.is_of(organisation),
        }
    }

    pub(super) fn covers(&self, allowed_by: &str) -> bool {
        let entity = allowed_by.split_once(':').and_then(|(kind, name)| Entity::parse(kind, name));
        entity.is_some_and(|entity| self.is(&entity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_doubt_is_read_back() {
        for lost in [
            Lost::Entity(Entity::Org("acme".into())),
            Lost::Entity(Entity::Team("acme".into(), "platform".into())),
            Lost::Organisation("acme".into()),
        ] {
            assert_eq!(Lost::parse(&lost.text()), Some(lost));
        }
        assert_eq!(Lost::parse(""), None);
    }

    #[test]
    fn whoever_came_by_a_team_goes_with_its_organisation() {
        let team = Lost::Entity(Entity::Team("acme".into(), "platform".into()));
        assert_eq!(team.letting_in(), ("team:acme/platform".to_owned(), String::new()));
        let all = Lost::Organisation("acme".into());
        assert_eq!(all.letting_in(), ("org:acme".to_owned(), "team:acme/".to_owned()));
    }
}
