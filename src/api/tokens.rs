//! `/api/tokens`: made, listed, revoked, exchanged. What pages do with tokens goes through here too.

use protocol::limits::NAME_CHARS_MAX;
use serde::Deserialize;
use serde_json::json;
use session_hub::call::{Reply, Request};
use worker::Response;

use crate::audit::{self, Action, Actor, Event};
use crate::auth::jwt::{Keys, Pass};
use crate::auth::token::{self, Scope};
use crate::auth::{Identity, Person, Token, allowance, invitation};
use crate::error::{Error, Kind};
use crate::http::{self, Visit};
use crate::store::Db;
use crate::store::tokens::{NewToken, ScopeOf, TOKENS_MAX};
use crate::{random, router};

/// Exchanges of one token are written to the audit log at most this often.
const EXCHANGE_WRITTEN_EVERY_MS: u64 = 60 * 60 * 1000;

/// Tokens revoked at once whose sockets are closed one by one.
const CLOSED_SINGLY_MAX: usize = 20;

#[derive(Deserialize)]
struct Wish {
    name: String,
    scope: Scope,
    /// Seconds until it ends; none: never.
    #[serde(default)]
    expires_in_s: Option<u64>,
    /// The session that a token of scope `session` is for.
    #[serde(default)]
    session: u64,
}

/// How long a token may live, in seconds, if it ends at all.
const LIFE_S: std::ops::RangeInclusive<u64> = 60..=366 * 24 * 60 * 60;

/// A token that was just made; the only moment in which its secret is known.
pub struct Made {
    /// Its id.
    pub id: String,
    /// Its name, trimmed.
    pub name: String,
    /// The secret.
    pub token: String,
    /// When it ends; 0: never.
    pub expires_ms: u64,
}

/// All tokens of the person.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let tokens = Db::open(&visit.env)?.tokens(visit.person()?.number()).await?;
    http::json(200, &json!({ "tokens": tokens }))
}

/// A new token; the answer is the only place that ever shows it.
pub async fn create(mut visit: Visit) -> Result<Response, Error> {
    let Wish { name, scope, expires_in_s, session } = visit.json().await?;
    let expires_ms = expires_in_s.map_or(Ok(0), |seconds| end_after(seconds, visit.now_ms))?;
    let made = make(&visit, &name, Use { scope, session }, expires_ms).await?;
    let answer = json!({
        "id": made.id, "token": made.token, "name": made.name, "scope": scope, "expires_ms": made.expires_ms,
    });
    http::json(201, &answer)
}

/// When a token ends that lives this long.
pub fn end_after(seconds: u64, now_ms: u64) -> Result<u64, Error> {
    if !LIFE_S.contains(&seconds) {
        return Err(Error::invalid("expires_in_s", "A token lives for a minute to 366 days, or without an end."));
    }
    Ok(now_ms + seconds * 1000)
}

/// Makes a token that ends then, or never at 0, and with its maker if a token makes it; a runner's shows in the hub before it ever connects.
pub async fn make(visit: &Visit, name: &str, wanted: Use, expires_ms: u64) -> Result<Made, Error> {
    make_for(visit, visit.person()?, name, wanted, expires_ms).await
}

/// What a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// What it opens.
    pub scope: Scope,
    /// The one session that it is for, where the scope is that; else 0.
    pub session: u64,
}

impl Use {
    /// For everything that the scope is for.
    pub fn of(scope: Scope) -> Use {
        Use { scope, session: 0 }
    }

    fn check(self) -> Result<(), Error> {
        let wants_session = self.scope == Scope::Session;
        match self.session {
            0 if wants_session => Err(Error::invalid("session", "Say for which session, by its number.")),
            0 => Ok(()),
            _ if wants_session => Ok(()),
            _ => Err(Error::invalid("session", "Only a token with the scope session is for one session.")),
        }
    }
}

/// The same for a person who confirmed it before, elsewhere.
pub(super) async fn make_for(
    visit: &Visit,
    person: &Person,
    name: &str,
    wanted: Use,
    expires_ms: u64,
) -> Result<Made, Error> {
    let name = checked_name(name)?;
    wanted.check()?;
    let Use { scope, session } = wanted;
    let (id, token) = (random::hex::<8>()?, token::mint()?);
    let maker = match &visit.identity {
        Identity::Token(token) => token.id.as_str(),
        Identity::Nobody | Identity::SignedIn(_) | Identity::Guest(_) => "",
    };
    let person_id = person.number();
    let row = NewToken { id: &id, person: person_id, name: &name, scope, secret: &token, expires_ms, session, maker };
    let db = Db::open(&visit.env)?;
    let Some(expires_ms) = db.add_token(&row, visit.now_ms).await? else {
        return Err(match db.has_room_for_token(person_id, visit.now_ms).await? {
            true => Error::unauthorized("The token that asks was revoked or has ended meanwhile, so it makes none."),
            false => too_many(),
        });
    };
    if let Err(refused) = announce(visit, person, &id, &name, wanted).await {
        // Nobody ever saw its secret: it must not count among the tokens that live.
        revoke_row(visit, person, &id).await?;
        return Err(refused);
    }
    Ok(Made { id, name, token, expires_ms })
}

