//! Visitors at the worst moment: late, too many, curious about what else there is, and while the store fails.

use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode, Size, ViewerMessage};
use protocol::right::Right;
use session_hub::call::{Grantee, Reply, Request};
use session_hub::effect::{Input, Pass, Peer, Topic};
use session_hub::limits::{ALARM_RETRY_MS, SOCKETS_PER_VISITOR_MAX, VIEWERS_OF_OWNER_MIN, VIEWERS_PER_TERMINAL_MAX};

use crate::common::{Down, ModelViewer, Stage};
use crate::stories_shares::{bob, detail, invited, person};

const HOUR_MS: u64 = 60 * 60 * 1000;

#[test]
fn a_share_that_expired_acts_on_what_is_open_whoever_finds_it_first() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (other, _) = stage.session();
    let expires_ms = stage.world.now_ms + HOUR_MS;
    stage.share_until(session, person("bob"), Right::Driver, expires_ms);
    stage.share(other, person("bob"), Right::Viewer);
    let bob = stage.invite("bob", invited(&[], None), terminal, true);
    stage.world.advance(HOUR_MS);
    // Before the alarm rings, the owner shares something else.
    stage.share(other, person("carol"), Right::Viewer);
    stage.world.advance_to_alarm(0);
    stage.settle();
    assert_eq!(stage.viewers[bob].errors, [ErrorCode::Forbidden]);
    let before = stage.viewers[bob].have;
    stage.print(terminal, 50);
    stage.settle();
    assert_eq!(stage.viewers[bob].have, before, "not a byte more");
    assert_eq!(stage.runner.terminals[&terminal].size, Size::DEFAULT);
}

#[test]
fn who_drives_by_a_share_that_is_over_moves_nothing_until_the_alarm_rings() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let expires_ms = stage.world.now_ms + HOUR_MS;
    stage.share_until(session, person("bob"), Right::Driver, expires_ms);
    let bob = stage.invite("bob", invited(&[], None), terminal, true);
    assert_eq!(stage.types(bob, 1).0, 1);
    let size = stage.runner.terminals[&terminal].size;
    stage.world.advance(HOUR_MS);
    let (model, world) = stage.viewer(bob);
    model.say(world, &ViewerMessage::Size { terminal, size: Size { cols: 7, rows: 7 } });
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].size, size);
    assert_eq!(stage.viewers[bob].errors, [ErrorCode::NotFound]);
}

#[test]
fn an_alarm_that_was_lost_is_asked_for_again_by_the_next_load() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let expires_ms = stage.world.now_ms + HOUR_MS;
    stage.share_until(session, person("bob"), Right::Viewer, expires_ms);
    let bob = stage.invite("bob", invited(&[], None), terminal, false);
    stage.world.advance(HOUR_MS);
    stage.world.alarm_ms = None; // it rang while the hub could not be loaded
    stage.world.evict();
    stage.world.advance_to_alarm(0);
    stage.settle();
    assert_eq!(stage.viewers[bob].closed_with, Some(CloseCode::Revoked));
}

#[test]
fn an_alarm_that_fails_rings_again_after_a_pause() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let expires_ms = stage.world.now_ms + HOUR_MS;
    stage.share_until(session, person("bob"), Right::Viewer, expires_ms);
    let bob = stage.invite("bob", invited(&[], None), terminal, false);
    stage.world.advance(HOUR_MS);
    stage.world.twin.fail(0, true);
    stage.world.advance_to_alarm(0);
    stage.world.twin.mend();
    let again_ms = stage.world.alarm_ms.expect("another alarm");
    assert!(again_ms >= stage.world.now_ms + ALARM_RETRY_MS - 10, "not at once: a store that fails is left alone");
    stage.world.advance_to_alarm(ALARM_RETRY_MS);
    stage.settle();
    assert_eq!(stage.viewers[bob].closed_with, Some(CloseCode::Revoked));
}

#[test]
fn who_was_forgotten_by_an_event_that_failed_is_closed_all_the_same() {
    let mut failed = false;
    for after in 0..20 {
        let mut stage = Stage::new();
        let (session, terminal) = stage.session();
        let ann = stage.watch("p1", terminal, Delivery::Screen);
        assert_eq!(stage.types(ann, 1).0, 1);
        let share = stage.share(session, person("bob"), Right::Driver);
        let bob = stage.invite("bob", invited(&[], None), terminal, true);
        let (model, world) = stage.viewer(bob);
        model.say(world, &ViewerMessage::Drive { terminal });
        stage.settle();
        assert_eq!(stage.types(bob, 1).0, 1);
        // Ann drives again when he leaves, and that is written down last.
        stage.world.twin.fail(after, false);
        let reply = stage.world.ask(Request::Withdraw { session, share: share.share });
        stage.world.twin.mend();
        stage.settle();
        if let Reply::Refused(refusal) = reply {
            assert_eq!(refusal.code, ErrorCode::Internal);
            failed = true;
        }
        stage.print(terminal, 50);
        let before = stage.viewers[bob].have;
        stage.settle();
        let is_alive = stage.viewers[bob].have != before;
        assert!(is_alive || stage.viewers[bob].closed_with.is_some(), "neither served nor closed, after {after}");
    }
    assert!(failed);
}

