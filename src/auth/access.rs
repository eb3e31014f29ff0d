//! Who may come in, and whether that still holds.
//!
//! **Invariant.** Somebody new comes in only when GitHub says so now. Somebody who is in stays in while GitHub cannot be
//! asked, for [`GRACE_MS`] after it last said yes, and is out at once when it says no: sign-ins, sockets and tokens end.

use session_hub::call::{Caller, Request};
use session_hub::standing::Standing;
use worker::{Env, console_error};

use super::seal::{self, Sealed};
use crate::audit::{self, Action, Event, Via};
use crate::config::Config;
use crate::error::Error;
use crate::github::{Client, Entity, Failure, Profile, Tokens};
use crate::session_hub::client;
use crate::store::Db;
use crate::store::allowed::AllowedRow;
use crate::store::people::PersonRow;

/// A confirmation holds for this long; with [`SWEEP_MS`] until somebody notices that it ended, less than an hour.
pub const CONFIRMED_MS: u64 = 50 * 60 * 1000;
/// How often the scheduled sweep runs, as `wrangler.jsonc` says.
const SWEEP_MS: u64 = 60 * 1000;
/// A request asks by itself only when the sweep seems not to run.
pub const LATE_MS: u64 = 5 * SWEEP_MS;
/// How long people who are in stay in while GitHub cannot be asked: a night and a morning.
pub const GRACE_MS: u64 = 12 * 60 * 60 * 1000;
/// While GitHub cannot be asked, it is left alone for this long.
const RETRY_MS: u64 = 5 * 60 * 1000;
/// People whose access one event confirms: each takes a handful of requests, of which the free plan has 50.
pub const PEOPLE_MAX: u64 = 8;
/// An access token that ends this soon is refreshed first.
const EXPIRES_SOON_MS: u64 = 2 * 60 * 1000;

/// What an event said is lost, whatever GitHub's API still answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// One entity.
    Entity(Entity),
    /// An organisation with all its teams.
    Organisation(String),
}

impl Lost {
    fn is(&self, entity: &Entity) -> bool {
        match self {
            Lost::Entity(lost) => lost == entity,
            Lost::Organisation(organisation) => entity.is_of(organisation),
        }
    }

    fn covers(&self, allowed_by: &str) -> bool {
        let entity = allowed_by.split_once(':').and_then(|(kind, name)| Entity::parse(kind, name));
        entity.is_some_and(|entity| self.is(&entity))
    }
}

/// Where a question about access is asked and answered.
pub struct Gate<'a> {
    /// The bindings.
    pub env: &'a Env,
    /// Variables and secrets.
    pub config: &'a Config,
    /// The database.
    pub db: &'a Db,
    /// When.
    pub now_ms: u64,
}

