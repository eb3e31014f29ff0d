//! The hub's audit log: who prompted, who drove; a chain that holds, and cannot be changed.

use protocol::audit::{Action, Check, Entry, Summary};
use protocol::control::{Delivery, ViewerMessage};
use session_hub::call::{AuditPage, AuditWanted, Reply, Request};

use crate::common::{ModelViewer, Stage};

fn log(stage: &mut Stage) -> AuditPage {
    match stage.world.call(Request::AuditFrom { seq: 1, limit: 1_000 }) {
        Reply::Audit(page) => page,
        other => panic!("{other:?}"),
    }
}

fn verified(page: &AuditPage) -> Summary {
    let mut check = Check::new().expecting(&page.head.hash);
    for entry in &page.entries {
        check.entry(entry).expect("the chain holds");
    }
    check.finish().expect("the chain holds")
}

/// Who did what, without what else is known.
fn told(entries: &[Entry]) -> Vec<(&str, &str, &str)> {
    entries.iter().map(|entry| (entry.actor.id.as_str(), entry.action.as_str(), entry.target.as_str())).collect()
}

fn queue(stage: &mut Stage, terminal: u32, text: &str, key: &str) -> u64 {
    let request = Request::QueuePrompt { terminal, text: text.into(), idempotency_key: key.into() };
    match stage.world.call(request) {
        Reply::Prompt(view) => view.prompt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn prompts_are_told_of_without_what_they_say() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.cut(&mut stage.world, 9);
    stage.settle();
    let prompt = queue(&mut stage, terminal, "the launch code is 1234", "k");
    assert_eq!(queue(&mut stage, terminal, "the launch code is 1234", "k"), prompt, "sent again, written once");
    stage.world.call(Request::EditPrompt { prompt, text: "never mind".into() });
    stage.world.call(Request::CancelPrompt { prompt });
    stage.world.refused(Request::CancelPrompt { prompt });
    let page = log(&mut stage);
    let target = format!("prompt {prompt}");
    let expected = ["prompt_queued", "prompt_edited", "prompt_cancelled"].map(|action| ("p1", action, target.as_str()));
    assert_eq!(told(&page.entries), expected);
    assert_eq!(page.entries[0].detail["chars"], "23");
    assert_eq!(page.entries[0].detail["terminal"], format!("terminal {terminal} of session {session}"));
    assert!(!format!("{page:?}").contains("launch"));
    assert_eq!(verified(&page).entries, 3);
}

#[test]
fn the_first_prompt_of_a_session_is_told_of_too() {
    let mut stage = Stage::new();
    stage.create("begin");
    assert_eq!(log(&mut stage).entries[0].action, Action::PromptQueued.word());
}

#[test]
fn driving_is_told_of_when_it_changes_hands_and_not_by_a_key() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let target = format!("terminal {terminal} of session {session}");
    assert!(log(&mut stage).entries.is_empty(), "looking is not driving");
    for bytes in [1, 500, 3] {
        let (viewer, world) = stage.viewer(ann);
        viewer.type_bytes(world, bytes);
        stage.settle();
    }
    assert_eq!(told(&log(&mut stage).entries), [("ann", "driving_taken", target.as_str())]);

    // The network breaks and comes back, the hub is evicted meanwhile: the same viewer drives on.
    let (viewer, world) = stage.viewer(ann);
    viewer.cut(world, 9);
    stage.settle();
    stage.world.evict();
    let (viewer, world) = stage.viewer(ann);
    viewer.connect(world);
    stage.settle();
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 9);
    stage.settle();
    assert_eq!(log(&mut stage).entries.len(), 1);

    let bob = stage.watch("bob", terminal, Delivery::Screen);
    let (viewer, world) = stage.viewer(bob);
    viewer.say(world, &ViewerMessage::Drive { terminal });
    stage.settle();
    // Bob goes without a word, and Ann drives again.
    let (viewer, world) = stage.viewer(bob);
    viewer.cut(world, 9);
    stage.settle();
    let (viewer, world) = stage.viewer(ann);
    viewer.say(world, &ViewerMessage::Release { terminal });
    stage.settle();
    let page = log(&mut stage);
    let expected = [
        ("ann", "driving_taken", target.as_str()),
        ("bob", "driving_taken", target.as_str()),
        ("ann", "driving_taken", target.as_str()),
        ("ann", "driving_released", target.as_str()),
    ];
    assert_eq!(told(&page.entries), expected);
    verified(&page);
}

#[test]
fn opening_with_the_wish_to_drive_is_driving_from_the_first_key() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    for person in ["ann", "bob"] {
        let mut viewer = ModelViewer::new(person, terminal, Delivery::Screen);
        viewer.drive = true;
        stage.add(viewer);
    }
    assert!(log(&mut stage).entries.is_empty(), "nobody has typed");
    let (viewer, world) = stage.viewer(0);
    viewer.type_bytes(world, 3);
    stage.settle();
    let page = log(&mut stage);
    assert_eq!(page.entries.iter().map(|entry| entry.actor.id.as_str()).collect::<Vec<_>>(), ["ann"], "bob only looks");
}

#[test]
fn what_cannot_be_written_down_is_not_done() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.cut(&mut stage.world, 9);
    stage.settle();
    let deny = "CREATE TRIGGER deny BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    stage.world.twin.query(deny, &[]).expect("a trigger");
    stage.world.refused(Request::QueuePrompt { terminal, text: "x".into(), idempotency_key: String::new() });
    assert!(stage.detail(session).prompts.is_empty());
    stage.world.twin.query("DROP TRIGGER deny", &[]).expect("no trigger");
    queue(&mut stage, terminal, "x", "");
    assert_eq!(log(&mut stage).entries.len(), 1);
}

#[test]
fn the_log_is_append_only_and_read_in_pages() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.runner.cut(&mut stage.world, 9);
    stage.settle();
    for number in 0..5 {
        queue(&mut stage, terminal, &format!("prompt {number}"), "");
    }
    let twin = stage.world.twin.clone();
    for statement in [
        "UPDATE audit SET actor_name = 'Eve' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 5",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 9, at_ms, actor_kind, actor, actor_name, via, action, target, detail, prev, hash FROM audit WHERE seq = 1",
    ] {
        assert!(twin.query(statement, &[]).is_err_and(|error| error.0.contains("append-only")), "{statement}");
    }
    let mut page = |wanted: AuditWanted, limit| match stage.world.call(Request::AuditPage { wanted, limit }) {
        Reply::Audit(page) => page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(page(AuditWanted::default(), 2), [5, 4]);
    assert_eq!(page(AuditWanted { before: 4, ..AuditWanted::default() }, 2), [3, 2]);
    assert_eq!(
        page(AuditWanted { actor: "AN".into(), action: "prompt_queued".into(), ..AuditWanted::default() }, 9).len(),
        5
    );
    assert!(page(AuditWanted { actor: "eve".into(), ..AuditWanted::default() }, 9).is_empty());
    assert!(page(AuditWanted { action: "driving_taken".into(), ..AuditWanted::default() }, 9).is_empty());
    assert!(page(AuditWanted { until_ms: 1, ..AuditWanted::default() }, 9).is_empty());
    assert!(page(AuditWanted { since_ms: u64::MAX >> 12, ..AuditWanted::default() }, 9).is_empty());
}
