//! Calls to GitHub. Each says whether it failed for good or only for now: a refusal ends a person's access, a failure never
//! does by itself.

use serde::Deserialize;
use worker::Method;

use super::{App, Entity};
use crate::outbound::{self, Answer, Question};

/// Required by GitHub, which refuses requests without it.
const USER_AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));
const API_VERSION: &str = "2022-11-28";
/// What an OAuth App asks for, to see memberships; a GitHub App has its permissions instead, and ignores it.
const SCOPE: &str = "read:org";

/// Why GitHub gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The person's consent does not hold: a code that was used or is too old, a token that was revoked.
    Refused(String),
    /// The person has to sign in again: a refresh token works once, and this one did already, perhaps unheard.
    Stale(String),
    /// The deployment is set up wrongly: client id, secret or callback.
    Setup(String),
    /// GitHub is down, slow, rate-limits, or answers nonsense: ask again later.
    Unavailable(String),
}

/// A person's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// For calls.
    pub access: String,
    /// For new ones; empty when the access token does not expire.
    pub refresh: String,
    /// When the access token ends; 0: never.
    pub expires_ms: u64,
}

/// Who the person is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Profile {
    /// The number, for ever.
    pub id: u64,
    /// The name in URLs, until the person changes it.
    pub login: String,
    /// The name for people.
    pub name: Option<String>,
}

/// What a name means at GitHub, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The number of the organisation, team or user.
    pub id: u64,
    /// The number of a team's organisation; 0: no team.
    pub organisation: u64,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
    /// Of a membership in an organisation.
    organization: Option<Numbered>,
}

/// Calls for one app.
pub struct Client<'a>(pub &'a App);

impl Client<'_> {
    /// Where a browser goes to consent.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        let query = form(&[
            ("client_id", &self.0.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", SCOPE),
            ("state", state),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]);
        format!("{}/login/oauth/authorize?{query}", self.0.web_url)
    }

    /// The tokens for a code.
    pub async fn exchange(&self, code: &str, verifier: &str, redirect: &str, now_ms: u64) -> Result<Tokens, Failure> {
        let fields = [("code", code), ("code_verifier", verifier), ("redirect_uri", redirect)];
        self.tokens(&fields, now_ms).await
    }

    /// New tokens for old; the old ones end.
    pub async fn refresh(&self, refresh: &str, now_ms: u64) -> Result<Tokens, Failure> {
        let tokens = self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", refresh)], now_ms).await;
        tokens.map_err(|failure| match failure {
            Failure::Refused(why) => Failure::Stale(why),
            failure => failure,
        })
    }

    async fn tokens(&self, fields: &[(&str, &str)], now_ms: u64) -> Result<Tokens, Failure> {
        let app = [("client_id", self.0.client_id.as_str()), ("client_secret", self.0.client_secret.as_str())];
        let body = form(&[&app, fields].concat());
        let url = format!("{}/login/oauth/access_token", self.0.web_url);
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("User-Agent", USER_AGENT),
        ];
        let question = Question { method: Method::Post, url: &url, headers: &headers, body: Some(body) };
        let answer = outbound::ask(question).await.map_err(Failure::Unavailable)?;
        if answer.status != 200 {
            return Err(Failure::Unavailable(format!("the token endpoint answered {}", answer.status)));
        }
        read_tokens(&answer.body, now_ms)
    }

    /// Who the token's person is.
    pub async fn profile(&self, access: &str) -> Result<Profile, Failure> {
        let answer = self.get(access, "/user").await?;
        match answer.status {
            200 => parse(&answer),
            status => Err(unusable(&answer, status)),
        }
    }

    /// What the entity is that the person belongs to now; `None`: the person does not. A user is compared by name, which
    /// asks nobody. A team's membership does not say which team it is, so the team is asked for as well.
    pub async fn belonging(&self, access: &str, person: &Profile, entity: &Entity) -> Result<Option<Pin>, Failure> {
        match entity {
            Entity::User(name) => {
                let is_named = name.eq_ignore_ascii_case(&person.login);
                Ok(is_named.then_some(Pin { id: person.id, organisation: 0 }))
            }
            Entity::Org(org) => {
                let membership = self.membership(access, &format!("/user/memberships/orgs/{org}")).await?;
                let organisation = match membership {
                    Some(Membership { organization, .. }) => organization.ok_or_else(malformed)?,
                    None => return Ok(None),
                };
                Ok(Some(Pin { id: organisation.id, organisation: 0 }))
            }
            Entity::Team(org, team) => {
                let path = format!("/orgs/{org}/teams/{team}");
                if self.membership(access, &format!("{path}/memberships/{}", person.login)).await?.is_none() {
                    return Ok(None);
                }
                #[derive(Deserialize)]
                struct Team {
                    id: u64,
                    organization: Numbered,
                }
                let team: Option<Team> = self.visible(access, &path).await?;
                Ok(team.map(|team| Pin { id: team.id, organisation: team.organization.id }))
            }
        }
    }

    /// An active membership.
    async fn membership(&self, access: &str, path: &str) -> Result<Option<Membership>, Failure> {
        let membership: Option<Membership> = self.visible(access, path).await?;
        Ok(membership.filter(|membership| membership.state == "active"))
    }

    /// What GitHub shows to the person through the app; `None` where it says that there is no such thing.
    async fn visible<T: serde::de::DeserializeOwned>(&self, access: &str, path: &str) -> Result<Option<T>, Failure> {
        let answer = self.get(access, path).await?;
        match answer.status {
            200 => parse(&answer).map(Some),
            404 => Ok(None),
            // The organisation does not let the app look, so nobody gets in by it.
            403 if !is_rate_limit(&answer) => Ok(None),
            status => Err(unusable(&answer, status)),
        }
    }

    async fn get(&self, access: &str, path: &str) -> Result<Answer, Failure> {
        let (url, authorization) = (format!("{}{path}", self.0.api_url), format!("Bearer {access}"));
        let headers = [
            ("Accept", "application/vnd.github+json"),
            ("Authorization", authorization.as_str()),
            ("User-Agent", USER_AGENT),
            ("X-GitHub-Api-Version", API_VERSION),
        ];
        let question = Question { method: Method::Get, url: &url, headers: &headers, body: None };
        outbound::ask(question).await.map_err(Failure::Unavailable)
    }
}

