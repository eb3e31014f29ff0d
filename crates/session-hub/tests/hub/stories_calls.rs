//! Sessions, terminals and runners as pages and the API ask for them.

use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode, RunnerCommand, StatusReport, StopMode, ViewerEvent};
use protocol::limits::{NAME_CHARS_MAX, TEXT_BYTES_MAX};
use protocol::status::{BlockedOn, PromptState, Status};
use session_hub::call::{Reply, Request, RunnerView, TerminalState, TerminalView};
use session_hub::effect::{Input, Peer, Topic};

use crate::common::{ModelRunner, Stage, World};

fn terminal_of(reply: Reply) -> TerminalView {
    match reply {
        Reply::Terminal(view) => view,
        other => panic!("{other:?}"),
    }
}

fn runner_of(reply: Reply) -> RunnerView {
    match reply {
        Reply::Runner(view) => view,
        other => panic!("{other:?}"),
    }
}

fn create(runner: &str, agent: &str) -> Request {
    Request::CreateSession {
        name: "work".into(),
        task: String::new(),
        runner: runner.into(),
        agent: agent.into(),
        cwd: String::new(),
        prompt: String::new(),
        idempotency_key: String::new(),
    }
}

#[test]
fn a_session_for_a_runner_that_is_away_opens_when_it_comes() {
    let mut world = World::new();
    let view = runner_of(world.call(Request::AddRunner { runner: "r1".into(), name: "laptop".into(), session: 0 }));
    assert_eq!((view.online, view.since_ms, view.version.as_str()), (false, 0, ""));
    let again = runner_of(world.call(Request::AddRunner { runner: "r1".into(), name: "other".into(), session: 0 }));
    assert_eq!(again.name, "laptop");
    world.call(create("r1", "claude"));
    let mut stage = Stage { world, runner: ModelRunner::new("r1"), viewers: Vec::new() };
    let view = stage.board().sessions[0].clone();
    assert_eq!((view.status.status, view.terminals, view.runner_name.as_str()), (Status::Offline, 1, "laptop"));
    stage.world.evict();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    let detail = stage.detail(view.session);
    assert_eq!((detail.terminal_views[0].state, detail.view.status.status), (TerminalState::Open, Status::Idle));
    assert!(detail.runner_view.online && detail.runner_view.hostname == "box");
}

#[test]
fn the_most_urgent_terminal_speaks_for_its_session_and_the_board_is_sorted_by_it() {
    let mut stage = Stage::new();
    let (first, one) = stage.session();
    let (second, _) = stage.session();
    let open =
        Request::OpenTerminal { runner: String::new(), session: first, agent: "shell".into(), cwd: "/tmp".into() };
    let two = terminal_of(stage.world.call(open)).terminal;
    stage.settle();
    stage.runner.set_status(&mut stage.world, one, Status::Working);
    stage.settle();
    assert_eq!(stage.status(first), Status::Working);
    let blocked = StatusReport {
        status: Status::Blocked,
        blocked_on: Some(BlockedOn::Permission),
        detail: "may I run \u{1b}[31mrm?".into(),
        ..StatusReport::default()
    };
    stage.runner.set_report(&mut stage.world, two, blocked);
    stage.settle();
    let detail = stage.detail(first);
    assert_eq!(detail.view.status.status, Status::Blocked);
    assert_eq!(detail.view.status.detail, "may I run [31mrm?", "no control character reaches a page");
    assert_eq!((detail.timeline[0].kind.as_str(), detail.timeline[0].terminal), ("status", Some(two)));
    // Who is asked to answer is led to the one that asks.
    assert_eq!((detail.view.main_terminal, detail.view.status_terminal), (one, two));
    let order: Vec<u64> = stage.board().sessions.iter().map(|view| view.session).collect();
    assert_eq!(order, vec![first, second]);
}

