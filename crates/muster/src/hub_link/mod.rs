//! From a token to a WebSocket at the hub, for ever.
//!
//! Owns the way there: address, TLS, the exchange of the token for a short-lived JWT, the handshake, the backoff between
//! attempts and the keep-alive. Invariant: no token and no JWT ever reaches a log, a URL or an error text. It must not know
//! what travels over the socket.

pub mod address;
pub mod backoff;
mod dial;
pub mod exchange;
pub mod http;
pub mod keep_alive;
#[cfg(test)]
pub(crate) mod model;
pub mod socket;

pub use address::HubAddress;
pub use dial::Dialler;

/// Why the hub was not reached; the texts are for people and name no secret.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Name resolution, TCP or TLS failed.
    #[error("cannot reach {address}: {why}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// The system's words.
        why: String,
    },
    /// It took longer than the named number of seconds.
    #[error("{address} did not answer within {seconds} s")]
    TimedOut {
        /// Host and port.
        address: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The hub does not know the token.
    #[error(
        "the hub refuses the token ({message}): it is wrong or was revoked. Make a new one in the hub's settings and give \
         it with --token-file"
    )]
    TokenRefused {
        /// The hub's words.
        message: String,
    },
    /// The hub does not take the JWT any more.
    #[error("the hub asks for a fresh sign-in")]
    Unauthorized,
    /// The hub speaks none of this program's versions.
    #[error("the hub does not speak {}; update the older side", protocol::SUBPROTOCOL)]
    Version,
    /// This machine is in the way: its token file or its state folder.
    #[error("{0}")]
    Local(String),
    /// An answer that a hub of this version would not give.
    #[error("unexpected answer from {address}: {why}")]
    Answer {
        /// Host and port.
        address: String,
        /// What was wrong with it.
        why: String,
    },
}

/// Text that must not be printed. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret without the white space around it.
    pub fn new(text: &str) -> Secret {
        Secret(text.trim().to_owned())
    }

    /// The secret as an `Authorization` header.
    fn bearer(&self) -> Result<hyper::header::HeaderValue, hyper::header::InvalidHeaderValue> {
        let mut value = hyper::header::HeaderValue::try_from(format!("Bearer {}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The secret itself, for the one place that keeps it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
