//! The keep-alive of one connection: when to ping, how old the hop is, when silence means that it is dead. Pure; time comes
//! in as milliseconds of any steady clock.

use protocol::limits::{PING_EVERY_S, SILENCE_S_MAX};

const PING_EVERY_MS: u64 = PING_EVERY_S * 1_000;
const SILENCE_MS_MAX: u64 = SILENCE_S_MAX * 1_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing before this time.
    At(u64),
    /// Send a ping.
    Ping,
    /// Nothing was heard for too long: drop the connection.
    Dead,
}

/// Pings and silence of one connection.
#[derive(Debug)]
pub struct KeepAlive {
    heard_ms: u64,
    next_ping_ms: u64,
    /// When the unanswered ping was sent; more are not sent meanwhile, so that an answer has one question.
    asked_ms: Option<u64>,
}

impl KeepAlive {
    /// A connection that opened now. The first ping goes out at once: the age of the hop is known from the start.
    pub fn new(now_ms: u64) -> KeepAlive {
        KeepAlive { heard_ms: now_ms, next_ping_ms: now_ms, asked_ms: None }
    }

    /// What is due now. A [`Due::Ping`] counts as sent.
    pub fn due(&mut self, now_ms: u64) -> Due {
        let dead_ms = self.heard_ms + SILENCE_MS_MAX;
        if now_ms >= dead_ms {
            return Due::Dead;
        }
        if self.asked_ms.is_some() {
            return Due::At(dead_ms);
        }
        if now_ms >= self.next_ping_ms {
            self.asked_ms = Some(now_ms);
            self.next_ping_ms = now_ms + PING_EVERY_MS;
            return Due::Ping;
        }
        Due::At(self.next_ping_ms.min(dead_ms))
    }

    /// Something came, whatever it was.
    pub fn heard(&mut self, now_ms: u64) {
        self.heard_ms = now_ms;
    }

    /// The answer to the ping came: the round trip in milliseconds; `None` when nothing was asked.
    pub fn answered(&mut self, now_ms: u64) -> Option<u64> {
        self.asked_ms.take().map(|asked_ms| now_ms.saturating_sub(asked_ms))
    }

    /// Ask now rather than at the next turn: somebody began to watch.
    pub fn hurry(&mut self, now_ms: u64) {
        self.next_ping_ms = self.next_ping_ms.min(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_at_once_then_each_period_and_measures() {
        let mut alive = KeepAlive::new(1_000);
        assert_eq!(alive.due(1_000), Due::Ping);
        assert_eq!(alive.due(1_001), Due::At(66_000));
        alive.heard(1_042);
        assert_eq!(alive.answered(1_042), Some(42));
        assert_eq!(alive.answered(1_043), None);
        assert_eq!(alive.due(1_043), Due::At(21_000));
        alive.hurry(5_000);
        assert_eq!(alive.due(5_000), Due::Ping);
        alive.heard(5_001);
        alive.answered(5_001);
        assert_eq!(alive.due(25_000), Due::Ping);
    }

    #[test]
    fn silence_is_death_and_any_word_is_life() {
        let mut alive = KeepAlive::new(0);
        assert_eq!(alive.due(0), Due::Ping);
        assert_eq!(alive.due(64_999), Due::At(65_000));
        alive.heard(64_999);
        assert_eq!(alive.due(65_000), Due::At(129_999));
        assert_eq!(alive.due(129_999), Due::Dead);
    }
}