#[test]
fn a_day_of_working_and_idle_is_cheap() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let rows = |stage: &mut Stage| match stage.world.call(Request::Health) {
        Reply::Health(health) => health.rows_written,
        other => panic!("{other:?}"),
    };
    let before = rows(&mut stage);
    let entries = stage.detail(session).timeline.len();
    let minutes = 240;
    for minute in 0..minutes {
        // It prints, and a checkpoint comes once a minute; its status turns once; its title is animated.
        stage.world.advance(30_000);
        stage.print(terminal, 100_000);
        stage.runner.checkpoint(&mut stage.world, terminal);
        let status = if minute % 2 == 0 { Status::Working } else { Status::Idle };
        stage.runner.set_status(&mut stage.world, terminal, status);
        stage.settle();
        for frame in ["-", "\\", "|"] {
            let report = StatusReport { status, title: frame.into(), ..StatusReport::default() };
            stage.runner.set_report(&mut stage.world, terminal, report);
            stage.settle();
        }
        stage.world.advance(29_000);
    }
    let written = rows(&mut stage) - before;
    assert!(written <= 2 * minutes, "{written} rows in {minutes} minutes");
    assert_eq!(stage.detail(session).timeline.len(), entries, "a turn of working and idle is no event");
}

#[test]
fn a_runner_away_is_shown_as_offline_and_is_no_event() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    let entries = stage.detail(session).timeline.len();
    for _ in 0..5 {
        stage.runner.cut(&mut stage.world, 0);
        stage.settle();
        let detail = stage.detail(session);
        assert_eq!((detail.view.status.status, detail.terminal_views[0].state), (Status::Offline, TerminalState::Open));
        assert!(!detail.runner_view.online && detail.runner_view.since_ms == detail.view.status_since_ms);
        stage.runner.connect(&mut stage.world);
        stage.settle();
        assert_eq!(stage.status(session), Status::Working);
    }
    assert_eq!(stage.detail(session).timeline.len(), entries);
}

#[test]
fn terminals_that_a_runner_comes_back_without_have_ended() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (kept, _) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    stage.runner.cut(&mut stage.world, 0);
    stage.runner.terminals.remove(&terminal);
    stage.runner.connect(&mut stage.world);
    stage.settle();
    let detail = stage.detail(session);
    assert_eq!((detail.terminal_views[0].state, detail.view.status.status), (TerminalState::Ended, Status::Failed));
    assert!(detail.view.status.detail.contains("is gone"), "{}", detail.view.status.detail);
    assert_eq!(detail.timeline[0].kind, "exited");
    assert_eq!(stage.status(kept), Status::Idle);
    assert!(!stage.viewers[ann].events.is_empty());
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 1);
    stage.settle();
    assert_eq!(stage.viewers[ann].refused, vec![ErrorCode::Ended]);
}

#[test]
fn terminals_deleted_while_the_runner_was_away_are_forgotten_and_those_of_others_are_not() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (_, other) = stage.session();
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.world.call(Request::DeleteSession { session });
    // A second runner claims a terminal of the first.
    let mut thief = ModelRunner::new("r2");
    thief.terminals.insert(other, stage.runner.terminals[&other].clone());
    thief.connect(&mut stage.world);
    stage.runner.connect(&mut stage.world);
    stage.settle();
    while thief.receive(&mut stage.world) {}
    assert_eq!((stage.runner.forgotten.as_slice(), thief.forgotten.as_slice()), (&[terminal][..], &[][..]));
    assert!(stage.runner.terminals.contains_key(&other));
    assert_eq!(stage.world.refused(Request::Session { session }).code, ErrorCode::NotFound);
    let next = stage.create("");
    assert!(next.view.main_terminal > other && next.view.session > session, "numbers are never given twice");
}

