//! Doubles of everything around the hub: its store, its sockets, the runner and the viewers.

pub mod lobby;
pub mod pattern;
pub mod runner;
pub mod stage;
pub mod twin;
pub mod viewer;
pub mod world;

pub use lobby::{Hall, LOBBY};
pub use runner::ModelRunner;
pub use stage::Stage;
pub use twin::Twin;
pub use viewer::ModelViewer;
pub use world::{Down, Up, World};