/// What a new token must be known by before it is shown: the audit log, and for a runner the hub.
async fn announce(visit: &Visit, person: &Person, id: &str, name: &str, wanted: Use) -> Result<(), Error> {
    let Use { scope, session } = wanted;
    let event = Event::of(Action::TokenMade).on(format!("token {id}")).with("name", name).with("scope", scope.word());
    let event = if session == 0 { event } else { event.with("session", session.to_string()) };
    let event = match &visit.identity {
        // Who confirmed a device's code is not who comes for its token.
        Identity::Nobody => event.by(Actor::person(&person.id, &person.name)),
        Identity::SignedIn(_) | Identity::Guest(_) | Identity::Token(_) => event,
    };
    if let Scope::Runner | Scope::Session = scope {
        // First, since the hub knows whether there is such a session.
        let request = Request::AddRunner { runner: id.to_owned(), name: name.to_owned(), session };
        visit.ask_for(person, request).await?;
    }
    if let Err(unwritten) = audit::record(visit, event).await {
        if let Scope::Runner | Scope::Session = scope {
            visit.ask_for(person, Request::RevokeRunner { runner: id.to_owned() }).await?;
        }
        return Err(unwritten);
    }
    Ok(())
}

/// The person has as many tokens as they may.
pub(crate) fn too_many() -> Error {
    let message = format!("There are {TOKENS_MAX} tokens already, the most there can be: revoke one first.");
    Error::new(Kind::Limit, message)
}

/// A token for a short-lived JWT. The token itself proves who asks.
pub async fn exchange(visit: Visit) -> Result<Response, Error> {
    router::rate_limit(&visit, "exchange").await?;
    let token = shown(&visit).await?;
    if token.scope == Scope::ClaudeCodeUi {
        let message = "A claudecodeui token is not exchanged: it goes into the register message on /ws/connect.";
        return Err(Error::forbidden(message));
    }
    let db = Db::open(&visit.env)?;
    let keys = Keys::load(&visit.config, &db, visit.now_ms).await?;
    let pass = Pass::new(token.scope, &token.id, token.person.number());
    let (jwt, expires_at_ms) = keys.sign(pass, visit.now_ms)?;
    record_exchange(&visit, &db, &token).await?;
    let bearer = json!({ "id": token.id, "name": token.name });
    let mut answer = json!({ "jwt": jwt, "expires_at_ms": expires_at_ms, "scope": token.scope, "token": bearer });
    if let (Scope::Runner | Scope::Session, Some(answer)) = (token.scope, answer.as_object_mut()) {
        answer.insert("runner".to_owned(), bearer);
    }
    http::json(200, &answer)
}

/// Writes the first exchange within an hour down: a runner exchanges its token whenever it connects.
async fn record_exchange(visit: &Visit, db: &Db, token: &Token) -> Result<(), Error> {
    let key = format!("exchange written {}", token.id);
    if !db.claim(&key, EXCHANGE_WRITTEN_EVERY_MS, visit.now_ms).await? {
        return Ok(());
    }
    let event = Event::of(Action::TokenExchanged)
        .on(format!("token {}", token.id))
        .by(Actor::token(&token.id, &token.name))
        .via(audit::via(token.scope))
        .with("scope", token.scope.word())
        .with("person", token.person.id.as_str());
    if let Err(error) = audit::record(visit, event).await {
        db.unclaim(&key).await?;
        return Err(error);
    }
    Ok(())
}

/// What the token itself is, and whose: it proves who asks, whatever its scope.
pub async fn show_self(visit: Visit) -> Result<Response, Error> {
    router::rate_limit(&visit, "exchange").await?;
    let token = shown(&visit).await?;
    let person = json!({ "id": token.person.id, "name": token.person.name });
    http::json(200, &json!({ "id": token.id, "name": token.name, "scope": token.scope, "person": person }))
}

/// Whoever holds a token may end it, whatever its scope.
pub async fn revoke_self(visit: Visit) -> Result<Response, Error> {
    router::rate_limit(&visit, "exchange").await?;
    let token = shown(&visit).await?;
    end(&visit, &token.person, token.id).await
}

/// The token that the request shows; failures are counted and written down. Only failures: nobody guesses 256 bits, and a
/// neighbour's old token must not keep a good one out.
async fn shown(visit: &Visit) -> Result<Token, Error> {
    match visit.identify().await {
        Ok(Identity::Token(token)) => Ok(token),
        Err(error) if error.kind != Kind::Unauthorized => Err(error),
        refused => {
            allowance::failed(visit, &allowance::EXCHANGE).await?;
            let unsaid = Error::unauthorized("Send the token as `Authorization: Bearer mst_...`.");
            let error = refused.err().unwrap_or_else(|| unsaid.with_header("WWW-Authenticate", "Bearer"));
            let event = Event::of(Action::TokenRefused).by(Actor::stranger()).with("why", error.message.as_str());
            audit::refused(visit, event).await;
            Err(error)
        }
    }
}

