//! The switch with a keeper that hangs, and with what it must answer itself.

use std::os::unix::net::UnixListener;
use std::path::Path;

use super::*;
use crate::config::Config;
use crate::keeper::spec::{KeeperFile, OpenSpec};
use crate::runner::state::StateDir;

fn machine(home: &Path) -> Machine {
    let config = Config::parse("", Path::new("config.toml"), home).expect("valid");
    Machine { config, home: home.into(), hostname: "laptop".into() }
}

fn text(text: &str) -> Utf8Bytes {
    Utf8Bytes::from(text.to_owned())
}

#[tokio::test]
async fn a_keeper_that_takes_nothing_is_noticed_and_the_others_are_served() {
    let folder = tempfile::tempdir().expect("folder");
    let terminals = StateDir::open(folder.path()).expect("state").terminals("tok_1").expect("terminals");
    let (up, _ups) = mpsc::channel(16);
    let mut listeners = Vec::new();
    let mut links = BTreeMap::new();
    for terminal in [7, 8] {
        let dir = terminals.create(&OpenSpec { terminal, ..OpenSpec::default() }).expect("created");
        let socket = dir.join("s");
        // It listens and never accepts.
        listeners.push(UnixListener::bind(&socket).expect("bind"));
        KeeperFile { socket, ..KeeperFile::default() }.store(&dir).expect("keeper.json");
        let start = LinkStart { terminal, terminals: terminals.clone(), is_new: false, up: up.clone(), report: None };
        links.insert(terminal, Link::start(start));
    }
    let machine = machine(folder.path());
    let mut switch = Switch::new(&machine, &terminals, up, links);
    let typed = Bytes::from(protocol::frame::input(7, 1, 0, &[b'x'; 8_000]));
    let mut taken = Taken::Done;
    let mut count = 0;
    while taken == Taken::Done {
        taken = switch.frame(typed.clone());
        count += 1;
        assert!(count < 10_000, "the queue has no bound");
        tokio::task::yield_now().await;
    }
    assert_eq!(taken, Taken::Hung(7));
    assert_eq!(switch.text(text(r#"{"type":"resize","terminal":7,"cols":80,"rows":24}"#)), Taken::Hung(7));
    assert_eq!(switch.text(text(r#"{"type":"resize","terminal":8,"cols":80,"rows":24}"#)), Taken::Done);
}

#[tokio::test]
async fn watching_begins_with_the_first_terminal_and_ends_with_the_last() {
    let folder = tempfile::tempdir().expect("folder");
    let terminals = StateDir::open(folder.path()).expect("state").terminals("tok_1").expect("terminals");
    let (up, _ups) = mpsc::channel(16);
    let mut links = BTreeMap::new();
    for terminal in [7, 8] {
        let start = LinkStart { terminal, terminals: terminals.clone(), is_new: false, up: up.clone(), report: None };
        links.insert(terminal, Link::start(start));
    }
    let machine = machine(folder.path());
    let mut switch = Switch::new(&machine, &terminals, up, links);
    assert_eq!(switch.text(text(r#"{"type":"stream","terminal":7,"from":0}"#)), Taken::Watched);
    assert_eq!(switch.text(text(r#"{"type":"snapshot","terminal":8}"#)), Taken::Done);
    switch.text(text(r#"{"type":"unwatch","terminal":7}"#));
    assert!(switch.is_watched());
    switch.text(text(r#"{"type":"unwatch","terminal":8}"#));
    assert!(!switch.is_watched());
    assert!(matches!(switch.text(text(r#"{"type":"stream","terminal":9,"from":0}"#)), Taken::Answer(_)));
    assert!(!switch.is_watched(), "one that is not there is not watched");
}

#[tokio::test]
async fn a_runner_has_a_bound_of_terminals() {
    let folder = tempfile::tempdir().expect("folder");
    let terminals = StateDir::open(folder.path()).expect("state").terminals("tok_1").expect("terminals");
    for terminal in 0..TERMINALS_PER_RUNNER_MAX as u32 {
        std::fs::create_dir(terminals.dir(terminal)).expect("folder");
    }
    let (up, _ups) = mpsc::channel(16);
    let machine = machine(folder.path());
    let mut switch = Switch::new(&machine, &terminals, up, BTreeMap::new());
    let open = r#"{"type":"open","terminal":999,"session":1,"name":"","agent":"shell","cols":80,"rows":24}"#;
    let Taken::Answer(answer) = switch.text(text(open)) else { panic!("not answered") };
    assert!(
        matches!(*answer, RunnerMessage::OpenFailed { terminal: 999, message } if message.contains("256 terminals"))
    );
}

#[tokio::test]
async fn a_terminal_whose_keeper_cannot_be_started_is_answered_for() {
    let folder = tempfile::tempdir().expect("folder");
    let terminals = StateDir::open(folder.path()).expect("state").terminals("tok_1").expect("terminals");
    let (up, mut ups) = mpsc::channel(16);
    let (late, report) = tokio::sync::oneshot::channel();
    drop(report); // `hello` went without it.
    let start =
        LinkStart { terminal: 7, terminals: terminals.clone(), is_new: false, up: up.clone(), report: Some(late) };
    let links = BTreeMap::from([(7, Link::start(start))]);
    let machine = machine(folder.path());
    let mut switch = Switch::new(&machine, &terminals, up, links);
    let snapshot = text(r#"{"type":"snapshot","terminal":7}"#);
    assert_eq!(switch.text(snapshot.clone()), Taken::Watched, "it waits for the keeper");
    let Some(Up::Send(Message::Text(failed))) = ups.recv().await else { panic!("nothing is said of it") };
    assert!(failed.contains(r#""type":"open_failed""#), "{failed}");
    let mut taken = Taken::Done;
    for _ in 0..100 {
        tokio::task::yield_now().await;
        taken = switch.text(snapshot.clone());
    }
    let Taken::Answer(answer) = taken else { panic!("{taken:?}") };
    assert!(
        matches!(*answer, RunnerMessage::Error(report) if (report.code, report.terminal) == (ErrorCode::NotFound, Some(7)))
    );
}
