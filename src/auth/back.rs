//! Where to go after signing in: a page that turned a stranger away leaves its own address in a cookie of their browser.
//!
//! For one-time links, which come from a terminal and know nothing of it; a sign-in with GitHub carries
//! [`super::return_path`] through its own attempt. **Invariant.** Only an address that [`safe`] rebuilds is ever followed: `/device`, with a code or without.

use super::cookie;
use super::device::UserCode;

const NAME: &str = "muster_back";
/// As long as the code that the person wants to confirm lives.
const LIFE_S: u64 = super::device::LIFE_S;
const DEVICE: &str = "/device";

/// The address of the page for this code.
pub fn to_device(code: Option<&UserCode>) -> String {
    code.map_or_else(|| DEVICE.to_owned(), |code| format!("{DEVICE}?code={code}"))
}

/// `Set-Cookie` that remembers the address.
pub fn remember(path: &str, is_https: bool) -> String {
    format!("{NAME}={path}; {}; Max-Age={LIFE_S}{}", ATTRIBUTES, secure(is_https))
}

/// `Set-Cookie` that forgets it.
pub fn forget(is_https: bool) -> String {
    format!("{NAME}=; {}; Max-Age=0{}", ATTRIBUTES, secure(is_https))
}

/// The address that a `Cookie` header remembers.
pub fn remembered(cookies: &str) -> Option<String> {
    safe(cookie::value(cookies, NAME)?)
}

const ATTRIBUTES: &str = "Path=/; HttpOnly; SameSite=Lax";

/// The address made anew from what was understood of it, so that nothing else of it is left.
fn safe(path: &str) -> Option<String> {
    let rest = path.strip_prefix(DEVICE)?;
    if rest.is_empty() {
        return Some(to_device(None));
    }
    let code = UserCode::parse(rest.strip_prefix("?code=")?)?;
    Some(to_device(Some(&code)))
}

fn secure(is_https: bool) -> &'static str {
    if is_https { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for path in [to_device(None), to_device(Some(&code))] {
            let set = remember(&path, true);
            let pair = set.split(';').next().unwrap();
            assert_eq!(remembered(&format!("a=b; {pair}")), Some(path));
            assert!(set.contains("HttpOnly") && set.contains("; Secure"), "{set}");
        }
        assert!(!remember(DEVICE, false).contains("Secure"));
        assert_eq!(remembered(forget(true).split(';').next().unwrap()), None);
    }

    #[test]
    fn nothing_else_is_followed() {
        for path in [
            "",
            "/",
            "/dashboard",
            "//evil.example",
            "https://evil.example/device",
            "/device/../auth/logout",
            "/device?code=WDJB-MJHT&next=//evil.example",
            "/device?code=",
            "/device?next=x",
            "/device#x",
            "/devices",
            "/\\evil.example/device",
        ] {
            assert_eq!(remembered(&format!("{NAME}={path}")), None, "{path}");
        }
    }
}
