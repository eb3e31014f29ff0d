//! Who may come in, and whether that still holds.
//!
//! **Invariant.** Somebody new comes in only when GitHub says so now. Somebody who is in stays in while GitHub cannot be
//! asked, for [`GRACE_MS`] after it last said yes, and is out at once when it says no: sign-ins, sockets and tokens end. When
//! what let people in is lost, one statement puts all of them in doubt, however many: from then on each of their requests
//! waits for what GitHub says of them now, and their hubs are told to close what is open.

use session_hub::call::Caller;
use session_hub::standing::Standing;
use worker::{Env, console_error};

use super::lost::Lost;
use super::seal::{self, Sealed};
use super::teams;
use crate::audit::{self, Action, Event, Via};
use crate::auth::Role;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::github::{Client, Entity, Failure, Pin, Profile, Tokens};
use crate::store::Db;
use crate::store::allowed::AllowedRow;
use crate::store::people::{BY_ACCESS, BY_NAME, PersonRow};

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
/// Longer than the calls of one confirmation take; until then nobody else begins one for somebody in doubt.
const SETTLING_MS: u64 = 60 * 1000;
/// People whose access one sweep confirms. A confirmation that finds the person in takes 6 calls of D1 and GitHub, one for
/// each entity and one more for the team that lets in; one that ends access takes 14 and those of the entities. With 30
/// entities 8 people are at most 8 * 44 = 352 calls, and a request has 1,000.
/// On the free plan it has 50, enough for 6 people at one entity; what fails there is found due again, and who is in doubt
/// stays shut out until then.
const PEOPLE_MAX: u64 = 8;
/// Tokens of people whom Cloudflare Access vouches for work for this long after it last did.
const VOUCHED_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// That it vouched is noted at most this often.
const VOUCH_NOTED_EVERY_MS: u64 = 60 * 60 * 1000;
/// An access token that ends this soon is refreshed first.
const EXPIRES_SOON_MS: u64 = 2 * 60 * 1000;

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
        if !self.config.allowed.is_empty() {
            self.db.seed_allowed(&self.config.allowed, self.now_ms).await?;
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
            return Ok(Some(BY_NAME.to_owned()));
        }
        let rows = self.allowed().await.map_err(|error| Failure::Unavailable(error.detail))?;
        let mut unasked = None;
        for row in &rows {
            let Some(entity) = row.entity().filter(|entity| !lost.is_some_and(|lost| lost.is(entity))) else {
                continue;
            };
            let found = match &entity {
                // A pinned user is known by number, whatever the name.
                Entity::User(_) if row.github != 0 => Ok(Some(Pin { id: profile.id, organisation: 0 })),
                entity => github.belonging(access, profile, entity).await,
            };
            match found {
                Ok(Some(pin)) if self.is_meant(row, &pin).await? => return Ok(Some(entity.text())),
                Ok(Some(_) | None) => {}
                Err(failure) => unasked = Some(failure),
            }
        }
        unasked.map_or(Ok(None), Err)
    }

    /// Whether an entry means what GitHub found by its name: what it meant when somebody first came by it.
    async fn is_meant(&self, row: &AllowedRow, pin: &Pin) -> Result<bool, Failure> {
        if row.github != 0 {
            return Ok(row.github == pin.id);
        }
        self.db.pin(row.id, pin).await.map_err(|error| Failure::Unavailable(error.detail))
    }

    /// Whether Cloudflare Access, which alone lets the person in, has not vouched for them for so long that nothing but it
    /// counts any more.
    pub fn has_lapsed(&self, person: &PersonRow) -> bool {
        person.allowed_by == BY_ACCESS && person.checked_ms + VOUCHED_MS <= self.now_ms
    }

    /// Until when it counts for tokens that Access vouches now.
    pub fn vouched_until_ms(&self) -> u64 {
        self.now_ms + VOUCHED_MS
    }

    /// Notes that Access vouched for the person just now.
    pub async fn note_vouched(&self, person: &PersonRow) -> Result<(), Error> {
        if person.allowed_by != BY_ACCESS || person.checked_ms + VOUCH_NOTED_EVERY_MS > self.now_ms {
            return Ok(());
        }
        let is_named_admin = self.config.is_admin(&person.login);
        self.db.vouched(person.id, is_named_admin, self.vouched_until_ms(), self.now_ms).await
    }

    /// Confirms a person's access, if it is due and nobody else does. True while the person is in. Whoever is in doubt waits
    /// for it, and does nothing before.
    pub async fn confirm_if_due(&self, person: &PersonRow, late_ms: u64) -> Result<bool, Error> {
        if !person.doubt.is_empty() {
            let is_free = person.recheck_ms <= self.now_ms;
            if !is_free || !self.db.claim_recheck(person, self.now_ms + SETTLING_MS).await? {
                let message = "Whether you may still come in is being asked at GitHub. Try again in some seconds.";
                return Err(Error::new(Kind::Unavailable, message).with_header("Retry-After", "2"));
            }
            return self.confirm(person, None).await;
        }
        let is_due = person.github != 0 && person.recheck_ms + late_ms <= self.now_ms;
        if !is_due || !self.db.claim_recheck(person, self.now_ms + RETRY_MS).await? {
            return Ok(true);
        }
        self.confirm(person, None).await
    }

    /// Asks GitHub now whether a person's access holds, by anything but what was lost, now or before. True if the person is
    /// still in.
    async fn confirm(&self, person: &PersonRow, lost: Option<&Lost>) -> Result<bool, Error> {
        let before = Lost::parse(&person.doubt);
        let lost = lost.or(before.as_ref());
        let failure = match self.ask(person, lost).await {
            Ok(Some((login, allowed_by))) => return self.stays(person, &login, &allowed_by).await,
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
                let is_lost = !person.doubt.is_empty() || lost.is_some_and(|lost| lost.covers(&person.allowed_by));
                if is_over || is_lost {
                    self.end(person, false, "GitHub could not confirm it for too long").await?;
                    return Ok(false);
                }
                Ok(true)
            }
        }
    }

    /// The person's access holds. True unless it was ended meanwhile, or something was lost while GitHub was asked: whoever
    /// comes next asks again.
    async fn stays(&self, person: &PersonRow, login: &str, allowed_by: &str) -> Result<bool, Error> {
        let recheck_ms = self.now_ms + CONFIRMED_MS;
        let role = self.db.confirm_access(person, login, allowed_by, recheck_ms, self.now_ms).await?;
        if (person.role, role) == (Role::Admin, Some(Role::Member)) {
            let event = Event::of(Action::RoleChanged).on(format!("person {}", person.id));
            let event = event.with("role", Role::Member.word()).with("why", "no longer named in MUSTER_ADMINS");
            self.written(event).await;
        }
        Ok(role.is_some())
    }

    /// Everybody loses something: whom it let in is shut out until GitHub says what else lets them in.
    pub async fn lose(&self, lost: &Lost) -> Result<(), Error> {
        if self.db.doubt(lost, 0).await? > 0 {
            self.close_lost().await;
        }
        Ok(())
    }

    /// One person loses something, whatever GitHub's API still answers.
    pub async fn lose_one(&self, person: &PersonRow, lost: &Lost) -> Result<(), Error> {
        let is_in_doubt = self.db.doubt(lost, person.id).await? > 0;
        let doubt = if is_in_doubt { lost.text() } else { person.doubt.clone() };
        self.confirm(&PersonRow { doubt, ..person.clone() }, Some(lost)).await?;
        Ok(())
    }

    /// Closes what is to be closed, and confirms the access of everybody for whom it is due. One sweep does the one or the
    /// other: nobody whose access is in doubt can do anything meanwhile.
    pub async fn sweep(&self) -> Result<(), Error> {
        if self.config.access.is_some() {
            self.db.close_lapsed(self.now_ms).await?;
        }
        if self.close_left().await? > 0 || self.config.github.is_none() {
            return Ok(());
        }
        for person in self.db.people_due(self.now_ms, PEOPLE_MAX).await? {
            noted(&person, self.confirm_if_due(&person, 0).await.map(drop));
        }
        teams::confirm_due(self).await
    }

    /// The person is out: sign-ins and sockets end; tokens too, for good if `revoke`.
    pub async fn end(&self, person: &PersonRow, revoke: bool, why: &str) -> Result<(), Error> {
        self.db.end_access(person.id, revoke, self.now_ms).await?;
        let event = Event::of(Action::PersonRemoved).on(format!("person {}", person.id));
        let event = event.with("login", person.login.as_str()).with("by", person.allowed_by.as_str()).with("why", why);
        self.written(event).await;
        // A hub that does not answer now is told by the next sweep.
        noted(person, self.close_all(person, revoke).await);
        Ok(())
    }

    /// What takes rights away works whether or not it can be written down.
    async fn written(&self, event: Event) {
        if let Err(error) = audit::record_own(self.db, self.now_ms, event).await {
            console_error!("{}", serde_json::json!({ "event": "audit_failed", "detail": error.detail }));
        }
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

pub(super) fn caller(person: &PersonRow) -> Caller {
    Caller { person: person.id.to_string(), name: person.name.clone(), via: Via::System, standing: Standing::Owner }
}

/// One person's trouble is logged, and is not everybody's.
pub(super) fn noted(person: &PersonRow, done: Result<(), Error>) {
    if let Err(error) = done {
        let line = serde_json::json!({ "event": "access_failed", "person": person.id, "detail": error.detail });
        console_error!("{line}");
    }
}
