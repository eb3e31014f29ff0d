//! Close codes of `/ws/connect`, in the private range 4000..4999. Codes are appended, never reused.

/// Why a socket was closed, and what the other side should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// A message broke the protocol's order or grammar.
    Protocol = 4000,
    /// The sign-in or token is missing, expired or wrong: prove yourself again, then reconnect.
    Unauthorized = 4001,
    /// No version in common: update the older side.
    Version = 4002,
    /// A newer connection of the same runner or instance took over.
    Replaced = 4003,
    /// A frame or message exceeded its limit.
    TooLarge = 4004,
    /// A frame or message could not be decoded.
    Malformed = 4005,
    /// Too many messages: wait, then reconnect.
    RateLimited = 4006,
    /// The token or sign-in was revoked by a person.
    Revoked = 4007,
    /// The hub is restarting or moving: reconnect at once.
    GoingAway = 4008,
    /// The first message did not come in time.
    HelloTimeout = 4009,
    /// The hub has as many sockets as it takes: wait, then reconnect.
    Overloaded = 4010,
    /// A person disconnected it: stay away until a person starts it again.
    Disconnected = 4011,
}

/// What a client does after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// Reconnect with jittered backoff.
    Backoff,
    /// Obtain a fresh JWT or sign-in first, then reconnect.
    Reauthenticate,
    /// Do not reconnect: it would be refused again.
    Never,
}

impl CloseCode {
    /// All codes, for documentation and tests.
    pub const ALL: [CloseCode; 12] = [
        CloseCode::Protocol,
        CloseCode::Unauthorized,
        CloseCode::Version,
        CloseCode::Replaced,
        CloseCode::TooLarge,
        CloseCode::Malformed,
        CloseCode::RateLimited,
        CloseCode::Revoked,
        CloseCode::GoingAway,
        CloseCode::HelloTimeout,
        CloseCode::Overloaded,
        CloseCode::Disconnected,
    ];

    /// The number on the wire.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The word that documentation, logs and close reasons use.
    pub fn name(self) -> &'static str {
        match self {
            CloseCode::Protocol => "protocol",
            CloseCode::Unauthorized => "unauthorized",
            CloseCode::Version => "version",
            CloseCode::Replaced => "replaced",
            CloseCode::TooLarge => "too_large",
            CloseCode::Malformed => "malformed",
            CloseCode::RateLimited => "rate_limited",
            CloseCode::Revoked => "revoked",
            CloseCode::GoingAway => "going_away",
            CloseCode::HelloTimeout => "hello_timeout",
            CloseCode::Overloaded => "overloaded",
            CloseCode::Disconnected => "disconnected",
        }
    }

    /// What the closed side should do.
    pub fn reconnect(self) -> Reconnect {
        match self {
            CloseCode::Unauthorized => Reconnect::Reauthenticate,
            CloseCode::Version | CloseCode::Replaced | CloseCode::Revoked | CloseCode::Disconnected => Reconnect::Never,
            CloseCode::Protocol
            | CloseCode::TooLarge
            | CloseCode::Malformed
            | CloseCode::RateLimited
            | CloseCode::GoingAway
            | CloseCode::HelloTimeout
            | CloseCode::Overloaded => Reconnect::Backoff,
        }
    }

    /// The code for a number from the wire; `None` for codes of the RFC, of the network (1006) or of a newer hub.
    pub fn from_code(code: u16) -> Option<CloseCode> {
        CloseCode::ALL.into_iter().find(|known| known.code() == code)
    }
}

/// What to do after a close with any code: unknown and ordinary codes reconnect.
pub fn reconnect_after(code: u16) -> Reconnect {
    CloseCode::from_code(code).map_or(Reconnect::Backoff, CloseCode::reconnect)
}
