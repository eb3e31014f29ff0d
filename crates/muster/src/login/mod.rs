//! How this machine comes to a token of its own: RFC 8628, the device flow. And how it shows one, and gives it up.
//!
//! It asks the hub, shows a code that a person confirms in a browser, and polls. **Invariant: a token comes in one answer
//! and goes out as a [`Secret`]**; no code that the hub sent reaches a terminal with control characters in it. It must not
//! know where tokens are kept.

mod browser;

use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::credentials::Scope;
use crate::hub_link::http::{self, Answer, Ask, shorten};
use crate::hub_link::{Dialler, LinkError, Secret};
pub use browser::{has_display, open};

const START: &str = "/api/device";
const POLL: &str = "/api/device/token";
const OWN: &str = "/api/tokens/self";

/// What a hub may ask for: less would be a storm, more would outlive the code.
const INTERVAL_S: std::ops::RangeInclusive<u64> = 1..=120;
/// ... and how long it may let wait.
const LIFE_S: std::ops::RangeInclusive<u64> = 1..=3600;
/// RFC 8628, section 3.5.
const SLOWER_S: u64 = 5;
/// Longest code and address that are shown.
const SHOWN_CHARS_MAX: usize = 512;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The way to the hub.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Something answers there that is no hub.
    #[error("{address} is no Muster hub ({why}): check the address")]
    NotAHub {
        /// Host and port.
        address: String,
        /// What it answered.
        why: String,
    },
    /// A hub without this way in.
    #[error(
        "the hub at {address} is older than this program and knows no `muster login`: update it, or make a token in its \
         dashboard and give it with --token-file"
    )]
    Older {
        /// Host and port.
        address: String,
    },
    /// The hub's own refusal.
    #[error("the hub at {address} refuses: {message}")]
    Refused {
        /// Host and port.
        address: String,
        /// Its words.
        message: String,
    },
    /// The person said no.
    #[error("denied: {message} Nothing was stored")]
    Denied {
        /// The hub's words.
        message: String,
    },
    /// Nobody said anything in time.
    #[error("the code has expired and nobody confirmed it: run `muster login` again")]
    Expired,
}

/// A request that waits for a person.
pub struct Started {
    device_code: Secret,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// Until when.
    pub life: Duration,
    interval: Duration,
}

/// What the person gave.
pub struct Granted {
    /// The token.
    pub token: Secret,
    /// What it is, and whose.
    pub own: Own,
}

/// What a token is, and whose.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Own {
    /// The token's id.
    pub id: String,
    /// What the hub calls this machine.
    pub name: String,
    /// What it is for.
    pub scope: Scope,
    /// Whose.
    pub person: Owner,
}

/// A person of the hub.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Owner {
    /// For people.
    pub name: String,
}

/// Asks to be let in.
pub async fn start(dialler: &Dialler, name: &str, scope: Scope) -> Result<Started, LoginError> {
    #[derive(Deserialize)]
    struct Codes {
        device_code: String,
        user_code: String,
        verification_uri: String,
        verification_uri_complete: String,
        expires_in: u64,
        interval: u64,
    }
    let body = json!({ "name": name, "scope": scope.word() });
    let ask = Ask { method: Method::POST, endpoint: START, token: None, body: Some(body) };
    let answer = http::ask(dialler, ask).await.map_err(|error| no_http(dialler, error))?;
    let codes: Codes = read(dialler, &answer)?;
    for address in [&codes.verification_uri, &codes.verification_uri_complete] {
        if !(address.starts_with("https://") || address.starts_with("http://")) {
            return Err(not_a_hub(dialler, "it names no address to confirm the code at".into()));
        }
    }
    let seconds = |given: u64, fits: std::ops::RangeInclusive<u64>| given.clamp(*fits.start(), *fits.end());
    Ok(Started {
        device_code: Secret::new(&codes.device_code),
        user_code: shown(&codes.user_code),
        verification_uri: shown(&codes.verification_uri),
        verification_uri_complete: shown(&codes.verification_uri_complete),
        life: Duration::from_secs(seconds(codes.expires_in, LIFE_S)),
        interval: Duration::from_secs(seconds(codes.interval, INTERVAL_S)),
    })
}

/// Waits for the person. A hub that is away for a moment is asked again; `away` hears of it.
pub async fn wait(
    dialler: &Dialler,
    started: &Started,
    mut away: impl FnMut(&LinkError),
) -> Result<Granted, LoginError> {
    let end = Instant::now() + started.life;
    let mut interval = started.interval;
    loop {
        // Not past the end: the hub has forgotten the code by then.
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(LoginError::Expired);
        }
        tokio::time::sleep(interval.min(left)).await;
        match poll(dialler, &started.device_code).await? {
            Polled::Granted(granted) => return Ok(granted),
            Polled::Pending => {}
            Polled::SlowDown => interval = slower(interval),
            Polled::Away(error) => {
                away(&error);
                interval = slower(interval);
            }
        }
    }
}