#[test]
fn an_agent_ends_and_starts_again_in_its_place() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let open = Request::OpenTerminal { runner: String::new(), session, agent: "shell".into(), cwd: String::new() };
    let second = terminal_of(stage.world.call(open)).terminal;
    stage.settle();
    assert_eq!(stage.world.refused(Request::RestartTerminal { terminal }).code, ErrorCode::Conflict);
    assert_eq!(stage.world.refused(Request::CloseTerminal { terminal }).code, ErrorCode::Conflict);
    stage.world.call(Request::StopTerminal { terminal, mode: StopMode::Terminate });
    stage.settle();
    let detail = stage.detail(session);
    assert_eq!(detail.terminal_views[0].state, TerminalState::Ended);
    assert_eq!(detail.terminal_views[0].status.exit_code, Some(0));
    assert_eq!((detail.view.main_terminal, detail.view.terminals), (second, 1));
    let mode = StopMode::Kill;
    assert_eq!(stage.world.refused(Request::StopTerminal { terminal, mode }).code, ErrorCode::Ended);
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let again = terminal_of(stage.world.call(Request::RestartTerminal { terminal })).terminal;
    stage.settle();
    let order: Vec<u32> = stage.detail(session).terminal_views.iter().map(|view| view.terminal).collect();
    assert_eq!(order, vec![again, second]);
    assert_eq!(stage.viewers[ann].errors, vec![ErrorCode::NotFound]);
    assert_eq!(stage.runner.forgotten, vec![terminal]);
    stage.world.call(Request::StopTerminal { terminal: again, mode: StopMode::Terminate });
    stage.settle();
    assert_eq!(stage.world.call(Request::CloseTerminal { terminal: again }), Reply::Done);
    stage.settle();
    assert_eq!(stage.runner.forgotten, vec![terminal, again]);
    assert_eq!(stage.detail(session).terminal_views.len(), 1);
}

#[test]
fn a_terminal_that_cannot_be_opened_says_why() {
    let mut stage = Stage::new();
    stage.runner.refuses_to_open = true;
    let (session, terminal) = stage.session();
    let detail = stage.detail(session);
    assert_eq!(detail.terminal_views[0].state, TerminalState::Failed);
    assert_eq!(detail.terminal_views[0].failure, "no such folder");
    assert_eq!((detail.view.status.status, detail.timeline[0].kind.as_str()), (Status::Failed, "failed"));
    stage.runner.refuses_to_open = false;
    stage.world.call(Request::RestartTerminal { terminal });
    stage.settle();
    assert_eq!(stage.status(session), Status::Idle);
}

#[test]
fn an_archived_session_ends_its_agents_even_when_its_runner_is_away() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.world.call(Request::ArchiveSession { session, archived: true });
    assert!(stage.board().sessions.is_empty());
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert!(stage.runner.terminals[&terminal].status.has_exited());
    assert!(stage.detail(session).view.archived);
    let open = Request::OpenTerminal { runner: String::new(), session, agent: "shell".into(), cwd: String::new() };
    assert_eq!(stage.world.refused(open).code, ErrorCode::Conflict);
    stage.world.call(Request::ArchiveSession { session, archived: false });
    assert_eq!(stage.board().sessions.len(), 1);
}

#[test]
fn a_deleted_session_leaves_nothing_behind() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    stage.runner.checkpoint(&mut stage.world, terminal);
    let text = "hello".to_owned();
    stage.world.call(Request::QueuePrompt { terminal, text, idempotency_key: String::new() });
    stage.settle();
    assert_eq!(stage.world.call(Request::DeleteSession { session }), Reply::Done);
    stage.settle();
    assert_eq!(stage.runner.forgotten, vec![terminal]);
    assert_eq!(stage.viewers[ann].errors, vec![ErrorCode::NotFound]);
    for (table, rows) in stage.world.twin.dump() {
        let kept = matches!(table.as_str(), "audit" | "counters" | "runners" | "migrations" | "idempotency");
        assert!(kept || rows.is_empty(), "{table} keeps {rows:?}");
    }
    // What the runner still says of it is answered with `forget`, not with a terminal.
    let report =
        r#"{"type":"opened","terminal":1,"oldest":0,"end":0,"size":{"cols":80,"rows":24},"status":{"status":"idle"}}"#;
    let socket = stage.runner.socket.expect("a socket");
    stage.world.input(Input::Text { socket, text: report });
    stage.settle();
    assert_eq!(stage.runner.commands.last(), Some(&RunnerCommand::Forget { terminal }));
}

