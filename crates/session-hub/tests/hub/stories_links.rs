//! Runners come and go and the hub is evicted: what is under way then.

use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode, RunnerMessage};
use session_hub::effect::Input;

use crate::common::{ModelRunner, ModelViewer, Stage};

#[test]
fn the_runner_comes_back_and_nothing_is_lost_or_doubled() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    let bob = stage.watch("bob", terminal, Delivery::Screen);
    stage.print(terminal, 700_000);
    for _ in 0..40 {
        stage.runner.step(&mut stage.world);
    }
    stage.runner.cut(&mut stage.world, 17);
    stage.print(terminal, 300_000);
    stage.settle();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(1_000_000), Some(1_000_000)));
    assert_eq!((stage.viewers[ann].doubled, stage.viewers[ann].resyncs), (0, 0));
}

#[test]
fn a_newer_connection_of_a_runner_replaces_the_older_and_never_the_other_way() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    let old = stage.runner.socket.expect("a socket");
    // A second process with the same token.
    let mut second = ModelRunner::new("r1");
    second.terminals = stage.runner.terminals.clone();
    second.connect(&mut stage.world);
    std::mem::swap(&mut stage.runner, &mut second);
    stage.settle();
    while second.receive(&mut stage.world) {}
    assert_eq!(second.closed_with, Some(CloseCode::Replaced));
    assert!(stage.detail(session).runner_view.online);
    stage.world.input(Input::Closed { socket: old });
    assert!(stage.detail(session).runner_view.online, "a late close of the older one changes nothing");
    stage.print(terminal, 100_000);
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(100_000));
    // A hello that was under way on a connection given up for a newer one.
    let mut late = ModelRunner::new("r1");
    late.dial(&mut stage.world);
    stage.runner.dial(&mut stage.world);
    stage.runner.say_hello(&mut stage.world);
    stage.settle();
    late.say_hello(&mut stage.world);
    stage.settle();
    while late.receive(&mut stage.world) {}
    assert_eq!(late.closed_with, Some(CloseCode::Replaced));
    assert_eq!(stage.runner.closed_with, None);
    assert!(stage.detail(session).runner_view.online);
}

#[test]
fn while_the_runner_is_away_its_newest_checkpoint_serves() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.wide = true;
    stage.print(terminal, 5_000);
    stage.runner.checkpoint(&mut stage.world, terminal);
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].saved, 5_000);
    stage.print(terminal, 2_000);
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.world.evict();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    assert!(!stage.viewers[ann].online);
    assert_eq!((stage.viewers[ann].snapshots, stage.viewers[ann].have), (1, Some(5_000)));
    assert_eq!(stage.detail(session).terminal_views[0].end, 5_000);
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert!(stage.viewers[ann].online);
    assert_eq!(stage.viewers[ann].have, Some(7_000));
}

#[test]
fn what_the_runner_lacks_is_shown_from_the_checkpoint_or_said() {
    for (saved, exits, evicted) in [
        (true, true, false),
        (true, true, true),
        (true, false, false),
        (false, true, false),
        (false, true, true),
        (false, false, true),
    ] {
        let mut stage = Stage::new();
        let (_, terminal) = stage.session();
        stage.print(terminal, 5_000);
        if saved {
            stage.runner.checkpoint(&mut stage.world, terminal);
        }
        if exits {
            stage.runner.exit(&mut stage.world, terminal, 0);
        }
        stage.settle();
        stage.runner.lacks.push(terminal);
        for person in ["ann", "bob"] {
            let viewer = stage.watch(person, terminal, Delivery::Screen);
            let (shown, errors) = if saved { (1, vec![]) } else { (0, vec![ErrorCode::NotFound]) };
            let viewer = &stage.viewers[viewer];
            assert_eq!((viewer.snapshots, &viewer.errors, viewer.online), (shown, &errors, false), "{person}");
            if evicted {
                stage.world.evict();
                stage.settle();
            }
        }
        stage.world.is_rebuilt_the_same();
        // A keeper that can be reached again is asked at once.
        stage.runner.lacks.clear();
        let report = stage.runner.terminals[&terminal].report(terminal);
        let again = if exits { stage.runner.hello() } else { RunnerMessage::Opened { report } };
        if exits {
            stage.runner.dial(&mut stage.world);
        }
        stage.runner.say(&mut stage.world, &again);
        stage.settle();
        assert!(stage.viewers.iter().all(|viewer| viewer.online && viewer.have == Some(5_000)), "{saved} {exits}");
    }
}

#[test]
fn an_eviction_with_live_viewers_goes_unnoticed() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    let bob = stage.watch("bob", terminal, Delivery::Screen);
    for _ in 0..20 {
        stage.print(terminal, 60_000);
        stage.world.evict();
        stage.settle();
    }
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(1_200_000), Some(1_200_000)));
    assert_eq!((stage.viewers[ann].resyncs, stage.viewers[bob].snapshots), (0, 1));
}

#[test]
fn an_eviction_in_the_middle_of_a_snapshot_brings_a_whole_one() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.runner.wide = true;
    let mut ann = ModelViewer::new("ann", terminal, Delivery::Screen);
    ann.connect(&mut stage.world);
    stage.world.deliver_up(ann.socket.expect("a socket"));
    while stage.runner.receive(&mut stage.world) {}
    stage.runner.step(&mut stage.world);
    stage.world.deliver_up(stage.runner.socket.expect("a socket"));
    stage.world.evict();
    stage.viewers.push(ann);
    stage.settle();
    assert_eq!((stage.viewers[0].snapshots, stage.viewers[0].caught_up), (1, Some(0)));
}

#[test]
fn what_was_being_read_when_the_runner_broke_off_is_read_again() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    stage.print(terminal, 400_000);
    stage.settle();
    let mut bob = ModelViewer::of_bytes("bob", terminal);
    bob.connect(&mut stage.world);
    stage.world.deliver_up(bob.socket.expect("a socket"));
    stage.viewers.push(bob);
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[1].have), (Some(400_000), Some(400_000)));
}

#[test]
fn a_late_snapshot_that_starts_a_stream_leaves_no_hole() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.print(terminal, 100_000);
    // Ann asks for a screen and leaves before the runner has painted it.
    let mut ann = ModelViewer::new("ann", terminal, Delivery::Screen);
    ann.connect(&mut stage.world);
    let ann_socket = ann.socket.expect("a socket");
    stage.world.deliver_up(ann_socket);
    ann.cut(&mut stage.world, 0);
    stage.world.deliver_up(ann_socket);
    while stage.runner.receive(&mut stage.world) {}
    // Bob wants everything. The runner paints the screen after all, streams on from there, and then hears of Bob.
    let mut bob = ModelViewer::of_bytes("bob", terminal);
    bob.connect(&mut stage.world);
    stage.world.deliver_up(bob.socket.expect("a socket"));
    stage.runner.step(&mut stage.world);
    stage.viewers.push(bob);
    stage.settle();
    assert_eq!(stage.viewers[0].have, Some(100_000), "although the program prints no more");
}

#[test]
fn half_a_checkpoint_is_never_acknowledged() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.runner.wide = true;
    stage.print(terminal, 3_000);
    let socket = stage.runner.socket.expect("a socket");
    stage.runner.checkpoint(&mut stage.world, terminal);
    stage.world.deliver_up(socket);
    stage.world.evict();
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].saved, 0);
    stage.runner.checkpoint(&mut stage.world, terminal);
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].saved, 3_000);
}
