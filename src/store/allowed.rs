//! Who may come in: organisations, teams and users of GitHub.

use serde::{Deserialize, Serialize};

use super::{Db, Param};
use crate::error::Error;
use crate::github::Entity;

/// Entities of one deployment: each may cost a call to GitHub at a sign-in, of which the free plan has 50 a request.
pub const ENTITIES_MAX: u64 = 30;

/// An entity that may come in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AllowedRow {
    /// Its number in the list.
    pub id: u64,
    /// org, team or user.
    pub kind: String,
    /// Its name; a team's with its organisation.
    pub name: String,
    /// GitHub's number of a user who came; 0: nobody came by it yet.
    pub github: u64,
    /// When it was added.
    pub added_ms: u64,
}

impl AllowedRow {
    /// The entity.
    pub fn entity(&self) -> Option<Entity> {
        Entity::parse(&self.kind, &self.name)
    }
}

impl Db {
    /// All of them.
    pub async fn allowed(&self) -> Result<Vec<AllowedRow>, Error> {
        self.all(
            "SELECT id, kind, name, github, added_ms FROM allowed_entities ORDER BY kind, name LIMIT ?1",
            &[Param::Number(ENTITIES_MAX)],
        )
        .await
    }

    /// Adds one; again changes nothing. False when there are as many as there can be.
    pub async fn allow(&self, entity: &Entity, now_ms: u64) -> Result<bool, Error> {
        let (kind, name) = (entity.kind(), entity.name());
        self.run(
            "INSERT INTO allowed_entities (kind, name, added_ms) SELECT ?1, ?2, ?3
             WHERE (SELECT count(*) FROM allowed_entities) < ?4 ON CONFLICT DO NOTHING",
            &[Param::Text(kind), Param::Text(&name), Param::Number(now_ms), Param::Number(ENTITIES_MAX)],
        )
        .await?;
        #[derive(Deserialize)]
        struct Found {
            found: u64,
        }
        let row: Option<Found> = self
            .first(
                "SELECT count(*) AS found FROM allowed_entities WHERE kind = ?1 AND name = ?2",
                &[Param::Text(kind), Param::Text(&name)],
            )
            .await?;
        Ok(row.is_some_and(|row| row.found > 0))
    }

    /// Takes one off the list.
    pub async fn disallow(&self, id: u64) -> Result<(), Error> {
        self.run("DELETE FROM allowed_entities WHERE id = ?1", &[Param::Number(id)]).await?;
        Ok(())
    }

    /// The user of this entry came: from now on it means that person, whatever the name.
    pub async fn pin_user(&self, id: u64, github: u64) -> Result<(), Error> {
        self.run(
            "UPDATE allowed_entities SET github = ?2 WHERE id = ?1 AND github = 0",
            &[Param::Number(id), Param::Number(github)],
        )
        .await?;
        Ok(())
    }

    /// Whether this login of an admin means this person of GitHub: whoever came by it first, for ever.
    pub async fn is_pinned_admin(&self, login: &str, github: u64) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Pinned {
            github: u64,
        }
        let login = login.to_lowercase();
        self.run(
            "INSERT INTO admin_logins (login, github) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            &[Param::Text(&login), Param::Number(github)],
        )
        .await?;
        let row: Option<Pinned> =
            self.first("SELECT github FROM admin_logins WHERE login = ?1", &[Param::Text(&login)]).await?;
        Ok(row.is_some_and(|row| row.github == github))
    }

    /// Notes that something was done for this deployment. True for exactly one caller ever.
    pub async fn do_once(&self, name: &str, now_ms: u64) -> Result<bool, Error> {
        let done = self
            .run(
                "INSERT INTO deployment (name, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                &[Param::Text(name), Param::Number(now_ms)],
            )
            .await?;
        Ok(done > 0)
    }
}
