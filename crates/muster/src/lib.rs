//! The runner and the command line of Muster, as modules that tests can reach.
//!
//! * [`cli`]: the words a person types.
//! * [`config`]: `config.toml`, the allow-list of agents, where things lie on disk.
//! * [`credentials`]: what `muster login` keeps, in the system's keyring or a file of its user's own.
//! * [`hub_link`]: from a token to a WebSocket at the hub, for ever.
//! * [`login`]: the conversation by which a hub comes to trust this machine.
//! * [`sessions`]: one's own sessions and those that others share, as the hub lists them.
//! * [`runner`]: the switch between that socket and the keepers.
//!
//! A keeper owns one PTY in a process of its own, so that this one may die at any time.

pub mod cli;
pub mod config;
pub mod credentials;
pub mod hub_link;
pub mod keeper;
pub mod login;
pub mod runner;
pub mod sessions;
