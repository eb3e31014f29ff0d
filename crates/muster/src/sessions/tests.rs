//! What is listed, of whom, and what is made of a hub that says something else.

use super::*;
use crate::hub_link::model::{model, refusal, test};

const OWN_LIST: &str = r#"{"now_ms":5,"sessions":[{"session":7,"name":"fix the build","agent_label":"Claude Code","runner_name":"laptop","status":{"status":"blocked"},"cwd":"/src","terminals":1}],"runners":[],"more":1}"#;
const SHARED_LIST: &str = r#"{"now_ms":5,"sessions":[{"session":7,"address":"3-7","owner":"3","owner_name":"Ann\u001b[2J","right":"approver","name":"re\nlease","agent_label":"Codex","runner_name":"vm","status":{"status":"working"},"cwd":"/x"}]}"#;

fn token() -> Secret {
    Secret::new("mst_secret")
}

async fn listed(answers: Vec<(&'static str, String)>) -> Result<Sessions, ListError> {
    list(&model(answers).await.0, &token()).await
}

#[test]
fn shared_sessions_stand_below_ones_own_with_owner_and_right() {
    test(async {
        let (hub, asked) = model(vec![("200 OK", OWN_LIST.into()), ("200 OK", SHARED_LIST.into())]).await;
        let text = table(&list(&hub, &token()).await.unwrap_or_else(|error| panic!("{error}")));
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[1], ["7", "blocked", "Claude", "Code", "laptop", "fix", "the", "build"]);
        assert_eq!(words[3], ["Shared", "with", "you:"]);
        assert_eq!(words[5], ["3-7", "working", "Codex", "vm", "approver", "Ann[2J", "release"], "nothing to obey");
        let asked = asked.lock().expect("asked");
        assert!(asked[0].starts_with("GET /api/sessions HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(asked[1].starts_with("GET /api/shared HTTP/1.1\r\n"), "{}", asked[1]);
        assert!(asked.iter().all(|request| request.contains("authorization: Bearer mst_secret\r\n")));
    });
}

#[test]
fn each_line_of_json_has_its_address_and_right_and_whatever_the_hub_said() {
    test(async {
        let list = listed(vec![("200 OK", OWN_LIST.into()), ("200 OK", SHARED_LIST.into())]).await;
        let json = serde_json::to_value(list.unwrap_or_else(|error| panic!("{error}"))).expect("json");
        let (own, shared) = (&json["sessions"][0], &json["shared"][0]);
        assert_eq!((&own["address"], &own["right"], &own["cwd"]), (&"7".into(), &"owner".into(), &"/src".into()));
        assert_eq!(own.get("owner_name"), None);
        assert_eq!((&shared["address"], &shared["right"]), (&"3-7".into(), &"approver".into()));
        assert_eq!((&shared["owner"], &shared["owner_name"]), (&"3".into(), &"Ann\u{1b}[2J".into()), "escaped by JSON");
    });
}

#[test]
fn a_hub_that_is_older_than_sharing_lists_what_it_has() {
    test(async {
        let list = listed(vec![("200 OK", OWN_LIST.into()), ("404 Not Found", refusal("not_found"))]).await;
        let list = list.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((list.sessions.len(), list.shared.len()), (1, 0));
        assert!(!table(&list).contains("Shared"), "{}", table(&list));
    });
}

#[test]
fn a_right_of_a_newer_hub_is_one_to_watch() {
    let lines = parse(SHARED_LIST.replace("approver", "superdriver").as_bytes()).expect("a list");
    assert_eq!(lines[0].right, Right::Viewer);
    assert_eq!(parse(br#"{"sessions":[{"session":1,"status":{"status":"dreaming"}}]}"#).expect("a list").len(), 1);
}

#[test]
fn who_has_nothing_is_told_so() {
    let nothing = Sessions { sessions: Vec::new(), shared: Vec::new() };
    assert_eq!(table(&nothing), "You have no sessions.\n");
}

#[test]
fn what_is_refused_or_no_list_is_said_without_the_token() {
    test(async {
        let ok = || ("200 OK", OWN_LIST.to_owned());
        for (answers, part) in [
            (vec![("401 Unauthorized", refusal("unauthorized"))], "log in again with `muster login --hub http://127"),
            (vec![("429 Too Many Requests", refusal("rate_limited"))], "the hub's words"),
            (vec![("404 Not Found", "<html>".to_owned())], "it answers 404"),
            (vec![("200 OK", "<html>".to_owned())], "another form"),
            (vec![ok(), ("503 Service Unavailable", String::new())], "it answers 503"),
            (vec![ok(), ("200 OK", "[]".to_owned())], "another form"),
        ] {
            let error = listed(answers).await.map(|_| ()).expect_err(part).to_string();
            assert!(error.contains(part) && !error.contains("mst_"), "{error}");
        }
    });
}

#[test]
fn a_long_list_is_read_whole() {
    test(async {
        let line = r#"{"session":1,"task":"TASK"}"#.replace("TASK", &"t".repeat(4_000));
        let body = format!(r#"{{"sessions":[{}]}}"#, vec![line; 100].join(","));
        let list = listed(vec![("200 OK", body), ("404 Not Found", refusal("not_found"))]).await;
        assert_eq!(list.unwrap_or_else(|error| panic!("{error}")).sessions.len(), 100);
    });
}