#[test]
fn a_revoked_runner_is_closed_and_stays_out() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    let view = runner_of(stage.world.call(Request::RevokeRunner { runner: "r1".into() }));
    assert!(view.revoked && !view.online);
    stage.settle();
    assert_eq!(stage.runner.closed_with, Some(CloseCode::Revoked));
    assert_eq!(stage.status(session), Status::Failed);
    stage.runner.closed_with = None;
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert_eq!(stage.runner.closed_with, Some(CloseCode::Revoked));
    assert_eq!(stage.world.refused(create("r1", "claude")).field.as_deref(), Some("runner"));
}

#[test]
fn terminals_of_a_revoked_runner_have_ended_and_can_be_closed() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let text = "go".to_owned();
    stage.world.call(Request::QueuePrompt { terminal, text, idempotency_key: String::new() });
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    let open = Request::OpenTerminal { runner: String::new(), session, agent: "shell".into(), cwd: String::new() };
    let opening = terminal_of(stage.world.call(open)).terminal;
    stage.world.call(Request::RevokeRunner { runner: "r1".into() });
    stage.settle();
    let detail = stage.detail(session);
    let states: Vec<TerminalState> = detail.terminal_views.iter().map(|view| view.state).collect();
    assert_eq!(states, vec![TerminalState::Ended, TerminalState::Failed]);
    for view in &detail.terminal_views {
        assert!(view.status.detail.contains("token was revoked"), "{}", view.status.detail);
    }
    assert_eq!((detail.prompts[0].state, detail.view.terminals), (PromptState::Failed, 0));
    let told = stage.viewers[ann].events.iter().rev().find_map(|event| match event {
        ViewerEvent::Status { report, .. } => Some(report.status),
        _ => None,
    });
    assert_eq!(told, Some(Status::Failed));
    stage.world.is_rebuilt_the_same();
    for terminal in [terminal, opening] {
        assert_eq!(stage.world.call(Request::CloseTerminal { terminal }), Reply::Done);
    }
    stage.world.call(Request::ArchiveSession { session, archived: true });
}

#[test]
fn signing_out_closes_the_persons_sockets_and_nobody_elses() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let bob = stage.watch("bob", terminal, Delivery::Screen);
    stage.world.call(Request::CloseSockets { person: "ann".into() });
    stage.settle();
    assert_eq!(stage.viewers[ann].closed_with, Some(CloseCode::Unauthorized));
    assert_eq!((stage.viewers[bob].closed_with, stage.viewers[bob].people.len()), (None, 1));
}

#[test]
fn every_field_is_checked_and_named() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    let mut field = |request: Request| stage.world.refused(request).field.unwrap_or_default();
    let with = |name: &str, task: &str, runner: &str, agent: &str, cwd: &str, prompt: &str, key: &str| {
        Request::CreateSession {
            name: name.into(),
            task: task.into(),
            runner: runner.into(),
            agent: agent.into(),
            cwd: cwd.into(),
            prompt: prompt.into(),
            idempotency_key: key.into(),
        }
    };
    let long_name = "n".repeat(NAME_CHARS_MAX + 1);
    let long_text = "t".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(field(with(&long_name, "", "r1", "claude", "", "", "")), "name");
    assert_eq!(field(with("a\u{7}", "", "r1", "claude", "", "", "")), "name");
    assert_eq!(field(with("", &long_text, "r1", "claude", "", "", "")), "task");
    assert_eq!(field(with("", "", "r9", "claude", "", "", "")), "runner");
    assert_eq!(field(with("", "", "r1", "emacs", "", "", "")), "agent");
    assert_eq!(field(with("", "", "r1", "codex", "", "", "")), "agent", "not installed there");
    assert_eq!(field(with("", "", "r1", "claude", "/a\nb", "", "")), "cwd");
    assert_eq!(field(with("", "", "r1", "claude", "", "\u{1b}", "")), "prompt");
    assert_eq!(field(with("", "", "r1", "claude", "", "", &"k".repeat(200))), "idempotency_key");
    assert_eq!(field(Request::RenameSession { session, name: " ".into() }), "name");
    assert_eq!(field(Request::AddRunner { runner: String::new(), name: "x".into(), session: 0 }), "runner");
    assert_eq!(stage.board().sessions.len(), 1, "and nothing was made");
}

