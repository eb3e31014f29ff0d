//! On what grounds somebody comes to a hub, and what that lets them do: one question for each message and each call, answered
//! from the shares as they are at that moment.
//!
//! **Invariant.** Who was invited may do what a share of that session gives now, and nothing else: a request without a row in
//! `Hub::admits` does not compile, and a session that is not shared with them does not exist for them.

use protocol::control::ErrorCode;
use protocol::right::Right;
use serde::{Deserialize, Serialize};

use crate::call::{Caller, Grantee, Request};
use crate::db::Fault;
use crate::hub::Hub;
use crate::registry::Share;
use crate::store::Store;
use crate::text::refused;

/// On what grounds somebody comes to a hub; decided by the Worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is their own hub, or the hub's own clock asks.
    #[default]
    Owner,
    /// Somebody shared a session of it.
    Invited(Invited),
}

/// Somebody with whom a session may be shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// Whose hub it is, as its sessions' addresses begin.
    pub owner: String,
    /// What people call the owner.
    pub owner_name: String,
    /// Teams that the person is in, among those that this hub shares with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// The guest link that was opened; who came by one has no other share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<u64>,
}

impl Standing {
    pub(crate) fn is_owner(&self) -> bool {
        *self == Standing::Owner
    }
}

impl Invited {
    /// Whether a share is theirs.
    pub(crate) fn has(&self, person: &str, share: &Share) -> bool {
        match (&share.grantee, self.link) {
            (Grantee::Guest, link) => link == Some(share.share),
            (_, Some(_)) => false,
            (Grantee::Person(grantee), None) => grantee == person,
            (Grantee::Team(team), None) => self.teams.contains(team),
        }
    }
}

impl<S: Store> Hub<S> {
    /// What somebody may do with a session at this moment.
    pub(crate) fn right(&self, standing: &Standing, person: &str, session: u64, now_ms: u64) -> Option<Right> {
        match standing {
            Standing::Owner => Some(Right::Owner),
            Standing::Invited(invited) => {
                let shares = self.registry.shares.values().filter(|share| share.session == session);
                let theirs = shares.filter(|share| share.holds_at(now_ms) && invited.has(person, share));
                theirs.map(|share| share.right).max()
            }
        }
    }

    /// What a caller may do with a session that they know of.
    pub(crate) fn right_of(&self, who: &Caller, session: u64, now_ms: u64) -> Option<Right> {
        self.right(&who.standing, &who.person, session, now_ms)
    }

    /// Whether the caller may ask this.
    pub(crate) fn admits(&self, who: &Caller, request: &Request, now_ms: u64) -> Result<(), Fault> {
        if who.standing.is_owner() {
            return Ok(());
        }
        // What is not there and what is not theirs are refused in the same words: nobody learns what else there is.
        let of_terminal = |terminal: &u32| self.session_of(*terminal).ok_or_else(not_shared);
        let (session, wanted) = match request {
            Request::Shared => return Ok(()),
            Request::Session { session } => (*session, Right::Viewer),
            Request::Terminal { terminal } => (of_terminal(terminal)?, Right::Viewer),
            Request::QueuePrompt { terminal, .. } => (of_terminal(terminal)?, Right::Prompter),
            Request::EditPrompt { prompt, .. } | Request::CancelPrompt { prompt } => {
                let (session, author) = self.prompt_origin(*prompt)?.ok_or_else(not_shared)?;
                (session, if author == who.person { Right::Prompter } else { Right::Driver })
            }
            Request::OpenTerminal { session, runner, .. } if runner.is_empty() => (*session, Right::Driver),
            Request::StopTerminal { terminal, .. }
            | Request::RestartTerminal { terminal }
            | Request::CloseTerminal { terminal } => (of_terminal(terminal)?, Right::Driver),
            // Only the owner puts the work of a session onto another machine, puts it away, or says who sees it.
            Request::OpenTerminal { session, .. }
            | Request::RenameSession { session, .. }
            | Request::ArchiveSession { session, .. }
            | Request::DeleteSession { session }
            | Request::Shares { session }
            | Request::Share { session, .. }
            | Request::Withdraw { session, .. } => (*session, Right::Owner),
            Request::Health
            | Request::Board
            | Request::CreateSession { .. }
            | Request::Runner { .. }
            | Request::AddRunner { .. }
            | Request::RenameRunner { .. }
            | Request::RevokeRunner { .. }
            | Request::AuditFrom { .. }
            | Request::AuditPage { .. }
            | Request::Instance { .. }
            | Request::CommandInstance { .. }
            | Request::ForgetInstance { .. }
            | Request::RevokeInstances { .. }
            | Request::Lobby { .. }
            | Request::Invited
            | Request::CloseAll { .. }
            | Request::CloseSockets { .. } => return Err(refused(ErrorCode::NotFound, "There is nothing here.")),
        };
        match self.right_of(who, session, now_ms) {
            Some(right) if right >= wanted => Ok(()),
            Some(right) => Err(refused(ErrorCode::Forbidden, too_little(right, wanted))),
            None => Err(not_shared()),
        }
    }
}

/// What somebody hears of anything that is not theirs, whether or not it is there.
fn not_shared() -> Fault {
    refused(ErrorCode::NotFound, "There is no such session, or it is not shared with you any more.")
}

/// Why somebody may not do what needs more.
pub(crate) fn too_little(right: Right, wanted: Right) -> &'static str {
    match (right, wanted) {
        (_, Right::Owner) => "Only the owner of this session may do that.",
        (Right::Viewer, _) => "You may watch this session. Ask its owner to let you do more.",
        (Right::Prompter, _) => "You may watch this session and prompt it. Ask its owner to let you do more.",
        (_, _) => "You may prompt this session and answer its agents. Ask its owner to let you drive.",
    }
}