#[test]
fn nobody_learns_what_else_there_is() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (other, _) = stage.session();
    stage.share(other, person("bob"), Right::Driver);
    let request = Request::QueuePrompt { terminal, text: "secret".into(), idempotency_key: String::new() };
    let Reply::Prompt(prompt) = stage.world.call(request) else { panic!("no prompt") };
    let bob = bob();
    for [there, absent] in [
        [Request::Terminal { terminal }, Request::Terminal { terminal: 4_000 }],
        [Request::CancelPrompt { prompt: prompt.prompt }, Request::CancelPrompt { prompt: 4_000 }],
        [Request::Session { session }, Request::Session { session: 4_000 }],
    ] {
        assert_eq!(stage.refuses(&bob, there), stage.refuses(&bob, absent));
    }
}

#[test]
fn with_whom_else_a_session_is_shared_is_for_its_owner_alone() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    stage.share(session, person("carol"), Right::Viewer);
    stage.share(session, person("bob"), Right::Driver);
    let seen = detail(stage.world.ask_as(bob(), Request::Session { session }));
    assert!(!seen.timeline.is_empty() && !format!("{:?}", seen.timeline).contains("carol"), "{:?}", seen.timeline);
    assert!(format!("{:?}", stage.detail(session).timeline).contains("carol"));
}

#[test]
fn a_key_brings_back_no_prompt_of_another_session() {
    let mut stage = Stage::new();
    let (one, terminal) = stage.session();
    let (other, second) = stage.session();
    let share = stage.share(one, person("bob"), Right::Prompter);
    stage.share(other, person("bob"), Right::Prompter);
    let queue =
        |terminal, text: &str| Request::QueuePrompt { terminal, text: text.into(), idempotency_key: "the same".into() };
    stage.world.ask_as(bob(), queue(terminal, "first"));
    stage.world.call(Request::Withdraw { session: one, share: share.share });
    let Reply::Prompt(view) = stage.world.ask_as(bob(), queue(second, "second")) else { panic!("no prompt") };
    assert_eq!((view.terminal, view.text.as_str()), (second, "second"));
    let Reply::Prompt(again) = stage.world.ask_as(bob(), queue(second, "second")) else { panic!("no prompt") };
    assert_eq!(again.prompt, view.prompt);
}

#[test]
fn visitors_leave_room_for_the_owner() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let link = stage.share(session, Grantee::Guest, Right::Viewer);
    let standing = || invited(&[], Some(link.share));
    let visitor = |nth: usize| Peer::Page { person: format!("guest:{nth}"), topic: Topic::Session(session) };
    let closes = |stage: &mut Stage, socket| match stage.world.take_down(socket) {
        Some(Down::Close(code)) => Some(code),
        Some(other) => panic!("{other:?}"),
        None => None,
    };
    for nth in 0..=SOCKETS_PER_VISITOR_MAX {
        let socket = stage.world.connect_with(visitor(0), Pass { standing: standing(), ends_ms: 0 });
        let wanted = (nth == SOCKETS_PER_VISITOR_MAX).then_some(CloseCode::Overloaded);
        assert_eq!(closes(&mut stage, socket), wanted, "{nth}");
    }
    let socket = stage.world.connect_with(visitor(1), Pass { standing: standing(), ends_ms: 0 });
    assert_eq!(closes(&mut stage, socket), None, "another guest has room of their own");

    let room = VIEWERS_PER_TERMINAL_MAX - VIEWERS_OF_OWNER_MIN;
    for nth in 0..=room {
        let mut viewer = ModelViewer::new(&format!("guest:w{nth}"), terminal, Delivery::Screen);
        viewer.pass = Pass { standing: standing(), ends_ms: 0 };
        let (model, world) = (&mut viewer, &mut stage.world);
        model.connect(world);
        let socket = model.socket.expect("a socket");
        while world.deliver_up(socket) {}
        stage.viewers.push(viewer);
    }
    stage.settle();
    let refused = |viewer: &ModelViewer| viewer.errors == [ErrorCode::Limit];
    assert_eq!(stage.viewers.iter().map(refused).collect::<Vec<_>>(), [vec![false; room], vec![true]].concat());
    let ann = stage.watch("p1", terminal, Delivery::Screen);
    assert_eq!(stage.viewers[ann].errors, []);
}

#[test]
fn who_comes_too_late_is_sent_away_at_the_door() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    let share = stage.share(session, person("bob"), Right::Viewer);
    stage.world.call(Request::Withdraw { session, share: share.share });
    let pass = || Pass { standing: invited(&[], None), ends_ms: 0 };
    let viewer = Peer::Viewer { person: "bob".into(), name: "Bob".into(), via: protocol::audit::Via::Browser };
    let page = Peer::Page { person: "bob".into(), topic: Topic::Session(session) };
    // The Worker looked before it was withdrawn.
    for peer in [viewer, page] {
        let socket = stage.world.connect_with(peer, pass());
        assert_eq!(stage.world.take_down(socket), Some(Down::Close(CloseCode::Revoked)));
    }
    assert_eq!(stage.world.farewells.len(), 1);
    let runner = Peer::Runner { runner: "r9".into(), name: "x".into() };
    let socket = stage.world.connect_with(runner, pass());
    assert_eq!(stage.world.take_down(socket), Some(Down::Close(CloseCode::Unauthorized)));
    // What a socket says that was turned away is heard by nobody.
    assert!(stage.world.effects(Input::Text { socket, text: "{}" }).is_empty());
}
