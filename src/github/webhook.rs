//! `POST /github/webhook`: what GitHub says by itself. Only losses matter here: whoever lost what let them in is out within
//! the time that one answer takes.
//!
//! **Invariant.** Nothing is done for a body that GitHub did not sign, and nothing twice for one delivery.

use serde::Deserialize;
use worker::Response;

use super::{Entity, signature};
use crate::auth::access::{Gate, Lost, PEOPLE_MAX};
use crate::error::Error;
use crate::http::{self, Visit};
use crate::store::Db;
use crate::store::people::PersonRow;

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    member: Option<Account>,
    membership: Option<Membership>,
    team: Option<Team>,
    organization: Option<Organisation>,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    id: u64,
}

#[derive(Deserialize)]
struct Membership {
    user: Option<Account>,
}

#[derive(Deserialize)]
struct Team {
    /// A team that was deleted has none left; the event of its deletion says which it was.
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Organisation {
    login: String,
}

/// What an event takes away, and from whom.
#[derive(Debug, PartialEq, Eq)]
enum Loss {
    /// One person, by GitHub's number, loses something.
    Of(u64, Lost),
    /// Everybody loses it.
    OfAll(Lost),
    /// One person took back the consent to this app.
    Consent(u64),
}

/// Takes a webhook.
pub async fn take(mut visit: Visit) -> Result<Response, Error> {
    let secret = visit.config.github_webhook_secret.clone().ok_or_else(|| Error::not_found("page"))?;
    let claimed = visit.header("x-hub-signature-256").unwrap_or_default();
    let name = visit.header("x-github-event").unwrap_or_default();
    let delivery = visit.header("x-github-delivery").unwrap_or_default();
    let body = visit.bytes().await?;
    if !signature::is_genuine(&secret, &body, &claimed) {
        return Err(Error::unauthorized("The signature does not match: the webhook's secret differs from this hub's."));
    }
    let is_id = (8..=64).contains(&delivery.len()) && delivery.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        return Err(Error::invalid("X-GitHub-Delivery", "A delivery has an id."));
    }
    let Some(loss) = parse(&name, &body) else { return http::no_content() };
    let db = Db::open(&visit.env)?;
    if !db.note_delivery(&delivery, visit.now_ms).await? {
        return http::no_content();
    }
    let gate = Gate { env: &visit.env, config: &visit.config, db: &db, now_ms: visit.now_ms };
    if let Err(error) = act(&gate, &loss).await {
        // GitHub shows the failure, and its owner can send it again.
        db.forget_delivery(&delivery).await?;
        return Err(error);
    }
    http::no_content()
}

/// What the event takes away; `None` for everything that takes nothing.
fn parse(name: &str, body: &[u8]) -> Option<Loss> {
    let event: Event = serde_json::from_slice(body).ok()?;
    let organisation = || event.organization.as_ref().map(|org| org.login.to_lowercase());
    let team = || {
        let team = event.team.as_ref()?;
        Some(Lost::Entity(Entity::Team(organisation()?, team.slug.as_ref()?.to_lowercase())))
    };
    match (name, event.action.as_str()) {
        ("membership", "removed") => Some(Loss::Of(event.member.as_ref()?.id, team()?)),
        ("organization", "member_removed") => {
            let person = event.membership.as_ref()?.user.as_ref()?.id;
            Some(Loss::Of(person, Lost::Organisation(organisation()?)))
        }
        ("organization", "deleted") => Some(Loss::OfAll(Lost::Organisation(organisation()?))),
        ("team", "deleted") => Some(Loss::OfAll(team()?)),
        ("github_app_authorization", "revoked") => Some(Loss::Consent(event.sender.as_ref()?.id)),
        _ => None,
    }
}

async fn act(gate: &Gate<'_>, loss: &Loss) -> Result<(), Error> {
    match loss {
        Loss::Consent(github) => match gate.db.person_by_github(*github).await? {
            Some(person) => gate.end(&person, true, "took back the consent at GitHub").await,
            None => Ok(()),
        },
        Loss::Of(github, lost) => match gate.db.person_by_github(*github).await? {
            Some(person) => gate.confirm(&person, Some(lost)).await.map(drop),
            None => Ok(()),
        },
        Loss::OfAll(lost) => {
            let patterns = patterns(lost);
            let people = concerned(gate, &patterns).await?;
            // Those beyond what one answer has time for: the next sweeps ask, and GitHub says the same by then.
            for pattern in &patterns {
                gate.db.recheck_soon(pattern).await?;
            }
            for person in people {
                gate.confirm(&person, Some(lost)).await?;
            }
            Ok(())
        }
    }
}

async fn concerned(gate: &Gate<'_>, patterns: &[String]) -> Result<Vec<PersonRow>, Error> {
    let mut people = Vec::new();
    for pattern in patterns {
        people.extend(gate.db.people_allowed_by(pattern, PEOPLE_MAX).await?);
    }
    people.truncate(PEOPLE_MAX as usize);
    Ok(people)
}

/// How `people.allowed_by` begins for whoever loses it.
fn patterns(lost: &Lost) -> Vec<String> {
    match lost {
        Lost::Entity(entity) => vec![entity.text()],
        Lost::Organisation(organisation) => vec![format!("org:{organisation}"), format!("team:{organisation}/%")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team() -> Lost {
        Lost::Entity(Entity::Team("acme".into(), "platform".into()))
    }

    #[test]
    fn losses_are_read() {
        let removed = br#"{"action":"removed","scope":"team","member":{"id":7,"login":"ann"},
            "team":{"slug":"platform"},"organization":{"login":"Acme"}}"#;
        assert_eq!(parse("membership", removed), Some(Loss::Of(7, team())));
        let left = br#"{"action":"member_removed","membership":{"user":{"id":7}},"organization":{"login":"acme"}}"#;
        assert_eq!(parse("organization", left), Some(Loss::Of(7, Lost::Organisation("acme".into()))));
        let deleted = br#"{"action":"deleted","team":{"slug":"platform"},"organization":{"login":"acme"}}"#;
        assert_eq!(parse("team", deleted), Some(Loss::OfAll(team())));
        assert_eq!(
            parse("github_app_authorization", br#"{"action":"revoked","sender":{"id":7}}"#),
            Some(Loss::Consent(7))
        );
    }

    #[test]
    fn everything_else_takes_nothing() {
        let added = br#"{"action":"added","member":{"id":7},"team":{"slug":"p"},"organization":{"login":"acme"}}"#;
        for (name, body) in [
            ("membership", &added[..]),
            ("ping", br#"{"zen":"Design for failure."}"#),
            ("membership", br#"{"action":"removed"}"#),
            ("team", br#"{"action":"deleted","team":{"slug":"p"}}"#),
            ("organization", b"not json"),
            ("push", br#"{"action":"removed","member":{"id":"seven"}}"#),
        ] {
            assert_eq!(parse(name, body), None, "{name}");
        }
    }

    #[test]
    fn whoever_came_by_a_team_goes_with_its_organisation() {
        assert_eq!(patterns(&team()), ["team:acme/platform"]);
        assert_eq!(patterns(&Lost::Organisation("acme".into())), ["org:acme", "team:acme/%"]);
    }
}
