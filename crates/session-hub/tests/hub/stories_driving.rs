//! Input and sizes: who types, and whose window the terminal fits.

use protocol::control::{Delivery, ErrorCode, Size, ViewerMessage};
use protocol::frame;
use session_hub::effect::{Effect, Input};

use crate::common::{ModelRunner, ModelViewer, Stage};

const PHONE: Size = Size { cols: 40, rows: 20 };

#[test]
fn a_phone_takes_the_size_and_gives_it_back() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let mut desk = ModelViewer::new("ann", terminal, Delivery::Screen);
    (desk.drive, desk.size) = (true, Size { cols: 180, rows: 50 });
    let desk = stage.add(desk);
    assert_eq!(stage.runner.terminals[&terminal].size, Size { cols: 180, rows: 50 });
    let mut phone = ModelViewer::new("bob", terminal, Delivery::Screen);
    (phone.drive, phone.size) = (true, PHONE);
    let phone = stage.add(phone);
    assert_eq!(stage.runner.terminals[&terminal].size.cols, 180, "drive means: if nobody does");
    let (viewer, world) = stage.viewer(phone);
    viewer.say(world, &ViewerMessage::Drive { terminal });
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].size, PHONE);
    assert_eq!(stage.viewers[desk].pty_size, Some(PHONE));
    let drivers = |stage: &Stage| -> Vec<bool> { stage.viewers[0].people.iter().map(|person| person.drives).collect() };
    assert_eq!(drivers(&stage), vec![false, true]);
    let (viewer, world) = stage.viewer(phone);
    viewer.cut(world, 9);
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].size, Size { cols: 180, rows: 50 });
    assert_eq!(stage.viewers[desk].pty_size, Some(Size { cols: 180, rows: 50 }));
    assert_eq!(drivers(&stage), vec![true]);
    let (viewer, world) = stage.viewer(desk);
    viewer.cut(world, 9);
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].size, Size::DEFAULT, "and with nobody left the ordinary size");
    assert_eq!(stage.runner.terminals[&terminal].stream, None, "and nothing is sent any more");
}

#[test]
fn only_the_driver_types_and_the_same_person_takes_over_by_typing() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let laptop = stage.watch("ann", terminal, Delivery::Screen);
    let (viewer, world) = stage.viewer(laptop);
    viewer.type_bytes(world, 5);
    stage.settle();
    assert_eq!(stage.viewers[laptop].acked, 5, "nobody drove, so typing is driving");
    let bob = stage.watch("bob", terminal, Delivery::Screen);
    let (viewer, world) = stage.viewer(bob);
    viewer.type_bytes(world, 3);
    stage.settle();
    assert_eq!((stage.viewers[bob].acked, stage.viewers[bob].refused.as_slice()), (0, &[ErrorCode::NotDriver][..]));
    let phone = stage.watch("ann", terminal, Delivery::Screen);
    stage.viewers[phone].size = PHONE;
    let (viewer, world) = stage.viewer(phone);
    viewer.say(world, &ViewerMessage::Size { terminal, size: PHONE });
    viewer.type_bytes(world, 7);
    stage.settle();
    assert_eq!(stage.viewers[phone].acked, 7);
    assert_eq!(stage.runner.terminals[&terminal].size, PHONE, "the size follows the hand");
}

#[test]
fn input_is_typed_once_through_a_broken_connection() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 3_000);
    viewer.cut(world, 2); // two frames arrive, and their acknowledgements find nobody
    viewer.type_bytes(world, 100);
    stage.settle();
    assert_eq!(stage.viewers[ann].acked, 0);
    let (viewer, world) = stage.viewer(ann);
    viewer.connect(world);
    stage.settle();
    assert_eq!(stage.viewers[ann].acked, 3_100);
    let typed: Vec<u64> = stage.runner.terminals[&terminal].typed.values().copied().collect();
    assert_eq!(typed, vec![3_100], "one writer, every byte once");
}

#[test]
fn input_waits_for_a_runner_that_is_away() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    assert!(!stage.viewers[ann].online);
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 50);
    stage.settle();
    assert_eq!((stage.viewers[ann].acked, stage.viewers[ann].refused.len()), (0, 0));
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert_eq!(stage.viewers[ann].acked, 50);
}