#[test]
fn the_same_key_makes_one_session() {
    let mut stage = Stage::new();
    let request = || {
        let mut request = create("r1", "claude");
        if let Request::CreateSession { idempotency_key, .. } = &mut request {
            *idempotency_key = "once".into();
        }
        request
    };
    stage.world.call(request());
    stage.world.evict();
    stage.world.call(request());
    stage.settle();
    assert_eq!((stage.board().sessions.len(), stage.runner.terminals.len()), (1, 1));
}

#[test]
fn pages_hear_only_of_what_they_show_and_only_when_it_changed() {
    let mut stage = Stage::new();
    let (first, one) = stage.session();
    let (second, two) = stage.session();
    let page = |topic| Peer::Page { person: "ann".into(), topic };
    stage.world.connect(page(Topic::Dashboard));
    stage.world.connect(page(Topic::Session(second)));
    stage.world.changed.clear();
    stage.runner.set_status(&mut stage.world, one, Status::Working);
    stage.settle();
    assert_eq!(stage.world.changed.iter().copied().collect::<Vec<_>>(), vec![Topic::Dashboard]);
    stage.world.changed.clear();
    stage.runner.set_status(&mut stage.world, one, Status::Working);
    stage.settle();
    assert!(stage.world.changed.is_empty(), "the same again is no change");
    stage.world.evict();
    stage.runner.set_status(&mut stage.world, two, Status::Working);
    stage.settle();
    let both = vec![Topic::Dashboard, Topic::Session(second)];
    assert_eq!(stage.world.changed.iter().copied().collect::<Vec<_>>(), both);
    stage.world.changed.clear();
    stage.watch("ann", two, Delivery::Screen);
    assert_eq!(stage.world.changed.iter().copied().collect::<Vec<_>>(), both, "people are shown");
    stage.world.changed.clear();
    stage.print(two, 100_000);
    stage.settle();
    assert!(stage.world.changed.is_empty(), "a byte is no change");
    let _ = first;
}

#[test]
fn people_are_named_once_however_many_tabs_they_have() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.watch("ann", terminal, Delivery::Screen);
    stage.watch("ann", terminal, Delivery::Screen);
    stage.watch("bob", terminal, Delivery::Screen);
    let names: Vec<String> = stage.detail(session).view.people.iter().map(|person| person.name.clone()).collect();
    assert_eq!(names, vec!["ANN", "BOB"]);
    assert_eq!(stage.detail(session).terminal_views[0].people.len(), 3);
}

#[test]
fn the_timeline_is_bounded() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    for index in 0..700 {
        stage.world.call(Request::RenameSession { session, name: format!("name {index}") });
    }
    let detail = stage.detail(session);
    assert_eq!(detail.timeline.len() as u64, session_hub::limits::TIMELINE_SHOWN_MAX);
    assert_eq!(detail.timeline[0].text, "Renamed to name 699");
    let kept = stage.world.twin.query("SELECT count(*) FROM timeline", &[]).expect("a count");
    let most = session_hub::limits::TIMELINE_PER_SESSION_MAX + session_hub::limits::TIMELINE_SLACK;
    assert!(matches!(kept[0][0], session_hub::store::Value::Integer(count) if count as u64 <= most));
}

#[test]
fn health_tells_what_is_there() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.watch("ann", terminal, Delivery::Screen);
    stage.world.connect(Peer::Page { person: "ann".into(), topic: Topic::Dashboard });
    let Reply::Health(health) = stage.world.call(Request::Health) else { panic!("no health") };
    assert_eq!((health.sockets, health.runners_connected, health.runners), (3, 1, 1));
    assert_eq!((health.viewers, health.pages, health.sessions, health.schema_version), (1, 1, 1, 4));
    assert!(health.messages_in >= 3 && health.rows_written >= 5);
    stage.world.evict();
    let Reply::Health(after) = stage.world.call(Request::Health) else { panic!("no health") };
    assert!(after.loaded_ms > health.loaded_ms);
    assert_eq!((after.messages_in, after.rows_written), (0, 0), "waking up writes nothing");
}
