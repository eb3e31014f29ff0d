//! Beginning a sign-in, however the person proved who they are.

use super::{Identity, allowance, cookie, invitation};
use crate::audit::{self, Action, Actor, Event};
use crate::error::Error;
use crate::http::Visit;
use crate::store::Db;

/// A new sign-in of this person, by number and name, in this browser; returns its `Set-Cookie`. The one that the browser had
/// is replaced, not joined. `by` says how the person proved who they are.
pub async fn begin(visit: &Visit, db: &Db, (person, name): (u64, &str), by: &str) -> Result<String, Error> {
    if let Identity::SignedIn(before) = visit.identify().await? {
        db.end_sign_in(before.person.number(), before.id).await?;
        if before.person.number() != person {
            // This browser's other tabs show somebody else's terminals.
            invitation::close_sockets(&visit.env, db, before.person.number()).await?;
        }
    }
    let value = cookie::mint()?;
    let agent = visit.header("user-agent").unwrap_or_default();
    let event = Event::of(Action::SignedIn).by(Actor::person(&person.to_string(), name));
    audit::record(visit, event.with("by", by).with("device", agent.as_str())).await?;
    db.add_sign_in(person, &value, &agent, visit.now_ms).await?;
    Ok(cookie::set(&value, visit.is_https()))
}

/// Counts and notes that somebody was turned away; `why` is for admins and holds no secret.
pub async fn refused(visit: &Visit, by: &str, why: &str) -> Result<(), Error> {
    allowance::failed(visit, &allowance::SIGN_IN).await?;
    audit::refused(visit, Event::of(Action::SignInRefused).with("by", by).with("why", why)).await;
    Ok(())
}
