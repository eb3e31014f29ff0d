//! The one error that handlers return, and what becomes of it.
//!
//! Owns the mapping from a failure to a status code, a word for scripts and a sentence for people. `detail` is for the log
//! alone and never leaves the hub. It must not know how a page looks: [`crate::http`] renders it, as JSON under `/api` and
//! as a readable fragment elsewhere, and logs it once.

use protocol::control::ErrorCode;
use serde::Serialize;
use session_hub::call::Refusal;

/// What went wrong, by who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request does not parse, or a field is out of its bounds.
    Invalid,
    /// Nobody is signed in, or the token is wrong.
    Unauthorized,
    /// Signed in, but this may not be done from here: cross-site, missing CSRF header, wrong scope.
    Forbidden,
    /// No such page, session, terminal, prompt, runner or token.
    NotFound,
    /// The path exists, with other methods.
    MethodNotAllowed,
    /// It is no longer in a state in which this can be done.
    Conflict,
    /// The body is larger than its named limit.
    TooLarge,
    /// The body is of another type than the route takes.
    UnsupportedMedia,
    /// A named limit of the hub is reached.
    Limit,
    /// Too many requests: wait.
    RateLimited,
    /// This route speaks WebSocket with a subprotocol.
    UpgradeRequired,
    /// The hub's object did not answer.
    Unavailable,
    /// A fault of this program.
    Internal,
}

impl Kind {
    /// Every kind, for tests and documentation.
    pub const ALL: [Kind; 13] = [
        Kind::Invalid,
        Kind::Unauthorized,
        Kind::Forbidden,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::Conflict,
        Kind::TooLarge,
        Kind::UnsupportedMedia,
        Kind::Limit,
        Kind::RateLimited,
        Kind::UpgradeRequired,
        Kind::Unavailable,
        Kind::Internal,
    ];

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Kind::Invalid => 400,
            Kind::Unauthorized => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::MethodNotAllowed => 405,
            Kind::Conflict => 409,
            Kind::TooLarge => 413,
            Kind::UnsupportedMedia => 415,
            Kind::Limit => 422,
            Kind::RateLimited => 429,
            Kind::UpgradeRequired => 426,
            Kind::Unavailable => 503,
            Kind::Internal => 500,
        }
    }

    /// The word in JSON and logs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Unauthorized => "unauthorized",
            Kind::Forbidden => "forbidden",
            Kind::NotFound => "not_found",
            Kind::MethodNotAllowed => "method_not_allowed",
            Kind::Conflict => "conflict",
            Kind::TooLarge => "too_large",
            Kind::UnsupportedMedia => "unsupported_media_type",
            Kind::Limit => "limit",
            Kind::RateLimited => "rate_limited",
            Kind::UpgradeRequired => "upgrade_required",
            Kind::Unavailable => "unavailable",
            Kind::Internal => "internal",
        }
    }
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Who must act.
    pub kind: Kind,
    /// The word for scripts: mostly [`Kind::word`], or the hub's own word for a refusal.
    pub code: &'static str,
    /// What happened and what to do, for people; never holds a secret.
    pub message: String,
    /// The field at fault.
    pub field: Option<String>,
    /// For the log alone.
    pub detail: String,
    /// Headers that belong to the answer: `Allow`, `Retry-After`, `WWW-Authenticate`, `Sec-WebSocket-Protocol`.
    pub headers: Vec<(&'static str, String)>,
}

impl Error {
    /// An error of this kind, with a message for people.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        let message = message.into();
        Error { kind, code: kind.word(), message, field: None, detail: String::new(), headers: Vec::new() }
    }

    /// A field of the request is missing or out of its bounds.
    pub fn invalid(field: &str, message: impl Into<String>) -> Error {
        Error { field: Some(field.to_owned()), ..Error::new(Kind::Invalid, message) }
    }

    /// There is nothing at this address.
    pub fn not_found(what: &str) -> Error {
        Error::new(Kind::NotFound, format!("There is no such {what}."))
    }

    /// Sign in first.
    pub fn unauthorized(message: impl Into<String>) -> Error {
        Error::new(Kind::Unauthorized, message)
    }

    /// Not from here, or not by you.
    pub fn forbidden(message: impl Into<String>) -> Error {
        Error::new(Kind::Forbidden, message)
    }

    /// A fault of this program; `detail` goes to the log, a plain sentence to the person.
    pub fn internal(detail: impl Into<String>) -> Error {
        Error::new(
            Kind::Internal,
            "Something went wrong in the hub. Try again; if it stays, look up the request id in its log.",
        )
        .with_detail(detail)
    }

    /// The hub's object could not be reached.
    pub fn unavailable(detail: impl Into<String>) -> Error {
        Error::new(Kind::Unavailable, "The hub did not answer. Try again in a moment.").with_detail(detail)
    }

    /// The same, with more for the log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Error {
        self.detail = detail.into();
        self
    }

    /// The same, with a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Error {
        self.headers.push((name, value.into()));
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The body of an answer under `/api`.
    pub fn to_json(&self, request_id: &str) -> serde_json::Value {
        let mut error = serde_json::json!({ "code": self.code, "message": self.message, "request_id": request_id });
        if let (Some(object), Some(field)) = (error.as_object_mut(), &self.field) {
            object.insert("field".to_owned(), field.clone().into());
        }
        serde_json::json!({ "error": error })
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        let (kind, code) = match refusal.code {
            ErrorCode::Invalid => (Kind::Invalid, "invalid"),
            ErrorCode::UnknownType => (Kind::Invalid, "unknown_type"),
            ErrorCode::NotFound => (Kind::NotFound, "not_found"),
            ErrorCode::NotDriver => (Kind::Conflict, "not_driver"),
            ErrorCode::Forbidden => (Kind::Forbidden, "forbidden"),
            ErrorCode::RunnerOffline => (Kind::Conflict, "runner_offline"),
            ErrorCode::Ended => (Kind::Conflict, "ended"),
            ErrorCode::Limit => (Kind::Limit, "limit"),
            ErrorCode::Conflict => (Kind::Conflict, "conflict"),
            ErrorCode::Internal => (Kind::Internal, "internal"),
        };
        Error { code, field: refusal.field, ..Error::new(kind, refusal.message) }
    }
}

impl From<worker::Error> for Error {
    fn from(error: worker::Error) -> Error {
        Error::internal(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::internal(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_an_error_status_with_a_word_of_its_own() {
        let words: std::collections::HashSet<_> = Kind::ALL.into_iter().map(Kind::word).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        assert!(Kind::ALL.into_iter().all(|kind| (400..=599).contains(&kind.status())));
        for kind in Kind::ALL {
            let serialised = serde_json::to_value(kind).unwrap();
            // 415's word is the IANA phrase; all others are the variant's name.
            assert!(kind == Kind::UnsupportedMedia || serialised == kind.word(), "{serialised}");
        }
    }

    #[test]
    fn json_names_the_field_and_never_the_detail() {
        let error = Error::invalid("name", "A name is needed.").with_detail("secret thing");
        let json = error.to_json("r1");
        assert_eq!(
            json,
            serde_json::json!({"error": {"code": "invalid", "message": "A name is needed.", "field": "name", "request_id": "r1"}})
        );
    }

    #[test]
    fn a_refusal_of_the_hub_keeps_its_word_and_message() {
        let refusal = Refusal { code: ErrorCode::RunnerOffline, message: "The runner is away.".into(), field: None };
        let error = Error::from(refusal);
        assert_eq!(
            (error.status(), error.code, error.message.as_str()),
            (409, "runner_offline", "The runner is away.")
        );
    }
}