/// The token no longer works, and what it had open is closed.
pub async fn revoke(visit: Visit) -> Result<Response, Error> {
    end(&visit, visit.person()?, visit.param("id").to_owned()).await
}

/// Ends a token of this person.
pub async fn end(visit: &Visit, person: &Person, id: String) -> Result<Response, Error> {
    let event = Event::of(Action::TokenRevoked).on(format!("token {id}"));
    let revoked = revoke_row(visit, person, &id).await?;
    let event = event.with("made", made_by_it(&revoked));
    let event = match &visit.identity {
        Identity::Nobody => event.by(Actor::person(&person.id, &person.name)),
        Identity::SignedIn(_) | Identity::Guest(_) | Identity::Token(_) => event,
    };
    audit::note(visit, event).await;
    close(visit, person, revoked).await?;
    http::no_content()
}

/// The tokens that a revoked one made, for the audit log.
fn made_by_it(revoked: &[ScopeOf]) -> String {
    revoked.iter().skip(1).map(|each| each.id.as_str()).collect::<Vec<_>>().join(" ")
}

/// Closes what revoked tokens have open: one call of the hub for each, of which the free plan has 50 a request. Where one of
/// up to [`TOKENS_MAX`] would be too many, everything of the person is closed first; what may come back does by itself.
async fn close(visit: &Visit, person: &Person, revoked: Vec<ScopeOf>) -> Result<(), Error> {
    if revoked.len() > CLOSED_SINGLY_MAX {
        visit.ask_for(person, Request::CloseAll { revoke: false }).await?;
    }
    let has_cli = revoked.iter().any(|each| each.scope == Scope::Cli);
    for ScopeOf { id, scope } in revoked {
        let request = match scope {
            Scope::Runner | Scope::Session => Request::RevokeRunner { runner: id },
            Scope::ClaudeCodeUi => Request::RevokeInstances { token: id },
            Scope::Cli => continue,
        };
        visit.ask_for(person, request).await?;
    }
    if has_cli {
        invitation::close_sockets(&visit.env, &Db::open(&visit.env)?, person.number()).await?;
    }
    Ok(())
}

/// Revokes a runner's token and tells the hub.
pub async fn revoke_runner(visit: &Visit, runner: String) -> Result<Reply, Error> {
    let person = visit.person()?;
    if Db::open(&visit.env)?
        .token_scope(person.number(), &runner)
        .await?
        .is_none_or(|scope| !matches!(scope, Scope::Runner | Scope::Session))
    {
        return Err(Error::not_found("runner"));
    }
    // A runner's token makes none, so this is all that is revoked.
    revoke_row(visit, person, &runner).await?;
    let event = Event::of(Action::RunnerRevoked).on(format!("token {runner}"));
    let reply = visit.ask(Request::RevokeRunner { runner }).await?;
    audit::note(visit, event).await;
    Ok(reply)
}

/// Renames a runner and its token.
pub async fn rename_runner(visit: &Visit, runner: String, name: String) -> Result<Reply, Error> {
    let name = checked_name(&name)?;
    // What is not there is refused before anything is written down.
    visit.ask(Request::Runner { runner: runner.clone() }).await?;
    let event = Event::of(Action::RunnerRenamed).on(format!("token {runner}")).with("name", name.as_str());
    audit::record(visit, event).await?;
    let reply = visit.ask(Request::RenameRunner { runner: runner.clone(), name: name.clone() }).await?;
    Db::open(&visit.env)?.rename_token(visit.person()?.number(), &runner, &name).await?;
    Ok(reply)
}

async fn revoke_row(visit: &Visit, person: &Person, id: &str) -> Result<Vec<ScopeOf>, Error> {
    let revoked = Db::open(&visit.env)?.revoke_token(person.number(), id, visit.now_ms).await?;
    if revoked.is_empty() { Err(Error::not_found("token")) } else { Ok(revoked) }
}

/// A name of a token, trimmed, or what is wrong with it.
pub(super) fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("A name of 1 to {NAME_CHARS_MAX} characters is needed.")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_bounded_and_plain() {
        assert_eq!(checked_name("  laptop ").unwrap(), "laptop");
        assert!(checked_name(&"x".repeat(NAME_CHARS_MAX)).is_ok());
        for wrong in ["", "   ", "a\nb", "a\u{1b}[31m", &"x".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(checked_name(wrong).unwrap_err().field.as_deref(), Some("name"), "{wrong:?}");
        }
    }
}
