//! Variables and secrets of the deployment, read once for each request. A missing one has a stated default; nothing else in
//! the Worker reads the environment by name, except the bindings' own modules.

use worker::Env;

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
}

impl Config {
    /// Reads the environment.
    pub fn read(env: &Env) -> Config {
        Config::from_lookup(|name| env.var(name).ok().map(|value| value.to_string()))
    }

    /// The same from any source of names.
    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Config {
        let given = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        Config {
            local_secret: given("MUSTER_LOCAL_SECRET"),
            local_name: given("MUSTER_LOCAL_NAME")
                .map(|name| name.trim().chars().filter(|char| !char.is_control()).take(NAME_CHARS_MAX).collect())
                .unwrap_or_else(|| "You".to_owned()),
            jwt_keys: given("MUSTER_JWT_KEYS"),
        }
    }
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
    fn a_name_is_bounded_and_plain() {
        let config =
            Config::from_lookup(|name| (name == "MUSTER_LOCAL_NAME").then(|| format!(" Ann\u{7}{} ", "x".repeat(200))));
        assert_eq!(config.local_name.chars().count(), NAME_CHARS_MAX);
        assert!(config.local_name.starts_with("Annx"));
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
