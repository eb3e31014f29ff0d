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
/// Visits that are ended in one go: each is a call to a hub.
const VISITS_MAX: u64 = 200;

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
    /// GitHub's number of it.
    pub github: u64,
}

/// A team that something is shared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TeamRow {
    /// As `organisation/team`.
    pub team: String,
    /// GitHub's number of it.
    pub github: u64,
}

/// Somebody who may have something open in another's hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct VisitRow {
    /// Who.
    pub person: u64,
    /// Whose hub.
    pub owner: u64,
}

/// What is known of a membership.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct KnownRow {
    /// GitHub's number of the team.
    pub github: u64,
    /// What GitHub last said.
    #[serde(flatten)]
    pub row: MembershipRow,
}

/// A membership that is to be confirmed again.
#[derive(Clone, Debug, Deserialize)]
pub struct DueRow {
    /// Whose.
    pub person: u64,
    /// Of which team.
    #[serde(flatten)]
    pub team: TeamRow,
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
    /// Remembers where a share is; a guest link's secret as its hash, a team with its number.
    pub async fn save_share(&self, owner: u64, share: &ShareView, link: &str, github: u64) -> Result<(), Error> {
        let grantee = match &share.grantee {
            Grantee::Guest => secret::hash(link),
            Grantee::Person(id) | Grantee::Team(id) => id.clone(),
        };
        self.run(
            "INSERT INTO shares (owner, share, session, kind, grantee, expires_ms, github)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (owner, share) DO UPDATE SET expires_ms = excluded.expires_ms, github = excluded.github",
            &[
                Param::Number(owner),
                Param::Number(share.share),
                Param::Number(share.session),
                Param::Text(share.grantee.kind()),
                Param::Text(&grantee),
                Param::Number(share.expires_ms),
                Param::Number(github),
            ],
        )
        .await?;
        Ok(())
    }

    /// Forgets a share of a session, and who came by it.
    pub async fn drop_share(&self, owner: u64, session: u64, share: u64) -> Result<(), Error> {
        let which = [Param::Number(owner), Param::Number(share), Param::Number(session)];
        self.run("DELETE FROM guests WHERE owner = ?1 AND share = ?2 AND session = ?3", &which).await?;
        self.run("DELETE FROM shares WHERE owner = ?1 AND share = ?2 AND session = ?3", &which).await?;
        Ok(())
    }

    /// Forgets all shares of a session that is gone.
    pub async fn drop_shares(&self, owner: u64, session: u64) -> Result<(), Error> {
        let which = [Param::Number(owner), Param::Number(session)];
        self.run("DELETE FROM shares WHERE owner = ?1 AND session = ?2", &which).await?;
        self.run("DELETE FROM guests WHERE owner = ?1 AND session = ?2", &which).await?;
        Ok(())
    }

