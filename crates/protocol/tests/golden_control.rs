//! The JSON of every control message, pinned. A line that changes here breaks every peer that was ever shipped.
#![allow(missing_docs)]

use muster_protocol::control::*;
use muster_protocol::right::Right;
use muster_protocol::status::*;

/// The source of all control messages.
const CONTROL: &str = concat!(
    include_str!("../src/control.rs"),
    include_str!("../src/control/runner.rs"),
    include_str!("../src/control/viewer.rs")
);

fn size() -> Size {
    Size { cols: 120, rows: 40 }
}

fn status() -> StatusReport {
    StatusReport {
        status: Status::Blocked,
        blocked_on: Some(BlockedOn::Permission),
        detail: "run tests?".into(),
        title: "claude".into(),
        evidence: Evidence::Osc7501,
        since_ms: 5,
        exit_code: None,
        exit_signal: None,
    }
}

fn report() -> TerminalReport {
    let prompts = vec![PromptReport { prompt: 3, state: PromptState::Accepted, reason: String::new() }];
    TerminalReport { terminal: 7, oldest: 1, end: 9, size: size(), status: status(), last_output_ms: 6, prompts }
}

const STATUS: &str = r#"{"status":"blocked","blocked_on":"permission","detail":"run tests?","title":"claude","evidence":"osc7501","since_ms":5}"#;

/// Encodes to exactly this, and this decodes to it.
fn pin<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(message: &T, json: &str) {
    assert_eq!(encode(message), json);
    assert_eq!(&decode::<T>(json).expect("decodes"), message);
}

/// The words of all variants of an enum in the source, so that a new message cannot go unpinned.
fn words_of(name: &str) -> Vec<String> {
    let source = CONTROL;
    let start = source.find(&format!("pub enum {name} {{")).expect("the enum");
    let body = &source[start..start + source[start..].find("\n}").expect("its end")];
    let variant = |line: &str| {
        let line = line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))?;
        Some(snake(line.split(|c: char| !c.is_ascii_alphanumeric()).next()?))
    };
    body.lines().filter_map(variant).filter(|word| word != "unknown").collect()
}

