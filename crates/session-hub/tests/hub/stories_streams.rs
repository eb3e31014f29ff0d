//! Bytes on their way to the viewers: screens, streams, windows.

use protocol::control::{Delivery, ViewerMessage};
use protocol::frame;
use protocol::limits::WINDOW_BYTES;
use session_hub::effect::{Effect, Input};

use crate::common::{ModelViewer, Stage, Up};

#[test]
fn attaching_costs_a_screen_and_then_every_byte_comes() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.print(terminal, 10_000_000);
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    assert_eq!(stage.viewers[ann].snapshots, 1);
    assert_eq!((stage.viewers[ann].began, stage.viewers[ann].caught_up), (10_000_000, Some(10_000_000)));
    stage.print(terminal, 3_000_000);
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(13_000_000));
    assert_eq!((stage.viewers[ann].resyncs, stage.viewers[ann].doubled), (0, 0));
}

#[test]
fn a_viewer_that_comes_back_gets_exactly_what_follows() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    let bob = stage.watch("bob", terminal, Delivery::Bytes);
    stage.print(terminal, 1_000_000);
    stage.settle();
    let (viewer, world) = stage.viewer(ann);
    viewer.cut(world, 0);
    stage.print(terminal, 2_000_000);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(1_000_000), Some(3_000_000)));
    let (viewer, world) = stage.viewer(ann);
    viewer.connect(world);
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(3_000_000));
    assert_eq!((stage.viewers[ann].snapshots, stage.viewers[ann].doubled), (0, 0));
    assert_eq!(stage.viewers[bob].doubled, 0, "what one reads again comes to nobody else");
}

#[test]
fn a_stalled_viewer_hurts_nobody_and_comes_back_with_a_screen_or_every_byte() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let fast = stage.watch("fast", terminal, Delivery::Bytes);
    let screen = stage.watch("screen", terminal, Delivery::Screen);
    let bytes = stage.watch("bytes", terminal, Delivery::Bytes);
    stage.print(terminal, 20_000_000);
    stage.settle_but(&[screen, bytes], &[fast]);
    assert_eq!(stage.viewers[fast].have, Some(20_000_000));
    let waiting = stage.world.down[&stage.viewers[screen].socket.expect("a socket")].len() as u64;
    assert!(waiting * frame_bytes() < 2 * WINDOW_BYTES, "{waiting} frames wait for one that takes none");
    stage.settle();
    assert_eq!(stage.viewers[screen].have, Some(20_000_000));
    assert_eq!(stage.viewers[screen].snapshots, 2, "its backlog was dropped for a fresh screen");
    assert_eq!((stage.viewers[bytes].have, stage.viewers[bytes].snapshots), (Some(20_000_000), 0));
    assert_eq!(stage.viewers[fast].doubled, 0);
}

fn frame_bytes() -> u64 {
    crate::common::runner::FRAME
}

#[test]
fn one_slow_viewer_alone_slows_the_stream_and_not_the_program() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    stage.print(terminal, 30_000_000);
    stage.settle_but(&[], &[]);
    let have = stage.viewers[ann].have.expect("some bytes");
    assert!(have <= WINDOW_BYTES && have > WINDOW_BYTES / 2, "{have}");
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(30_000_000));
    assert_eq!((stage.viewers[ann].snapshots, stage.viewers[ann].resyncs, stage.viewers[ann].doubled), (0, 0, 0));
}

#[test]
fn with_only_screens_left_a_stream_far_behind_jumps() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    stage.print(terminal, 50_000_000);
    stage.settle();
    assert_eq!(stage.viewers[ann].have, Some(50_000_000));
    assert!(stage.runner.terminals[&terminal].jumps > 0);
    // As soon as somebody needs every byte, it no longer does.
    let bob = stage.watch("bob", terminal, Delivery::Bytes);
    let jumps = stage.runner.terminals[&terminal].jumps;
    stage.print(terminal, 50_000_000);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(100_000_000), Some(100_000_000)));
    assert_eq!(stage.runner.terminals[&terminal].jumps, jumps);
}

