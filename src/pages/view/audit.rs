//! The audit log as a table: who did what when, filters, the head hash to note down, and what to download.

use askama::Template;
use protocol::audit::{Action, ActorKind, Entry};
use session_hub::call::{AuditPage, AuditWanted};

use super::text::visible;
use super::time::iso;
use super::{Nav, Visitor};

/// Entries on one page.
pub const PAGE_ENTRIES: usize = 50;
/// Entries in one download; as many as the API gives at once.
const DOWNLOAD_ENTRIES: u64 = crate::store::audit::READ_MAX;
/// Downloads that are offered; what is older is at the API.
const DOWNLOADS_MAX: usize = 20;

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The deployment's.
    Deployment,
    /// The one of the person's own hub.
    Hub,
}

/// `GET /settings/audit`.
#[derive(Template)]
#[template(path = "pages/audit.html")]
pub struct AuditView<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub is_deployment: bool,
    pub is_admin: bool,
    pub head_seq: u64,
    pub head_hash: &'a str,
    pub rows: Vec<AuditRow>,
    pub actor: &'a str,
    pub since: String,
    pub until: String,
    pub actions: Vec<ActionChoice>,
    /// The query of the next page of older entries.
    pub older: Option<String>,
    pub downloads: Vec<Download>,
}

/// One entry.
pub struct AuditRow {
    pub seq: u64,
    pub at: String,
    pub actor: String,
    pub via: String,
    pub action: String,
    pub target: String,
    pub detail: String,
    pub hash: String,
}

/// One action in the filter.
pub struct ActionChoice {
    pub word: &'static str,
    pub label: String,
    pub chosen: bool,
}

/// One file.
pub struct Download {
    pub href: String,
    pub first: u64,
    pub last: u64,
}

impl<'a> AuditView<'a> {
    /// The page for what the log answered: at most one entry more than it shows. `days` are the filter's, as they were typed.
    #[must_use]
    pub fn new(
        which: Which,
        is_admin: bool,
        found: &'a AuditPage,
        wanted: &'a AuditWanted,
        days: (String, String),
        visitor: &'a Visitor,
    ) -> AuditView<'a> {
        let shown = found.entries.get(..PAGE_ENTRIES).unwrap_or(&found.entries);
        let (since, until) = days;
        let last = shown.last().filter(|_| found.entries.len() > shown.len());
        let older = last.map(|last| {
            serde_urlencoded::to_string([
                ("log", which.word()),
                ("actor", &wanted.actor),
                ("action", &wanted.action),
                ("since", &since),
                ("until", &until),
                ("before", &last.seq.to_string()),
            ])
            .unwrap_or_default()
        });
        let choice = |action: &Action| ActionChoice {
            word: action.word(),
            label: label(action.word()),
            chosen: wanted.action == action.word(),
        };
        AuditView {
            visitor,
            nav: Nav::Settings,
            is_deployment: which == Which::Deployment,
            is_admin,
            head_seq: found.head.seq,
            head_hash: &found.head.hash,
            rows: shown.iter().map(row).collect(),
            actor: &wanted.actor,
            since,
            until,
            actions: Action::ALL.iter().map(choice).collect(),
            older,
            downloads: downloads(which, found.head.seq),
        }
    }
}

impl Which {
    /// The word in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Which::Deployment => "deployment",
            Which::Hub => "hub",
        }
    }
}

fn row(entry: &Entry) -> AuditRow {
    let actor = match entry.actor.kind {
        ActorKind::Person => visible(&entry.actor.name),
        ActorKind::Token => format!("token {}", visible(&entry.actor.name)),
        ActorKind::Stranger => "a stranger".to_owned(),
        ActorKind::System => "the hub".to_owned(),
    };
    let detail: Vec<String> =
        entry.detail.iter().map(|(key, value)| format!("{}: {}", visible(key), visible(value))).collect();
    AuditRow {
        seq: entry.seq,
        at: iso(entry.at_ms),
        actor,
        via: entry.via.clone(),
        action: label(&entry.action),
        target: visible(&entry.target),
        detail: detail.join(", "),
        hash: entry.hash.chars().take(12).collect(),
    }
}

/// `signed_in` as people read it: "Signed in".
fn label(word: &str) -> String {
    let text = visible(word).replace('_', " ");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => text,
    }
}

/// Files that together hold the whole log, newest last.
fn downloads(which: Which, newest: u64) -> Vec<Download> {
    let path = match which {
        Which::Deployment => "/api/audit",
        Which::Hub => "/api/audit/hub",
    };
    let files = newest.div_ceil(DOWNLOAD_ENTRIES);
    let skipped = files.saturating_sub(DOWNLOADS_MAX as u64);
    (skipped..files)
        .map(|file| {
            let first = file * DOWNLOAD_ENTRIES + 1;
            let last = newest.min(first + DOWNLOAD_ENTRIES - 1);
            Download { href: format!("{path}?from_seq={first}&limit={}", last + 1 - first), first, last }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_hold_every_entry_once() {
        assert!(downloads(Which::Hub, 0).is_empty());
        let files = downloads(Which::Deployment, 2 * DOWNLOAD_ENTRIES + 3);
        let spans: Vec<_> = files.iter().map(|file| (file.first, file.last)).collect();
        let size = DOWNLOAD_ENTRIES;
        assert_eq!(spans, [(1, size), (size + 1, 2 * size), (2 * size + 1, 2 * size + 3)]);
        assert_eq!(files[2].href, format!("/api/audit?from_seq={}&limit=3", 2 * size + 1));
        assert_eq!(downloads(Which::Hub, 1_000 * DOWNLOAD_ENTRIES).len(), DOWNLOADS_MAX);
    }

    #[test]
    fn a_word_is_shown_as_people_write() {
        assert_eq!(label("sign_in_refused"), "Sign in refused");
        assert_eq!(label(""), "");
    }
}
