//! Renders what changed for the pages that show it: once for each topic, the very fragments that the pages are made of.

use protocol::audit::Via;
use session_hub::call::{Call, Caller, Reply, Request};
use session_hub::effect::Topic;

use crate::pages::view::push;

/// What to ask the hub about a topic; asking changes nothing, so nobody in particular asks.
pub(super) fn question(topic: Topic) -> Call {
    let caller = Caller { person: String::new(), name: String::new(), via: Via::System };
    let request = match topic {
        Topic::Dashboard => Request::Board,
        Topic::Session(session) => Request::Session { session },
    };
    Call { caller, request }
}

/// The fragments for a topic, from the hub's answer about it; `None` when there is nothing to say.
pub(super) fn render(topic: Topic, reply: &Reply) -> Option<String> {
    match (topic, reply) {
        (Topic::Dashboard, Reply::Board(board)) => Some(push::dashboard(board)),
        (Topic::Session(_), Reply::Session(detail)) => Some(push::session(detail)),
        (Topic::Session(_), Reply::Refused(_)) => Some(push::gone()),
        _ => None,
    }
}
