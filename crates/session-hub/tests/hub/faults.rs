//! A statement that fails, at every place where one can: nobody is told what was not written, and memory is again what the
//! store says.

use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode};
use protocol::status::Status;
use session_hub::Hub;
use session_hub::call::{Reply, Request};
use session_hub::effect::Moment;

use crate::common::{ModelViewer, Stage, Twin, World};

/// A bit of everything that writes.
fn story(stage: &mut Stage) {
    let create = || Request::CreateSession {
        name: String::new(),
        task: String::new(),
        runner: "r1".into(),
        agent: "claude".into(),
        cwd: String::new(),
        prompt: "go".into(),
        idempotency_key: "k".into(),
    };
    stage.world.ask(create());
    stage.settle();
    let mut viewer = ModelViewer::new("ann", 1, Delivery::Screen);
    viewer.connect(&mut stage.world);
    stage.viewers.push(viewer);
    stage.settle();
    stage.runner.checkpoint(&mut stage.world, 1);
    stage.runner.work(&mut stage.world, 1);
    stage.runner.set_status(&mut stage.world, 1, Status::Blocked);
    stage.settle();
    stage.world.ask(Request::QueuePrompt { terminal: 1, text: "more".into(), idempotency_key: "k".into() });
    stage.world.ask(Request::RenameSession { session: 1, name: "other".into() });
    stage.world.ask(Request::CancelPrompt { prompt: 2 });
    stage.runner.exit(&mut stage.world, 1, 3);
    stage.settle();
    stage.world.ask(Request::RestartTerminal { terminal: 1 });
    stage.settle();
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    stage.world.ask(Request::ArchiveSession { session: 1, archived: true });
    stage.settle();
    stage.world.ask(Request::DeleteSession { session: 1 });
}

#[test]
fn wherever_a_statement_fails_memory_equals_the_store_again() {
    let mut whole = Stage::new();
    let before = whole.world.twin.statements();
    story(&mut whole);
    let statements = u32::try_from(whole.world.twin.statements() - before).expect("not that many");
    assert!(statements > 60, "{statements}");
    for (after, lasting) in (0..statements).flat_map(|after| [(after, false), (after, true)]) {
        let mut stage = Stage::new();
        stage.world.twin.fail(after, lasting);
        story(&mut stage);
        stage.world.twin.mend();
        stage.world.ask(Request::Board);
        stage.world.is_rebuilt_the_same();
        goes_on(&mut stage);
    }
}

/// Everybody who was closed comes back, and a new session works as if nothing had happened.
fn goes_on(stage: &mut Stage) {
    for viewer in &mut stage.viewers {
        assert!(matches!(viewer.closed_with, None | Some(CloseCode::GoingAway)));
        viewer.cut(&mut stage.world, 0);
    }
    stage.viewers.clear();
    stage.settle();
    if stage.runner.socket.is_none() {
        assert_eq!(stage.runner.closed_with, Some(CloseCode::GoingAway));
    }
    stage.runner.connect(&mut stage.world);
    stage.settle();
    let detail = stage.create("");
    stage.settle();
    let (session, terminal) = (detail.view.session, detail.view.main_terminal);
    assert_eq!(stage.status(session), Status::Idle);
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    stage.print(terminal, 10_000);
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(10_000));
    stage.world.is_rebuilt_the_same();
}

#[test]
fn wherever_a_migration_fails_the_next_hub_finishes_it() {
    let moment = Moment { now_ms: 1_700_000_000_000, entropy: 1 };
    let whole = World::new().twin.dump();
    let mut failed = 0;
    for after in 0.. {
        let twin = Twin::new();
        twin.fail(after, false);
        if Hub::open(twin.clone(), vec![], moment).is_ok() {
            break; // it needs no more statements than that
        }
        failed += 1;
        twin.mend();
        assert!(Hub::open(twin.clone(), vec![], moment).is_ok(), "statement {after} failed, and then the hub for good");
        assert_eq!(twin.dump().len(), whole.len());
    }
    assert!(failed > 10, "{failed}");
}

#[test]
fn wherever_a_call_fails_nothing_of_it_stays() {
    let create = |stage: &mut Stage| {
        stage.world.ask(Request::CreateSession {
            name: String::new(),
            task: String::new(),
            runner: "r1".into(),
            agent: "claude".into(),
            cwd: String::new(),
            prompt: "go".into(),
            idempotency_key: "k".into(),
        })
    };
    let mut refused = 0;
    for after in 0.. {
        let mut stage = Stage::new();
        stage.settle();
        let before = stage.world.twin.dump();
        stage.world.twin.fail(after, false);
        if !matches!(create(&mut stage), Reply::Refused(_)) {
            break; // it needs no more statements than that
        }
        refused += 1;
        assert_eq!(stage.world.twin.dump(), before, "statement {after} failed");
    }
    assert!(refused > 5, "{refused}");
}

#[test]
fn a_call_that_could_not_be_written_is_refused_and_changes_nothing() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    stage.world.twin.fail(0, true);
    let reply = stage.world.ask(Request::RenameSession { session, name: "new".into() });
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal.code, ErrorCode::Internal);
    assert!(stage.world.logs.iter().any(|(event, _)| *event == "store_failed"));
    stage.world.twin.mend();
    assert_ne!(stage.detail(session).view.name, "new");
}
