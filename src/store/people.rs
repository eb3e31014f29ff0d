//! People: who they are, what lets them in, and whether that still holds.

use serde::{Deserialize, Serialize};

use super::{Db, Param};
use crate::auth::Role;
use crate::error::Error;

/// The one person of a local hub. People from elsewhere have higher numbers, so that the two never meet.
pub const LOCAL_PERSON: u64 = 1;
/// What `allowed_by` says of people whom Cloudflare Access vouches for.
pub const BY_ACCESS: &str = "access";
/// Most people that a list shows.
const LISTED_MAX: u64 = 500;

/// A person, and what lets the person in.
#[derive(Clone, Debug, Deserialize)]
pub struct PersonRow {
    /// The number.
    #[serde(rename = "person")]
    pub id: u64,
    /// For people.
    #[serde(rename = "person_name")]
    pub name: String,
    /// admin or member.
    pub role: Role,
    /// The login at GitHub, or the address at Cloudflare Access.
    pub login: String,
    /// GitHub's number; 0: none.
    pub github: u64,
    /// What lets the person in.
    pub allowed_by: String,
    /// When that was last confirmed.
    pub checked_ms: u64,
    /// When to ask again.
    pub recheck_ms: u64,
}

/// A person as admins see them in a list.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PersonEntry {
    /// The number.
    pub id: u64,
    /// For people.
    pub name: String,
    /// The login at GitHub, or the address at Cloudflare Access.
    pub login: String,
    /// admin or member.
    pub role: Role,
    /// What lets the person in.
    pub allowed_by: String,
    /// When the first sign-in was.
    pub created_ms: u64,
    /// When a sign-in was last used, to the hour; 0: none is left.
    pub seen_ms: u64,
    /// Since when the person is out; 0: is in.
    pub lost_ms: u64,
}

