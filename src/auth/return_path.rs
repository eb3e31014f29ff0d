//! Where a browser goes after signing in: a path of this hub, and nowhere else.

/// Longest path that is remembered, in bytes.
const PATH_BYTES_MAX: usize = 512;
/// Where everyone goes who came from nowhere in particular.
pub const HOME: &str = "/dashboard";

/// The path, if a browser would take it for one of this hub. `//host` and `/\host` name other hosts.
pub fn checked(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let is_plain = path.len() <= PATH_BYTES_MAX && path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_local && is_plain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_hub_are_returned_to() {
        for path in ["/", "/dashboard", "/device?code=WDJB-MJHT", "/sessions/7#terminal"] {
            assert_eq!(checked(path), Some(path));
        }
        for path in
            ["", "dashboard", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\r\nX: y", "/ä"]
        {
            assert_eq!(checked(path), None, "{path:?}");
        }
        assert_eq!(checked(&format!("/{}", "x".repeat(PATH_BYTES_MAX))), None);
    }
}
