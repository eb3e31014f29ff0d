//! Renders what changed for the pages that show it: once for each topic, the very fragments that the pages are made of.

use protocol::audit::Via;
use session_hub::call::{Call, Caller, Reply, Request, Shared};
use session_hub::effect::Topic;
use session_hub::standing::Standing;

use crate::pages::view::{Vantage, push};

/// What to ask the hub about a topic, for somebody who was invited or, without one, for the owner: asking changes nothing,
/// so then nobody in particular asks.
pub(super) fn question(topic: Topic, onlooker: Option<&Caller>) -> Call {
    let request = match topic {
        Topic::Dashboard | Topic::Clients => Request::Board,
        Topic::Instance(instance) => Request::Instance { instance },
        Topic::Session(session) => Request::Session { session },
        Topic::Shared => Request::Shared,
    };
    Call { caller: onlooker.cloned().unwrap_or_else(nobody), request }
}

/// Who asks when nobody does.
pub(super) fn nobody() -> Caller {
    Caller { person: String::new(), name: String::new(), via: Via::System, standing: Standing::Owner }
}

/// The fragments for a topic, from the hub's answer about it at this time; `None` when there is nothing to say.
pub(super) fn render(topic: Topic, reply: &Reply, now_ms: u64, onlooker: Option<&Caller>) -> Option<String> {
    let vantage = onlooker.map_or_else(Vantage::own, |caller| Vantage::of(&caller.standing));
    match (topic, reply) {
        (Topic::Dashboard, Reply::Board(board)) => Some(push::dashboard(board)),
        (Topic::Clients, Reply::Board(board)) => Some(push::clients(board)),
        (Topic::Instance(_), Reply::Instance(instance)) => Some(push::instance(instance, now_ms)),
        (Topic::Instance(_), Reply::Refused(_)) => Some(push::instance_gone()),
        (Topic::Session(_), Reply::Session(detail)) => Some(push::session(detail, &vantage)),
        (Topic::Session(_), Reply::Refused(_)) => Some(push::gone(&vantage)),
        (Topic::Shared, Reply::Refused(_)) => Some(push::shared(&Shared::default(), &vantage)),
        (Topic::Shared, Reply::Shared(shared)) => Some(push::shared(shared, &vantage)),
        _ => None,
    }
}
