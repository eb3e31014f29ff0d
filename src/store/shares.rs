//! Which hubs share something with whom, and who opened a guest link.

use serde::Deserialize;
use session_hub::call::{Grantee, ShareView};

use super::{Db, Param};
use crate::auth::secret;
use crate::error::Error;

/// Owners whose sessions one page lists, and who are told at once when somebody is out.
pub const OWNERS_MAX: u64 = 40;
/// Browsers that one guest link lets in.
const GUESTS_PER_LINK_MAX: u64 = 100;
/// Teams that one owner's sessions are shared with and a visitor may be asked about.
const TEAMS_MAX: u64 = 20;

/// Somebody who shares sessions.
#[derive(Clone, Debug, Deserialize)]
pub struct OwnerRow {
    /// The number.
    pub owner: u64,
    /// For people.
    pub name: String,
}

/// A ground on which somebody may come to an owner's hub.
#[derive(Clone, Debug, Deserialize)]
pub struct GroundRow {
    /// What people call the owner.
    pub owner_name: String,
    /// `person` or `team`.
    pub kind: String,
    /// The team.
    pub grantee: String,
}

/// A guest link that works.
#[derive(Clone, Debug, Deserialize)]
pub struct LinkRow {
    /// Whose hub.
    pub owner: u64,
    /// What people call the owner.
    pub owner_name: String,
    /// The share there.
    pub share: u64,
    /// Its session.
    pub session: u64,
    /// When it ends.
    pub expires_ms: u64,
}

/// A browser that opened a guest link.
#[derive(Clone, Debug, Deserialize)]
pub struct GuestRow {
    /// Names the guest.
    pub guest: String,
    /// As the guest wants to be called.
    pub name: String,
    /// Whose hub.
    pub owner: u64,
    /// What people call the owner.
    pub owner_name: String,
    /// The share there.
    pub share: u64,
    /// Its session.
    pub session: u64,
    /// When it ends.
    pub expires_ms: u64,
}

/// Where a person's membership of a team was last asked about.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct MembershipRow {
    /// 1: in the team.
    pub is_in: u64,
    /// When GitHub said so.
    pub checked_ms: u64,
}

impl Db {
    /// Remembers where a share is. A guest link's secret is kept as its hash.
    pub async fn save_share(&self, owner: u64, share: &ShareView, link: &str) -> Result<(), Error> {
        let grantee = match &share.grantee {
            Grantee::Guest => secret::hash(link),
            Grantee::Person(id) | Grantee::Team(id) => id.clone(),
        };
        self.run(
            "INSERT INTO shares (owner, share, session, kind, grantee, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (owner, share) DO UPDATE SET expires_ms = excluded.expires_ms",
            &[
                Param::Number(owner),
                Param::Number(share.share),
                Param::Number(share.session),
                Param::Text(share.grantee.kind()),
                Param::Text(&grantee),
                Param::Number(share.expires_ms),
            ],
        )
        .await?;
        Ok(())
    }

    /// Forgets a share, and who came by it.
    pub async fn drop_share(&self, owner: u64, share: u64) -> Result<(), Error> {
        let which = [Param::Number(owner), Param::Number(share)];
        self.run("DELETE FROM shares WHERE owner = ?1 AND share = ?2", &which).await?;
        self.run("DELETE FROM guests WHERE owner = ?1 AND share = ?2", &which).await?;
        Ok(())
    }

    /// Forgets all shares of a session that is gone.
    pub async fn drop_shares(&self, owner: u64, session: u64) -> Result<(), Error> {
        let which = [Param::Number(owner), Param::Number(session)];
        self.run("DELETE FROM shares WHERE owner = ?1 AND session = ?2", &which).await?;
        self.run("DELETE FROM guests WHERE owner = ?1 AND session = ?2", &which).await?;
        Ok(())
    }

    /// On what grounds a person may come to an owner's hub: each team once, and the person once.
    pub async fn grounds(&self, owner: u64, person: u64, now_ms: u64) -> Result<Vec<GroundRow>, Error> {
        self.all(
            "SELECT DISTINCT p.name AS owner_name, s.kind, s.grantee FROM shares s JOIN people p ON p.id = s.owner
             WHERE s.owner = ?1 AND p.lost_ms = 0 AND (s.expires_ms = 0 OR s.expires_ms > ?3)
               AND (s.kind = 'team' OR s.kind = 'person' AND s.grantee = ?2) LIMIT ?4",
            &[Param::Number(owner), Param::Text(&person.to_string()), Param::Number(now_ms), Param::Number(TEAMS_MAX)],
        )
        .await
    }

