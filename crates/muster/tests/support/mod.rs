//! The other ends of a runner, as small models that a test drives: a hub, a keeper, and the runner's process.
//!
//! Nothing here sleeps: every wait is for an event and is bounded by [`PATIENCE`].
#![allow(dead_code, missing_docs)] // Each test file uses a part of it.

pub mod hub;
pub mod keeper;
pub mod process;
pub mod tls;

use std::time::Duration;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
