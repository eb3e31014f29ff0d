//! Who may come in: organisations, teams and users of GitHub.

use protocol::audit::Draft;
use serde::{Deserialize, Serialize};

use super::audit::Drafted;
use super::{Db, Param};
use crate::auth::lost::Lost;
use crate::error::Error;
use crate::github::{Entity, Pin};

/// Entities of one deployment: each may cost a call to GitHub at a sign-in, of which the free plan has 50 a request.
pub const ENTITIES_MAX: u64 = 30;

/// What `deployment` notes once the list has begun as the variables say.
const SEEDED: &str = "allowed_entities";

/// An entity that may come in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AllowedRow {
    /// Its number in the list.
    pub id: u64,
    /// org, team or user.
    pub kind: String,
    /// Its name; a team's with its organisation.
    pub name: String,
    /// GitHub's number of it; 0: nobody came by it yet.
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

    /// The list begins as this, once for the deployment: all of it and the note that it was done, or nothing.
    pub async fn seed_allowed(&self, entities: &[Entity], now_ms: u64) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Done {
            done: u64,
        }
        let seeded = Param::Text(SEEDED);
        let row: Option<Done> =
            self.first("SELECT count(*) AS done FROM deployment WHERE name = ?1", &[seeded]).await?;
        if row.is_some_and(|row| row.done > 0) {
            return Ok(());
        }
        let mut statements = Vec::new();
        for entity in entities {
            statements.push(self.prepare(
                "INSERT INTO allowed_entities (kind, name, added_ms) SELECT ?1, ?2, ?3
                 WHERE (SELECT count(*) FROM allowed_entities) < ?4
                   AND NOT EXISTS (SELECT 1 FROM deployment WHERE name = ?5) ON CONFLICT DO NOTHING",
                &[
                    Param::Text(entity.kind()),
                    Param::Text(&entity.name()),
                    Param::Number(now_ms),
                    Param::Number(ENTITIES_MAX),
                    seeded,
                ],
            )?);
        }
        statements.push(self.prepare(
            "INSERT INTO deployment (name, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            &[seeded, Param::Number(now_ms)],
        )?);
        self.batch(statements).await?;
        Ok(())
    }

    /// Adds one, and its entry in the audit log with it or not at all; again changes nothing and tells nothing. False when
    /// there are as many as there can be.
    pub async fn allow(&self, entity: &Entity, now_ms: u64, draft: Draft) -> Result<bool, Error> {
        let drafted = Drafted::new(draft)?;
        let [at_ms, actor_kind, actor, actor_name, via, action, target, detail] = drafted.params();
        let name = entity.name();
        let (kind, name, max) = (Param::Text(entity.kind()), Param::Text(&name), Param::Number(ENTITIES_MAX));
        let entry = self.prepare(
            "INSERT INTO audit (at_ms, actor_kind, actor, actor_name, via, action, target, detail)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             WHERE (SELECT count(*) FROM allowed_entities) < ?11
               AND NOT EXISTS (SELECT 1 FROM allowed_entities WHERE kind = ?9 AND name = ?10)",
            &[at_ms, actor_kind, actor, actor_name, via, action, target, detail, kind, name, max],
        )?;
        let deed = self.prepare(
            "INSERT INTO allowed_entities (kind, name, added_ms) SELECT ?1, ?2, ?3
             WHERE (SELECT count(*) FROM allowed_entities) < ?4 ON CONFLICT DO NOTHING",
            &[kind, name, Param::Number(now_ms), max],
        )?;
        self.do_audited(entry, vec![deed]).await?;
        #[derive(Deserialize)]
        struct Found {
            found: u64,
        }
        let row: Option<Found> = self
            .first("SELECT count(*) AS found FROM allowed_entities WHERE kind = ?1 AND name = ?2", &[kind, name])
            .await?;
        Ok(row.is_some_and(|row| row.found > 0))
    }

    /// Takes one off the list, puts everybody whom it let in in doubt, and adds the entry in the audit log: all or nothing.
    /// False when it is not on the list any more.
    pub async fn disallow(&self, id: u64, entity: Entity, draft: Draft) -> Result<bool, Error> {
        let drafted = Drafted::new(draft)?;
        let [at_ms, kind, actor, name, via, action, target, detail] = drafted.params();
        let id = Param::Number(id);
        let entry = self.prepare(
            "INSERT INTO audit (at_ms, actor_kind, actor, actor_name, via, action, target, detail)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM allowed_entities WHERE id = ?9",
            &[at_ms, kind, actor, name, via, action, target, detail, id],
        )?;
        let doubt = self.doubting(&Lost::Entity(entity), 0)?;
        let deed = self.prepare("DELETE FROM allowed_entities WHERE id = ?1", &[id])?;
        Ok(self.do_audited(entry, vec![doubt, deed]).await? > 0)
    }

    /// Somebody came by this entry: from now on it means what it meant then, whatever takes its name. False when it means
    /// something else already.
    pub async fn pin(&self, id: u64, pin: &Pin) -> Result<bool, Error> {
        let pinned = self
            .run(
                "UPDATE allowed_entities SET github = ?2, organisation = ?3 WHERE id = ?1 AND github IN (0, ?2)",
                &[Param::Number(id), Param::Number(pin.id), Param::Number(pin.organisation)],
            )
            .await?;
        Ok(pinned > 0)
    }

    /// An organisation is called `to` from now on: its entry and those of its teams, and whom they let in, follow. An entry
    /// that nobody came by yet means whoever is called as it says, so it follows by `from`. Where the list has the new name
    /// already, both stay as they are.
    pub async fn rename_organisation(&self, github: u64, from: &str, to: &str) -> Result<(), Error> {
        let params = [Param::Number(github), Param::Text(from), Param::Text(to)];
        let statements = vec![
            self.prepare(
                "UPDATE people SET allowed_by = 'org:' || ?3 WHERE allowed_by IN (SELECT 'org:' || name FROM allowed_entities
                     WHERE kind = 'org' AND (github = ?1 OR (github = 0 AND name = ?2)))",
                &params,
            )?,
            self.prepare(
                "UPDATE people SET allowed_by = 'team:' || ?3 || substr(allowed_by, instr(allowed_by, '/'))
                 WHERE allowed_by IN (SELECT 'team:' || name FROM allowed_entities
                     WHERE kind = 'team' AND (organisation = ?1
                         OR (organisation = 0 AND substr(name, 1, instr(name, '/') - 1) = ?2)))",
                &params,
            )?,
            self.prepare(
                "UPDATE OR IGNORE allowed_entities SET name = ?3, github = ?1
                 WHERE kind = 'org' AND (github = ?1 OR (github = 0 AND name = ?2))",
                &params,
            )?,
            self.prepare(
                "UPDATE OR IGNORE allowed_entities SET name = ?3 || substr(name, instr(name, '/')), organisation = ?1
                 WHERE kind = 'team' AND (organisation = ?1
                     OR (organisation = 0 AND substr(name, 1, instr(name, '/') - 1) = ?2))",
                &params,
            )?,
        ];
        self.batch(statements).await?;
        Ok(())
    }

    /// A team is called `to` from now on, written with its organisation: its entry, and whom it let in, follow.
    pub async fn rename_team(&self, github: u64, to: &str) -> Result<(), Error> {
        let params = [Param::Number(github), Param::Text(to)];
        let statements = vec![
            self.prepare(
                "UPDATE people SET allowed_by = 'team:' || ?2 WHERE allowed_by IN (SELECT 'team:' || name
                     FROM allowed_entities WHERE kind = 'team' AND github = ?1)",
                &params,
            )?,
            self.prepare(
                "UPDATE OR IGNORE allowed_entities SET name = ?2 WHERE kind = 'team' AND github = ?1",
                &params,
            )?,
        ];
        self.batch(statements).await?;
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
}