    /// On what grounds a person may come to an owner's hub: the person first and once, and each team once. None while the
    /// owner is out or in doubt.
    pub async fn grounds(&self, owner: u64, person: u64, now_ms: u64) -> Result<Vec<GroundRow>, Error> {
        self.all(
            "SELECT DISTINCT p.name AS owner_name, s.kind, s.grantee, s.github FROM shares s JOIN people p ON p.id = s.owner
             WHERE s.owner = ?1 AND p.lost_ms = 0 AND p.doubt = '' AND (s.expires_ms = 0 OR s.expires_ms > ?3)
               AND (s.kind = 'team' OR s.kind = 'person' AND s.grantee = ?2) ORDER BY s.kind, s.grantee LIMIT ?4",
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
                        (SELECT 1 FROM team_members m WHERE m.person = ?1 AND m.github = s.github AND m.is_in = 1)))
             ORDER BY p.name, p.id LIMIT ?3",
            &[Param::Number(person), Param::Text(&person.to_string()), Param::Number(OWNERS_MAX)],
        )
        .await
    }

    /// Teams that somebody else shares something with.
    pub async fn shared_teams(&self, person: u64) -> Result<Vec<TeamRow>, Error> {
        self.all(
            "SELECT DISTINCT grantee AS team, github FROM shares WHERE kind = 'team' AND owner <> ?1
             ORDER BY grantee LIMIT ?2",
            &[Param::Number(person), Param::Number(TEAMS_MAX)],
        )
        .await
    }

    /// Where these people may have something open besides their own hubs.
    pub async fn visits(&self, people: &[u64]) -> Result<Vec<VisitRow>, Error> {
        let list = serde_json::to_string(people)?;
        self.all(
            "SELECT DISTINCT p.value AS person, s.owner FROM json_each(?1) p JOIN shares s ON s.owner <> p.value
             WHERE s.kind = 'person' AND s.grantee = CAST(p.value AS TEXT) OR s.kind = 'team' AND EXISTS
                 (SELECT 1 FROM team_members m WHERE m.person = p.value AND m.github = s.github AND m.is_in = 1)
             LIMIT ?2",
            &[Param::Text(&list), Param::Number(VISITS_MAX)],
        )
        .await
    }

    /// Where people may have something open by a team of this name, or by one whose name begins so; one person's, or
    /// everybody's at 0.
    pub async fn visits_by_team(&self, team: &str, prefix: &str, person: u64) -> Result<Vec<VisitRow>, Error> {
        self.all(
            "SELECT DISTINCT m.person, s.owner FROM team_members m JOIN shares s ON s.github = m.github AND s.kind = 'team'
             WHERE m.is_in = 1 AND (?3 = 0 OR m.person = ?3)
               AND (m.team = ?1 OR ?2 <> '' AND substr(m.team, 1, length(?2)) = ?2) LIMIT ?4",
            &[Param::Text(team), Param::Text(prefix), Param::Number(person), Param::Number(VISITS_MAX)],
        )
        .await
    }

    /// Where a person may have something open by the team with this number at GitHub.
    pub async fn visits_by_number(&self, github: u64, person: u64) -> Result<Vec<VisitRow>, Error> {
        self.all(
            "SELECT DISTINCT ?2 AS person, owner FROM shares WHERE kind = 'team' AND github = ?1 AND owner <> ?2 LIMIT ?3",
            &[Param::Number(github), Param::Number(person), Param::Number(VISITS_MAX)],
        )
        .await
    }

    /// They are in it no longer, whatever GitHub still answers.
    pub async fn leave_teams(&self, team: &str, prefix: &str, person: u64, now_ms: u64) -> Result<(), Error> {
        self.run(
            "UPDATE team_members SET is_in = 0, checked_ms = ?4 WHERE (?3 = 0 OR person = ?3)
               AND (team = ?1 OR ?2 <> '' AND substr(team, 1, length(?2)) = ?2)",
            &[Param::Text(team), Param::Text(prefix), Param::Number(person), Param::Number(now_ms)],
        )
        .await?;
        Ok(())
    }

    /// Memberships by which somebody may have something open, last confirmed before this; in any order, so that those that
    /// cannot be asked about keep nobody's from it. What nothing is shared with any more is forgotten.
    pub async fn memberships_due(&self, before_ms: u64, limit: u64) -> Result<Vec<DueRow>, Error> {
        self.run("DELETE FROM team_members WHERE github NOT IN (SELECT github FROM shares WHERE kind = 'team')", &[])
            .await?;
        self.all(
            "SELECT m.person, m.team, m.github FROM team_members m JOIN people p ON p.id = m.person
             WHERE m.is_in = 1 AND m.checked_ms <= ?1 AND p.lost_ms = 0 ORDER BY random() LIMIT ?2",
            &[Param::Number(before_ms), Param::Number(limit)],
        )
        .await
    }

    /// The guest link of this secret, while it works.
    pub async fn guest_link(&self, link: &str, now_ms: u64) -> Result<Option<LinkRow>, Error> {
        self.first(
            "SELECT s.owner, p.name AS owner_name, s.share, s.session, s.expires_ms
             FROM shares s JOIN people p ON p.id = s.owner
             WHERE s.kind = 'guest' AND s.grantee = ?1 AND s.expires_ms > ?2 AND p.lost_ms = 0 AND p.doubt = ''",
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
             WHERE g.cookie_hash = ?1 AND g.expires_ms > ?2 AND p.lost_ms = 0 AND p.doubt = ''",
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
    pub async fn membership(&self, person: u64, github: u64) -> Result<Option<MembershipRow>, Error> {
        self.first(
            "SELECT is_in, checked_ms FROM team_members WHERE person = ?1 AND github = ?2",
            &[Param::Number(person), Param::Number(github)],
        )
        .await
    }

    /// All that is known of a person's memberships.
    pub async fn memberships(&self, person: u64) -> Result<Vec<KnownRow>, Error> {
        self.all("SELECT github, is_in, checked_ms FROM team_members WHERE person = ?1", &[Param::Number(person)]).await
    }

    /// Remembers what GitHub said at this time, unless something newer is known.
    pub async fn save_membership(&self, person: u64, team: &TeamRow, is_in: bool, now_ms: u64) -> Result<(), Error> {
        self.run(
            "INSERT INTO team_members (person, github, team, is_in, checked_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (person, github) DO UPDATE SET team = excluded.team, is_in = excluded.is_in,
             checked_ms = excluded.checked_ms WHERE excluded.checked_ms >= team_members.checked_ms",
            &[
                Param::Number(person),
                Param::Number(team.github),
                Param::Text(&team.team),
                Param::Number(is_in.into()),
                Param::Number(now_ms),
            ],
        )
        .await?;
        Ok(())
    }
}
