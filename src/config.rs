//! Variables and secrets of the deployment, read once for each request. A missing one has a stated default; nothing else in
//! the Worker reads the environment by name, except the bindings' own modules.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use worker::Env;

use crate::auth::cf_access::Application;
use crate::auth::device;
use crate::auth::keyring::KeyRing;
use crate::error::Error;
use crate::github::{App, Entity};

/// Most characters of a name that a variable may give.
const NAME_CHARS_MAX: usize = 80;

/// What the deployment says.
#[derive(Clone, Default)]
pub struct Config {
    /// `MUSTER_LOCAL_SECRET`: signs one-time links; only a hub that was started locally has it.
    pub local_secret: Option<String>,
    /// `MUSTER_LOCAL_NAME`: what the person of a local hub is called.
    pub local_name: String,
    /// `MUSTER_JWT_KEYS`: `{"current": "...", "keys": {"<kid>": "<base64url>"}}`; without it keys are made and kept in D1.
    pub jwt_keys: Option<String>,
    /// `MUSTER_GITHUB_CLIENT_ID` and what goes with it: people sign in with GitHub.
    pub github: Option<App>,
    /// `MUSTER_GITHUB_WEBHOOK_SECRET`: what GitHub signs its webhooks with.
    pub github_webhook_secret: Option<String>,
    /// `MUSTER_ALLOWED_ORGS`, `MUSTER_ALLOWED_TEAMS` and `MUSTER_ALLOWED_USERS`: who may come in at first; afterwards the
    /// list in D1 counts.
    pub allowed: Vec<Entity>,
    /// `MUSTER_ADMINS`: logins at GitHub that are always let in, as admins; or addresses at Cloudflare Access.
    pub admins: Vec<String>,
    /// `MUSTER_ACCESS_TEAM` and `MUSTER_ACCESS_AUD`: Cloudflare Access stands in front.
    pub access: Option<Application>,
    /// `MUSTER_DATA_KEYS`: seals what must be readable again; of the form of `MUSTER_JWT_KEYS`.
    data_keys: Option<String>,
    /// `MUSTER_DEVICE_LIFE_S`: how long a code of `muster login` lives; at most, and by default, ten minutes.
    pub device_life_s: u64,
    /// `MUSTER_DEVICE_INTERVAL_S`: how far apart its polls are; a minute at most, five seconds by default.
    pub device_interval_s: u64,
}

impl Config {
    /// Reads the environment.
    pub fn read(env: &Env) -> Config {
        Config::from_lookup(|name| env.var(name).ok().map(|value| value.to_string()))
    }

    /// The same from any source of names.
    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Config {
        let given = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let seconds = |name: &str, default: u64, max: u64| {
            given(name).and_then(|value| value.trim().parse().ok()).filter(|s| (1..=max).contains(s)).unwrap_or(default)
        };
        Config {
            local_secret: given("MUSTER_LOCAL_SECRET"),
            local_name: given("MUSTER_LOCAL_NAME")
                .map(|name| name.trim().chars().filter(|char| !char.is_control()).take(NAME_CHARS_MAX).collect())
                .unwrap_or_else(|| "You".to_owned()),
            jwt_keys: given("MUSTER_JWT_KEYS"),
            github: given("MUSTER_GITHUB_CLIENT_ID").zip(given("MUSTER_GITHUB_CLIENT_SECRET")).map(|(id, secret)| {
                App {
                    client_id: id.trim().to_owned(),
                    client_secret: secret.trim().to_owned(),
                    web_url: url(given("MUSTER_GITHUB_URL"), "https://github.com"),
                    api_url: url(given("MUSTER_GITHUB_API_URL"), "https://api.github.com"),
                }
            }),
            github_webhook_secret: given("MUSTER_GITHUB_WEBHOOK_SECRET"),
            allowed: [
                ("org", "MUSTER_ALLOWED_ORGS"),
                ("team", "MUSTER_ALLOWED_TEAMS"),
                ("user", "MUSTER_ALLOWED_USERS"),
            ]
            .into_iter()
            .flat_map(|(kind, name)| words(given(name)).into_iter().filter_map(move |word| Entity::parse(kind, &word)))
            .collect(),
            admins: words(given("MUSTER_ADMINS")),
            access: given("MUSTER_ACCESS_TEAM").zip(given("MUSTER_ACCESS_AUD")).map(|(team, audience)| Application {
                team: url(Some(team), ""),
                audience: audience.trim().to_owned(),
            }),
            data_keys: given("MUSTER_DATA_KEYS"),
            device_life_s: seconds("MUSTER_DEVICE_LIFE_S", device::LIFE_S, device::LIFE_S),
            device_interval_s: seconds("MUSTER_DEVICE_INTERVAL_S", device::INTERVAL_S, 60),
        }
    }

