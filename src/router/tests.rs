//! The table, walked.

use std::collections::HashSet;

use super::*;

#[test]
fn no_row_is_there_twice() {
    let mut seen = HashSet::new();
    for row in ROUTES {
        // Parameters of different names would still match the same paths.
        let shape: Vec<&str> =
            row.path.split('/').map(|segment| if segment.starts_with(':') { ":" } else { segment }).collect();
        assert!(seen.insert((row.method, shape.join("/"))), "{} {}", row.method.word(), row.path);
    }
}

#[test]
fn every_path_builds_a_router() {
    for verb in [Verb::Get, Verb::Head, Verb::Post, Verb::Patch, Verb::Delete] {
        let segments: HashSet<&str> = ROUTES.iter().map(|row| first_segment(row.path)).collect();
        for segment in segments {
            let mut router = Router::with_data(Rc::new(arrival()));
            for row in rows_for(Some(verb), &format!("/{segment}")) {
                // The platform's router panics on rows that exclude one another.
                router = add(router, row, &Method::from(verb.word().to_owned()));
            }
        }
    }
}

/// Below `/api`, what asks for a token itself: it proves who asks, or it is what one is asked for with.
const PROVES_ITSELF: [&str; 4] = ["/api/tokens/exchange", "/api/tokens/self", "/api/device", "/api/device/token"];

#[test]
fn everything_that_changes_something_knows_who_does_it() {
    for row in ROUTES.iter().filter(|row| row.method.changes()) {
        // A token in its header, a code that a person confirmed, a signature of GitHub, and a guest link's secret.
        let by_body = ["/github/webhook", "/guest", "/guest/leave"].contains(&row.path);
        let proves_itself = PROVES_ITSELF.contains(&row.path) || by_body;
        assert!(is_known(row.who) || proves_itself, "{}", row.path);
    }
}

fn is_known(who: Who) -> bool {
    matches!(who, Who::Person | Who::Invited | Who::Token | Who::Admin | Who::AdminToken)
}

#[test]
fn the_api_takes_tokens_and_pages_do_not() {
    for row in ROUTES {
        let is_api = row.path.starts_with("/api/") && !PROVES_ITSELF.contains(&row.path);
        assert_eq!(matches!(row.who, Who::Token | Who::AdminToken), is_api, "{}", row.path);
    }
}

#[test]
fn a_path_is_matched_whole() {
    assert!(matches("/api/sessions/:session", "/api/sessions/7"));
    assert!(matches("/static/*file", "/static/a/b.js"));
    assert!(matches("/", "/"));
    for (pattern, path) in [
        ("/api/sessions/:session", "/api/sessions"),
        ("/api/sessions/:session", "/api/sessions/"),
        ("/api/sessions/:session", "/api/sessions/7/x"),
        ("/api/sessions", "/api/sessions/"),
    ] {
        assert!(!matches(pattern, path), "{pattern} {path}");
    }
}

#[test]
fn a_known_path_with_another_method_says_which_it_takes() {
    let error = no_such_route("/api/sessions/7");
    assert_eq!(error.status(), 405);
    assert_eq!(error.headers, [("Allow", "DELETE, GET, PATCH".to_owned())]);
    assert_eq!(no_such_route("/api/nothing").status(), 404);
}

#[test]
fn looking_means_getting_unless_a_row_says_more() {
    let rows = rows_for(Some(Verb::Head), "/auth/local");
    let methods: Vec<Verb> = rows.iter().filter(|row| row.path == "/auth/local").map(|row| row.method).collect();
    assert_eq!(methods, [Verb::Head]);
    assert!(rows_for(Some(Verb::Head), "/health").iter().any(|row| row.path == "/health"));
}

fn arrival() -> Arrival {
    Arrival {
        request_id: String::new(),
        started_ms: 0,
        method: Method::Get,
        url: "http://127.0.0.1/".parse().unwrap(),
        is_htmx: false,
        pattern: Cell::new(""),
    }
}
