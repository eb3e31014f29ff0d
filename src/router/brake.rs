//! The soft brake on every door: the platform's rate limiters, by address for strangers and by person for those who are known.
//!
//! It counts at one location and within about a minute: it keeps a flood away from D1 and the hubs, and no promise rests on
//! it. Where a count must be exact, `auth::allowance` keeps it. Requests of the hub's own machine are not braked (they have
//! no address), and a deployment without the bindings has no brake.

use crate::auth::Identity;
use crate::error::{Error, Kind};
use crate::http::Visit;

/// The limiter's period in `wrangler.jsonc`.
const RETRY_AFTER_S: u32 = 60;

/// What is counted apart, so that a busy page does not lock its person out of signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// Signing in.
    SignIn,
    /// Exchanging a token.
    Exchange,
    /// A device's code.
    Device,
    /// A program that waits for its code to be confirmed.
    DevicePoll,
    /// Opening a socket.
    Connect,
    /// GitHub's webhooks.
    Webhook,
    /// The JSON API.
    Api,
    /// Pages and their forms.
    Page,
}

/// Which door a path is: the first prefix that fits.
const DOORS: &[(&str, Door)] = &[
    ("/auth/", Door::SignIn),
    ("/guest", Door::SignIn),
    ("/api/tokens/exchange", Door::Exchange),
    ("/api/device", Door::Device),
    ("/device", Door::Device),
    ("/ws/", Door::Connect),
    ("/github/webhook", Door::Webhook),
    ("/api/", Door::Api),
    ("/", Door::Page),
];

impl Door {
    /// The door of a route.
    pub fn of(path: &str) -> Door {
        DOORS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or(Door::Page, |(_, door)| *door)
    }

    /// The door of this name; one that is not known is a page.
    pub fn named(name: &str) -> Door {
        let all =
            [Door::SignIn, Door::Exchange, Door::Device, Door::DevicePoll, Door::Connect, Door::Webhook, Door::Api];
        all.into_iter().find(|door| door.word() == name).unwrap_or(Door::Page)
    }

    fn word(self) -> &'static str {
        match self {
            Door::SignIn => "sign-in",
            Door::Exchange => "exchange",
            Door::Device => "device",
            Door::DevicePoll => "device-token",
            Door::Connect => "connect",
            Door::Webhook => "webhook",
            Door::Api => "api",
            Door::Page => "page",
        }
    }
}

/// Brakes whoever was found to ask: the person, or the address of a stranger and of who showed something that does not hold.
pub async fn whoever(visit: &Visit, door: Door, identity: Option<&Identity>) -> Result<(), Error> {
    match identity.and_then(Identity::person) {
        Some(known) => person(visit, door, &known.id).await,
        None => stranger(visit, door).await,
    }
}

/// Brakes by address.
pub async fn stranger(visit: &Visit, door: Door) -> Result<(), Error> {
    let Some(address) = visit.client_address() else { return Ok(()) };
    limit(visit, "RATE_LIMITER", format!("{} {}", door.word(), network(&address))).await
}

/// Brakes by person.
pub async fn person(visit: &Visit, door: Door, person: &str) -> Result<(), Error> {
    if visit.client_address().is_none() {
        return Ok(());
    }
    limit(visit, "RATE_LIMITER_PEOPLE", format!("{} person {person}", door.word())).await
}

/// What one household has: an IPv4 address, or the 64 bits of an IPv6 address that a provider gives out as one.
pub fn network(address: &str) -> String {
    match address.parse::<core::net::Ipv6Addr>() {
        Ok(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => address.to_owned(),
    }
}

async fn limit(visit: &Visit, binding: &str, key: String) -> Result<(), Error> {
    let Ok(limiter) = visit.env.rate_limiter(binding) else { return Ok(()) };
    match limiter.limit(key).await {
        Ok(outcome) if !outcome.success => Err(wait(RETRY_AFTER_S.into())),
        // A brake that fails must not stop the car.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Told to wait.
pub fn wait(seconds: u64) -> Error {
    let message = format!("Too many attempts. Wait {seconds} seconds, then try again.");
    Error::new(Kind::RateLimited, message).with_header("Retry-After", seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::ROUTES;

    #[test]
    fn every_route_has_the_door_that_it_means() {
        for (path, door) in [
            ("/auth/local", Door::SignIn),
            ("/guest", Door::SignIn),
            ("/api/tokens/exchange", Door::Exchange),
            ("/api/tokens", Door::Api),
            ("/ws/connect", Door::Connect),
            ("/github/webhook", Door::Webhook),
            ("/dashboard", Door::Page),
            ("/", Door::Page),
        ] {
            assert_eq!(Door::of(path), door, "{path}");
            assert_eq!(Door::named(door.word()), door);
        }
        for row in ROUTES.iter().filter(|row| row.path.starts_with("/api/")) {
            assert_ne!(Door::of(row.path), Door::Page, "{}", row.path);
        }
    }

    #[test]
    fn an_ipv6_household_is_one() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
    }
}
