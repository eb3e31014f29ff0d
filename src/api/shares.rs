//! `/api/sessions/:session/shares` and `/api/shared`: with whom sessions are shared, and what others share. What pages do
//! with shares goes through here too.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};
use protocol::right::Right;
use serde::{Deserialize, Serialize};
use serde_json::json;
use session_hub::call::{Caller, Grantee, Reply, Request, ShareView, Shared, SharedSession, Shares};
use session_hub::standing::Standing;
use worker::{Response, console_error};

use super::answer;
use crate::audit::{self, Action, Event};
use crate::auth::access::Gate;
use crate::auth::{invitation, teams, token};
use crate::error::{Error, Kind};
use crate::github::{Entity, Failure};
use crate::http::{self, Visit};
use crate::place::Place;
use crate::session_hub::client;
use crate::store::Db;
use crate::store::shares::OwnerRow;

/// What a guest link is called that got no name.
const GUEST_LINK: &str = "Guest link";
/// How long a guest link lives of which nothing else was said, in seconds: a day.
const GUEST_LIFE_S: u64 = 24 * 60 * 60;
/// People of a team whose dashboards are told at once: the platform lets a request of the free plan make 50 calls.
const INVITED_AT_ONCE_MAX: usize = 20;
/// How long a share may live, in seconds, if it ends at all.
const LIFE_S: std::ops::RangeInclusive<u64> = 60..=366 * 24 * 60 * 60;

/// With whom a session is to be shared, as forms and the API say it.
#[derive(Deserialize)]
pub struct Wish {
    /// `person`, `team` or `guest`.
    pub kind: String,
    /// A person's login or address, or `#` and number; a team as `organisation/team`; nothing for a guest link.
    #[serde(default)]
    pub grantee: String,
    /// What a guest link is called.
    #[serde(default)]
    pub name: String,
    /// What they may do.
    pub right: String,
    /// Seconds until it ends; none: until it is withdrawn, and for a guest link a day.
    #[serde(default)]
    pub expires_in_s: Option<u64>,
}

/// A share that was just made or changed.
pub struct Made {
    /// It.
    pub view: ShareView,
    /// The secret of a guest link: the only moment in which it is known.
    pub link: Option<String>,
}

/// With whom a session is shared.
pub async fn list(visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    answer(200, visit.ask_at(&session, Request::Shares { session: session.number }).await?)
}

/// Shares a session; with whom it is shared already may do this from now on.
pub async fn create(mut visit: Visit) -> Result<Response, Error> {
    let session = visit.place("session")?;
    let wish: Wish = visit.json().await?;
    let Made { view, link } = share(&visit, &session, wish).await?;
    let mut value = serde_json::to_value(&view)?;
    if let (Some(link), Some(fields)) = (link, value.as_object_mut()) {
        fields.insert("link".to_owned(), address_of(&visit, &link).into());
    }
    http::json(201, &value)
}

/// It is shared with them no longer; what they have open is closed at once.
pub async fn withdraw(visit: Visit) -> Result<Response, Error> {
    end(&visit, &visit.place("session")?, visit.number("share")?).await?;
    http::no_content()
}

/// Sessions that others share with whoever asks.
pub async fn shared(visit: Visit) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        address: String,
        owner: String,
        owner_name: &'a str,
        #[serde(flatten)]
        line: &'a SharedSession,
    }
    let by_owner = by_owner(&visit).await?;
    let lines = by_owner.iter().flat_map(|(owner, shared)| {
        shared.iter().flat_map(|shared| &shared.sessions).map(|line| Line {
            address: format!("{}-{}", owner.owner, line.view.session),
            owner: owner.owner.to_string(),
            owner_name: &owner.name,
            line,
        })
    });
    http::json(200, &json!({ "now_ms": visit.now_ms, "sessions": lines.collect::<Vec<_>>() }))
}

/// Everybody who shares something with whoever asks, and what; `None` where a hub did not answer.
pub async fn by_owner(visit: &Visit) -> Result<Vec<(OwnerRow, Option<Shared>)>, Error> {
    let (db, person) = (Db::open(&visit.env)?, visit.person()?.number());
    // What is shared with a team is found by its members only once it is known that they are some.
    teams::among(visit, &db, person, db.shared_teams(person).await?).await?;
    let owners = db.owners_sharing_with(person).await?;
    let answers = join_all(owners.iter().map(|owner| shared_by(visit, owner.owner))).await;
    let with_answer = owners.into_iter().zip(answers).filter_map(|(owner, answer)| match answer {
        Ok(shared) if shared.sessions.is_empty() => None, // expired, archived or just withdrawn
        Ok(shared) => Some((owner, Some(shared))),
        Err(error) => {
            let line = json!({ "event": "shared_unknown", "request_id": visit.request_id, "detail": error.detail });
            console_error!("{line}");
            Some((owner, None))
        }
    });
    Ok(with_answer.collect())
}

