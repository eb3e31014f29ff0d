//! claudecodeui instances: a line of the list, a cell of the strip, the card.

use askama::Template;
use protocol::claudecodeui::InstanceStatus;
use session_hub::call::InstanceView;

use super::status::Mark;
use super::text::visible;
use super::time::{When, age};
use super::{Nav, Visitor};

/// An instance, as every page shows it.
pub struct InstanceCard {
    /// Its id in addresses.
    pub id: String,
    /// Its project, or where it runs, or what it calls itself: the first that it said.
    pub name: String,
    pub client_id: String,
    pub hostname: String,
    pub project: String,
    pub version: String,
    pub mark: Mark,
    pub online: bool,
    /// Since when it is connected, or away.
    pub since: When,
    /// When it connected last.
    pub connected: When,
    /// When it last said what it is at.
    pub said: When,
}

impl InstanceCard {
    /// `now_ms` is the hub's.
    #[must_use]
    pub fn new(instance: &InstanceView, now_ms: u64) -> InstanceCard {
        let last = instance.project.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = [last, &instance.hostname, &instance.client_id].into_iter().find(|text| !text.is_empty());
        let since_ms = if instance.online { instance.connected_ms } else { instance.gone_ms };
        InstanceCard {
            id: instance.client.clone(),
            name: visible(name.unwrap_or_default()),
            client_id: visible(&instance.client_id),
            hostname: visible(&instance.hostname),
            project: visible(&instance.project),
            version: visible(&instance.version),
            mark: mark(instance),
            online: instance.online,
            since: age(since_ms, now_ms),
            connected: age(instance.connected_ms, now_ms),
            said: age(instance.status_ms, now_ms),
        }
    }

    /// All of them, in the hub's order.
    #[must_use]
    pub fn all(instances: &[InstanceView], now_ms: u64) -> Vec<InstanceCard> {
        instances.iter().map(|instance| InstanceCard::new(instance, now_ms)).collect()
    }
}

/// Its own words, drawn with the shapes that agents have.
fn mark(instance: &InstanceView) -> Mark {
    let (word, label) = match (instance.online, instance.status) {
        (false, _) => ("offline", "Offline"),
        (true, InstanceStatus::Idle) => ("idle", "Idle"),
        (true, InstanceStatus::Active) => ("working", "Active"),
        (true, InstanceStatus::Busy) => ("working", "Busy"),
        (true, InstanceStatus::Unknown) => ("unknown", "Unknown"),
    };
    Mark { word, icon: word, label }
}

/// `GET /clients/:id` of an instance.
#[derive(Template)]
#[template(path = "pages/instance.html")]
pub struct InstancePage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub instance: InstanceCard,
}

impl<'a> InstancePage<'a> {
    /// The page for what the hub answered.
    #[must_use]
    pub fn new(instance: &InstanceView, now_ms: u64, visitor: &'a Visitor) -> InstancePage<'a> {
        InstancePage { visitor, nav: Nav::Clients, instance: InstanceCard::new(instance, now_ms) }
    }
}

/// The card alone.
#[derive(Template)]
#[template(path = "fragments/instance.html")]
pub struct InstanceFragment {
    pub instance: InstanceCard,
}

impl InstanceFragment {
    /// The fragment for what the hub answered.
    #[must_use]
    pub fn new(instance: &InstanceView, now_ms: u64) -> InstanceFragment {
        InstanceFragment { instance: InstanceCard::new(instance, now_ms) }
    }
}
