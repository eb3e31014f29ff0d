//! `docs/openapi.json` says what the router and the hub's answers say: no route and no field more, none less.

use std::collections::{BTreeMap, BTreeSet};

use protocol::claudecodeui::InstanceStatus;
use protocol::control::{AgentOffer, Person, Size, StatusReport};
use protocol::right::Right;
use protocol::status::{BlockedOn, Evidence, PromptState, Status};
use serde::Serialize;
use serde_json::Value;
use session_hub::call::{
    Board, Grantee, Health, InstanceView, PromptView, RunnerView, SessionDetail, SessionView, ShareView, Shares,
    TerminalState, TerminalView, TimelineEntry,
};

use crate::auth::Role;
use crate::auth::token::Scope;
use crate::router::{ROUTES, Verb, Who};
use crate::store::allowed::AllowedRow;
use crate::store::people::PersonEntry;
use crate::store::tokens::TokenEntry;

fn document() -> Value {
    serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap()
}

/// `/api/sessions/:session` as OpenAPI writes it.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn is_described(path: &str) -> bool {
    path.starts_with("/api/") || path == "/health" || path == "/ws/connect"
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let described: BTreeSet<(String, String)> = document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, operations)| {
            operations.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let routed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|row| is_described(row.path))
        .map(|row| (template(row.path), row.method.word().to_owned()))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn every_operation_names_its_parameters_once_and_says_who_may() {
    let document = document();
    let mut ids = BTreeSet::new();
    for row in ROUTES.iter().filter(|row| is_described(row.path) && row.method != Verb::Head) {
        let operation = &document["paths"][template(row.path)][row.method.word().to_lowercase()];
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{}", row.path);
        let in_path: Vec<&str> = row.path.split('/').filter_map(|segment| segment.strip_prefix(':')).collect();
        let named: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, named, "{}", row.path);
        let by_token_or_cookie = serde_json::json!([{ "signIn": [] }, { "token": [] }]);
        let takes_tokens = matches!(row.who, Who::Token | Who::AdminToken);
        assert_eq!(operation["security"] == by_token_or_cookie, takes_tokens, "{}", row.path);
        assert!(operation["responses"]["default"].is_object(), "{}", row.path);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut pending = vec![&document];
    while let Some(value) = pending.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => pending.extend(members.values()),
            _ => {}
        }
    }
}

/// A view whose every field is there.
fn assert_described<T: Serialize>(document: &Value, name: &str, view: &T) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let schema = &document["components"]["schemas"][name];
    assert_eq!(keys(&schema["properties"]), keys(&serde_json::to_value(view).unwrap()), "{name}");
}

