//! The hub's address, as a person writes it and as the two requests need it.

use hyper::Uri;

/// Scheme, host, port and the path that everything hangs below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubAddress {
    /// TLS or not.
    pub tls: bool,
    /// Host without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    authority: String,
    prefix: String,
}

/// Why a text is not a hub's address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is not a hub's address ({why}); it looks like https://muster.example.com")]
pub struct AddressError {
    text: String,
    why: String,
}

impl HubAddress {
    /// Reads `https://host[:port][/prefix]`; `http` too, for a hub on this machine or behind a proxy of its own.
    pub fn parse(text: &str) -> Result<HubAddress, AddressError> {
        let wrong = |why: &str| AddressError { text: text.into(), why: why.into() };
        let uri: Uri = text.trim().parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(&error.to_string()))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it begins neither with https:// nor with http://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("credentials do not belong into an address"));
        }
        if uri.query().is_some() {
            return Err(wrong("it has a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(HubAddress {
            tls,
            host,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().into(),
            prefix: uri.path().trim_end_matches('/').into(),
        })
    }

    /// Host and port as the `Host` header and messages name them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The address as it is written: what tells one hub from another.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority.to_ascii_lowercase(), self.prefix)
    }

    /// Path of an endpoint.
    pub fn path(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.prefix)
    }

    /// The address of the one WebSocket door.
    pub fn connect_url(&self) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        format!("{scheme}://{}{}", self.authority, self.path("/ws/connect"))
    }

    /// True when what is sent can be read on the way: no TLS, and not to this machine.
    pub fn is_exposed(&self) -> bool {
        let is_loopback = self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        !self.tls && !is_loopback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_give_the_two_endpoints() {
        let hub = HubAddress::parse("https://hub.example/").expect("valid");
        assert_eq!((hub.host.as_str(), hub.port, hub.tls), ("hub.example", 443, true));
        assert_eq!(hub.connect_url(), "wss://hub.example/ws/connect");
        let hub = HubAddress::parse(" http://[::1]:8787/team ").expect("valid");
        assert_eq!((hub.host.as_str(), hub.port, hub.tls), ("::1", 8787, false));
        assert_eq!(hub.connect_url(), "ws://[::1]:8787/team/ws/connect");
        assert_eq!(hub.url(), "http://[::1]:8787/team");
        assert_eq!(hub.path("/api/tokens/exchange"), "/team/api/tokens/exchange");
    }

    #[test]
    fn only_plain_text_to_another_machine_is_exposed() {
        for (text, exposed) in [
            ("http://127.0.0.1:1", false),
            ("http://localhost", false),
            ("http://10.0.0.1", true),
            ("https://a", false),
        ] {
            assert_eq!(HubAddress::parse(text).expect("valid").is_exposed(), exposed, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for text in ["", "hub.example", "ftp://a", "https://", "https://u:p@a", "https://a/?q", "https://a b"] {
            let error = HubAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains("looks like https://"), "{error}");
        }
    }
}
