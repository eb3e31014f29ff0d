//! People: who they are, what lets them in, and whether that still holds.

use protocol::audit::Draft;
use serde::{Deserialize, Serialize};
use worker::D1PreparedStatement;

use super::audit::Drafted;
use super::{Db, Param, changed};
use crate::auth::Role;
use crate::auth::lost::Lost;
use crate::error::Error;

/// The one person of a local hub. People from elsewhere have higher numbers, so that the two never meet.
pub const LOCAL_PERSON: u64 = 1;
/// What `allowed_by` says of people whom Cloudflare Access vouches for.
pub const BY_ACCESS: &str = "access";
/// What `allowed_by` says of people whom the deployment's variables name as admins.
pub const BY_NAME: &str = "admin";
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
    /// What let the person in and was lost, as [`Lost::text`] has it; empty: nothing is in doubt.
    pub doubt: String,
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
                "INSERT INTO people (id, name, origin, created_ms, role, role_by, github, login, allowed_by, checked_ms,
                     recheck_ms)
                 VALUES ((SELECT coalesce(max(id), 1) + 1 FROM people), ?1, 'github', ?6,
                     CASE WHEN ?5 OR (?8 AND NOT EXISTS (SELECT 1 FROM people WHERE role = 'admin'))
                          THEN 'admin' ELSE 'member' END,
                     CASE WHEN ?5 THEN 'variable' ELSE '' END,
                     ?2, ?3, ?4, ?6, ?7)
                 ON CONFLICT (github) WHERE github <> 0 DO UPDATE SET name = excluded.name, login = excluded.login,
                     allowed_by = excluded.allowed_by, checked_ms = excluded.checked_ms,
                     recheck_ms = excluded.recheck_ms, lost_ms = 0, doubt = '', to_close = 0,
                     role = CASE WHEN ?5 THEN 'admin'
                                 WHEN people.role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                      WHERE other.id <> people.id AND other.role = 'admin' AND other.lost_ms = 0)
                                 THEN 'member' ELSE people.role END,
                     role_by = CASE WHEN ?5 AND people.role <> 'admin' THEN 'variable'
                                    WHEN NOT ?5 AND people.role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                         WHERE other.id <> people.id AND other.role = 'admin' AND other.lost_ms = 0)
                                    THEN '' ELSE people.role_by END
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

    /// A person whom Cloudflare Access vouches for, by verified address; for tokens that holds until then. Returns the number.
    pub async fn save_access_person(
        &self,
        email: &str,
        is_named_admin: bool,
        first_is_admin: bool,
        until_ms: u64,
        now_ms: u64,
    ) -> Result<u64, Error> {
        let row: Option<Id> = self
            .first(
                "INSERT INTO people (id, name, origin, created_ms, role, role_by, email, allowed_by, checked_ms, recheck_ms)
                 VALUES ((SELECT coalesce(max(id), 1) + 1 FROM people), ?1, 'access', ?2,
                     CASE WHEN ?3 OR (?4 AND NOT EXISTS (SELECT 1 FROM people WHERE role = 'admin'))
                          THEN 'admin' ELSE 'member' END,
                     CASE WHEN ?3 THEN 'variable' ELSE '' END,
                     ?1, ?5, ?2, ?6)
                 ON CONFLICT (email) WHERE email <> '' DO UPDATE SET lost_ms = 0, to_close = 0,
                     checked_ms = excluded.checked_ms, recheck_ms = excluded.recheck_ms,
                     role = CASE WHEN ?3 THEN 'admin'
                                 WHEN people.role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                      WHERE other.id <> people.id AND other.role = 'admin' AND other.lost_ms = 0)
                                 THEN 'member' ELSE people.role END,
                     role_by = CASE WHEN ?3 AND people.role <> 'admin' THEN 'variable'
                                    WHEN NOT ?3 AND people.role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                         WHERE other.id <> people.id AND other.role = 'admin' AND other.lost_ms = 0)
                                    THEN '' ELSE people.role_by END
                 RETURNING id",
                &[
                    Param::Text(email),
                    Param::Number(now_ms),
                    Param::Number(is_named_admin.into()),
                    Param::Number(first_is_admin.into()),
                    Param::Text(BY_ACCESS),
                    Param::Number(until_ms),
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
                 p.recheck_ms, p.doubt FROM people p WHERE p.id = ?1",
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
                 p.recheck_ms, p.doubt FROM people p
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
                 p.recheck_ms, p.doubt FROM people p
             WHERE github = ?1 AND github <> 0 AND lost_ms = 0",
            &[Param::Number(github)],
        )
        .await
    }

    /// Marks everybody whom what was lost let in, or only this person if `only` is not 0: nothing of theirs works until their
    /// access is confirmed anew, and what they have open is to be closed. Returns how many there are.
    pub async fn doubt(&self, lost: &Lost, only: u64) -> Result<usize, Error> {
        let statement = self.doubting(lost, only)?;
        let answers = self.batch(vec![statement]).await?;
        changed(answers.first())
    }

    /// The statement of [`Db::doubt`], for a batch with what takes the entity away.
    pub(super) fn doubting(&self, lost: &Lost, only: u64) -> Result<D1PreparedStatement, Error> {
        let (exact, prefix) = lost.letting_in();
        self.prepare(
            "UPDATE people SET doubt = ?1, to_close = 1, recheck_ms = 0
             WHERE (allowed_by = ?2 OR (?3 <> '' AND substr(allowed_by, 1, length(?3)) = ?3))
               AND github <> 0 AND lost_ms = 0 AND (?4 = 0 OR id = ?4)",
            &[Param::Text(&lost.text()), Param::Text(&exact), Param::Text(&prefix), Param::Number(only)],
        )
    }

    /// Lets the next sweep ask about everybody whom an organisation or a team of it let in.
    pub async fn recheck_soon(&self, organisation: &str) -> Result<(), Error> {
        let (exact, prefix) = Lost::Organisation(organisation.to_owned()).letting_in();
        self.run(
            "UPDATE people SET recheck_ms = 0
             WHERE (allowed_by = ?1 OR substr(allowed_by, 1, length(?2)) = ?2) AND github <> 0 AND lost_ms = 0",
            &[Param::Text(&exact), Param::Text(&prefix)],
        )
        .await?;
        Ok(())
    }

    /// People who have something to lose and whose access is due to be confirmed: those in doubt first, then the longest due.
    pub async fn people_due(&self, now_ms: u64, limit: u64) -> Result<Vec<PersonRow>, Error> {
        self.all(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms, p.doubt FROM people p
             WHERE github <> 0 AND lost_ms = 0 AND recheck_ms <= ?1
               AND (EXISTS (SELECT 1 FROM sign_ins s WHERE s.person = p.id)
                    OR EXISTS (SELECT 1 FROM tokens t WHERE t.person = p.id AND t.revoked_ms = 0))
             ORDER BY doubt = '', recheck_ms LIMIT ?2",
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

    /// The person's access holds, by this, and what was in doubt is not any more. `None` when the person is out meanwhile, or
    /// in doubt for something else. Returns the role from now on: who is no longer named by the deployment's variables
    /// is no longer admin by them, unless nobody else who is in were.
    pub async fn confirm_access(
        &self,
        person: &PersonRow,
        login: &str,
        allowed_by: &str,
        recheck_ms: u64,
        now_ms: u64,
    ) -> Result<Option<Role>, Error> {
        #[derive(Deserialize)]
        struct Row {
            role: Role,
        }
        let row: Option<Row> = self
            .first(
                "UPDATE people SET login = ?2, allowed_by = ?3, checked_ms = ?4, recheck_ms = ?5, doubt = '', to_close = 0,
                     role = CASE WHEN ?3 <> ?6 AND role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                 WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0)
                            THEN 'member' ELSE role END,
                     role_by = CASE WHEN ?3 <> ?6 AND role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                    WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0)
                               THEN '' ELSE role_by END
                 WHERE id = ?1 AND lost_ms = 0 AND doubt = ?7 RETURNING role",
                &[
                    Param::Number(person.id),
                    Param::Text(login),
                    Param::Text(allowed_by),
                    Param::Number(now_ms),
                    Param::Number(recheck_ms),
                    Param::Text(BY_NAME),
                    Param::Text(&person.doubt),
                ],
            )
            .await?;
        Ok(row.map(|row| row.role))
    }

    /// The person is out: no sign-in is left, no token works, and for good if `revoke`; what is open is still to be closed.
    pub async fn end_access(&self, person: u64, revoke: bool, now_ms: u64) -> Result<(), Error> {
        let id = Param::Number(person);
        let mut statements = vec![
            self.prepare("DELETE FROM sign_ins WHERE person = ?1", &[id])?,
            self.prepare(
                "UPDATE people SET lost_ms = ?2, doubt = '', to_close = 1 WHERE id = ?1 AND lost_ms = 0",
                &[id, Param::Number(now_ms)],
            )?,
        ];
        if revoke {
            statements.push(self.prepare(
                "UPDATE tokens SET revoked_ms = ?2 WHERE person = ?1 AND revoked_ms = 0",
                &[id, Param::Number(now_ms)],
            )?);
            statements.push(self.prepare("DELETE FROM github_tokens WHERE person = ?1", &[id])?);
        }
        self.batch(statements).await?;
        Ok(())
    }

    /// What these people had open is closed.
    pub async fn closed_all(&self, people: &[u64]) -> Result<(), Error> {
        self.run(
            "UPDATE people SET to_close = 0 WHERE id IN (SELECT value FROM json_each(?1))",
            &[Param::Text(&serde_json::to_string(people)?)],
        )
        .await?;
        Ok(())
    }

    /// People who are out or in doubt, and whose hub was not reached yet to close what they have open; in any order, so that a
    /// hub that never answers keeps nobody waiting.
    pub async fn people_to_close(&self, limit: u64) -> Result<Vec<PersonRow>, Error> {
        self.all(
            "SELECT p.id AS person, p.name AS person_name, p.role,
                 CASE WHEN p.login <> '' THEN p.login ELSE p.email END AS login, p.github, p.allowed_by, p.checked_ms,
                 p.recheck_ms, p.doubt FROM people p WHERE p.to_close <> 0 ORDER BY random() LIMIT ?1",
            &[Param::Number(limit)],
        )
        .await
    }

    /// Cloudflare Access vouched for the person now. Who is no longer named by the deployment's variables is no longer admin
    /// by them, unless nobody else who is in were.
    pub async fn vouched(&self, person: u64, is_named_admin: bool, until_ms: u64, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE people SET checked_ms = ?2, recheck_ms = ?3, to_close = 0,
                 role = CASE WHEN NOT ?4 AND role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                             WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0)
                        THEN 'member' ELSE role END,
                 role_by = CASE WHEN NOT ?4 AND role_by = 'variable' AND EXISTS (SELECT 1 FROM people other
                                WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0)
                           THEN '' ELSE role_by END
             WHERE id = ?1 AND lost_ms = 0",
            &[
                Param::Number(person),
                Param::Number(now_ms),
                Param::Number(until_ms),
                Param::Number(is_named_admin.into()),
            ],
        )
        .await?;
        Ok(())
    }

    /// What people have open for whom Cloudflare Access has not vouched for too long is to be closed, once.
    pub async fn close_lapsed(&self, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE people SET to_close = 1, recheck_ms = 0
             WHERE allowed_by = ?1 AND lost_ms = 0 AND recheck_ms <> 0 AND recheck_ms <= ?2",
            &[Param::Text(BY_ACCESS), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
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

    /// Another role for a person, and its entry in the audit log with it or not at all. False when that would leave nobody
    /// who is admin, or there is no such person.
    pub async fn set_role(&self, person: u64, role: Role, draft: Draft) -> Result<bool, Error> {
        let drafted = Drafted::new(draft)?;
        let [at_ms, kind, actor, name, via, action, target, detail] = drafted.params();
        let (id, word) = (Param::Number(person), Param::Text(role.word()));
        let entry = self.prepare(
            "INSERT INTO audit (at_ms, actor_kind, actor, actor_name, via, action, target, detail)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM people WHERE id = ?9 AND (?10 = 'admin' OR EXISTS
                 (SELECT 1 FROM people other WHERE other.id <> ?9 AND other.role = 'admin' AND other.lost_ms = 0))",
            &[at_ms, kind, actor, name, via, action, target, detail, id, word],
        )?;
        let deed = self.prepare(
            "UPDATE people SET role = ?2, role_by = '' WHERE id = ?1 AND (?2 = 'admin' OR EXISTS
                 (SELECT 1 FROM people other WHERE other.id <> ?1 AND other.role = 'admin' AND other.lost_ms = 0))",
            &[id, word],
        )?;
        Ok(self.do_audited(entry, vec![deed]).await? > 0)
    }
}
