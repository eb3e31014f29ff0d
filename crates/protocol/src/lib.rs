//! Muster's wire: what hub, runner, command line and browser say to one another over `/ws/connect`.
//!
//! Owns the types, the codec, the limits, the close codes and the versions. It knows no I/O, no clock and no randomness,
//! so that every side, native or WebAssembly, shares it. `docs/protocol.md` states the same for foreign clients.
//!
//! * [`audit`]: an entry of the audit log, its canonical bytes, its hash, and the check of a chain.
//! * [`frame`]: binary data frames, a fixed header and a payload.
//! * [`control`]: JSON control messages, one enum for each direction.
//! * [`claudecodeui`]: the messages of claudecodeui instances, a small protocol of its own.
//! * [`limits`]: every bound, with its arithmetic.
//! * [`close`]: the named close codes and whether to reconnect.
//! * [`deflate`]: the raw-deflate payload encoding.
//! * [`right`]: what somebody may do with a session.
//! * [`status`]: an agent's status, a prompt's state.
//!
//! **Trust.** Every decoder takes bytes from a stranger: it bounds, checks and returns a typed error, and never panics.
//! No message names the identity of its sender; identity comes from the socket.

pub mod audit;
pub mod claudecodeui;
pub mod close;
pub mod control;
pub mod deflate;
pub mod frame;
pub mod limits;
pub mod right;
pub mod status;

/// The WebSocket subprotocol that both sides must name in the handshake.
pub const SUBPROTOCOL: &str = "muster.1";

/// Keep-alive request: literally this text, so that the hub's runtime answers it without waking the object.
pub const PING: &str = r#"{"type":"ping"}"#;

/// Keep-alive answer, paired with [`PING`].
pub const PONG: &str = r#"{"type":"pong"}"#;