#[test]
fn every_view_is_described_field_by_field() {
    let document = document();
    let status = StatusReport {
        status: Status::Blocked,
        blocked_on: Some(BlockedOn::Permission),
        detail: "d".into(),
        title: "t".into(),
        evidence: Evidence::Osc7501,
        since_ms: 1,
        exit_code: Some(1),
        exit_signal: Some(9),
    };
    assert_described(&document, "StatusReport", &status);
    let draft = protocol::audit::Draft {
        at_ms: 1,
        actor: protocol::audit::Actor::system(),
        via: protocol::audit::Via::System,
        action: protocol::audit::Action::SignedIn,
        target: String::new(),
        detail: BTreeMap::new(),
    };
    let entry = draft.seal(protocol::audit::Chain::Deployment, &protocol::audit::Head::default());
    assert_described(&document, "AuditEntry", &entry);
    assert_described(&document, "Size", &Size::DEFAULT);
    let person = Person { id: "1".into(), name: "Ann".into(), drives: true, you: true };
    assert_described(&document, "Person", &person);
    let offer = AgentOffer { name: "shell".into(), label: "Shell".into(), available: true };
    assert_described(&document, "AgentOffer", &offer);
    let runner = runner();
    assert_described(&document, "Runner", &runner);
    let session = session(status.clone());
    assert_described(&document, "Session", &session);
    assert_described(&document, "Terminal", &terminal(status));
    assert_described(&document, "Prompt", &prompt());
    let entry = TimelineEntry {
        entry: 1,
        at_ms: 1,
        kind: "created".into(),
        actor: String::new(),
        text: String::new(),
        terminal: None,
    };
    assert_described(&document, "TimelineEntry", &entry);
    assert_described(&document, "Board", &Board::default());
    let instance = InstanceView {
        client: "ui-1".into(),
        client_id: "c".into(),
        hostname: "h".into(),
        project: "p".into(),
        status: InstanceStatus::Idle,
        status_ms: 1,
        version: "v".into(),
        online: true,
        connected_ms: 1,
        gone_ms: 0,
    };
    assert_described(&document, "Instance", &instance);
    let detail = SessionDetail {
        now_ms: 1,
        right: Right::Owner,
        view: session,
        runner_view: runner,
        terminal_views: Vec::new(),
        prompts: Vec::new(),
        timeline: Vec::new(),
    };
    assert_described(&document, "SessionDetail", &detail);
    let share = ShareView {
        share: 1,
        session: 1,
        grantee: Grantee::Person("2".into()),
        name: "Bob".into(),
        right: Right::Viewer,
        created_ms: 1,
        expires_ms: 0,
        here: false,
    };
    assert_described(&document, "Share", &share);
    assert_described(&document, "Shares", &Shares::default());
    let token = TokenEntry {
        id: "t".into(),
        name: "n".into(),
        scope: Scope::Cli,
        created_ms: 1,
        used_ms: 0,
        revoked_ms: 0,
        expires_ms: 0,
        used_from: String::new(),
        session: 0,
    };
    assert_described(&document, "Token", &token);
    let allowed = AllowedRow { id: 1, kind: "org".into(), name: "acme".into(), github: 0, added_ms: 1 };
    assert_described(&document, "Allowed", &allowed);
    let person = PersonEntry {
        id: 1,
        name: "Ann".into(),
        login: "ann".into(),
        role: Role::Admin,
        allowed_by: "org:acme".into(),
        created_ms: 1,
        seen_ms: 1,
        lost_ms: 0,
    };
    assert_described(&document, "KnownPerson", &person);
    let figures = serde_json::to_value(Health::default()).unwrap();
    let described = &document["components"]["schemas"]["Health"]["properties"];
    assert!(figures.as_object().unwrap().keys().all(|key| described.get(key).is_some()));
}

#[test]
fn every_word_of_an_enum_is_described() {
    let document = document();
    let mut words: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    words.insert("Status", Status::ALL.into_iter().map(Status::word).collect());
    words.insert("PromptState", PromptState::ALL.into_iter().map(PromptState::word).collect());
    let statuses = &document["components"]["schemas"]["Instance"]["properties"]["status"]["enum"];
    assert_eq!(statuses, &serde_json::json!(InstanceStatus::ALL.map(InstanceStatus::word)));
    words.insert("Right", Right::GIVEN.into_iter().chain([Right::Owner]).map(Right::word).collect());
    for (name, words) in words {
        assert_eq!(document["components"]["schemas"][name]["enum"], serde_json::json!(words), "{name}");
    }
}

fn runner() -> RunnerView {
    RunnerView {
        runner: "r".into(),
        name: "n".into(),
        hostname: "h".into(),
        platform: "p".into(),
        version: "v".into(),
        outdated: false,
        online: true,
        revoked: false,
        session: 1,
        since_ms: 1,
        seen_ms: 1,
        rtt_ms: None,
        agents: Vec::new(),
        home: String::new(),
    }
}

fn session(status: StatusReport) -> SessionView {
    SessionView {
        session: 1,
        name: "n".into(),
        task: String::new(),
        runner: "r".into(),
        runner_name: "n".into(),
        agent: "shell".into(),
        agent_label: "Shell".into(),
        cwd: String::new(),
        status,
        status_since_ms: 1,
        status_terminal: 1,
        last_output_ms: 1,
        prompts_queued: 0,
        terminals: 1,
        main_terminal: 1,
        people: Vec::new(),
        created_ms: 1,
        archived: false,
    }
}

fn terminal(status: StatusReport) -> TerminalView {
    TerminalView {
        terminal: 1,
        session: 1,
        agent: "shell".into(),
        agent_label: "Shell".into(),
        cwd: String::new(),
        state: TerminalState::Open,
        status,
        size: Size::DEFAULT,
        end: 0,
        last_output_ms: 0,
        people: Vec::new(),
        failure: String::new(),
        opened_ms: 1,
    }
}

fn prompt() -> PromptView {
    PromptView {
        prompt: 1,
        terminal: 1,
        text: "t".into(),
        state: PromptState::Queued,
        reason: String::new(),
        author: "Ann".into(),
        person: "1".into(),
        editable: true,
        queued_ms: 1,
        changed_ms: 1,
    }
}
