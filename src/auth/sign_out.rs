//! Ending a sign-in, from its own browser or from the list in the settings.

use worker::Response;

use super::{cookie, invitation};
use crate::audit::{self, Action, Event};
use crate::error::Error;
use crate::http::{self, Visit};
use crate::store::Db;

/// `POST /auth/logout`: this browser's sign-in ends, and its sockets with it.
pub async fn here(visit: Visit) -> Result<Response, Error> {
    if let Some(sign_in) = visit.sign_in() {
        end_with(&visit, sign_in.id, Action::SignedOut).await?;
    }
    let response = http::go_to(&visit, "/")?;
    response.headers().set("Set-Cookie", &cookie::clear(visit.is_https()))?;
    Ok(response)
}

/// Ends a sign-in of the person, from the list.
pub async fn end(visit: &Visit, sign_in: u64) -> Result<(), Error> {
    end_with(visit, sign_in, Action::SignInEnded).await
}

/// Ends a sign-in of the person; again changes nothing. The sockets of all of their tabs are closed: those whose sign-in
/// lives on come back by themselves.
async fn end_with(visit: &Visit, sign_in: u64, action: Action) -> Result<(), Error> {
    let person = visit.person()?;
    let db = Db::open(&visit.env)?;
    if db.end_sign_in(person.number(), sign_in).await? {
        invitation::close_sockets(&visit.env, &db, person.number()).await?;
        audit::note(visit, Event::of(action).on(format!("sign-in {sign_in}"))).await;
    }
    Ok(())
}

/// Ends all other sign-ins of the person, with everything they had open.
pub async fn end_others(visit: &Visit) -> Result<(), Error> {
    let person = visit.person()?;
    let own = visit.sign_in().map_or(0, |sign_in| sign_in.id);
    let db = Db::open(&visit.env)?;
    db.end_sign_ins(person.number(), own).await?;
    invitation::close_sockets(&visit.env, &db, person.number()).await?;
    audit::note(visit, Event::of(Action::SignInEnded).on("all other sign-ins")).await;
    Ok(())
}
