//! Lobbies as the platform sees them, and the one way to reach them: Durable Objects that hold the sockets of claudecodeui
//! instances of all people, since whose one is is only said in its first message.
//!
//! * [`adapter`]: the Durable Object's class: decode, call, execute effects.
//! * [`client`]: handshakes from the Worker, orders from hubs.

pub mod adapter;
pub mod client;
