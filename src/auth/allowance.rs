//! Exact counts of failures, in D1: how many wrong links and tokens one address or one person may show in a while.
//!
//! [`check`] before looking at what was shown, [`failed`] once it turned out wrong. The hub's own machine is exempt, as from
//! the brake.

use crate::error::Error;
use crate::http::Visit;
use crate::router::brake::{network, wait};
use crate::store::Db;
use crate::store::counts::Count;

/// How many within how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    word: &'static str,
    max: u64,
    span_ms: u64,
}

const QUARTER_HOUR_MS: u64 = 15 * 60 * 1000;

/// Sign-ins that failed.
pub const SIGN_IN: Allowance = Allowance { word: "sign-in", max: 10, span_ms: QUARTER_HOUR_MS };
/// Tokens that did not hold. A company's runners share an address, and one with an old token tries every minute or so.
pub const EXCHANGE: Allowance = Allowance { word: "exchange", max: 30, span_ms: QUARTER_HOUR_MS };

/// Refuses whoever used the allowance up.
pub async fn check(visit: &Visit, allowance: &Allowance) -> Result<(), Error> {
    let Some(key) = key(visit, allowance) else { return Ok(()) };
    let count = Db::open(&visit.env)?.counted(&key, visit.now_ms).await?;
    within(count, allowance.max.saturating_sub(1), visit.now_ms)
}

/// Counts a failure; beyond the allowance it is answered as too many, and not as wrong.
pub async fn failed(visit: &Visit, allowance: &Allowance) -> Result<(), Error> {
    let Some(key) = key(visit, allowance) else { return Ok(()) };
    let count = Db::open(&visit.env)?.count(&key, allowance.span_ms, visit.now_ms).await?;
    within(count, allowance.max, visit.now_ms)
}

fn within(count: Count, max: u64, now_ms: u64) -> Result<(), Error> {
    if count.count <= max {
        return Ok(());
    }
    Err(wait(count.ends_ms.saturating_sub(now_ms).div_ceil(1000).max(1)))
}

/// Whose count it is: the person's who is signed in, else the address's; nobody's on the hub's own machine.
fn key(visit: &Visit, allowance: &Allowance) -> Option<String> {
    let address = visit.client_address()?;
    Some(match visit.identity.person() {
        Some(person) => format!("{} person {}", allowance.word, person.id),
        None => format!("{} {}", allowance.word, network(&address)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_that_is_left_is_told() {
        assert!(within(Count { count: 10, ends_ms: 61_500 }, 10, 0).is_ok());
        let refused = within(Count { count: 11, ends_ms: 61_500 }, 10, 1_000).unwrap_err();
        assert_eq!((refused.status(), refused.headers.as_slice()), (429, &[("Retry-After", "61".to_owned())][..]));
    }
}
