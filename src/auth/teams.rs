//! Which teams somebody is in, among those that something is shared with: asked of GitHub when it matters, remembered as long
//! as every other confirmation.
//!
//! **Invariant.** As with access itself: nobody new is in a team unless GitHub says so now, and who was in one stays in it
//! while GitHub cannot be asked, for the same grace time.

use futures_util::{StreamExt, stream};
use worker::console_error;

use super::access::{CONFIRMED_MS, GRACE_MS, Gate};
use super::invitation::close_sockets_at;
use super::lost::Lost;
use crate::error::Error;
use crate::github::{Client, Entity, Failure, Profile};
use crate::http::Visit;
use crate::store::Db;
use crate::store::people::PersonRow;
use crate::store::shares::{MembershipRow, TeamRow, VisitRow};

/// Memberships that one sweep confirms: 40 * 5 calls, beside the rest of a sweep, of the 1,000 that a request has. On the free
/// plan, which has 50, the first ten or so are, in random order; the others wait for the next minutes.
const DUE_MAX: u64 = 40;
/// How long somebody stays connected by a team alone before they knock again.
pub const PROOF_MS: u64 = CONFIRMED_MS + 25 * 60 * 1000;
/// Teams that one visit asks GitHub about: each takes three calls. What is left is asked about by the next visit.
const ASKED_MAX: usize = 4;
/// Who is in no team that matters is asked about again after this long: long enough for GitHub's API to agree with its own
/// events, and short for whoever was just added.
const ABSENT_MS: u64 = 5 * 60 * 1000;
/// Hubs that are told at a time: the platform lets 6 connections wait.
const CLOSE_AT_ONCE: usize = 6;

/// The teams of a person among these, by name.
pub async fn among(visit: &Visit, db: &Db, person: u64, candidates: Vec<TeamRow>) -> Result<Vec<String>, Error> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let Some(row) = db.person(person).await?.filter(|row| row.github != 0) else { return Ok(Vec::new()) };
    let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
    let known = db.memberships(person).await?;
    let (mut teams, mut asked) = (Vec::new(), 0);
    for team in candidates {
        let of_it = known.iter().find(|membership| membership.github == team.github).map(|membership| membership.row);
        let is_in = match of_it {
            Some(row) if holds(row, gate.now_ms) => row.is_in != 0,
            row if asked >= ASKED_MAX => within_grace(row, gate.now_ms),
            _ => {
                asked += 1;
                is_in(&gate, &row, &team).await?
            }
        };
        if is_in {
            teams.push(team.team);
        }
    }
    Ok(teams)
}

/// Whether a person is in a team, as was confirmed within the hour. Whoever finds that they are in it no longer closes what
/// they have open by it: nobody finds it twice.
async fn is_in(gate: &Gate<'_>, person: &PersonRow, team: &TeamRow) -> Result<bool, Error> {
    let known = gate.db.membership(person.id, team.github).await?;
    if let Some(known) = known
        && holds(known, gate.now_ms)
    {
        return Ok(known.is_in != 0);
    }
    let was_in = known.is_some_and(|known| known.is_in != 0);
    let is_in = match number(gate, person, &team.team).await {
        // One of the same name that is another team lets nobody in.
        Ok(github) => github == Some(team.github),
        Err(Failure::Refused(_) | Failure::Stale(_)) => false,
        Err(Failure::Setup(_) | Failure::Unavailable(_)) if was_in && !within_grace(known, gate.now_ms) => false,
        Err(Failure::Setup(_) | Failure::Unavailable(_)) => return Ok(was_in),
    };
    gate.db.save_membership(person.id, team, is_in, gate.now_ms).await?;
    if was_in && !is_in {
        close(gate, &gate.db.visits_by_number(team.github, person.id).await?).await;
    }
    // An event may have said something else meanwhile.
    Ok(is_in && gate.db.membership(person.id, team.github).await?.is_some_and(|known| known.is_in != 0))
}