#[test]
fn a_snapshot_of_several_parts_goes_whole_to_those_who_waited_for_it() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.runner.wide = true;
    stage.print(terminal, 1_000);
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    // Bob comes between the parts of Ann's next one.
    let (viewer, world) = stage.viewer(ann);
    viewer.say(world, &ViewerMessage::Snapshot { terminal, scrollback: 0 });
    let ann_socket = viewer.socket.expect("a socket");
    world.deliver_up(ann_socket);
    while stage.runner.receive(&mut stage.world) {}
    stage.runner.step(&mut stage.world);
    stage.world.deliver_up(stage.runner.socket.expect("a socket"));
    let mut bob = ModelViewer::new("bob", terminal, Delivery::Screen);
    bob.connect(&mut stage.world);
    stage.world.deliver_up(bob.socket.expect("a socket"));
    let bob = stage.add(bob);
    assert_eq!((stage.viewers[ann].snapshots, stage.viewers[bob].snapshots), (2, 1));
}

#[test]
fn scrollback_goes_to_the_one_who_asked() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let bob = stage.watch("bob", terminal, Delivery::Screen);
    let (viewer, world) = stage.viewer(ann);
    viewer.say(world, &ViewerMessage::Snapshot { terminal, scrollback: 500 });
    stage.settle();
    assert_eq!((stage.viewers[ann].snapshots, stage.viewers[bob].snapshots), (2, 1));
    stage.print(terminal, 10_000);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(10_000), Some(10_000)));
}

#[test]
fn bytes_beyond_retention_are_a_gap_that_is_said() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    stage.print(terminal, 5_000_000);
    stage.runner.terminals.get_mut(&terminal).expect("a terminal").oldest = 2_000_000;
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    assert_eq!(stage.viewers[ann].gaps, vec![(0, 2_000_000)]);
    assert_eq!(stage.viewers[ann].have, Some(5_000_000));
    // The same for one that reads beside a running stream.
    let bob = stage.watch("bob", terminal, Delivery::Bytes);
    assert_eq!(stage.viewers[bob].gaps, vec![(0, 2_000_000)]);
    assert_eq!(stage.viewers[bob].have, Some(5_000_000));
}

#[test]
fn a_hundred_viewers_share_one_effect() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    for index in 0..100 {
        stage.watch(&format!("p{index}"), terminal, Delivery::Bytes);
    }
    let socket = stage.runner.socket.expect("a socket");
    stage.print(terminal, 100);
    let bytes = frame::output(terminal, 0, &crate::common::pattern::bytes(terminal, 0, 100));
    let effects = stage.world.effects(Input::Binary { socket, bytes: &bytes });
    let [Effect::Forward { sockets }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(sockets.len(), 100);
}

#[test]
fn a_viewer_that_caught_up_takes_over_the_pace() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    // Ann takes nothing, so the stream stands at the end of her window.
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    stage.print(terminal, 5 * WINDOW_BYTES);
    stage.settle_but(&[ann], &[]);
    // Bob has returned his credit before he comes there, and a client need not say it twice.
    let mut bob = ModelViewer::of_bytes("bob", terminal);
    bob.silent_when_caught_up = true;
    bob.connect(&mut stage.world);
    stage.viewers.push(bob);
    stage.settle_but(&[ann], &[1]);
    assert_eq!(stage.viewers[1].have, Some(5 * WINDOW_BYTES));
}

#[test]
fn credit_for_what_was_never_sent_is_answered_with_a_question() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    stage.print(terminal, 10_000);
    stage.settle();
    let socket = stage.viewers[ann].socket.expect("a socket");
    stage.world.say(socket, Up::Binary(frame::credit(terminal, 5_000_000)));
    stage.settle();
    assert_eq!(stage.viewers[ann].resyncs, 1);
    let (_, credit) = stage.runner.terminals[&terminal].stream.expect("a stream");
    assert!(credit <= 10_000, "the runner never heard of it");
    stage.print(terminal, 10_000);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[ann].snapshots), (Some(20_000), 0));
}
