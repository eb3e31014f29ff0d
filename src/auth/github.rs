//! Signing in with GitHub: `/auth/github` sends the browser there, `/auth/github/callback` takes it back.
//!
//! Whatever goes wrong on the way back ends on the sign-in page, with what happened and what to do; only a whole success
//! makes a sign-in.

use worker::{Response, console_error};

use super::access::{CONFIRMED_MS, Gate};
use super::attempt::{self, Attempt};
use super::{allowance, cf_access, sign_in};

use crate::error::{Error, Kind};
use crate::github::{App, Client, Failure, Profile, Tokens};
use crate::http::Visit;
use crate::pages::home;
use crate::router;
use crate::store::Db;
use crate::store::people::Arrival;

/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 80;
/// Longest code or state that is looked at, in bytes.
const PARAMETER_BYTES_MAX: usize = 256;

/// Sends the browser to GitHub.
pub async fn begin(visit: Visit) -> Result<Response, Error> {
    let app = app(&visit)?;
    router::rate_limit(&visit, "sign-in").await?;
    stand_behind_access(&visit).await?;
    let attempt = Attempt::begin(visit.query("to").as_deref())?;
    let url = Client(app).authorize_url(&callback(&visit), &attempt.state, &attempt.challenge());
    let response = Response::builder().with_status(303).with_header("Location", &url)?;
    let response = response.with_header("Set-Cookie", &attempt.to_set_cookie(visit.is_https()))?;
    Ok(response.with_header("Cache-Control", "no-store")?.empty())
}

/// Takes the browser back from GitHub.
pub async fn finish(visit: Visit) -> Result<Response, Error> {
    let app = app(&visit)?;
    router::rate_limit(&visit, "sign-in").await?;
    stand_behind_access(&visit).await?;
    allowance::check(&visit, &allowance::SIGN_IN).await?;
    let response = match arrive(&visit, app).await? {
        Ok((cookie, to)) => {
            let response = crate::http::see_other(&to)?;
            response.headers().append("Set-Cookie", &cookie)?;
            response
        }
        Err(turned_away) => {
            // GitHub's own trouble is nobody's failure.
            if turned_away.status < 500 {
                sign_in::refused(&visit, "github", &turned_away.detail).await?;
            }
            home::sign_in_page(&visit, turned_away.status, Some(turned_away.message))?
        }
    };
    // Whatever came of it, the attempt is over: its state works once.
    response.headers().append("Set-Cookie", &attempt::clear(visit.is_https()))?;
    Ok(response)
}

/// Why somebody does not come in, for the person and for the log.
struct TurnedAway {
    status: u16,
    message: &'static str,
    detail: String,
}

impl TurnedAway {
    fn new(status: u16, message: &'static str, detail: impl Into<String>) -> TurnedAway {
        TurnedAway { status, message, detail: detail.into() }
    }
}

impl From<Failure> for TurnedAway {
    fn from(failure: Failure) -> TurnedAway {
        match failure {
            Failure::Refused(why) | Failure::Stale(why) => TurnedAway::new(
                400,
                "GitHub did not accept this sign-in: it took too long or was used already. Sign in again.",
                why,
            ),
            Failure::Setup(why) => {
                console_error!("{}", serde_json::json!({ "event": "github_setup", "detail": why }));
                TurnedAway::new(
                    502,
                    "GitHub does not know this hub. Its owner has to check the client id, the secret and the callback.",
                    why,
                )
            }
            Failure::Unavailable(why) => TurnedAway::new(
                503,
                "GitHub cannot be asked at the moment, and nobody new comes in without it. Try again in some minutes.",
                why,
            ),
        }
    }
}

/// The cookie of the new sign-in, and where to go with it.
async fn arrive(visit: &Visit, app: &App) -> Result<Result<(String, String), TurnedAway>, Error> {
    let (attempt, code) = match returned(visit) {
        Ok(returned) => returned,
        Err(turned_away) => return Ok(Err(turned_away)),
    };
    let github = Client(app);
    let tokens = match github.exchange(&code, &attempt.verifier, &callback(visit), visit.now_ms).await {
        Ok(tokens) => tokens,
        Err(failure) => return Ok(Err(failure.into())),
    };
    let profile = match github.profile(&tokens.access).await {
        Ok(profile) => profile,
        Err(failure) => return Ok(Err(failure.into())),
    };
    let db = Db::open(&visit.env)?;
    let gate = Gate { env: &visit.env, config: &visit.config, db: &db, now_ms: visit.now_ms };
    let allowed_by = match gate.allowed_by(&github, &tokens.access, &profile, None).await {
        Ok(Some(allowed_by)) => allowed_by,
        Ok(None) => return Ok(Err(not_allowed(visit, &gate, &profile).await?)),
        Err(failure) => return Ok(Err(failure.into())),
    };
    let cookie = welcome(visit, &gate, &profile, &allowed_by, &tokens).await?;
    Ok(Ok((cookie, attempt.to)))
}