    /// Whether the deployment names this login as an admin.
    pub fn is_admin(&self, login: &str) -> bool {
        self.admins.iter().any(|admin| admin.eq_ignore_ascii_case(login))
    }

    /// The keys that seal. Without a secret of their own they follow from GitHub's client secret, so that a first deployment
    /// needs one secret less; changing that one then makes people sign in again.
    pub fn data_keys(&self) -> Result<KeyRing, Error> {
        if let Some(text) = &self.data_keys {
            return KeyRing::from_secret("MUSTER_DATA_KEYS", text);
        }
        let app = self.github.as_ref().ok_or_else(|| Error::internal("there is no key to seal with"))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(app.client_secret.as_bytes())
            .map_err(|_| Error::internal("the client secret is no key"))?;
        mac.update(b"muster data key 1");
        Ok(KeyRing::single("client-secret", mac.finalize().into_bytes().to_vec()))
    }
}

/// Words between commas or spaces, in lower case, without the `@` that people write before names.
fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default().to_lowercase();
    let parts = text.split(|char: char| char == ',' || char.is_whitespace());
    parts.map(|word| word.trim_start_matches('@').to_owned()).filter(|word| !word.is_empty()).collect()
}

fn url(given: Option<String>, otherwise: &str) -> String {
    given.unwrap_or_else(|| otherwise.to_owned()).trim().trim_end_matches('/').to_owned()
}

/// Whether this address is of this machine. Names that merely resolve to it are not: that would let a page of another
/// site, by rebinding its name, reach a local hub.
pub fn is_loopback(host: Option<&str>) -> bool {
    matches!(host, Some("127.0.0.1" | "localhost" | "[::1]" | "::1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_values_count_as_absent() {
        let config = Config::from_lookup(|name| (name == "MUSTER_LOCAL_SECRET").then(|| "  ".to_owned()));
        assert_eq!(config.local_secret, None);
        assert_eq!(config.local_name, "You");
    }

    #[test]
    fn who_may_come_in_is_read_from_lists() {
        let config = Config::from_lookup(|name| match name {
            "MUSTER_ALLOWED_ORGS" => Some("Acme, globex".to_owned()),
            "MUSTER_ALLOWED_TEAMS" => Some("acme/platform\nnot-a-team".to_owned()),
            "MUSTER_ADMINS" => Some("@Ann bob".to_owned()),
            _ => None,
        });
        let names: Vec<String> = config.allowed.iter().map(Entity::text).collect();
        assert_eq!(names, ["org:acme", "org:globex", "team:acme/platform"]);
        assert!(config.is_admin("ANN") && config.is_admin("bob") && !config.is_admin("eve"));
        assert_eq!(config.github, None);
    }

    #[test]
    fn sealing_needs_a_secret_of_the_deployment() {
        let only = |id: &'static str| Config::from_lookup(move |name| (name.ends_with(id)).then(|| "given".to_owned()));
        assert!(only("nothing").data_keys().is_err());
        assert_eq!(only("CLIENT_ID").github, None, "an id without its secret is no app");
        let app = Config::from_lookup(|name| name.starts_with("MUSTER_GITHUB_CLIENT").then(|| "given".to_owned()));
        assert_eq!(app.data_keys().unwrap().current().unwrap().0, "client-secret");
        assert_eq!(app.github.unwrap().api_url, "https://api.github.com");
    }

    #[test]
    fn a_name_is_bounded_and_plain() {
        let config =
            Config::from_lookup(|name| (name == "MUSTER_LOCAL_NAME").then(|| format!(" Ann\u{7}{} ", "x".repeat(200))));
        assert_eq!(config.local_name.chars().count(), NAME_CHARS_MAX);
        assert!(config.local_name.starts_with("Annx"));
    }

    #[test]
    fn spans_out_of_bounds_are_the_default() {
        for (value, life_s, interval_s) in
            [("1", 1, 1), ("60", 60, 60), ("600", 600, 5), ("601", 600, 5), ("0", 600, 5), ("x", 600, 5), ("", 600, 5)]
        {
            let config = Config::from_lookup(|_| Some(value.to_owned()));
            assert_eq!((config.device_life_s, config.device_interval_s), (life_s, interval_s), "{value}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_local() {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            assert!(is_loopback(Some(host)), "{host}");
        }
        for host in ["127.0.0.1.example.com", "localhost.example.com", "muster.example.com", "0.0.0.0", ""] {
            assert!(!is_loopback(Some(host)), "{host}");
        }
        assert!(!is_loopback(None));
    }
}
