//! Security headers of every answer, decided in one place.

use worker::Headers;

use crate::error::Error;

/// Nothing may load or run but what this hub serves. No inline script, no eval, no frame, no other origin.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for every answer; HSTS comes beside them over https.
const ALWAYS: [(&str, &str); 7] = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
];

/// Two years, as browsers ask for.
const STRICT_TRANSPORT_SECURITY: (&str, &str) = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains");

/// Name of the header that names the request.
pub const REQUEST_ID: &str = "X-Request-Id";

/// Adds them; a header that the handler set stays.
pub fn secure(headers: &Headers, is_https: bool, request_id: &str) -> Result<(), Error> {
    for (name, value) in security(is_https) {
        if !headers.has(name)? {
            headers.set(name, value)?;
        }
    }
    headers.set(REQUEST_ID, request_id)?;
    Ok(())
}

fn security(is_https: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    ALWAYS.into_iter().chain(is_https.then_some(STRICT_TRANSPORT_SECURITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_held_to_https_only_where_it_is_spoken() {
        assert!(security(true).any(|header| header == STRICT_TRANSPORT_SECURITY));
        assert!(security(false).all(|(name, _)| name != STRICT_TRANSPORT_SECURITY.0));
    }

    #[test]
    fn the_policy_allows_no_inline_code_and_no_other_origin() {
        for banned in ["unsafe-inline", "unsafe-eval", "*", "http:", "https:", "blob:"] {
            assert!(!CONTENT_SECURITY_POLICY.contains(banned), "{banned}");
        }
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none';"));
    }
}