/// What the browser brought back, if it is the browser that left.
fn returned(visit: &Visit) -> Result<(Attempt, String), TurnedAway> {
    let begun = Attempt::of_browser(&visit.header("cookie").unwrap_or_default(), visit.is_https());
    let state = visit.query("state").filter(|state| state.len() <= PARAMETER_BYTES_MAX).unwrap_or_default();
    let attempt = begun.filter(|attempt| attempt.is_state(&state)).ok_or_else(|| {
        let message = "This answer of GitHub belongs to another sign-in, or came too late. Sign in again.";
        TurnedAway::new(400, message, "state does not match the browser's attempt")
    })?;
    if let Some(error) = visit.query("error") {
        let word: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
        return Err(match word.as_str() {
            "access_denied" => TurnedAway::new(403, "You said no at GitHub, so nobody was signed in.", word),
            _ => Failure::Setup(word).into(),
        });
    }
    let code = visit.query("code").filter(|code| (1..=PARAMETER_BYTES_MAX).contains(&code.len()));
    let code = code.ok_or_else(|| TurnedAway::from(Failure::Refused("no code came back".to_owned())))?;
    Ok((attempt, code))
}

/// Nothing lets the person in. Somebody who was in until now is out.
async fn not_allowed(visit: &Visit, gate: &Gate<'_>, profile: &Profile) -> Result<TurnedAway, Error> {
    if let Some(person) = gate.db.person_by_github(profile.id).await? {
        gate.end(&person, true, "nothing lets the person in any more").await?;
    }
    let nobody_is = visit.config.admins.is_empty() && gate.allowed().await?.is_empty();
    let message = if nobody_is {
        "This hub lets nobody in yet: its owner has to name organisations, teams, users or admins in its variables."
    } else {
        "You are in none of the organisations and teams that this hub lets in. Ask its admins, then sign in again."
    };
    Ok(TurnedAway::new(403, message, format!("nothing lets GitHub user {} in", profile.id)))
}

async fn welcome(
    visit: &Visit,
    gate: &Gate<'_>,
    profile: &Profile,
    allowed_by: &str,
    tokens: &Tokens,
) -> Result<String, Error> {
    let name = shown_name(profile);
    let arrival = Arrival {
        github: profile.id,
        login: &profile.login,
        name: &name,
        allowed_by,
        is_named_admin: gate.is_named_admin(profile).await?,
        first_is_admin: visit.config.admins.is_empty(),
    };
    let person = gate.db.save_github_person(&arrival, visit.now_ms + CONFIRMED_MS, visit.now_ms).await?;
    gate.keep_tokens(person, tokens).await?;
    sign_in::begin(visit, gate.db, (person, &name), "github").await
}

fn shown_name(profile: &Profile) -> String {
    let plain =
        |text: &str| -> String { text.trim().chars().filter(|char| !char.is_control()).take(NAME_CHARS_MAX).collect() };
    match profile.name.as_deref().map(plain) {
        Some(name) if !name.is_empty() => name,
        _ => plain(&profile.login),
    }
}

/// Where Cloudflare Access stands in front, nobody reaches GitHub past it: another name of this Worker may not be behind it.
async fn stand_behind_access(visit: &Visit) -> Result<(), Error> {
    let Some(application) = &visit.config.access else { return Ok(()) };
    let assertion = visit.header(cf_access::HEADER).unwrap_or_default();
    let vouched = cf_access::vouched(application, &assertion, visit.now_ms).await;
    vouched.map(drop).map_err(|error| Error { kind: Kind::Forbidden, ..error })
}

fn app(visit: &Visit) -> Result<&App, Error> {
    visit.config.github.as_ref().ok_or_else(|| Error::not_found("page"))
}

fn callback(visit: &Visit) -> String {
    format!("{}/auth/github/callback", visit.origin())
}
