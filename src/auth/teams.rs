//! Which teams somebody is in, among those that something is shared with: asked of GitHub when it matters, remembered as long
//! as every other confirmation.
//!
//! **Invariant.** As with access itself: nobody new is in a team unless GitHub says so now, and who was in one stays in it
//! while GitHub cannot be asked, for the same grace time.

use super::access::{CONFIRMED_MS, GRACE_MS, Gate};
use crate::error::Error;
use crate::github::{Client, Entity, Failure};
use crate::http::Visit;
use crate::store::Db;
use crate::store::people::PersonRow;
use crate::store::shares::MembershipRow;

/// The teams of a person among these.
pub async fn among(visit: &Visit, db: &Db, person: u64, candidates: Vec<String>) -> Result<Vec<String>, Error> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let Some(row) = db.person(person).await?.filter(|row| row.github != 0) else { return Ok(Vec::new()) };
    let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
    let mut teams = Vec::new();
    for team in candidates {
        if is_in(&gate, &row, &team).await? {
            teams.push(team);
        }
    }
    Ok(teams)
}

/// Whether a person is in a team, as was confirmed within the hour.
pub async fn is_in(gate: &Gate<'_>, person: &PersonRow, team: &str) -> Result<bool, Error> {
    if person.allowed_by == format!("team:{team}") {
        return Ok(true); // confirmed with the access itself
    }
    let known = gate.db.membership(person.id, team).await?;
    if let Some(known) = known
        && known.checked_ms + CONFIRMED_MS > gate.now_ms
    {
        return Ok(known.is_in != 0);
    }
    match ask(gate, person, team).await {
        Ok(is_in) => {
            gate.db.save_membership(person.id, team, is_in, gate.now_ms).await?;
            Ok(is_in)
        }
        Err(Failure::Refused(_) | Failure::Stale(_)) => Ok(false),
        Err(Failure::Setup(_) | Failure::Unavailable(_)) => Ok(within_grace(known, gate.now_ms)),
    }
}

fn within_grace(known: Option<MembershipRow>, now_ms: u64) -> bool {
    known.is_some_and(|known| known.is_in != 0 && known.checked_ms + GRACE_MS > now_ms)
}

async fn ask(gate: &Gate<'_>, person: &PersonRow, team: &str) -> Result<bool, Failure> {
    let entity = Entity::parse("team", team).ok_or_else(|| Failure::Refused("not a team".to_owned()))?;
    let app = gate.config.github.as_ref().ok_or_else(|| Failure::Setup("no GitHub app is configured".to_owned()))?;
    let github = Client(app);
    let access = gate.access_token(&github, person.id).await?;
    github.is_in(&access, &person.login, &entity).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_for_who_was_in_and_ends() {
        let asked = |is_in, checked_ms| Some(MembershipRow { is_in, checked_ms });
        assert!(within_grace(asked(1, 1000), GRACE_MS));
        assert!(!within_grace(asked(1, 1000), GRACE_MS + 1000));
        assert!(!within_grace(asked(0, 1000), 2000));
        assert!(!within_grace(None, 0));
    }
}
