//! The last step of every request: an error becomes JSON or a readable fragment, headers are added, one line is logged.

use askama::Template;
use serde_json::json;
use worker::{Response, ResponseBuilder, console_error, console_log};

use super::Arrival;
use crate::error::{Error, Kind};
use crate::pages::view::{self, ErrorPage};
use crate::{clock, headers};

/// Where a 401 is the answer itself, since leading to the sign-in would lead in a circle.
const SIGN_IN_PATH: &str = "/auth/local";

/// An error as its reader can take it.
pub(super) fn failed(arrival: &Arrival, error: Error) -> Response {
    log_error(arrival, &error);
    let response = if is_for_programs(arrival.url.path()) {
        json_error(arrival, &error)
    } else if error.kind == Kind::Unauthorized && arrival.url.path() != SIGN_IN_PATH {
        to_sign_in(arrival, &error)
    } else {
        html_error(arrival, &error)
    };
    // Building an answer fails only on a header that is not ASCII; then a bare status must do.
    response.unwrap_or_else(|_| ResponseBuilder::new().with_status(error.status()).empty())
}

/// Adds the headers that every answer has, and logs.
pub(super) fn finish(arrival: &Arrival, response: Response) -> worker::Result<Response> {
    let status = response.status_code();
    log_request(arrival, status);
    if status == 101 {
        return Ok(response);
    }
    // Headers of an answer that was fetched cannot be changed in place.
    let own = response.headers().clone();
    match headers::secure(&own, arrival.url.scheme() == "https", &arrival.request_id) {
        Ok(()) => Ok(response.with_headers(own)),
        Err(error) => Err(worker::Error::RustError(error.detail)),
    }
}

/// Whether programs read the answers below this path.
fn is_for_programs(path: &str) -> bool {
    path == "/health"
        || ["/api", "/ws", "/github"]
            .iter()
            .any(|area| path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn with_headers(error: &Error) -> worker::Result<ResponseBuilder> {
    let mut builder = Response::builder().with_status(error.status()).with_header("Cache-Control", "no-store")?;
    for (name, value) in &error.headers {
        builder = builder.with_header(name, value)?;
    }
    Ok(builder)
}

fn json_error(arrival: &Arrival, error: &Error) -> worker::Result<Response> {
    let body = error.to_json(&arrival.request_id).to_string();
    Ok(with_headers(error)?.with_header("Content-Type", "application/json")?.fixed(body.into_bytes()))
}

fn html_error(arrival: &Arrival, error: &Error) -> worker::Result<Response> {
    let body = if arrival.is_htmx {
        view::error_fragment(&error.message, error.field.as_deref())
    } else {
        ErrorPage::new(error.status(), &error.message, &arrival.request_id).render().unwrap_or_default()
    };
    Ok(with_headers(error)?.with_header("Content-Type", "text/html; charset=utf-8")?.fixed(body.into_bytes()))
}

/// A page that needs a sign-in leads to it: htmx moves the whole page there, a browser is redirected.
fn to_sign_in(arrival: &Arrival, error: &Error) -> worker::Result<Response> {
    if arrival.is_htmx {
        return Ok(with_headers(error)?.with_header("HX-Redirect", "/")?.empty());
    }
    Ok(with_headers(error)?.with_status(303).with_header("Location", "/")?.empty())
}

/// One line for each request: what the table calls it, never its query, its cookies or its token.
fn log_request(arrival: &Arrival, status: u16) {
    console_log!(
        "{}",
        json!({
            "event": "request",
            "request_id": arrival.request_id,
            "method": arrival.method.as_ref(),
            "route": arrival.pattern.get(),
            "status": status,
            "ms": clock::now_ms().saturating_sub(arrival.started_ms),
        })
    );
}

fn log_error(arrival: &Arrival, error: &Error) {
    if error.detail.is_empty() && error.status() < 500 {
        return;
    }
    let line = json!({
        "event": "error",
        "request_id": arrival.request_id,
        "route": arrival.pattern.get(),
        "status": error.status(),
        "code": error.code,
        "detail": error.detail,
    });
    match error.status() {
        500.. => console_error!("{line}"),
        _ => console_log!("{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_for_programs;

    #[test]
    fn programs_get_json_and_people_get_pages() {
        for path in ["/api", "/api/sessions", "/ws/connect", "/health", "/github/webhook"] {
            assert!(is_for_programs(path), "{path}");
        }
        for path in ["/", "/apis", "/sessions/1", "/auth/local", "/healthy"] {
            assert!(!is_for_programs(path), "{path}");
        }
    }
}
