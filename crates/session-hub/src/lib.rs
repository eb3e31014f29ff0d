//! Everything a SessionHub decides: registry of runners and sessions, terminals, prompt queue, timeline, status, and which
//! bytes go to whom. It has no I/O: [`Hub::handle`] takes the time and one input and returns effects.
//!
//! * [`call`]: what the Worker asks of the hub, and the answers that pages and the API are made from.
//! * [`effect`]: inputs and effects, the whole border of this crate.
//! * [`store`]: the one trait that its SQL runs through.
//! * [`limits`]: the hub's own bounds; those of the wire are in the protocol crate.
//! * [`lobby`]: where claudecodeui instances wait until it is known whose they are, and stay.
//! * `hub`: the dispatcher; `sockets`, `runner`, `viewer` and `calls` take its inputs apart.
//! * `answer`: what may be typed by somebody who answers agents and does not drive.
//! * [`standing`]: on what grounds somebody comes, and what that lets them do.
//! * `ends`: what ends by itself, and the one alarm for it.
//! * `registry`: what the store holds, cached in memory; `prompts`, `timeline`, `audit`, `checkpoints` and `writers` own the
//!   other tables, `migrations` their shape.
//! * `watch`: who watches which terminal and how far each is: the hot path, which never touches the store.
//!
//! **Invariant.** Memory is a cache: a hub rebuilt from its store and its sockets' attachments behaves like the one it
//! replaces. **Invariant.** No statement runs on the path of a keystroke or of output.

mod answer;
mod audit;
pub mod call;
mod calls;
mod checkpoints;
mod db;
pub mod effect;
mod ends;
mod hub;
pub mod limits;
pub mod lobby;
mod migrations;
mod out;
mod prompts;
mod registry;
mod runner;
mod sockets;
pub mod standing;
mod status;
pub mod store;
mod text;
mod timeline;
mod viewer;
mod views;
mod watch;
mod writers;

pub use hub::Hub;
