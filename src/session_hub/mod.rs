//! The hub's object as the platform sees it, and the one way to reach it.
//!
//! * [`adapter`]: the Durable Object's class: decode, call, execute effects.
//! * `sockets`: which socket has which id, across hibernation.
//! * `attachment`: what a socket keeps through an eviction.
//! * `orders`: what the hub wants of lobbies.
//! * [`sqlite`]: the object's SQLite behind the hub's one trait.
//! * `live`: the newest sign of life of each runner.
//! * `push`: fragments for the pages that show what changed.
//! * [`client`]: typed calls and handshakes from the Worker.

pub mod adapter;
pub(crate) mod attachment;
pub mod client;
mod live;
mod orders;
mod push;
mod sockets;
pub mod sqlite;

pub(crate) use adapter::set_alarm;
