//! Renders what changed for the pages that show it: once for each topic, the very fragments that the pages are made of.

use protocol::audit::Via;
use session_hub::call::{Call, Caller, Reply, Request};
use session_hub::effect::Topic;

use crate::pages::view::push;

/// What to ask the hub about a topic; asking changes nothing, so nobody in particular asks.
pub(super) fn question(topic: Topic) -> Call {
    let request = match topic {
        Topic::Dashboard | Topic::Clients => Request::Board,
        Topic::Instance(instance) => Request::Instance { instance },
        Topic::Session(session) => Request::Session { session },
    };
    Call { caller: nobody(), request }
}

/// Who asks when nobody does.
pub(super) fn nobody() -> Caller {
    Caller { person: String::new(), name: String::new(), via: Via::System }
}

/// The fragments for a topic, from the hub's answer about it at this time; `None` when there is nothing to say.
pub(super) fn render(topic: Topic, reply: &Reply, now_ms: u64) -> Option<String> {
    match (topic, reply) {
        (Topic::Dashboard, Reply::Board(board)) => Some(push::dashboard(board)),
        (Topic::Clients, Reply::Board(board)) => Some(push::clients(board)),
        (Topic::Instance(_), Reply::Instance(instance)) => Some(push::instance(instance, now_ms)),
        (Topic::Instance(_), Reply::Refused(_)) => Some(push::instance_gone()),
        (Topic::Session(_), Reply::Session(detail)) => Some(push::session(detail)),
        (Topic::Session(_), Reply::Refused(_)) => Some(push::gone()),
        _ => None,
    }
}
