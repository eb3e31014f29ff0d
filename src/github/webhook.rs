//! `POST /github/webhook`: what GitHub says by itself. Losses matter here: whoever lost what let them in is shut out within the
//! time that one answer takes. And new names, so that the list goes on to mean what it meant.
//!
//! **Invariant.** Nothing is done for a body that GitHub did not sign, and nothing twice for one delivery.

use serde::Deserialize;
use worker::Response;

use super::{Entity, signature};
use crate::auth::access::Gate;
use crate::auth::lost::Lost;
use crate::auth::teams;
use crate::error::Error;
use crate::http::{self, Visit};
use crate::router::brake::{self, Door};
use crate::store::Db;

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    member: Option<Account>,
    membership: Option<Membership>,
    team: Option<Team>,
    organization: Option<Organisation>,
    sender: Option<Account>,
    installation: Option<Installation>,
    changes: Option<Changes>,
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
    #[serde(default)]
    id: u64,
    /// A team that was deleted has none left; the event of its deletion says which it was.
    slug: Option<String>,
}

#[derive(Deserialize)]
struct Organisation {
    #[serde(default)]
    id: u64,
    login: String,
}

/// Of the app; only its own events say at whose account.
#[derive(Deserialize)]
struct Installation {
    account: Option<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    login: Option<String>,
}

#[derive(Deserialize)]
struct Changes {
    login: Option<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    from: String,
}

/// What an event tells that matters here.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// One person, by GitHub's number, loses something.
    Of(u64, Lost),
    /// Everybody loses it.
    OfAll(Lost),
    /// One person took back the consent to this app.
    Consent(u64),
    /// The app may no longer look into an organisation.
    Unseen(String),
    /// An organisation, by number, has another name.
    OrganisationRenamed { id: u64, from: String, to: String },
    /// A team, by number, has another name; with its organisation.
    TeamRenamed { id: u64, to: String },
}

/// Takes a webhook.
pub async fn take(mut visit: Visit) -> Result<Response, Error> {
    let secret = visit.config.github_webhook_secret.clone().ok_or_else(|| Error::not_found("page"))?;
    let claimed = visit.header("x-hub-signature-256").unwrap_or_default();
    let name = visit.header("x-github-event").unwrap_or_default();
    let delivery = visit.header("x-github-delivery").unwrap_or_default();
    let body = visit.bytes().await?;
    if !signature::is_genuine(&secret, &body, &claimed) {
        // What GitHub signed is never braked, wherever it comes from.
        brake::stranger(&visit, Door::Webhook).await?;
        return Err(Error::unauthorized("The signature does not match: the webhook's secret differs from this hub's."));
    }
    let is_id = (8..=64).contains(&delivery.len()) && delivery.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id {
        return Err(Error::invalid("X-GitHub-Delivery", "A delivery has an id."));
    }
    let Some(news) = parse(&name, &body) else { return http::no_content() };
    let db = Db::open(&visit.env)?;
    if !db.note_delivery(&delivery, visit.now_ms).await? {
        return http::no_content();
    }
    let gate = Gate { env: &visit.env, config: &visit.config, db: &db, now_ms: visit.now_ms };
    if let Err(error) = act(&gate, &news).await {
        // GitHub shows the failure, and its owner can send it again.
        db.forget_delivery(&delivery).await?;
        return Err(error);
    }
    http::no_content()
}

/// What the event tells; `None` for everything that matters to nobody here.
fn parse(name: &str, body: &[u8]) -> Option<News> {
    let event: Event = serde_json::from_slice(body).ok()?;
    let organisation = || event.organization.as_ref().map(|org| org.login.to_lowercase());
    let team = || {
        let team = event.team.as_ref()?;
        Some(Lost::Entity(Entity::Team(organisation()?, team.slug.as_ref()?.to_lowercase())))
    };
    match (name, event.action.as_str()) {
        ("membership", "removed") => Some(News::Of(event.member.as_ref()?.id, team()?)),
        ("organization", "member_removed") => {
            let person = event.membership.as_ref()?.user.as_ref()?.id;
            Some(News::Of(person, Lost::Organisation(organisation()?)))
        }
        ("organization", "deleted") => Some(News::OfAll(Lost::Organisation(organisation()?))),
        ("team", "deleted") => Some(News::OfAll(team()?)),
        ("organization", "renamed") => {
            let id = event.organization.as_ref().map(|org| org.id).filter(|id| *id != 0)?;
            let from = event.changes.as_ref()?.login.as_ref()?.from.to_lowercase();
            Some(News::OrganisationRenamed { id, from, to: organisation()? })
        }
        // Whatever was edited: the event says what the team is called now.
        ("team", "edited") => {
            let Lost::Entity(entity) = team()? else { return None };
            let id = event.team.as_ref().map(|team| team.id).filter(|id| *id != 0)?;
            Some(News::TeamRenamed { id, to: entity.name() })
        }
        ("installation", "deleted" | "suspend") => {
            let login = event.installation.as_ref()?.account.as_ref()?.login.as_ref()?;
            Some(News::Unseen(login.to_lowercase()))
        }
        ("github_app_authorization", "revoked") => Some(News::Consent(event.sender.as_ref()?.id)),
        _ => None,
    }
}

