//! The runner and the command line of Muster, as modules that tests can reach.
//!
//! * [`cli`]: the words a person types.
//! * [`config`]: `config.toml`, the allow-list of agents, where things lie on disk.
//! * [`hub_link`]: from a token to a WebSocket at the hub, for ever.
//! * [`runner`]: the switch between that socket and the keepers.
//!
//! A keeper owns one PTY in a process of its own, so that this one may die at any time.

pub mod cli;
pub mod config;
pub mod hub_link;
pub mod keeper;
pub mod runner;