#[test]
fn a_writer_of_somebody_else_is_not_given() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let stolen = stage.viewers[ann].writer.expect("a writer");
    let eve = stage.watch("eve", terminal, Delivery::Screen);
    let own = stage.viewers[eve].writer;
    let socket = stage.viewers[eve].socket.expect("a socket");
    let message = ViewerMessage::Attach {
        terminal,
        from: None,
        delivery: Delivery::Screen,
        size: Size::DEFAULT,
        drive: true,
        writer: Some(protocol::control::writer_to_text(stolen)),
    };
    stage.world.say(socket, crate::common::Up::Text(protocol::control::encode(&message)));
    stage.viewers[eve].writer = None; // whatever she is given now, she takes
    stage.settle();
    assert!(![None, Some(stolen), own].contains(&stage.viewers[eve].writer), "a new one");
    assert_eq!((stage.viewers[ann].people.len(), stage.viewers[ann].errors.len()), (2, 0));
    // And input in another's name is refused.
    let forged = frame::input(terminal, stolen, 0, b"rm -rf /");
    let socket = stage.viewers[eve].socket.expect("a socket");
    stage.world.say(socket, crate::common::Up::Binary(forged));
    stage.settle();
    assert_eq!(stage.viewers[eve].refused, vec![ErrorCode::Invalid]);
    assert_eq!(stage.runner.terminals[&terminal].typed.get(&stolen), None);
}

#[test]
fn a_viewer_speaks_only_for_what_it_attached_and_a_runner_only_for_its_own() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let (_, other) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Bytes);
    let socket = stage.viewers[ann].socket.expect("a socket");
    let writer = stage.viewers[ann].writer.expect("a writer");
    let effects = stage.world.effects(Input::Binary { socket, bytes: &frame::input(other, writer, 0, b"x") });
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Forward { .. })), "{effects:?}");
    // Another runner prints into a terminal that is not its own.
    let mut stranger = ModelRunner::new("r2");
    stranger.connect(&mut stage.world);
    stage.settle();
    while stranger.receive(&mut stage.world) {}
    let stranger_socket = stranger.socket.expect("a socket");
    let bytes = frame::output(terminal, 0, b"gotcha");
    let effects = stage.world.effects(Input::Binary { socket: stranger_socket, bytes: &bytes });
    assert!(effects.is_empty(), "{effects:?}");
    let text = format!(r#"{{"type":"status","terminal":{terminal},"status":"failed"}}"#);
    let effects = stage.world.effects(Input::Text { socket: stranger_socket, text: &text });
    assert!(effects.is_empty(), "{effects:?}");
}

#[test]
fn a_keystroke_and_its_echo_touch_no_table() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    for _ in 0..3 {
        stage.watch("bob", terminal, Delivery::Bytes);
    }
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 1);
    stage.settle();
    let before = stage.world.twin.statements();
    for _ in 0..200 {
        let (viewer, world) = stage.viewer(ann);
        viewer.type_bytes(world, 1);
        stage.print(terminal, 2_000);
        stage.settle();
    }
    assert_eq!(stage.viewers[ann].acked, 201);
    assert_eq!(stage.world.twin.statements(), before);
}

#[test]
fn whoever_watches_before_a_terminal_opens_sees_it_open() {
    let mut stage = Stage::new();
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    let terminal = stage.create("").view.main_terminal;
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let mut bob = ModelViewer::of_bytes("bob", terminal);
    (bob.drive, bob.size) = (true, PHONE);
    let bob = stage.add(bob);
    stage.world.evict();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    stage.print(terminal, 9_000);
    stage.settle();
    assert_eq!((stage.viewers[ann].have, stage.viewers[bob].have), (Some(9_000), Some(9_000)));
    assert_eq!(stage.runner.terminals[&terminal].size, PHONE, "it opens in its driver's size");
}

#[test]
fn a_writer_moves_with_its_viewer_and_never_back() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let ann = stage.watch("ann", terminal, Delivery::Screen);
    let old = stage.viewers[ann].socket.expect("a socket");
    // An attach that is still under way on the connection that Ann gives up.
    let (viewer, world) = stage.viewer(ann);
    viewer.attach(world);
    viewer.connect(world);
    let new = viewer.socket.expect("a socket");
    stage.world.deliver_up(new);
    stage.world.deliver_up(old);
    stage.settle();
    assert_eq!(stage.viewers[ann].people.len(), 1);
    let (viewer, world) = stage.viewer(ann);
    viewer.type_bytes(world, 20);
    stage.settle();
    assert_eq!((stage.viewers[ann].acked, stage.viewers[ann].refused.len()), (20, 0));
}