impl Gate<'_> {
    /// The list, which begins as the deployment's variables say.
    pub async fn allowed(&self) -> Result<Vec<AllowedRow>, Error> {
        if !self.config.allowed.is_empty() && self.db.do_once("allowed_entities", self.now_ms).await? {
            for entity in &self.config.allowed {
                self.db.allow(entity, self.now_ms).await?;
            }
        }
        self.db.allowed().await
    }

    /// Whether the deployment names this person as an admin.
    pub async fn is_named_admin(&self, profile: &Profile) -> Result<bool, Error> {
        Ok(self.config.is_admin(&profile.login) && self.db.is_pinned_admin(&profile.login, profile.id).await?)
    }

    /// What lets this person in now; `None`: nothing does.
    pub async fn allowed_by(
        &self,
        github: &Client<'_>,
        access: &str,
        profile: &Profile,
        lost: Option<&Lost>,
    ) -> Result<Option<String>, Failure> {
        if self.is_named_admin(profile).await.map_err(|error| Failure::Unavailable(error.detail))? {
            return Ok(Some("admin".to_owned()));
        }
        let rows = self.allowed().await.map_err(|error| Failure::Unavailable(error.detail))?;
        let mut unasked = None;
        for row in &rows {
            let Some(entity) = row.entity().filter(|entity| !lost.is_some_and(|lost| lost.is(entity))) else {
                continue;
            };
            let is_in = match &entity {
                Entity::User(_) if row.github != 0 => Ok(row.github == profile.id),
                entity => github.is_in(access, &profile.login, entity).await,
            };
            match is_in {
                Ok(true) => {
                    if let Entity::User(_) = entity {
                        let pinned = self.db.pin_user(row.id, profile.id).await;
                        pinned.map_err(|error| Failure::Unavailable(error.detail))?;
                    }
                    return Ok(Some(entity.text()));
                }
                Ok(false) => {}
                Err(failure) => unasked = Some(failure),
            }
        }
        unasked.map_or(Ok(None), Err)
    }

    /// Confirms a person's access, if it is due and nobody else does. True while the person is in.
    pub async fn confirm_if_due(&self, person: &PersonRow, late_ms: u64) -> Result<bool, Error> {
        let is_due = person.github != 0 && person.recheck_ms + late_ms <= self.now_ms;
        if !is_due || !self.db.claim_recheck(person, self.now_ms + RETRY_MS).await? {
            return Ok(true);
        }
        self.confirm(person, None).await
    }

    /// Asks GitHub now whether a person's access holds. True if the person is still in.
    pub async fn confirm(&self, person: &PersonRow, lost: Option<&Lost>) -> Result<bool, Error> {
        let failure = match self.ask(person, lost).await {
            Ok(Some((login, allowed_by))) => {
                let recheck_ms = self.now_ms + CONFIRMED_MS;
                self.db.confirm_access(person.id, &login, &allowed_by, recheck_ms, self.now_ms).await?;
                return Ok(true);
            }
            Ok(None) => Failure::Refused("nothing lets the person in any more".to_owned()),
            Err(failure) => failure,
        };
        match failure {
            Failure::Refused(why) => {
                self.end(person, true, &why).await?;
                Ok(false)
            }
            // Nothing was said about what the person belongs to: tokens work again after the next sign-in.
            Failure::Stale(why) => {
                self.end(person, false, &why).await?;
                Ok(false)
            }
            Failure::Setup(why) | Failure::Unavailable(why) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "event": "access_unconfirmed", "person": person.id, "detail": why })
                );
                let is_over = person.checked_ms + GRACE_MS <= self.now_ms;
                // What an event took away is gone, though nothing else could be confirmed in its place.
                if is_over || lost.is_some_and(|lost| lost.covers(&person.allowed_by)) {
                    self.end(person, false, "GitHub could not confirm it for too long").await?;
                    return Ok(false);
                }
                Ok(true)
            }
        }
    }

    /// Confirms the access of everybody for whom it is due.
    pub async fn sweep(&self) -> Result<(), Error> {
        for person in self.db.people_to_close(PEOPLE_MAX).await? {
            noted(&person, self.close_all(&person, false).await);
        }
        for person in self.db.people_due(self.now_ms, PEOPLE_MAX).await? {
            noted(&person, self.confirm_if_due(&person, 0).await.map(drop));
        }
        Ok(())
    }

    /// Closes everything that somebody who is out has open.
    async fn close_all(&self, person: &PersonRow, revoke: bool) -> Result<(), Error> {
        client::call(self.env, caller(person), Request::CloseAll { revoke }).await?;
        self.db.closed_all(person.id, self.now_ms).await
    }

    /// Closes what the person has open as a browser or a command line; those that may come back do by themselves.
    pub async fn close_sockets(&self, person: &PersonRow) -> Result<(), Error> {
        let request = Request::CloseSockets { person: person.id.to_string() };
        client::call(self.env, caller(person), request).await?;
        Ok(())
    }

    /// The person is out: sign-ins and sockets end; tokens too, for good if `revoke`.
    pub async fn end(&self, person: &PersonRow, revoke: bool, why: &str) -> Result<(), Error> {
        self.db.end_access(person.id, revoke, self.now_ms).await?;
        let event = Event::of(Action::PersonRemoved).on(format!("person {}", person.id));
        let event = event.with("login", person.login.as_str()).with("by", person.allowed_by.as_str()).with("why", why);
        // What takes access away works whether or not it can be written down.
        if let Err(error) = audit::record_own(self.db, self.now_ms, event).await {
            console_error!("{}", serde_json::json!({ "event": "audit_failed", "detail": error.detail }));
        }
        // A hub that does not answer now is told by the next sweep.
        noted(person, self.close_all(person, revoke).await);
        Ok(())
    }

    /// Login and what lets the person in, as GitHub has it now.
    async fn ask(&self, person: &PersonRow, lost: Option<&Lost>) -> Result<Option<(String, String)>, Failure> {
        let app = self.config.github.as_ref();
        let app = app.ok_or_else(|| Failure::Setup("no GitHub app is configured".to_owned()))?;
        let github = Client(app);
        let access = self.access_token(&github, person.id).await?;
        let profile = github.profile(&access).await?;
        if profile.id != person.github {
            return Err(Failure::Refused("the token is another person's".to_owned()));
        }
        let allowed_by = self.allowed_by(&github, &access, &profile, lost).await?;
        Ok(allowed_by.map(|allowed_by| (profile.login, allowed_by)))
    }

    /// The person's access token, refreshed if it ends soon.
    pub(super) async fn access_token(&self, github: &Client<'_>, person: u64) -> Result<String, Failure> {
        let kept = self.tokens(person).await?;
        if kept.expires_ms == 0 || kept.expires_ms > self.now_ms + EXPIRES_SOON_MS || kept.refresh.is_empty() {
            return Ok(kept.access);
        }
        match github.refresh(&kept.refresh, self.now_ms).await {
            Ok(tokens) => {
                self.keep_tokens(person, &tokens).await.map_err(|error| Failure::Unavailable(error.detail))?;
                Ok(tokens.access)
            }
            // A refresh token works once: somebody else may have used it a moment ago, and kept what it gave.
            Err(Failure::Stale(why)) => match self.tokens(person).await {
                Ok(newer) if newer.refresh != kept.refresh => Ok(newer.access),
                _ => Err(Failure::Stale(why)),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn tokens(&self, person: u64) -> Result<Tokens, Failure> {
        let unreadable = || Failure::Unavailable("the person's GitHub tokens cannot be read".to_owned());
        let row = self.db.github_tokens(person).await.map_err(|error| Failure::Unavailable(error.detail))?;
        let row = row.ok_or_else(unreadable)?;
        let keys = self.config.data_keys().map_err(|error| Failure::Setup(error.detail))?;
        let read = |purpose: &str, text: String| {
            let sealed = Sealed { kid: row.kid.clone(), text };
            seal::open(&keys, &format!("github {purpose} {person}"), &sealed).ok_or_else(unreadable)
        };
        Ok(Tokens {
            access: read("access", row.access.clone())?,
            refresh: read("refresh", row.refresh.clone())?,
            expires_ms: row.expires_ms,
        })
    }

    /// Keeps a person's tokens, sealed.
    pub async fn keep_tokens(&self, person: u64, tokens: &Tokens) -> Result<(), Error> {
        let keys = self.config.data_keys()?;
        let seal = |purpose: &str, secret: &str| seal::seal(&keys, &format!("github {purpose} {person}"), secret);
        let (access, refresh) = (seal("access", &tokens.access)?, seal("refresh", &tokens.refresh)?);
        self.db.save_github_tokens(person, &access, &refresh, tokens.expires_ms).await
    }
}

fn caller(person: &PersonRow) -> Caller {
    Caller { person: person.id.to_string(), name: person.name.clone(), via: Via::System, standing: Standing::Owner }
}

/// One person's trouble is logged, and is not everybody's.
fn noted(person: &PersonRow, done: Result<(), Error>) {
    if let Err(error) = done {
        let line = serde_json::json!({ "event": "access_failed", "person": person.id, "detail": error.detail });
        console_error!("{line}");
    }
}
