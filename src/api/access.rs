//! `/api/access` and `/api/people`: who may come in, who came, and what they may do. What the settings page does goes
//! through here too.

use serde::Deserialize;
use serde_json::json;
use worker::Response;

use crate::audit::{self, Action, Event};
use crate::auth::Role;
use crate::auth::access::Gate;
use crate::error::{Error, Kind};
use crate::github::Entity;
use crate::http::{self, Visit};
use crate::store::Db;
use crate::store::allowed::{AllowedRow, ENTITIES_MAX};
use crate::store::people::PersonEntry;

#[derive(Deserialize)]
struct NewEntity {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct NewRole {
    role: Role,
}

/// Who may come in, and who came.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let (allowed, people) = everybody(&visit).await?;
    http::json(200, &json!({ "allowed": allowed, "people": people }))
}

/// One more may come in.
pub async fn add(mut visit: Visit) -> Result<Response, Error> {
    let NewEntity { kind, name } = visit.json().await?;
    let row = allow(&visit, &kind, &name).await?;
    http::json(201, &row)
}

/// One less.
pub async fn remove(visit: Visit) -> Result<Response, Error> {
    disallow(&visit, visit.number("entity")?).await?;
    http::no_content()
}

/// Another role.
pub async fn set_role(mut visit: Visit) -> Result<Response, Error> {
    let NewRole { role } = visit.json().await?;
    give_role(&visit, visit.number("person")?, role).await?;
    http::no_content()
}

/// Ends all of a person's sign-ins, sockets and tokens; what lets the person in stays.
pub async fn end(visit: Visit) -> Result<Response, Error> {
    sign_out(&visit, visit.number("person")?).await?;
    http::no_content()
}

/// The list and the people.
pub async fn everybody(visit: &Visit) -> Result<(Vec<AllowedRow>, Vec<PersonEntry>), Error> {
    let db = Db::open(&visit.env)?;
    Ok((gate(visit, &db).allowed().await?, db.people().await?))
}

/// Adds to the list. The same again changes nothing.
pub async fn allow(visit: &Visit, kind: &str, name: &str) -> Result<AllowedRow, Error> {
    if !["org", "team", "user"].contains(&kind) {
        return Err(Error::invalid("kind", "Say org, team or user."));
    }
    let entity = Entity::parse(kind, name).ok_or_else(|| {
        let form = if kind == "team" { "A team is written as organisation/team." } else { "GitHub has no such names." };
        Error::invalid("name", form)
    })?;
    let db = Db::open(&visit.env)?;
    let draft = audit::draft(visit, Event::of(Action::AccessGranted).on(entity.text()));
    if !db.allow(&entity, visit.now_ms, draft).await.map_err(audit::unwritten)? {
        let message = format!("The list holds {ENTITIES_MAX} entries, the most it can: remove one first.");
        return Err(Error::new(Kind::Limit, message));
    }
    let rows = db.allowed().await?;
    rows.into_iter().find(|row| row.entity() == Some(entity.clone())).ok_or_else(|| Error::internal("it did not stay"))
}

/// Takes off the list, and lets nobody stay who came in by it alone.
pub async fn disallow(visit: &Visit, id: u64) -> Result<(), Error> {
    let db = Db::open(&visit.env)?;
    let gate = gate(visit, &db);
    let row = gate.allowed().await?.into_iter().find(|row| row.id == id).ok_or_else(|| Error::not_found("entry"))?;
    let entity = row.entity().ok_or_else(|| Error::internal("an entry of no form"))?;
    let text = entity.text();
    let own = visit.person()?.number();
    if db.person(own).await?.is_some_and(|person| person.allowed_by == text) {
        return Err(Error::new(
            Kind::Conflict,
            "You came in by this entry yourself. Add another that lets you in, sign in again, then remove this one.",
        ));
    }
    let draft = audit::draft(visit, Event::of(Action::AccessWithdrawn).on(text));
    if !db.disallow(id, entity, draft).await.map_err(audit::unwritten)? {
        return Err(Error::not_found("entry"));
    }
    gate.close_lost().await;
    Ok(())
}

/// Makes admins and takes it back; one always stays.
pub async fn give_role(visit: &Visit, person: u64, role: Role) -> Result<(), Error> {
    let event = Event::of(Action::RoleChanged).on(format!("person {person}")).with("role", role.word());
    let draft = audit::draft(visit, event);
    if Db::open(&visit.env)?.set_role(person, role, draft).await.map_err(audit::unwritten)? {
        return Ok(());
    }
    Err(Error::new(Kind::Conflict, "There has to be an admin: make somebody else one first."))
}

/// Ends everything that a person has: sign-ins, sockets and tokens. Whom the list lets in may sign in again.
pub async fn sign_out(visit: &Visit, person: u64) -> Result<(), Error> {
    let db = Db::open(&visit.env)?;
    let row = db.person(person).await?.ok_or_else(|| Error::not_found("person"))?;
    gate(visit, &db).end(&row, true, "ended by an admin").await?;
    audit::note(visit, Event::of(Action::SignInEnded).on(format!("person {person}"))).await;
    Ok(())
}

fn gate<'a>(visit: &'a Visit, db: &'a Db) -> Gate<'a> {
    Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms }
}
