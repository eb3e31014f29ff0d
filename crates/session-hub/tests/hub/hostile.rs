//! Strangers: arbitrary bytes and texts at every role. Nothing panics, each is closed with the code that says why, and
//! nobody else notices.

use proptest::prelude::*;
use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode};
use protocol::frame::{self, Flags, Header, Kind};
use protocol::limits::{CONTROL_BYTES_MAX, FRAME_BYTES_MAX, STATUS_BURST, STATUS_EVERY_MS, TERMINALS_PER_RUNNER_MAX};
use protocol::status::Status;
use session_hub::effect::{Effect, Input, Peer, SocketId, Topic};
use session_hub::limits::{RATE_PERIOD_MS, TEXTS_PER_PERIOD_MAX};

use crate::common::{Down, Stage};

/// The sockets of a stage with a terminal that Ann watches, and three more: a second runner that said hello, a viewer that
/// attached, a page.
struct Crowd {
    stage: Stage,
    ann: usize,
    terminal: u32,
    strangers: [SocketId; 3],
}

impl Crowd {
    fn new() -> Crowd {
        let mut stage = Stage::new();
        let (_, terminal) = stage.session();
        let ann = stage.watch("ann", terminal, Delivery::Bytes);
        let runner = stage.world.connect(Peer::Runner { runner: "r2".into(), name: "other".into() });
        let hello = r#"{"type":"hello","version":"9","hostname":"h","os":"o","arch":"a","agents":[],"terminals":[]}"#;
        stage.world.input(Input::Text { socket: runner, text: hello });
        let viewer = stage.world.connect(Peer::Viewer {
            person: "eve".into(),
            name: "Eve".into(),
            via: protocol::audit::Via::Browser,
        });
        let attach = format!(r#"{{"type":"attach","terminal":{terminal},"cols":80,"rows":24}}"#);
        stage.world.input(Input::Text { socket: viewer, text: &attach });
        let page = stage.world.connect(Peer::Page { person: "eve".into(), topic: Topic::Dashboard });
        stage.settle();
        Crowd { stage, ann, terminal, strangers: [runner, viewer, page] }
    }

    /// What a text does to its sender; nothing may reach anybody else but a word on who watches.
    fn text(&mut self, socket: SocketId, text: &str) -> Option<CloseCode> {
        let effects = self.stage.world.effects(Input::Text { socket, text });
        self.judge(socket, &effects)
    }

    fn binary(&mut self, socket: SocketId, bytes: &[u8]) -> Option<CloseCode> {
        let effects = self.stage.world.effects(Input::Binary { socket, bytes });
        self.judge(socket, &effects)
    }

    fn judge(&self, socket: SocketId, effects: &[Effect]) -> Option<CloseCode> {
        let mut closed = None;
        for effect in effects {
            match effect {
                Effect::Close { socket: whose, code, .. } => {
                    assert_eq!(*whose, socket, "somebody else was closed");
                    closed = Some(*code);
                }
                Effect::Reply(_) => panic!("an answer that nobody asked for"),
                _ => {}
            }
        }
        closed
    }

    /// Ann still gets every byte, and types.
    fn is_unharmed(&mut self) {
        for stranger in self.strangers {
            self.stage.world.vanish_and_tell(stranger);
        }
        let end = self.stage.end_of(self.terminal) + 5_000;
        self.stage.print(self.terminal, 5_000);
        let (viewer, world) = self.stage.viewer(self.ann);
        viewer.type_bytes(world, 4);
        self.stage.settle();
        let ann = &self.stage.viewers[self.ann];
        assert_eq!((ann.have, ann.acked, ann.closed_with), (Some(end), ann.typed, None));
        self.stage.world.is_rebuilt_the_same();
    }
}

#[test]
fn each_offence_has_its_code() {
    let long_text = "x".repeat(CONTROL_BYTES_MAX + 1);
    let long_frame = vec![1; FRAME_BYTES_MAX + 1];
    let output = frame::output(1, 0, b"x");
    let input = frame::input(1, 1, 0, b"x");
    let mut other_version = output.clone();
    other_version[0] = 2;
    for role in 0..2 {
        let mut crowd = Crowd::new();
        let fresh = |crowd: &mut Crowd| {
            *crowd = Crowd::new();
            crowd.strangers[role]
        };
        let socket = crowd.strangers[role];
        assert_eq!(crowd.text(socket, "{"), Some(CloseCode::Malformed));
        assert_eq!(crowd.text(socket, "{"), None, "what comes after the end is of no interest");
        let socket = fresh(&mut crowd);
        assert_eq!(crowd.text(socket, &long_text), Some(CloseCode::TooLarge));
        let socket = fresh(&mut crowd);
        assert_eq!(crowd.binary(socket, &long_frame), Some(CloseCode::TooLarge));
        let socket = fresh(&mut crowd);
        assert_eq!(crowd.binary(socket, b"short"), Some(CloseCode::Malformed));
        let socket = fresh(&mut crowd);
        assert_eq!(crowd.binary(socket, &other_version), Some(CloseCode::Version));
        let socket = fresh(&mut crowd);
        let wrong_way = if role == 0 { &input } else { &output };
        assert_eq!(crowd.binary(socket, wrong_way), Some(CloseCode::Protocol));
        let socket = fresh(&mut crowd);
        let mut newer_kind = output.clone();
        newer_kind[1] = 99;
        assert_eq!(crowd.binary(socket, &newer_kind), None, "a newer kind is answered");
        assert_eq!(crowd.text(socket, r#"{"type":"teleport"}"#), None, "and a newer message");
        let unknown = |message: &Down| matches!(message, Down::Text(text) if text.contains("unknown_type"));
        assert_eq!(crowd.stage.world.down[&socket].iter().filter(|message| unknown(message)).count(), 2);
        crowd.is_unharmed();
    }
}

#[test]
fn order_is_kept_and_pages_are_silent() {
    let mut crowd = Crowd::new();
    let [runner, _, page] = crowd.strangers;
    assert_eq!(crowd.text(page, "hello"), Some(CloseCode::Protocol));
    let hello = r#"{"type":"hello","version":"9","hostname":"h","os":"o","arch":"a","agents":[],"terminals":[]}"#;
    assert_eq!(crowd.text(runner, hello), Some(CloseCode::Protocol), "hello comes once");
    let early = crowd.stage.world.connect(Peer::Runner { runner: "r3".into(), name: "x".into() });
    assert_eq!(crowd.text(early, r#"{"type":"pulse","rtt_ms":1}"#), Some(CloseCode::Protocol), "and first");
    let early = crowd.stage.world.connect(Peer::Runner { runner: "r3".into(), name: "x".into() });
    assert_eq!(crowd.binary(early, &frame::output(1, 0, b"x")), Some(CloseCode::Protocol));
    crowd.is_unharmed();
}

#[test]
fn a_flood_of_messages_is_stopped() {
    let mut crowd = Crowd::new();
    let viewer = crowd.strangers[1];
    let text = format!(r#"{{"type":"drive","terminal":{}}}"#, crowd.terminal + 7);
    let sent = (0..10_000).position(|_| crowd.text(viewer, &text) == Some(CloseCode::RateLimited));
    assert!(sent.is_some_and(|sent| sent >= 1_000));
    crowd.is_unharmed();
}

#[test]
fn a_runner_whose_every_terminal_reports_as_often_as_it_may_stays() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let socket = stage.runner.socket;
    // The stage's clock goes on by a millisecond for each: all of it falls into one period.
    for _ in 0..TERMINALS_PER_RUNNER_MAX as u64 {
        for report in 0..STATUS_BURST + RATE_PERIOD_MS / STATUS_EVERY_MS {
            let status = if report % 2 == 0 { Status::Working } else { Status::Idle };
            stage.runner.set_status(&mut stage.world, terminal, status);
        }
    }
    stage.settle();
    assert_eq!((stage.runner.closed_with, stage.runner.socket), (None, socket));
    for _ in 0..TEXTS_PER_PERIOD_MAX {
        stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    }
    stage.settle();
    assert_eq!(stage.runner.closed_with, Some(CloseCode::RateLimited), "it has a bound all the same");
}

#[test]
fn what_cannot_be_attached_is_refused_and_the_socket_stays() {
    let mut crowd = Crowd::new();
    let ann = crowd.stage.viewers[crowd.ann].socket.expect("a socket");
    let attach =
        |terminal: u64, from: &str| format!(r#"{{"type":"attach","terminal":{terminal}{from},"cols":9,"rows":9}}"#);
    assert_eq!(crowd.text(ann, &attach(77, "")), None);
    assert_eq!(crowd.text(ann, &attach(crowd.terminal.into(), r#","from":9007199254740992"#)), None);
    crowd.stage.settle();
    assert_eq!(crowd.stage.viewers[crowd.ann].errors, vec![ErrorCode::NotFound, ErrorCode::Invalid]);
    // An offset that no log reaches harms nobody but the one who named it.
    let eve = crowd.strangers[1];
    assert_eq!(crowd.text(eve, &attach(crowd.terminal.into(), r#","from":8007199254740992"#)), None);
    crowd.is_unharmed();
}

/// Messages near enough to real ones that they get past the first check.
fn near_text() -> impl Strategy<Value = String> {
    let kinds = [
        "attach",
        "detach",
        "size",
        "drive",
        "release",
        "snapshot",
        "hello",
        "opened",
        "open_failed",
        "status",
        "prompt",
        "resized",
        "gap",
        "pulse",
        "error",
    ];
    let field = prop_oneof![
        Just("terminal"),
        Just("from"),
        Just("to"),
        Just("cols"),
        Just("rows"),
        Just("drive"),
        Just("writer"),
        Just("scrollback"),
        Just("status"),
        Just("prompt"),
        Just("state"),
        Just("reason"),
        Just("message"),
        Just("end"),
        Just("size"),
        Just("rtt_ms"),
        Just("last_output_ms"),
        Just("since_ms"),
        Just("delivery"),
        Just("code"),
    ];
    let value = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        (0..4_u8).prop_map(|n| n.to_string()),
        Just("\"idle\"".to_owned()),
        Just("\"done\"".to_owned()),
        Just("\"bytes\"".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#"{"cols":1,"rows":65535}"#.to_owned()),
        Just(r#"{"status":"blocked"}"#.to_owned()),
        ".{0,12}".prop_map(|text| serde_json::to_string(&text).expect("a text")),
    ];
    (prop::sample::select(kinds.to_vec()), prop::collection::vec((field, value), 0..8)).prop_map(|(kind, fields)| {
        let fields: String = fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{\"type\":\"{kind}\"{fields}}}")
    })
}

fn near_frame() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![
        Kind::Output,
        Kind::Snapshot,
        Kind::Input,
        Kind::InputAck,
        Kind::Credit,
        Kind::Checkpoint,
    ]);
    let offset = prop_oneof![0..3_000_000_u64, 0..1_u64 << 53];
    (kind, any::<u8>(), 0..4_u32, offset, prop::collection::vec(any::<u8>(), 0..40)).prop_map(
        |(kind, flags, terminal, offset, payload)| {
            Header { kind, flags: Flags(flags), terminal, offset }.with_payload(&payload)
        },
    )
}

#[derive(Clone, Debug)]
enum Message {
    Text(String),
    Binary(Vec<u8>),
}

fn any_message() -> impl Strategy<Value = Message> {
    prop_oneof![
        ".{0,60}".prop_map(Message::Text),
        near_text().prop_map(Message::Text),
        near_text().prop_map(Message::Text),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Message::Binary),
        near_frame().prop_map(Message::Binary),
        near_frame().prop_map(Message::Binary),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_strangers_send_nobody_else_notices(messages in prop::collection::vec((0..3_usize, any_message()), 1..40)) {
        let mut crowd = Crowd::new();
        for (who, message) in messages {
            let socket = crowd.strangers[who];
            match message {
                Message::Text(text) => crowd.text(socket, &text),
                Message::Binary(bytes) => crowd.binary(socket, &bytes),
            };
        }
        crowd.is_unharmed();
    }

    /// A runner may make a mess of its own terminals; the hub stands, and other runners' terminals are as they were.
    #[test]
    fn a_runner_gone_mad_brings_nothing_down(messages in prop::collection::vec(any_message(), 1..60)) {
        let mut crowd = Crowd::new();
        let socket = crowd.stage.runner.socket.expect("a socket");
        for message in messages {
            match message {
                Message::Text(text) => crowd.text(socket, &text),
                Message::Binary(bytes) => crowd.binary(socket, &bytes),
            };
            crowd.stage.world.is_rebuilt_the_same();
        }
    }
}