fn unusable(answer: &Answer, status: u16) -> Failure {
    match status {
        401 => Failure::Refused("GitHub no longer takes the person's token".to_owned()),
        403 | 429 if is_rate_limit(answer) || status == 429 => Failure::Unavailable("GitHub rate-limits".to_owned()),
        403 => Failure::Refused("GitHub forbids it: the app or the person is suspended".to_owned()),
        status => Failure::Unavailable(format!("GitHub answered {status}")),
    }
}

/// The primary limit says that nothing remains; the secondary ones say when to come back, or only say so.
fn is_rate_limit(answer: &Answer) -> bool {
    answer.header("x-ratelimit-remaining").is_some_and(|left| left == "0")
        || answer.header("retry-after").is_some()
        || String::from_utf8_lossy(&answer.body).to_lowercase().contains("rate limit")
}

fn read_tokens(body: &[u8], now_ms: u64) -> Result<Tokens, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
        #[serde(default)]
        refresh_token: String,
        #[serde(default)]
        expires_in: u64,
        #[serde(default)]
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| Failure::Unavailable("the token endpoint's answer is no JSON of its form".to_owned()))?;
    match (answer.access_token, answer.error.as_str()) {
        (Some(access), _) if !access.is_empty() => Ok(Tokens {
            access,
            refresh: answer.refresh_token,
            expires_ms: if answer.expires_in == 0 { 0 } else { now_ms + answer.expires_in.saturating_mul(1000) },
        }),
        (_, "bad_verification_code" | "bad_refresh_token" | "unverified_user_email") => {
            Err(Failure::Refused(answer.error))
        }
        (_, "") => Err(Failure::Unavailable("the token endpoint gave neither a token nor an error".to_owned())),
        (_, error) => Err(Failure::Setup(format!("{error}: {}", answer.error_description))),
    }
}

fn parse<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|_| malformed())
}

fn malformed() -> Failure {
    Failure::Unavailable("an answer that is not of its form".to_owned())
}

fn form(fields: &[(&str, &str)]) -> String {
    // Pairs of text always encode.
    serde_urlencoded::to_string(fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            client_id: "Iv1.id".into(),
            client_secret: "secret".into(),
            web_url: "https://github.com".into(),
            api_url: "https://api.github.com".into(),
        }
    }

    #[test]
    fn consent_is_asked_for_with_state_and_challenge_and_without_a_secret() {
        let url = Client(&app()).authorize_url("https://hub.example/auth/github/callback", "st&ate", "ch");
        assert_eq!(
            url,
            "https://github.com/login/oauth/authorize?client_id=Iv1.id&redirect_uri=https%3A%2F%2Fhub.example%2Fauth\
             %2Fgithub%2Fcallback&scope=read%3Aorg&state=st%26ate&code_challenge=ch&code_challenge_method=S256"
        );
        assert!(!url.contains("secret"));
    }

    #[test]
    fn tokens_of_an_app_expire_and_those_of_an_oauth_app_do_not() {
        let app = br#"{"access_token":"ghu_a","expires_in":28800,"refresh_token":"ghr_b","token_type":"bearer"}"#;
        let expected = Tokens { access: "ghu_a".into(), refresh: "ghr_b".into(), expires_ms: 1_000 + 28_800_000 };
        assert_eq!(read_tokens(app, 1_000), Ok(expected));
        let oauth = br#"{"access_token":"gho_a","scope":"read:org","token_type":"bearer"}"#;
        let expected = Tokens { access: "gho_a".into(), refresh: String::new(), expires_ms: 0 };
        assert_eq!(read_tokens(oauth, 1_000), Ok(expected));
    }

    #[test]
    fn an_error_says_who_must_act() {
        let refused = br#"{"error":"bad_verification_code","error_description":"The code is incorrect or expired."}"#;
        assert!(matches!(read_tokens(refused, 0), Err(Failure::Refused(_))));
        let setup = br#"{"error":"incorrect_client_credentials","error_description":"The client_id is wrong."}"#;
        assert!(matches!(read_tokens(setup, 0), Err(Failure::Setup(_))));
        for nonsense in [&b""[..], b"<html>", b"{}", br#"{"access_token":""}"#, b"[1]"] {
            assert!(matches!(read_tokens(nonsense, 0), Err(Failure::Unavailable(_))));
        }
    }
}