async fn shared_by(visit: &Visit, owner: u64) -> Result<Shared, Error> {
    let knock = match invitation::knock(visit, &visit.identity, Some(owner)).await {
        Ok(knock) => knock,
        // Withdrawn a moment ago.
        Err(error) if error.status() == 404 => return Ok(Shared::default()),
        Err(error) => return Err(error),
    };
    match visit.ask_as(knock, Request::Shared).await? {
        Reply::Shared(shared) => Ok(shared),
        _ => Err(Error::internal("the hub answered something else than what it shares")),
    }
}

/// Who a session is shared with.
pub async fn of_session(visit: &Visit, session: &Place<u64>) -> Result<Shares, Error> {
    match visit.ask_at(session, Request::Shares { session: session.number }).await? {
        Reply::Shares(shares) => Ok(shares),
        _ => Err(Error::internal("the hub answered something else than shares")),
    }
}

/// Shares a session of the person's own.
pub async fn share(visit: &Visit, session: &Place<u64>, wish: Wish) -> Result<Made, Error> {
    // Whose session it is comes first: nobody else learns here who works at this hub.
    of_session(visit, session).await?;
    let db = Db::open(&visit.env)?;
    let right = Right::from_word(&wish.right)
        .ok_or_else(|| Error::invalid("right", "Choose viewer, prompter, approver or driver."))?;
    let (grantee, name, github) = grantee(visit, &db, &wish).await?;
    let is_guest = grantee == Grantee::Guest;
    let expires_ms = expires_ms(wish.expires_in_s.or(is_guest.then_some(GUEST_LIFE_S)), visit.now_ms)?;
    let link = is_guest.then(token::mint).transpose()?;
    let request = Request::Share { session: session.number, grantee, name, right, expires_ms };
    let Reply::Share(view) = visit.ask_at(session, request).await? else {
        return Err(Error::internal("the hub answered something else than a share"));
    };
    if let Err(unwritten) = write_down(visit, &db, &view, (link.as_deref(), github)).await {
        // What nobody can find or read of is not shared.
        let request = Request::Withdraw { session: session.number, share: view.share };
        visit.ask_at(session, request).await?;
        db.drop_share(visit.person()?.number(), session.number, view.share).await?;
        return Err(unwritten);
    }
    if let Err(unsaid) = invite(visit, &db, &view).await {
        // They find it when they next look.
        let line = json!({ "event": "invitation_unsaid", "request_id": visit.request_id, "detail": unsaid.detail });
        console_error!("{line}");
    }
    Ok(Made { view, link })
}

/// Lets the dashboards of those who may see it now ask for it.
async fn invite(visit: &Visit, db: &Db, view: &ShareView) -> Result<(), Error> {
    let people: Vec<String> = match &view.grantee {
        Grantee::Guest => Vec::new(),
        Grantee::Person(id) => vec![id.clone()],
        Grantee::Team(team) => {
            let own = visit.person()?.number();
            let visits = db.visits_by_team(team, "", 0).await?.into_iter();
            let people = visits.map(|visit| visit.person).filter(|person| *person != own);
            let people: BTreeSet<u64> = people.take(INVITED_AT_ONCE_MAX).collect();
            people.into_iter().map(|person| person.to_string()).collect()
        }
    };
    let tell = |person: String| {
        let caller = Caller { person, name: String::new(), via: audit::Via::System, standing: Standing::Owner };
        client::call(&visit.env, caller, Request::Invited)
    };
    try_join_all(people.into_iter().map(tell)).await?;
    Ok(())
}

async fn write_down(
    visit: &Visit,
    db: &Db,
    view: &ShareView,
    (link, github): (Option<&str>, u64),
) -> Result<(), Error> {
    let action = match view.grantee {
        Grantee::Guest => Action::GuestLinkMade,
        Grantee::Person(_) | Grantee::Team(_) if view.created_ms < visit.now_ms => Action::ShareChanged,
        Grantee::Person(_) | Grantee::Team(_) => Action::Shared,
    };
    audit::record(visit, event(action, view)).await?;
    db.save_share(visit.person()?.number(), view, link.unwrap_or_default(), github).await
}