fn slower(interval: Duration) -> Duration {
    (interval + Duration::from_secs(SLOWER_S)).min(Duration::from_secs(*INTERVAL_S.end()))
}

enum Polled {
    Granted(Granted),
    Pending,
    SlowDown,
    Away(LinkError),
}

async fn poll(dialler: &Dialler, device_code: &Secret) -> Result<Polled, LoginError> {
    let body = json!({ "device_code": device_code.reveal() });
    let ask = Ask { method: Method::POST, endpoint: POLL, token: None, body: Some(body) };
    match http::ask(dialler, ask).await {
        Ok(answer) => judge(dialler, &answer),
        Err(error) => Ok(Polled::Away(error)),
    }
}

fn judge(dialler: &Dialler, answer: &Answer) -> Result<Polled, LoginError> {
    #[derive(Deserialize)]
    struct Token {
        token: String,
        #[serde(flatten)]
        own: Own,
    }
    if answer.status.is_server_error() {
        let why = format!("it answers {}", answer.status);
        return Ok(Polled::Away(LinkError::Answer { address: dialler.address.authority().into(), why }));
    }
    if answer.status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(Polled::SlowDown);
    }
    let refusal = answer.refusal();
    match refusal.as_ref().map(|refusal| refusal.code.as_str()) {
        Some("authorization_pending") => return Ok(Polled::Pending),
        Some("slow_down") => return Ok(Polled::SlowDown),
        Some("access_denied") => {
            return Err(LoginError::Denied { message: refusal.map(|refusal| refusal.message).unwrap_or_default() });
        }
        Some("expired_token") => return Err(LoginError::Expired),
        _ => {}
    }
    let Token { token, own } = read(dialler, answer)?;
    if !token.starts_with("mst_") {
        return Err(not_a_hub(dialler, "it gives something that is no token".into()));
    }
    Ok(Polled::Granted(Granted { token: Secret::new(&token), own: plain(own) }))
}

/// What a token is, and whose. `None`: the hub does not take it any more.
pub async fn own(dialler: &Dialler, token: &Secret) -> Result<Option<Own>, LoginError> {
    let ask = Ask { method: Method::GET, endpoint: OWN, token: Some(token), body: None };
    let answer = http::ask(dialler, ask).await.map_err(|error| no_http(dialler, error))?;
    if answer.status == StatusCode::UNAUTHORIZED && answer.refusal().is_some() {
        return Ok(None);
    }
    read(dialler, &answer).map(|own| Some(plain(own)))
}

/// Gives the token up. False: the hub did not take it any more anyway.
pub async fn revoke(dialler: &Dialler, token: &Secret) -> Result<bool, LoginError> {
    let ask = Ask { method: Method::DELETE, endpoint: OWN, token: Some(token), body: None };
    let answer = http::ask(dialler, ask).await.map_err(|error| no_http(dialler, error))?;
    match answer.status {
        StatusCode::NO_CONTENT => Ok(true),
        StatusCode::UNAUTHORIZED if answer.refusal().is_some() => Ok(false),
        _ => Err(refused(dialler, &answer)),
    }
}

fn read<T: serde::de::DeserializeOwned>(dialler: &Dialler, answer: &Answer) -> Result<T, LoginError> {
    if answer.status != StatusCode::OK {
        return Err(refused(dialler, answer));
    }
    // serde's words could quote what it read.
    serde_json::from_slice(&answer.body).map_err(|_| not_a_hub(dialler, "its answer is of another form".into()))
}

fn refused(dialler: &Dialler, answer: &Answer) -> LoginError {
    let address = dialler.address.authority().to_owned();
    match (answer.refusal(), answer.status) {
        (Some(_), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => LoginError::Older { address },
        (Some(refusal), _) => LoginError::Refused { address, message: refusal.message },
        (None, status) if status.is_server_error() => {
            LinkError::Answer { address, why: format!("it answers {status}") }.into()
        }
        (None, status) => not_a_hub(dialler, format!("it answers {status}")),
    }
}

/// An answer that is not even HTTP.
fn no_http(dialler: &Dialler, error: LinkError) -> LoginError {
    match error {
        LinkError::Answer { why, .. } => not_a_hub(dialler, why),
        error => LoginError::Link(error),
    }
}

fn not_a_hub(dialler: &Dialler, why: String) -> LoginError {
    LoginError::NotAHub { address: dialler.address.authority().to_owned(), why }
}

fn plain(own: Own) -> Own {
    Own { id: shorten(&own.id), name: shorten(&own.name), person: Owner { name: shorten(&own.person.name) }, ..own }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
