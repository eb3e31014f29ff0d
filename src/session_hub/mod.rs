//! The hub's object as the platform sees it, and the one way to reach it.
//!
//! * [`adapter`]: the Durable Object's class: decode, call, execute effects.
//! * `sockets`: which socket has which id, across hibernation.
//! * [`sqlite`]: the object's SQLite behind the hub's one trait.
//! * `live`: the newest sign of life of each runner.
//! * `push`: fragments for the pages that show what changed.
//! * [`client`]: typed calls and handshakes from the Worker.

pub mod adapter;
pub mod client;
mod live;
mod push;
mod sockets;
pub mod sqlite;
