//! Where configuration and state lie: flag, then variable, then the XDG folders.

use std::path::{Path, PathBuf};

/// The home folder; `/` when there is none, so that every path stays absolute.
pub fn home() -> PathBuf {
    std::env::home_dir().filter(|home| home.is_absolute()).unwrap_or_else(|| "/".into())
}

/// A variable as UTF-8; one that is not counts as absent.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `~` and `~/…` are the home folder; a relative path is taken from there too, since a runner has no folder of its own.
pub fn expand(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => home.to_path_buf(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => home.join(path),
    }
}

/// The configuration file when none was named.
pub fn config_file(var: &dyn Fn(&str) -> Option<String>, home: &Path) -> PathBuf {
    xdg(var, "XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("muster/config.toml")
}

/// Where `muster login` keeps what it was given.
pub fn credentials_file(var: &dyn Fn(&str) -> Option<String>, home: &Path) -> PathBuf {
    config_file(var, home).with_file_name("credentials.json")
}

/// The state folder when none was named.
pub fn state_dir(var: &dyn Fn(&str) -> Option<String>, home: &Path) -> PathBuf {
    xdg(var, "XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")).join("muster")
}

/// XDG says: a variable that is empty or relative is ignored.
fn xdg(var: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<PathBuf> {
    var(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
