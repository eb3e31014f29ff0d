//! What was done, by whom, by which way: one call for whoever does something that the audit log tells of.
//!
//! ```text
//! audit::record(&visit, Event::of(Action::TokenMade).on("token 1f2e").with("scope", "cli")).await?;
//! ```
//!
//! Call [`record`] before what is done takes effect, or before its answer is given, and stop when it fails: what cannot be
//! written down is not done. Call [`note`] for what always works: signing out and revoking.
//!
//! **Invariant.** No secret and no prompt's text is ever put into an event. What each person's hub tells of (prompts,
//! approvals, driving) is not written here but by the hub, in the event that does it.

use std::collections::BTreeMap;

use protocol::audit::Draft;
pub use protocol::audit::{Action, Actor, Via};
use serde_json::json;
use worker::console_error;

use crate::auth::Identity;
use crate::auth::token::Scope;
use crate::error::{Error, Kind};
use crate::http::Visit;
use crate::store::Db;

/// Refusals of strangers that are written in [`REFUSALS_SPAN_MS`]: beyond them, somebody is filling the log.
const REFUSALS_MAX: u64 = 200;
const REFUSALS_SPAN_MS: u64 = 60 * 60 * 1000;

/// What is to be written down.
#[derive(Clone, Debug)]
pub struct Event {
    action: Action,
    target: String,
    detail: BTreeMap<String, String>,
    actor: Option<Actor>,
    via: Option<Via>,
}

impl Event {
    /// That this was done, by whoever asks.
    pub fn of(action: Action) -> Event {
        Event { action, target: String::new(), detail: BTreeMap::new(), actor: None, via: None }
    }

    /// ... to this, like `token 1f2e`.
    #[must_use]
    pub fn on(mut self, target: impl Into<String>) -> Event {
        self.target = target.into();
        self
    }

    /// ... with this to know of it. An empty value says nothing and is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Event {
        let value = value.into();
        if !value.is_empty() {
            self.detail.insert(key.to_owned(), value);
        }
        self
    }

    /// ... by somebody else than the visit's identity: who is just signing in, or the system.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Event {
        self.actor = Some(actor);
        self
    }

    /// ... by another way than the visit's identity says: a webhook.
    #[must_use]
    pub fn via(mut self, via: Via) -> Event {
        self.via = Some(via);
        self
    }

    fn draft(self, visit: &Visit) -> Draft {
        let (actor, via) = who(&visit.identity);
        let mut detail = self.detail;
        if let Some(address) = visit.client_address() {
            detail.insert("address".to_owned(), address);
        }
        if let (Identity::Token(token), None) = (&visit.identity, &self.actor) {
            detail.insert("person".to_owned(), token.person.id.clone());
        }
        Draft {
            at_ms: visit.now_ms,
            actor: self.actor.unwrap_or(actor),
            via: self.via.unwrap_or(via),
            action: self.action,
            target: self.target,
            detail,
        }
    }
}

/// Writes it down, or fails: then it must not be done.
pub async fn record(visit: &Visit, event: Event) -> Result<(), Error> {
    let draft = event.draft(visit);
    Db::open(&visit.env)?.append_audit(draft).await.map_err(unwritten)
}

/// What is to be written down, for what does it in the same batch: a store's own statement. What fails there is [`unwritten`].
pub fn draft(visit: &Visit, event: Event) -> Draft {
    event.draft(visit)
}

/// Writes it down if that can be done; for what must work all the same.
pub async fn note(visit: &Visit, event: Event) {
    let word = event.action.word();
    if let Err(error) = record(visit, event).await {
        let line = json!({
            "event": "audit_failed", "request_id": visit.request_id, "action": word, "detail": error.detail,
        });
        console_error!("{line}");
    }
}

/// Writes down that a stranger was refused, unless so many were within the hour that the log itself would be the target.
pub async fn refused(visit: &Visit, event: Event) {
    let counted = match Db::open(&visit.env) {
        Ok(db) => db.count("refusals written", REFUSALS_SPAN_MS, visit.now_ms).await,
        Err(error) => Err(error),
    };
    if counted.is_ok_and(|count| count.count <= REFUSALS_MAX) {
        note(visit, event).await;
    }
}

/// Writes down what the hub does by itself, without anybody's visit.
pub async fn record_own(db: &Db, now_ms: u64, event: Event) -> Result<(), Error> {
    let Event { action, target, detail, actor, via } = event;
    let (actor, via) = (actor.unwrap_or_else(Actor::system), via.unwrap_or(Via::System));
    db.append_audit(Draft { at_ms: now_ms, actor, via, action, target, detail }).await.map_err(unwritten)
}

fn who(identity: &Identity) -> (Actor, Via) {
    match identity {
        Identity::Nobody => (Actor::stranger(), via_of(identity)),
        Identity::SignedIn(sign_in) => (Actor::person(&sign_in.person.id, &sign_in.person.name), via_of(identity)),
        Identity::Guest(guest) => (Actor::person(&guest.person.id, &guest.person.name), via_of(identity)),
        Identity::Token(token) => (Actor::token(&token.id, &token.name), via_of(identity)),
    }
}

/// By which way whoever asks comes.
pub fn via_of(identity: &Identity) -> Via {
    match identity {
        Identity::Nobody | Identity::SignedIn(_) | Identity::Guest(_) => Via::Browser,
        Identity::Token(token) => via(token.scope),
    }
}

/// By which way a token's bearer comes.
pub fn via(scope: Scope) -> Via {
    match scope {
        Scope::Runner | Scope::Session | Scope::ClaudeCodeUi => Via::Runner,
        Scope::Cli => Via::Cli,
    }
}

/// The error of what could not be written down, and so was not done.
pub fn unwritten(error: Error) -> Error {
    let message = "The audit log could not be written, so nothing was done. Try again in a moment.";
    Error::new(Kind::Unavailable, message).with_detail(error.detail)
}
