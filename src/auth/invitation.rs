//! On what grounds somebody comes to another person's hub: a share with them, with a team that GitHub says they are in, or a
//! guest link that they opened.
//!
//! What is found here only says who knocks. The owner's hub decides, on each message, what its shares let them do.

use session_hub::call::{Caller, Request};
use session_hub::standing::{Invited, Standing};
use worker::Env;

use super::guest::{self, Guest};
use super::{Identity, Person, SignIn, Token, teams};
use crate::audit::Via;
use crate::error::Error;
use crate::http::Visit;
use crate::session_hub::client;
use crate::store::Db;
use crate::store::shares::{GroundRow, TeamRow};

/// Somebody before a hub.
#[derive(Clone, Debug)]
pub struct Knock {
    /// Who.
    pub person: Person,
    /// On what grounds.
    pub standing: Standing,
    /// When what lets them in ends; 0: when it is withdrawn.
    pub ends_ms: u64,
}

/// Whoever asks, before this owner's hub; `None`: their own. To whom nothing is shared, the hub does not exist.
pub async fn knock(visit: &Visit, identity: &Identity, owner: Option<u64>) -> Result<Knock, Error> {
    let nothing = || Error::not_found("session");
    let own = identity.person().map_or(0, Person::number);
    let owner = owner.filter(|owner| *owner != own);
    let Some(owner) = owner else {
        return match identity {
            Identity::SignedIn(SignIn { person, .. }) | Identity::Token(Token { person, .. }) => {
                Ok(Knock { person: person.clone(), standing: Standing::Owner, ends_ms: 0 })
            }
            Identity::Guest(_) => Err(nothing()),
            Identity::Nobody => Err(Error::unauthorized("Sign in first.")),
        };
    };
    let db = Db::open(&visit.env)?;
    match identity {
        Identity::Guest(guest) => by_link(guest, owner).ok_or_else(nothing),
        Identity::Token(token) => by_share(visit, &db, &token.person, owner).await?.ok_or_else(nothing),
        Identity::SignedIn(sign_in) => {
            if let Some(knock) = by_share(visit, &db, &sign_in.person, owner).await? {
                return Ok(knock);
            }
            // Somebody who works here may be another's guest all the same.
            let guest = guest::of(visit, &db).await?;
            guest.and_then(|guest| by_link(&guest, owner)).ok_or_else(nothing)
        }
        Identity::Nobody => Err(Error::unauthorized("Sign in first.")),
    }
}

fn by_link(guest: &Guest, owner: u64) -> Option<Knock> {
    let invited = Invited {
        owner: owner.to_string(),
        owner_name: guest.owner_name.clone(),
        teams: Vec::new(),
        link: Some(guest.share),
    };
    let (person, ends_ms) = (guest.person.clone(), guest.ends_ms);
    (guest.owner == owner).then_some(Knock { person, standing: Standing::Invited(invited), ends_ms })
}

async fn by_share(visit: &Visit, db: &Db, person: &Person, owner: u64) -> Result<Option<Knock>, Error> {
    let grounds = db.grounds(owner, person.number(), visit.now_ms).await?;
    let Some(first) = grounds.first() else { return Ok(None) };
    let owner_name = first.owner_name.clone();
    let is_named = grounds.iter().any(|ground| ground.kind == "person");
    let team = |ground: GroundRow| TeamRow { team: ground.grantee, github: ground.github };
    let candidates = grounds.into_iter().filter(|ground| ground.kind == "team").map(team).collect();
    let teams = teams::among(visit, db, person.number(), candidates).await?;
    if !is_named && teams.is_empty() {
        return Ok(None);
    }
    // What a team lets in knocks again when its confirmation is over, should every word of a loss have gone astray.
    let ends_ms = if is_named { 0 } else { visit.now_ms + teams::PROOF_MS };
    let invited = Invited { owner: owner.to_string(), owner_name, teams, link: None };
    Ok(Some(Knock { person: person.clone(), standing: Standing::Invited(invited), ends_ms }))
}

/// Closes what a person has open as a browser or a command line, in their own hub and in those that share with them. What may
/// come back does by itself.
pub async fn close_sockets(env: &Env, db: &Db, person: u64) -> Result<(), Error> {
    let own = close_sockets_at(env, person, &person.to_string()).await;
    close_visits(env, db, person).await?;
    own
}

/// Closes what a person has open in others' hubs. One that does not answer keeps no other from being told.
pub async fn close_visits(env: &Env, db: &Db, person: u64) -> Result<(), Error> {
    let mut told = Ok(());
    for owner in db.owners_sharing_with(person).await? {
        told = close_sockets_at(env, owner.owner, &person.to_string()).await.and(told);
    }
    told
}

/// Closes what a person or a guest, as hubs know them, has open in one hub.
pub async fn close_sockets_at(env: &Env, owner: u64, person: &str) -> Result<(), Error> {
    let caller = Caller { person: owner.to_string(), name: String::new(), via: Via::System, standing: Standing::Owner };
    client::call(env, caller, Request::CloseSockets { person: person.to_owned() }).await?;
    Ok(())
}