async fn act(gate: &Gate<'_>, news: &News) -> Result<(), Error> {
    match news {
        News::Consent(github) => match gate.db.person_by_github(*github).await? {
            Some(person) => gate.end(&person, true, "took back the consent at GitHub").await,
            None => Ok(()),
        },
        News::Of(github, lost) => match gate.db.person_by_github(*github).await? {
            Some(person) => {
                teams::lose(gate, Some(person.id), lost).await?;
                gate.lose_one(&person, lost).await
            }
            None => Ok(()),
        },
        News::OfAll(lost) => {
            teams::lose(gate, None, lost).await?;
            gate.lose(lost).await
        }
        News::Unseen(organisation) => gate.db.recheck_soon(organisation).await,
        News::OrganisationRenamed { id, from, to } => gate.db.rename_organisation(*id, from, to).await,
        News::TeamRenamed { id, to } => gate.db.rename_team(*id, to).await,
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
        assert_eq!(parse("membership", removed), Some(News::Of(7, team())));
        let left = br#"{"action":"member_removed","membership":{"user":{"id":7}},"organization":{"login":"acme"}}"#;
        assert_eq!(parse("organization", left), Some(News::Of(7, Lost::Organisation("acme".into()))));
        let deleted = br#"{"action":"deleted","team":{"slug":"platform"},"organization":{"login":"acme"}}"#;
        assert_eq!(parse("team", deleted), Some(News::OfAll(team())));
        assert_eq!(
            parse("github_app_authorization", br#"{"action":"revoked","sender":{"id":7}}"#),
            Some(News::Consent(7))
        );
    }

    #[test]
    fn everything_else_matters_to_nobody() {
        let added = br#"{"action":"added","member":{"id":7},"team":{"slug":"p"},"organization":{"login":"acme"}}"#;
        for (name, body) in [
            ("membership", &added[..]),
            ("ping", br#"{"zen":"Design for failure."}"#),
            ("membership", br#"{"action":"removed"}"#),
            ("team", br#"{"action":"deleted","team":{"slug":"p"}}"#),
            ("organization", b"not json"),
            ("organization", br#"{"action":"renamed","changes":{"login":{"from":"a"}},"organization":{"login":"b"}}"#),
            ("installation", br#"{"action":"unsuspend","installation":{"account":{"login":"acme"}}}"#),
            ("push", br#"{"action":"removed","member":{"id":"seven"}}"#),
        ] {
            assert_eq!(parse(name, body), None, "{name}");
        }
    }

    #[test]
    fn new_names_are_read_by_number() {
        let renamed =
            br#"{"action":"renamed","changes":{"login":{"from":"Acme"}},"organization":{"id":5,"login":"Globex"}}"#;
        let expected = News::OrganisationRenamed { id: 5, from: "acme".into(), to: "globex".into() };
        assert_eq!(parse("organization", renamed), Some(expected));
        let edited =
            br#"{"action":"edited","changes":{},"team":{"id":9,"slug":"P"},"organization":{"id":5,"login":"Acme"}}"#;
        assert_eq!(parse("team", edited), Some(News::TeamRenamed { id: 9, to: "acme/p".into() }));
        let gone = br#"{"action":"suspend","installation":{"id":3,"account":{"id":5,"login":"Acme"}}}"#;
        assert_eq!(parse("installation", gone), Some(News::Unseen("acme".into())));
    }
}
