//! When to dial again: a pure state machine; time and chance come in.
//!
//! Invariant: except after a verdict that dialling again cannot change, there is always a next attempt, and the attempts of
//! many runners that lost the same hub at the same moment spread out.

use std::time::Duration;

use protocol::close::{CloseCode, Reconnect, reconnect_after};

/// First delay, before jitter.
pub const BASE_MS: u64 = 250;
/// Longest delay, before jitter.
pub const CEILING_MS: u64 = 30_000;
/// Delay after a refused token: only a person can change that, so there is no hurry.
pub const REFUSED_MS: u64 = 60_000;
/// A connection that was welcome and lived this long was a good one: the next failure starts from the base.
pub const GOOD_AFTER: Duration = Duration::from_secs(30);

/// How an attempt or a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The network, the hub or the far end of a proxy failed.
    Lost,
    /// The hub closed with this code.
    Closed(u16),
    /// The hub does not know the token.
    TokenRefused,
    /// The hub did not take the JWT at the handshake.
    Unauthorized,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Wait, then dial.
    Dial {
        /// How long.
        after: Duration,
        /// Exchange the token for a new JWT first.
        fresh_jwt: bool,
    },
    /// Give up: it would be refused again.
    Stop(CloseCode),
}

/// Counts failures.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// An attempt or connection ended. `good_for`: how long it lived after the hub's welcome, if it came. `chance`: fresh
    /// random bits.
    pub fn ended(&mut self, end: End, good_for: Option<Duration>, chance: u32) -> Next {
        if good_for.is_some_and(|lived| lived >= GOOD_AFTER) {
            self.failures = 0;
        }
        let fresh_jwt = match end {
            End::Closed(code) => match (reconnect_after(code), CloseCode::from_code(code)) {
                (Reconnect::Never, Some(code)) => return Next::Stop(code),
                (Reconnect::Reauthenticate, _) => true,
                _ => false,
            },
            End::Lost => false,
            End::TokenRefused | End::Unauthorized => true,
        };
        let ceiling = BASE_MS.saturating_mul(1 << self.failures.min(16)).min(CEILING_MS);
        let full = if end == End::TokenRefused { REFUSED_MS } else { ceiling };
        self.failures = self.failures.saturating_add(1);
        // Half of it is fixed, so that nobody hammers; half is chance, so that nobody marches in step.
        let jitter = (full / 2) * u64::from(chance) / u64::from(u32::MAX);
        Next::Dial { after: Duration::from_millis(full - full / 2 + jitter), fresh_jwt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wait(next: Next) -> Duration {
        match next {
            Next::Dial { after, .. } => after,
            Next::Stop(code) => panic!("stopped: {code:?}"),
        }
    }

    #[test]
    fn a_good_connection_starts_over_and_a_short_one_does_not() {
        let mut backoff = Backoff::default();
        for _ in 0..20 {
            backoff.ended(End::Lost, None, 0);
        }
        assert_eq!(wait(backoff.ended(End::Lost, Some(Duration::from_secs(29)), 0)), Duration::from_millis(15_000));
        assert_eq!(wait(backoff.ended(End::Lost, Some(GOOD_AFTER), 0)), Duration::from_millis(125));
        assert_eq!(wait(backoff.ended(End::Lost, None, u32::MAX)), Duration::from_millis(500));
    }

    #[test]
    fn verdicts_of_the_hub_are_obeyed() {
        let mut backoff = Backoff::default();
        for code in [CloseCode::Version, CloseCode::Replaced, CloseCode::Revoked] {
            assert_eq!(backoff.ended(End::Closed(code.code()), Some(GOOD_AFTER), 7), Next::Stop(code));
        }
        let fresh = |next| matches!(next, Next::Dial { fresh_jwt: true, .. });
        assert!(fresh(backoff.ended(End::Closed(CloseCode::Unauthorized.code()), None, 7)));
        assert!(fresh(backoff.ended(End::Unauthorized, None, 7)));
        assert!(!fresh(backoff.ended(End::Closed(1006), None, 7)));
        assert!(wait(backoff.ended(End::TokenRefused, None, 0)) >= Duration::from_millis(REFUSED_MS / 2));
    }

    proptest! {
        #[test]
        fn there_is_always_a_next_attempt_within_bounds(
            story in prop::collection::vec((0u16..5000, prop::option::of(0u64..100), any::<u32>()), 1..200)
        ) {
            let mut backoff = Backoff::default();
            let mut last_failures = 0;
            for (code, lived, chance) in story {
                let before = backoff.failures;
                match backoff.ended(End::Closed(code), lived.map(Duration::from_secs), chance) {
                    Next::Stop(code) => prop_assert_eq!(code.reconnect(), Reconnect::Never),
                    Next::Dial { after, .. } => {
                        let good = lived.is_some_and(|lived| lived >= 30);
                        let count = if good { 0 } else { before };
                        let full = Duration::from_millis((BASE_MS << count.min(16)).min(CEILING_MS));
                        prop_assert!(after >= full / 2 && after <= full, "{:?} after {} failures", after, count);
                        prop_assert_eq!(backoff.failures, count + 1);
                        last_failures = backoff.failures;
                    }
                }
            }
            prop_assert!(last_failures <= 200);
        }
    }
}