    /// Who shares something with a person or with a team of theirs, as far as that is known.
    pub async fn owners_sharing_with(&self, person: u64) -> Result<Vec<OwnerRow>, Error> {
        self.all(
            "SELECT p.id AS owner, p.name FROM people p WHERE p.id <> ?1 AND p.lost_ms = 0 AND EXISTS
                 (SELECT 1 FROM shares s WHERE s.owner = p.id
                    AND (s.kind = 'person' AND s.grantee = ?2 OR s.kind = 'team' AND EXISTS
                        (SELECT 1 FROM team_members m WHERE m.person = ?1 AND m.team = s.grantee AND m.is_in = 1)))
             ORDER BY p.name, p.id LIMIT ?3",
            &[Param::Number(person), Param::Text(&person.to_string()), Param::Number(OWNERS_MAX)],
        )
        .await
    }

    /// Teams that somebody else shares something with.
    pub async fn shared_teams(&self, person: u64) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Row {
            grantee: String,
        }
        let rows: Vec<Row> = self
            .all(
                "SELECT DISTINCT grantee FROM shares WHERE kind = 'team' AND owner <> ?1 ORDER BY grantee LIMIT ?2",
                &[Param::Number(person), Param::Number(TEAMS_MAX)],
            )
            .await?;
        Ok(rows.into_iter().map(|row| row.grantee).collect())
    }

    /// The guest link of this secret, while it works.
    pub async fn guest_link(&self, link: &str, now_ms: u64) -> Result<Option<LinkRow>, Error> {
        self.first(
            "SELECT s.owner, p.name AS owner_name, s.share, s.session, s.expires_ms
             FROM shares s JOIN people p ON p.id = s.owner
             WHERE s.kind = 'guest' AND s.grantee = ?1 AND s.expires_ms > ?2 AND p.lost_ms = 0",
            &[Param::Text(&secret::hash(link)), Param::Number(now_ms)],
        )
        .await
    }

    /// A guest, by the hash of the cookie. False when the link has let in as many as it may. Ended ones are swept out.
    pub async fn add_guest(
        &self,
        (guest, name): (&str, &str),
        cookie: &str,
        link: &LinkRow,
        now_ms: u64,
    ) -> Result<bool, Error> {
        self.run("DELETE FROM guests WHERE expires_ms <= ?1", &[Param::Number(now_ms)]).await?;
        let inserted = self
            .run(
                "INSERT INTO guests (cookie_hash, guest, name, owner, share, session, expires_ms)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
                 WHERE (SELECT count(*) FROM guests WHERE owner = ?4 AND share = ?5) < ?8
                   AND EXISTS (SELECT 1 FROM shares WHERE owner = ?4 AND share = ?5)",
                &[
                    Param::Text(&secret::hash(cookie)),
                    Param::Text(guest),
                    Param::Text(name),
                    Param::Number(link.owner),
                    Param::Number(link.share),
                    Param::Number(link.session),
                    Param::Number(link.expires_ms),
                    Param::Number(GUESTS_PER_LINK_MAX),
                ],
            )
            .await?;
        Ok(inserted > 0)
    }

    /// The guest of a cookie, while the link works and its owner is in.
    pub async fn guest(&self, cookie: &str, now_ms: u64) -> Result<Option<GuestRow>, Error> {
        self.first(
            "SELECT g.guest, g.name, g.owner, p.name AS owner_name, g.share, g.session, g.expires_ms
             FROM guests g JOIN people p ON p.id = g.owner
             WHERE g.cookie_hash = ?1 AND g.expires_ms > ?2 AND p.lost_ms = 0",
            &[Param::Text(&secret::hash(cookie)), Param::Number(now_ms)],
        )
        .await
    }

    /// The guest leaves.
    pub async fn drop_guest(&self, guest: &str) -> Result<(), Error> {
        self.run("DELETE FROM guests WHERE guest = ?1", &[Param::Text(guest)]).await?;
        Ok(())
    }

    /// Whether a person is in a team, as GitHub last said.
    pub async fn membership(&self, person: u64, team: &str) -> Result<Option<MembershipRow>, Error> {
        self.first(
            "SELECT is_in, checked_ms FROM team_members WHERE person = ?1 AND team = ?2",
            &[Param::Number(person), Param::Text(team)],
        )
        .await
    }

    /// Remembers what GitHub said.
    pub async fn save_membership(&self, person: u64, team: &str, is_in: bool, now_ms: u64) -> Result<(), Error> {
        self.run(
            "INSERT INTO team_members (person, team, is_in, checked_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (person, team) DO UPDATE SET is_in = excluded.is_in, checked_ms = excluded.checked_ms",
            &[Param::Number(person), Param::Text(team), Param::Number(is_in.into()), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
    }
}
