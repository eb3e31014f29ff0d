//! The keeper's clock, for timers and for what it reports.
//!
//! Invariant: it never goes backwards, and it does not stay behind the machine's. It knows nothing of what it times.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 that never go backwards. They go on evenly, whatever is done to the machine's clock, but for time
/// that passed unnoticed: while a laptop sleeps, [`Instant`] rests.
#[derive(Debug)]
pub struct Clock {
    base_ms: Cell<u64>,
    began: Instant,
}

/// How far the machine's clock may be ahead before that counts as sleep, or as having been set right.
const CLOCK_AHEAD_MS_MAX: u64 = 1_000;

impl Clock {
    /// A clock that begins with the machine's.
    pub fn new() -> Clock {
        Clock { base_ms: Cell::new(wall_ms()), began: Instant::now() }
    }

    /// Now.
    pub fn now_ms(&self) -> u64 {
        self.at(wall_ms(), self.began.elapsed().as_millis() as u64)
    }

    /// Now, with the machine's clock at `wall_ms` and so much time since the beginning that was not slept.
    fn at(&self, wall_ms: u64, awake_ms: u64) -> u64 {
        let behind_ms = wall_ms.saturating_sub(self.base_ms.get() + awake_ms);
        if behind_ms > CLOCK_AHEAD_MS_MAX {
            self.base_ms.set(self.base_ms.get() + behind_ms);
        }
        self.base_ms.get() + awake_ms
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_follows_a_sleep_and_never_goes_back() {
        const HOUR_MS: u64 = 3_600_000;
        let clock = Clock { base_ms: Cell::new(HOUR_MS), began: Instant::now() };
        assert_eq!(clock.at(HOUR_MS + 10, 10), HOUR_MS + 10);
        assert_eq!(clock.at(HOUR_MS + 500, 20), HOUR_MS + 20, "a clock that is slewed is not followed");
        assert_eq!(clock.at(9 * HOUR_MS, 30), 9 * HOUR_MS, "a night");
        assert_eq!(clock.at(9 * HOUR_MS + 10, 40), 9 * HOUR_MS + 10);
        assert_eq!(clock.at(HOUR_MS, 50), 9 * HOUR_MS + 20, "set back");
        assert_eq!(clock.at(20 * HOUR_MS, 60), 20 * HOUR_MS, "a second night");
    }
}