fn snake(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// Pins each message, and checks that each variant of the enum is among them.
fn pin_all<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    name: &str,
    messages: &[(T, String)],
) {
    for (message, json) in messages {
        pin(message, json);
    }
    for word in words_of(name) {
        let tag = format!(r#"{{"type":"{word}""#);
        assert!(messages.iter().any(|(_, json)| json.starts_with(&tag)), "{name}: {word} is not pinned");
    }
}

fn error() -> ErrorReport {
    ErrorReport { code: ErrorCode::NotFound, message: "none".into(), terminal: Some(7) }
}

const ERROR: &str = r#"{"type":"error","code":"not_found","message":"none","terminal":7}"#;

#[test]
fn runner_messages() {
    let report_json = format!(
        r#""terminal":7,"oldest":1,"end":9,"size":{{"cols":120,"rows":40}},"status":{STATUS},"last_output_ms":6,"prompts":[{{"prompt":3,"state":"accepted"}}]"#
    );
    let agents = vec![AgentOffer { name: "claude".into(), label: "Claude Code".into(), available: true }];
    let hello = RunnerMessage::Hello {
        version: "0.1.0".into(),
        hostname: "laptop".into(),
        os: "linux".into(),
        arch: "x86_64".into(),
        capabilities: vec!["x".into()],
        agents,
        home: "/home/ada".into(),
        terminals: vec![report()],
    };
    let failed = PromptReport { prompt: 3, state: PromptState::Failed, reason: "ended".into() };
    pin_all(
        "RunnerMessage",
        &[
            (
                hello,
                format!(
                    r#"{{"type":"hello","version":"0.1.0","hostname":"laptop","os":"linux","arch":"x86_64","capabilities":["x"],"agents":[{{"name":"claude","label":"Claude Code","available":true}}],"home":"/home/ada","terminals":[{{{report_json}}}]}}"#
                ),
            ),
            (RunnerMessage::Opened { report: report() }, format!(r#"{{"type":"opened",{report_json}}}"#)),
            (
                RunnerMessage::OpenFailed { terminal: 7, message: "no".into() },
                r#"{"type":"open_failed","terminal":7,"message":"no"}"#.into(),
            ),
            (
                RunnerMessage::Status { terminal: 7, report: status(), last_output_ms: 6 },
                format!(r#"{{"type":"status","terminal":7,{},"last_output_ms":6}}"#, &STATUS[1..STATUS.len() - 1]),
            ),
            (
                RunnerMessage::Prompt { terminal: 7, report: failed },
                r#"{"type":"prompt","terminal":7,"prompt":3,"state":"failed","reason":"ended"}"#.into(),
            ),
            (
                RunnerMessage::Resized { terminal: 7, size: size() },
                r#"{"type":"resized","terminal":7,"cols":120,"rows":40}"#.into(),
            ),
            (
                RunnerMessage::Gap { terminal: 7, from: 1, to: 2, reason: "old".into() },
                r#"{"type":"gap","terminal":7,"from":1,"to":2,"reason":"old"}"#.into(),
            ),
            (RunnerMessage::Pulse { rtt_ms: 12 }, r#"{"type":"pulse","rtt_ms":12}"#.into()),
            (RunnerMessage::Error(error()), ERROR.into()),
        ],
    );
}

#[test]
fn runner_commands() {
    let open = RunnerCommand::Open {
        terminal: 7,
        session: 2,
        name: "fix".into(),
        agent: "claude".into(),
        cwd: "~/code".into(),
        size: size(),
    };
    let welcome =
        RunnerCommand::Welcome { version: "0.1.0".into(), name: "laptop".into(), now_ms: 8, capabilities: vec![] };
    let stop = |mode| RunnerCommand::Stop { terminal: 7, mode };
    pin_all(
        "RunnerCommand",
        &[
            (welcome, r#"{"type":"welcome","version":"0.1.0","name":"laptop","now_ms":8,"capabilities":[]}"#.into()),
            (
                open,
                r#"{"type":"open","terminal":7,"session":2,"name":"fix","agent":"claude","cwd":"~/code","cols":120,"rows":40}"#
                    .into(),
            ),
            (
                RunnerCommand::Snapshot { terminal: 7, scrollback: 9 },
                r#"{"type":"snapshot","terminal":7,"scrollback":9}"#.into(),
            ),
            (RunnerCommand::Stream { terminal: 7, from: 4 }, r#"{"type":"stream","terminal":7,"from":4}"#.into()),
            (
                RunnerCommand::Pace { terminal: 7, lag_bytes_max: Some(4096) },
                r#"{"type":"pace","terminal":7,"lag_bytes_max":4096}"#.into(),
            ),
            (
                RunnerCommand::Pace { terminal: 7, lag_bytes_max: None },
                r#"{"type":"pace","terminal":7,"lag_bytes_max":null}"#.into(),
            ),
            (
                RunnerCommand::Read { terminal: 7, from: 1, to: 2 },
                r#"{"type":"read","terminal":7,"from":1,"to":2}"#.into(),
            ),
            (RunnerCommand::Unwatch { terminal: 7 }, r#"{"type":"unwatch","terminal":7}"#.into()),
            (
                RunnerCommand::Resize { terminal: 7, size: size() },
                r#"{"type":"resize","terminal":7,"cols":120,"rows":40}"#.into(),
            ),
            (
                RunnerCommand::Prompt { terminal: 7, prompt: 3, text: "do\n".into() },
                r#"{"type":"prompt","terminal":7,"prompt":3,"text":"do\n"}"#.into(),
            ),
            (
                RunnerCommand::CancelPrompt { terminal: 7, prompt: 3 },
                r#"{"type":"cancel_prompt","terminal":7,"prompt":3}"#.into(),
            ),
            (stop(StopMode::Interrupt), r#"{"type":"stop","terminal":7,"mode":"interrupt"}"#.into()),
            (stop(StopMode::Terminate), r#"{"type":"stop","terminal":7,"mode":"terminate"}"#.into()),
            (stop(StopMode::Kill), r#"{"type":"stop","terminal":7,"mode":"kill"}"#.into()),
            (RunnerCommand::Forget { terminal: 7 }, r#"{"type":"forget","terminal":7}"#.into()),
            (
                RunnerCommand::CheckpointSaved { terminal: 7, offset: 9 },
                r#"{"type":"checkpoint_saved","terminal":7,"offset":9}"#.into(),
            ),
            (RunnerCommand::Error(error()), ERROR.into()),
        ],
    );
}

#[test]
fn viewer_messages() {
    let attach = ViewerMessage::Attach {
        terminal: 7,
        from: Some(4),
        delivery: Delivery::Bytes,
        size: size(),
        drive: true,
        writer: Some("00000000000000ff".into()),
    };
    pin_all(
        "ViewerMessage",
        &[
            (
                attach,
                r#"{"type":"attach","terminal":7,"from":4,"delivery":"bytes","cols":120,"rows":40,"drive":true,"writer":"00000000000000ff"}"#
                    .into(),
            ),
            (ViewerMessage::Detach { terminal: 7 }, r#"{"type":"detach","terminal":7}"#.into()),
            (
                ViewerMessage::Size { terminal: 7, size: size() },
                r#"{"type":"size","terminal":7,"cols":120,"rows":40}"#.into(),
            ),
            (ViewerMessage::Drive { terminal: 7 }, r#"{"type":"drive","terminal":7}"#.into()),
            (ViewerMessage::Release { terminal: 7 }, r#"{"type":"release","terminal":7}"#.into()),
            (
                ViewerMessage::Snapshot { terminal: 7, scrollback: 0 },
                r#"{"type":"snapshot","terminal":7,"scrollback":0}"#.into(),
            ),
        ],
    );
    let least: ViewerMessage = decode(r#"{"type":"attach","terminal":7,"cols":80,"rows":24}"#).expect("decodes");
    let size = Size { cols: 80, rows: 24 };
    let delivery = Delivery::Screen;
    assert_eq!(least, ViewerMessage::Attach { terminal: 7, from: None, delivery, size, drive: false, writer: None });
}

#[test]
fn viewer_events() {
    let attached = ViewerEvent::Attached {
        terminal: 7,
        writer: "00000000000000ff".into(),
        size: size(),
        online: true,
        window: 524_288,
        status: status(),
        last_output_ms: 6,
        right: Right::Owner,
    };
    let people = vec![Person { id: "1".into(), name: "Ada".into(), drives: true, you: false }];
    let refused = ViewerEvent::InputRefused { terminal: 7, code: ErrorCode::NotDriver, message: "Ada drives".into() };
    pin_all(
        "ViewerEvent",
        &[
            (
                attached,
                format!(
                    r#"{{"type":"attached","terminal":7,"writer":"00000000000000ff","cols":120,"rows":40,"online":true,"window":524288,"status":{STATUS},"last_output_ms":6,"right":"owner"}}"#
                ),
            ),
            (
                ViewerEvent::CaughtUp { terminal: 7, offset: 9 },
                r#"{"type":"caught_up","terminal":7,"offset":9}"#.into(),
            ),
            (
                ViewerEvent::Right { terminal: 7, right: Right::Prompter },
                r#"{"type":"right","terminal":7,"right":"prompter"}"#.into(),
            ),
            (
                ViewerEvent::Gap { terminal: 7, from: 1, to: 2, reason: "old".into() },
                r#"{"type":"gap","terminal":7,"from":1,"to":2,"reason":"old"}"#.into(),
            ),
            (ViewerEvent::Resync { terminal: 7 }, r#"{"type":"resync","terminal":7}"#.into()),
            (
                ViewerEvent::Resized { terminal: 7, size: size() },
                r#"{"type":"resized","terminal":7,"cols":120,"rows":40}"#.into(),
            ),
            (
                ViewerEvent::People { terminal: 7, people },
                r#"{"type":"people","terminal":7,"people":[{"id":"1","name":"Ada","drives":true,"you":false}]}"#.into(),
            ),
            (
                ViewerEvent::Status { terminal: 7, report: status(), last_output_ms: 6 },
                format!(r#"{{"type":"status","terminal":7,{},"last_output_ms":6}}"#, &STATUS[1..STATUS.len() - 1]),
            ),
            (
                ViewerEvent::Runner { terminal: 7, online: false, since_ms: 5 },
                r#"{"type":"runner","terminal":7,"online":false,"since_ms":5}"#.into(),
            ),
            (ViewerEvent::Pulse { terminal: 7, rtt_ms: 12 }, r#"{"type":"pulse","terminal":7,"rtt_ms":12}"#.into()),
            (refused, r#"{"type":"input_refused","terminal":7,"code":"not_driver","message":"Ada drives"}"#.into()),
            (ViewerEvent::Error(error()), ERROR.into()),
        ],
    );
}

#[test]
fn words() {
    for status in Status::ALL {
        assert_eq!(encode(&status), format!("\"{}\"", status.word()));
        assert_eq!(Status::from_word(status.word()), status);
    }
    for state in PromptState::ALL {
        assert_eq!(encode(&state), format!("\"{}\"", state.word()));
        assert_eq!(PromptState::from_word(state.word()), Some(state));
    }
    use ErrorCode::*;
    let codes = [Invalid, UnknownType, NotFound, NotDriver, RunnerOffline, Ended, Limit, Conflict, Internal];
    assert_eq!(
        encode(&codes),
        r#"["invalid","unknown_type","not_found","not_driver","runner_offline","ended","limit","conflict","internal"]"#
    );
    let evidence = [
        Evidence::Exit,
        Evidence::Osc7501,
        Evidence::Hook,
        Evidence::Foreground,
        Evidence::Title,
        Evidence::Quiet,
        Evidence::None,
    ];
    assert_eq!(encode(&evidence), r#"["exit","osc7501","hook","foreground","title","quiet","none"]"#);
    let blocked = [BlockedOn::Permission, BlockedOn::Question, BlockedOn::Auth, BlockedOn::Other];
    assert_eq!(encode(&blocked), r#"["permission","question","auth","other"]"#);
    assert_eq!(encode(&[Delivery::Screen, Delivery::Bytes]), r#"["screen","bytes"]"#);
    assert_eq!((muster_protocol::PING, muster_protocol::PONG), (r#"{"type":"ping"}"#, r#"{"type":"pong"}"#));
    assert_eq!(muster_protocol::SUBPROTOCOL, "muster.1");
    assert_eq!((writer_to_text(255), writer_from_text("00000000000000FF")), ("00000000000000ff".into(), Some(255)));
    for text in ["", "ff", "00000000000000fg", "+0000000000000ff", "00000000000000ff0", "é000000000000ff"] {
        assert_eq!(writer_from_text(text), None, "{text}");
    }
}