fn holds(known: MembershipRow, now_ms: u64) -> bool {
    known.checked_ms + if known.is_in == 0 { ABSENT_MS } else { CONFIRMED_MS } > now_ms
}

/// GitHub's number of a team that a person is in now; `None` when the person is not.
pub async fn number(gate: &Gate<'_>, person: &PersonRow, team: &str) -> Result<Option<u64>, Failure> {
    let entity = Entity::parse("team", team).ok_or_else(|| Failure::Refused("not a team".to_owned()))?;
    let app = gate.config.github.as_ref().ok_or_else(|| Failure::Setup("no GitHub app is configured".to_owned()))?;
    let github = Client(app);
    let access = gate.access_token(&github, person.id).await?;
    let profile = Profile { id: person.github, login: person.login.clone(), name: None };
    let pin = github.belonging(&access, &profile, &entity).await?;
    Ok(pin.map(|pin| pin.id))
}

/// Somebody, or everybody at `None`, is out of what was lost: nothing that is shared with it is for them any more, whatever
/// GitHub's API still answers, and what they have open by it is closed.
pub async fn lose(gate: &Gate<'_>, person: Option<u64>, lost: &Lost) -> Result<(), Error> {
    let (team, prefix) = match lost {
        Lost::Entity(entity @ Entity::Team(..)) => (entity.name(), String::new()),
        Lost::Organisation(organisation) => (String::new(), format!("{organisation}/")),
        Lost::Entity(Entity::Org(_) | Entity::User(_)) => return Ok(()),
    };
    let person = person.unwrap_or(0);
    let visits = gate.db.visits_by_team(&team, &prefix, person).await?;
    gate.db.leave_teams(&team, &prefix, person, gate.now_ms).await?;
    close(gate, &visits).await;
    Ok(())
}

/// Confirms memberships again by which something may be open, and closes it where they are over.
pub async fn confirm_due(gate: &Gate<'_>) -> Result<(), Error> {
    let before_ms = gate.now_ms.saturating_sub(CONFIRMED_MS);
    for due in gate.db.memberships_due(before_ms, DUE_MAX).await? {
        if let Some(person) = gate.db.person(due.person).await? {
            is_in(gate, &person, &due.team).await?;
        }
    }
    Ok(())
}

/// Closes what people have open in others' hubs. Returns whom some hub did not answer about.
pub(super) async fn close(gate: &Gate<'_>, visits: &[VisitRow]) -> Vec<u64> {
    let closing = visits.iter().map(|visit| async move {
        let closed = close_sockets_at(gate.env, visit.owner, &visit.person.to_string()).await;
        closed.err().map(|error| {
            console_error!("{}", serde_json::json!({ "event": "visit_not_closed", "detail": error.detail }));
            visit.person
        })
    });
    let left: Vec<Option<u64>> = stream::iter(closing).buffer_unordered(CLOSE_AT_ONCE).collect().await;
    left.into_iter().flatten().collect()
}

fn within_grace(known: Option<MembershipRow>, now_ms: u64) -> bool {
    known.is_some_and(|known| known.is_in != 0 && known.checked_ms + GRACE_MS > now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_asked_again_sooner_than_a_yes() {
        let at = |is_in| MembershipRow { is_in, checked_ms: 1000 };
        assert!(holds(at(0), 1000) && !holds(at(0), 1000 + ABSENT_MS));
        assert!(holds(at(1), 1000 + ABSENT_MS) && !holds(at(1), 1000 + CONFIRMED_MS));
    }

    #[test]
    fn grace_is_for_who_was_in_and_ends() {
        let asked = |is_in, checked_ms| Some(MembershipRow { is_in, checked_ms });
        assert!(within_grace(asked(1, 1000), GRACE_MS));
        assert!(!within_grace(asked(1, 1000), GRACE_MS + 1000));
        assert!(!within_grace(asked(0, 1000), 2000));
        assert!(!within_grace(None, 0));
    }
}
