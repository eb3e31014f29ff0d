//! Opening the person's browser, where there is a person with one.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(not(target_os = "macos"))]
const OPENER: &str = "xdg-open";

/// Whether a window could show up: on a Mac, or under X or Wayland, and not over SSH.
pub fn has_display(var: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
    let is_remote = is_set("SSH_CONNECTION") || is_set("SSH_TTY");
    !is_remote && (cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
}

/// Opens it; false if this machine has nothing to open it with. Whether a window came is the person's to see.
pub fn open(url: &str) -> bool {
    let mut command = Command::new(OPENER);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // In a group of its own: Ctrl-C is for this program, not for the browser.
    command.process_group(0).spawn().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn a_browser_is_opened_only_where_somebody_sits() {
        for (set, expected) in [
            (&[][..], false),
            (&[("DISPLAY", "")], false),
            (&[("DISPLAY", ":0")], true),
            (&[("WAYLAND_DISPLAY", "wayland-0")], true),
            (&[("DISPLAY", "localhost:10.0"), ("SSH_CONNECTION", "10.0.0.1 5 10.0.0.2 22")], false),
        ] {
            let var = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(has_display(&var), expected, "{set:?}");
        }
    }
}