/// Withdraws a share: first in the hub, which closes what is open, then where it is looked up.
pub async fn end(visit: &Visit, session: &Place<u64>, share: u64) -> Result<(), Error> {
    let shares = of_session(visit, session).await?.shares;
    let (db, owner) = (Db::open(&visit.env)?, visit.person()?.number());
    let Some(view) = shares.into_iter().find(|view| view.share == share) else {
        // Withdrawn before, when it could not be forgotten here, or expired.
        db.drop_share(owner, session.number, share).await?;
        return Err(Error::not_found("share"));
    };
    visit.ask_at(session, Request::Withdraw { session: session.number, share }).await?;
    db.drop_share(owner, session.number, share).await?;
    let action = match view.grantee {
        Grantee::Guest => Action::GuestLinkWithdrawn,
        Grantee::Person(_) | Grantee::Team(_) => Action::Unshared,
    };
    audit::note(visit, event(action, &view)).await;
    Ok(())
}

/// Deletes a session with everything that was for it alone: shares, guests, tokens.
pub async fn delete_session(visit: &Visit, session: &Place<u64>) -> Result<Reply, Error> {
    let reply = visit.ask_at(session, Request::DeleteSession { session: session.number }).await?;
    let (db, owner) = (Db::open(&visit.env)?, visit.person()?.number());
    db.revoke_session_tokens(owner, session.number, visit.now_ms).await?;
    db.drop_shares(owner, session.number).await?;
    Ok(reply)
}

/// The address that opens a guest link. Its secret is behind the `#`: browsers keep that to themselves.
pub fn address_of(visit: &Visit, link: &str) -> String {
    format!("{}/guest#{link}", visit.origin())
}

fn event(action: Action, view: &ShareView) -> Event {
    Event::of(action)
        .on(format!("session {}", view.session))
        .with("share", view.share.to_string())
        .with("kind", view.grantee.kind())
        .with("grantee", view.grantee.id())
        .with("name", view.name.as_str())
        .with("right", view.right.word())
}

fn expires_ms(seconds: Option<u64>, now_ms: u64) -> Result<u64, Error> {
    match seconds {
        None => Ok(0),
        Some(seconds) if LIFE_S.contains(&seconds) => Ok(now_ms + seconds * 1000),
        Some(_) => {
            Err(Error::invalid("expires_in_s", "A share lives for a minute to 366 days, or until it is withdrawn."))
        }
    }
}

/// With whom, what people call them, and a team's number at GitHub.
async fn grantee(visit: &Visit, db: &Db, wish: &Wish) -> Result<(Grantee, String, u64), Error> {
    let text = wish.grantee.trim();
    match wish.kind.as_str() {
        "person" => {
            let unknown = || {
                let message = "Nobody who works here has this login or address. They have to sign in once first; for \
                     somebody who cannot, make a guest link.";
                Error::invalid("grantee", message)
            };
            let row = db.person_named(text).await?.ok_or_else(unknown)?;
            let id = row.id.to_string();
            Ok((Grantee::Person(id), if row.name.is_empty() { row.login } else { row.name }, 0))
        }
        "team" => {
            let Some(entity @ Entity::Team(..)) = Entity::parse("team", text) else {
                return Err(Error::invalid("grantee", "Write a team as organisation/team."));
            };
            let team = entity.name();
            let gate = Gate { env: &visit.env, config: &visit.config, db, now_ms: visit.now_ms };
            let own = db.person(visit.person()?.number()).await?.filter(|row| row.github != 0);
            let number = match own {
                Some(row) => teams::number(&gate, &row, &team).await.map_err(unasked)?,
                None => None,
            };
            let github = number.ok_or_else(|| {
                let message =
                    "GitHub does not say that you are in this team. A session is shared with teams of your own.";
                Error::invalid("grantee", message)
            })?;
            Ok((Grantee::Team(team.clone()), team, github))
        }
        "guest" => {
            let name = wish.name.trim();
            Ok((Grantee::Guest, if name.is_empty() { GUEST_LINK.to_owned() } else { name.to_owned() }, 0))
        }
        _ => Err(Error::invalid("kind", "Share with a person, a team or a guest.")),
    }
}

/// GitHub could not be asked about a team.
fn unasked(failure: Failure) -> Error {
    let why = match failure {
        Failure::Refused(why) | Failure::Stale(why) | Failure::Setup(why) | Failure::Unavailable(why) => why,
    };
    Error::new(Kind::Unavailable, "GitHub could not be asked about this team. Try again in a moment.").with_detail(why)
}
