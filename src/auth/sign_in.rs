//! Beginning a sign-in, however the person proved who they are.

use super::{Identity, cookie};
use crate::error::Error;
use crate::http::Visit;
use crate::store::Db;

/// A new sign-in of this person in this browser; returns its `Set-Cookie`. The one that the browser had is replaced, not
/// joined.
pub async fn begin(visit: &Visit, db: &Db, person: u64) -> Result<String, Error> {
    if let Identity::SignedIn(before) = visit.identify().await? {
        db.end_sign_in(before.person.number(), before.id).await?;
    }
    let value = cookie::mint()?;
    let agent = visit.header("user-agent").unwrap_or_default();
    db.add_sign_in(person, &value, &agent, visit.now_ms).await?;
    Ok(cookie::set(&value, visit.is_https()))
}
