//! `/sessions/:session/people` and `/guest`.

use askama::Template;
use protocol::right::Right;
use session_hub::call::{Grantee, ShareView, Shares};

use super::text::{initials, visible};
use super::time::{When, age};
use super::{Nav, Visitor};

/// With whom a session is shared.
#[derive(Template)]
#[template(path = "pages/people.html")]
pub struct PeoplePage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub session: u64,
    pub name: String,
    pub rows: Vec<ShareRow>,
    /// Logins and addresses of people who could be invited, with their names.
    pub colleagues: Vec<(String, String)>,
    pub fresh: Option<FreshLink>,
    pub rights: [(&'static str, &'static str); 4],
}

/// A guest link that was just made.
pub struct FreshLink {
    pub name: String,
    pub address: String,
}

/// One share.
pub struct ShareRow {
    pub share: u64,
    pub kind: &'static str,
    pub icon: &'static str,
    pub name: String,
    pub initials: String,
    /// What the form says to give somebody another right; empty for guest links, of which another is made.
    pub grantee: String,
    pub right: &'static str,
    pub right_label: &'static str,
    pub here: bool,
    /// "ends in 3 h", where it ends.
    pub ends: Option<String>,
    pub since: When,
}

impl<'a> PeoplePage<'a> {
    /// The page; colleagues are logins and names.
    #[must_use]
    pub fn new(
        shares: &Shares,
        colleagues: &[(String, String)],
        fresh: Option<FreshLink>,
        visitor: &'a Visitor,
    ) -> PeoplePage<'a> {
        let colleague = |(login, name): &(String, String)| (visible(login), visible(name));
        PeoplePage {
            visitor,
            nav: Nav::Sessions,
            session: shares.session,
            name: visible(&shares.name),
            rows: shares.shares.iter().map(|share| ShareRow::new(share, shares.now_ms)).collect(),
            colleagues: colleagues.iter().map(colleague).collect(),
            fresh: fresh.map(|fresh| FreshLink { name: visible(&fresh.name), ..fresh }),
            rights: Right::GIVEN.map(|right| (right.word(), sentence(right))),
        }
    }
}

impl ShareRow {
    fn new(share: &ShareView, now_ms: u64) -> ShareRow {
        let (kind, icon, grantee) = match &share.grantee {
            // People are named by number here: a login may change hands while the page is open.
            Grantee::Person(id) => ("person", "people", format!("#{id}")),
            Grantee::Team(team) => ("team", "people", team.clone()),
            Grantee::Guest => ("guest", "link", String::new()),
        };
        ShareRow {
            share: share.share,
            kind,
            icon,
            name: visible(&share.name),
            initials: initials(&share.name),
            grantee,
            right: share.right.word(),
            right_label: may(share.right),
            here: share.here,
            ends: (share.expires_ms != 0).then(|| span(share.expires_ms.saturating_sub(now_ms))),
            since: age(share.created_ms, now_ms),
        }
    }
}

/// `GET /guest`.
#[derive(Template)]
#[template(path = "pages/guest.html")]
pub struct GuestPage {}

/// What somebody with this right may do, after their name.
#[must_use]
pub fn may(right: Right) -> &'static str {
    match right {
        Right::Viewer => "may watch",
        Right::Prompter => "may prompt",
        Right::Approver => "may answer",
        Right::Driver => "may drive",
        Right::Owner => "owns it",
    }
}

/// What a right is, where one is chosen.
fn sentence(right: Right) -> &'static str {
    match right {
        Right::Viewer => "may watch",
        Right::Prompter => "may prompt: watch, and send prompts",
        Right::Approver => "may answer: also answer what an agent asks",
        Right::Driver => "may drive: also type, open and end terminals",
        Right::Owner => "owns it",
    }
}

/// A span of time to come, in its largest unit, rounded up.
fn span(ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    match ms.div_ceil(MINUTE) {
        minutes @ 0..=90 => format!("in {minutes} min"),
        minutes @ 91..=2_880 => format!("in {} h", minutes.div_ceil(60)),
        minutes => format!("in {} days", minutes.div_ceil(24 * 60)),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_to_come_is_rounded_up() {
        assert_eq!(span(1), "in 1 min");
        assert_eq!(span(24 * 60 * 60_000), "in 24 h");
        assert_eq!(span(7 * 24 * 60 * 60_000), "in 7 days");
    }
}