/// Who came in, and by what.
pub struct Arrival<'a> {
    /// GitHub's number.
    pub github: u64,
    /// The login there.
    pub login: &'a str,
    /// For people.
    pub name: &'a str,
    /// What lets the person in.
    pub allowed_by: &'a str,
    /// The deployment names the person as an admin.
    pub is_named_admin: bool,
    /// The deployment names no admins, so the first person in becomes one.
    pub first_is_admin: bool,
}

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Db {
    /// The local person, made or renamed.
    pub async fn save_local_person(&self, name: &str, now_ms: u64) -> Result<u64, Error> {
        self.run(
            "INSERT INTO people (id, name, origin, created_ms, role, allowed_by) VALUES (?1, ?2, 'local', ?3, 'admin', 'local')
             ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
            &[Param::Number(LOCAL_PERSON), Param::Text(name), Param::Number(now_ms)],
        )
        .await?;
        Ok(LOCAL_PERSON)
    }

    /// A person from GitHub, made or brought up to date, whose access was confirmed now. Returns the number.
    pub async fn save_github_person(&self, arrival: &Arrival<'_>, recheck_ms: u64, now_ms: u64) -> Result<u64, Error> {
        let row: Option<Id> = self
            .first(
                "INSERT INTO people (id, name, origin, created_ms, role, github, login, allowed_by, checked_ms, recheck_ms)
                 VALUES ((SELECT coalesce(max(id), 1) + 1 FROM people), ?1, 'github', ?6,
                     CASE WHEN ?5 OR (?8 AND NOT EXISTS (SELECT 1 FROM people WHERE role = 'admin'))
                          THEN 'admin' ELSE 'member' END,
                     ?2, ?3, ?4, ?6, ?7)
                 ON CONFLICT (github) WHERE github <> 0 DO UPDATE SET name = excluded.name, login = excluded.login,
                     allowed_by = excluded.allowed_by, checked_ms = excluded.checked_ms,
                     recheck_ms = excluded.recheck_ms, lost_ms = 0,
                     role = CASE WHEN ?5 THEN 'admin' ELSE people.role END
                 RETURNING id",
                &[
                    Param::Text(arrival.name),
                    Param::Number(arrival.github),
                    Param::Text(arrival.login),
                    Param::Text(arrival.allowed_by),
                    Param::Number(arrival.is_named_admin.into()),
                    Param::Number(now_ms),
                    Param::Number(recheck_ms),
                    Param::Number(arrival.first_is_admin.into()),
                ],
            )
            .await?;
        row.map(|row| row.id).ok_or_else(|| Error::internal("D1 did not say which person was saved"))
    }

    /// A person whom Cloudflare Access vouches for, by verified address. Returns the number.
    pub async fn save_access_person(
        &self,
        email: &str,
        is_named_admin: bool,
        first_is_admin: bool,
        now_ms: u64,
    ) -> Result<u64, Error> {
        let row: Option<Id> = self
            .first(
                "INSERT INTO people (id, name, origin, created_ms, role, email, allowed_by)
                 VALUES ((SELECT coalesce(max(id), 1) + 1 FROM people), ?1, 'access', ?2,
                     CASE WHEN ?3 OR (?4 AND NOT EXISTS (SELECT 1 FROM people WHERE role = 'admin'))
                          THEN 'admin' ELSE 'member' END,
                     ?1, ?5)
                 ON CONFLICT (email) WHERE email <> '' DO UPDATE SET lost_ms = 0,
                     role = CASE WHEN ?3 THEN 'admin' ELSE people.role END
                 RETURNING id",
                &[
                    Param::Text(email),
                    Param::Number(now_ms),
                    Param::Number(is_named_admin.into()),
                    Param::Number(first_is_admin.into()),
                    Param::Text(BY_ACCESS),
                ],
            )
            .await?;
        row.map(|row| row.id).ok_or_else(|| Error::internal("D1 did not say which person was saved"))
    }

    /// A person by number, in or out.
    pub async fn person(&self, id: u64) -> Result<Option<PersonRow>, Error> {
        self.first(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p WHERE p.id = ?1",
            &[Param::Number(id)],
        )
        .await
    }

    /// A person who is in, by login, address, or `#` and number.
    pub async fn person_named(&self, text: &str) -> Result<Option<PersonRow>, Error> {
        let text = text.trim().trim_start_matches('@').to_lowercase();
        let number = text.strip_prefix('#').and_then(|digits| digits.parse().ok()).unwrap_or(0);
        self.first(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p
             WHERE p.lost_ms = 0 AND ?1 <> '' AND (lower(p.login) = ?1 OR p.email = ?1 OR p.id = ?2)
             ORDER BY p.id = ?2 DESC, lower(p.login) = ?1 DESC LIMIT 1",
            &[Param::Text(&text), Param::Number(number)],
        )
        .await
    }

    /// People who are in, but one: login or address, and name.
    pub async fn colleagues(&self, but: u64) -> Result<Vec<(String, String)>, Error> {
        #[derive(Deserialize)]
        struct Row {
            login: String,
            name: String,
        }
        let rows: Vec<Row> = self
            .all(
                "SELECT CASE WHEN login <> '' THEN login ELSE email END AS login, name FROM people
                 WHERE lost_ms = 0 AND id <> ?1 AND (login <> '' OR email <> '') ORDER BY name, id LIMIT ?2",
                &[Param::Number(but), Param::Number(LISTED_MAX)],
            )
            .await?;
        Ok(rows.into_iter().map(|row| (row.login, row.name)).collect())
    }

    /// A person by GitHub's number, unless out already.
    pub async fn person_by_github(&self, github: u64) -> Result<Option<PersonRow>, Error> {
        self.first(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p
             WHERE github = ?1 AND github <> 0 AND lost_ms = 0",
            &[Param::Number(github)],
        )
        .await
    }

    /// People let in by an entity, or by anything of an organisation when `text` ends in `%`.
    pub async fn people_allowed_by(&self, text: &str, limit: u64) -> Result<Vec<PersonRow>, Error> {
        self.all(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p
             WHERE allowed_by LIKE ?1 AND github <> 0 AND lost_ms = 0 ORDER BY id LIMIT ?2",
            &[Param::Text(text), Param::Number(limit)],
        )
        .await
    }

    /// Lets the next sweep ask about everybody whom an entity, or anything of an organisation, let in.
    pub async fn recheck_soon(&self, text: &str) -> Result<(), Error> {
        self.run(
            "UPDATE people SET recheck_ms = 0 WHERE allowed_by LIKE ?1 AND github <> 0 AND lost_ms = 0",
            &[Param::Text(text)],
        )
        .await?;
        Ok(())
    }

    /// People who have something to lose and whose access is due to be confirmed, the longest due first.
    pub async fn people_due(&self, now_ms: u64, limit: u64) -> Result<Vec<PersonRow>, Error> {
        self.all(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p
             WHERE github <> 0 AND lost_ms = 0 AND recheck_ms <= ?1
               AND (EXISTS (SELECT 1 FROM sign_ins s WHERE s.person = p.id)
                    OR EXISTS (SELECT 1 FROM tokens t WHERE t.person = p.id AND t.revoked_ms = 0))
             ORDER BY recheck_ms LIMIT ?2",
            &[Param::Number(now_ms), Param::Number(limit)],
        )
        .await
    }

    /// Takes on the confirmation of a person's access. True for one caller only, however many find it due at once.
    pub async fn claim_recheck(&self, person: &PersonRow, until_ms: u64) -> Result<bool, Error> {
        let claimed = self
            .run(
                "UPDATE people SET recheck_ms = ?3 WHERE id = ?1 AND recheck_ms = ?2",
                &[Param::Number(person.id), Param::Number(person.recheck_ms), Param::Number(until_ms)],
            )
            .await?;
        Ok(claimed > 0)
    }

    /// The person's access holds, by this.
    pub async fn confirm_access(
        &self,
        person: u64,
        login: &str,
        allowed_by: &str,
        recheck_ms: u64,
        now_ms: u64,
    ) -> Result<(), Error> {
        self.run(
            "UPDATE people SET login = ?2, allowed_by = ?3, checked_ms = ?4, recheck_ms = ?5 WHERE id = ?1 AND lost_ms = 0",
            &[
                Param::Number(person),
                Param::Text(login),
                Param::Text(allowed_by),
                Param::Number(now_ms),
                Param::Number(recheck_ms),
            ],
        )
        .await?;
        Ok(())
    }

    /// The person is out: no sign-in is left, no token works, and for good if `revoke`. What marks the person as out comes
    /// last, so that whoever is stopped in the middle is found due again; what is open is still to be closed.
    pub async fn end_access(&self, person: u64, revoke: bool, now_ms: u64) -> Result<(), Error> {
        let id = Param::Number(person);
        self.run("DELETE FROM sign_ins WHERE person = ?1", &[id]).await?;
        if revoke {
            self.run(
                "UPDATE tokens SET revoked_ms = ?2 WHERE person = ?1 AND revoked_ms = 0",
                &[id, Param::Number(now_ms)],
            )
            .await?;
        }
        self.run(
            "UPDATE people SET lost_ms = ?2, recheck_ms = 0 WHERE id = ?1 AND lost_ms = 0",
            &[id, Param::Number(now_ms)],
        )
        .await?;
        if revoke {
            self.run("DELETE FROM github_tokens WHERE person = ?1", &[id]).await?;
        }
        Ok(())
    }

    /// Everything that the person had open is closed.
    pub async fn closed_all(&self, person: u64, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE people SET recheck_ms = ?2 WHERE id = ?1 AND lost_ms <> 0",
            &[Param::Number(person), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
    }

    /// People who are out, and whose hub was not reached yet to close what they have open.
    pub async fn people_to_close(&self, limit: u64) -> Result<Vec<PersonRow>, Error> {
        self.all(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms FROM people p WHERE p.lost_ms <> 0 AND p.recheck_ms = 0 ORDER BY p.lost_ms LIMIT ?1",
            &[Param::Number(limit)],
        )
        .await
    }

    /// Everybody who ever came, the newest first.
    pub async fn people(&self) -> Result<Vec<PersonEntry>, Error> {
        self.all(
            "SELECT id, name, CASE WHEN login <> '' THEN login ELSE email END AS login, role, allowed_by, created_ms,
                 coalesce((SELECT max(s.seen_ms) FROM sign_ins s WHERE s.person = p.id), 0) AS seen_ms, lost_ms
             FROM people p ORDER BY lost_ms <> 0, id DESC LIMIT ?1",
            &[Param::Number(LISTED_MAX)],
        )
        .await
    }

    /// Another role for a person. False when that would leave nobody who is admin, or there is no such person.
    pub async fn set_role(&self, person: u64, role: Role) -> Result<bool, Error> {
        let changed = self
            .run(
                "UPDATE people SET role = ?2 WHERE id = ?1 AND (?2 = 'admin' OR EXISTS
                     (SELECT 1 FROM people other WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0))",
                &[Param::Number(person), Param::Text(role.word())],
            )
            .await?;
        Ok(changed > 0)
    }
}
