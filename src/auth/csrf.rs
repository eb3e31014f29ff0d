//! Whether a request that a cookie authorises was made by this hub's own page.
//!
//! Two proofs, both needed: the browser says where the request comes from (`Origin`, or `Sec-Fetch-Site` where a browser
//! leaves Origin out), and the page shows a token that only this hub's pages hold. The token is an HMAC under the cookie's own
//! secret, so nothing is stored, and it ends with the sign-in.

use super::secret;

/// Header that carries the token; pages set it for every htmx request.
pub const HEADER: &str = "X-CSRF-Token";

const CONTEXT: &str = "muster csrf 1";

/// The token for pages of the sign-in with this cookie.
pub fn token(cookie: &str) -> String {
    secret::sign(cookie.as_bytes(), CONTEXT)
}

/// Whether the token belongs to the cookie.
pub fn is_token(cookie: &str, token: &str) -> bool {
    secret::is_signed(cookie.as_bytes(), CONTEXT, token)
}

/// Whether a browser made the request from a page of `own_origin`.
pub fn is_same_origin(own_origin: &str, origin: Option<&str>, fetch_site: Option<&str>) -> bool {
    match (origin, fetch_site) {
        (Some(origin), _) => origin == own_origin,
        (None, Some(site)) => site == "same-origin",
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_cookie() {
        let token = token("cookie a");
        assert!(is_token("cookie a", &token));
        assert!(!is_token("cookie b", &token));
        assert!(!is_token("cookie a", ""));
    }

    #[test]
    fn only_the_own_origin_counts() {
        let own = "https://muster.example.com";
        assert!(is_same_origin(own, Some(own), None));
        assert!(is_same_origin(own, Some(own), Some("same-origin")));
        assert!(is_same_origin(own, None, Some("same-origin")));
        for (origin, site) in [
            (None, None),
            (Some("null"), Some("same-origin")),
            (Some("https://evil.example.com"), Some("same-origin")),
            (Some("http://muster.example.com"), None),
            (Some("https://muster.example.com.evil.com"), None),
            (None, Some("same-site")),
            (None, Some("none")),
            (None, Some("cross-site")),
        ] {
            assert!(!is_same_origin(own, origin, site), "{origin:?} {site:?}");
        }
    }
}
