//! The runner between a model hub and model keepers: who is let in, what goes where, what a cut connection changes.
#![allow(missing_docs)]

mod support;

use protocol::control::{self, ErrorCode, RunnerCommand, RunnerMessage, Size};
use protocol::{close::CloseCode, frame};
use rustix::process::Signal;
use support::hub::{ModelHub, TOKEN};
use support::keeper::{Got, ModelKeeper};
use support::process::{Place, Runner};
use support::tls::TlsFront;
use tokio_tungstenite::tungstenite::{Bytes, Message};

fn open(terminal: u32, agent: &str, cwd: &str) -> RunnerCommand {
    let (name, agent, cwd) = ("work".into(), agent.into(), cwd.into());
    RunnerCommand::Open { terminal, session: 1, name, agent, cwd, size: Size::DEFAULT }
}

fn error(message: &RunnerMessage) -> Option<(ErrorCode, Option<u32>)> {
    match message {
        RunnerMessage::Error(report) => Some((report.code, report.terminal)),
        _ => None,
    }
}

#[tokio::test]
async fn a_token_becomes_a_jwt_and_the_jwt_a_connection() {
    let mut hub = ModelHub::start().await;
    let place = Place::with_config("[agents.mine]\ncommand = [\"no-such-program\"]\n");
    let mut runner = place.start(&hub.url);
    let (link, hello) = hub.welcome().await;
    assert_eq!((link.authorization.as_str(), link.protocol.as_str()), ("Bearer jwt-1", "muster.1"));
    assert_eq!(link.target, "/ws/connect");
    let RunnerMessage::Hello { version, os, agents, home, terminals, hostname, .. } = hello else { panic!() };
    assert_eq!((version.as_str(), os.as_str()), (env!("CARGO_PKG_VERSION"), std::env::consts::OS));
    assert!(!hostname.is_empty() && terminals.is_empty());
    assert_eq!(home, place.path().to_str().expect("UTF-8"));
    let offer = |name: &str| agents.iter().find(|agent| agent.name == name).map(|agent| agent.available);
    assert_eq!((offer("shell"), offer("mine")), (Some(true), Some(false)));
    runner.logs("connected").await;
    let argv = std::fs::read(format!("/proc/{}/cmdline", runner.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&argv).contains(TOKEN));
    runner.signal(Signal::TERM);
    let (code, log) = runner.ended().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains(TOKEN) && !log.contains("jwt-1"), "{log}");
}

#[tokio::test]
async fn a_hub_with_tls_is_trusted_by_its_certificate_alone() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let front = TlsFront::start(&hub.url, place.path()).await;
    // Without its certificate: no token is sent.
    let mut runner = Runner::spawn({
        let mut command = place.command(&["runner", "--hub", &front.url]);
        command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
        command
    });
    runner.logs("cannot reach localhost").await;
    assert!(hub.door.lock().expect("door").exchanges.is_empty());
    runner.signal(Signal::KILL);
    runner.ended().await;
    let mut command = place.command(&["runner", "--hub", &front.url]);
    command.env("SSL_CERT_FILE", &front.certificate);
    let _runner = Runner::spawn(command);
    let (link, _) = hub.welcome().await;
    assert_eq!(link.authorization, "Bearer jwt-1");
}

#[tokio::test]
async fn frames_and_messages_pass_as_they_came() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let mut below = keeper.accept(100).await;
    let (mut link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals.iter().map(|t| (t.terminal, t.end)).collect::<Vec<_>>(), [(7, 100)]);

    // Down: bytes as they came, and a text with a field of a newer version.
    let typed = frame::input(7, 9, 0, b"ls\r");
    link.send(Message::binary(typed.clone())).await;
    assert_eq!(below.next().await, Some(Got::Frame(typed)));
    let text = r#"{"type":"stream","terminal":7,"from":100,"newer":true}"#;
    link.send(Message::text(text)).await;
    assert_eq!(below.next().await, Some(Got::Json(text.into())));

    // Up: a frame of a kind and flags that only a newer version knows passes too.
    let mut strange = frame::output(7, 100, &[0xff; 60_000]);
    (strange[1], strange[2]) = (200, 0xf0);
    below.frame(&strange).await;
    assert_eq!(link.frame().await, strange);
    below.say(&RunnerMessage::Resized { terminal: 7, size: Size { cols: 80, rows: 24 } }).await;
    let size = link.until("resized", |m| if let RunnerMessage::Resized { size, .. } = m { Some(*size) } else { None });
    assert_eq!(size.await, Size { cols: 80, rows: 24 });
}

#[tokio::test]
async fn what_is_malformed_is_answered_and_hurts_nobody() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let mut below = keeper.accept(0).await;
    let (mut link, _) = hub.welcome().await;
    let text = |text: &str| Message::text(text.to_owned());
    let stories = [
        (Message::binary(Bytes::new()), ErrorCode::Invalid, None),
        (Message::binary(vec![0xff; 65_536]), ErrorCode::Invalid, None),
        (Message::binary(frame::output(7, 0, b"x")), ErrorCode::Invalid, Some(7)),
        (Message::binary(frame::input(8, 1, 0, b"x")), ErrorCode::NotFound, Some(8)),
        (text("{"), ErrorCode::Invalid, None),
        (text(r#"{"type":"stream","terminal":-1,"from":0}"#), ErrorCode::Invalid, None),
        (text(r#"{"type":"teleport","terminal":7}"#), ErrorCode::UnknownType, None),
        (text(r#"{"type":"stream","terminal":8,"from":0}"#), ErrorCode::NotFound, Some(8)),
    ];
    for (message, code, terminal) in stories {
        let shown = format!("{message:.60?}");
        link.send(message).await;
        assert_eq!(link.until("an error", error).await, (code, terminal), "{shown}");
    }
    let credit = frame::credit(7, 5);
    link.send(Message::binary(credit.clone())).await;
    assert_eq!(below.next().await, Some(Got::Frame(credit)), "the good frame after the bad ones arrives");
}

#[tokio::test]
async fn only_what_the_configuration_offers_is_opened() {
    let mut hub = ModelHub::start().await;
    let place = Place::with_config("[agents.codex]\nenabled = false\n[agents.mine]\ncommand = [\"no-such-program\"]\n");
    let _runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    for (agent, cwd, words) in [
        ("codex", "", "does not offer"),
        ("/bin/sh", "", "does not offer"),
        ("mine", "", "is not installed"),
        ("shell", "/no/such/folder", "there is no folder"),
    ] {
        link.command(&open(3, agent, cwd)).await;
        let message = link.until("open_failed", |m| match m {
            RunnerMessage::OpenFailed { terminal: 3, message } => Some(message.clone()),
            _ => None,
        });
        let message = message.await;
        assert!(message.contains(words), "{message}");
        assert!(!place.terminal(3).exists());
    }
}

#[tokio::test]
async fn a_cut_connection_ends_streams_and_the_next_hello_is_fresh() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let mut below = keeper.accept(100).await;
    let (mut link, _) = hub.welcome().await;
    link.command(&RunnerCommand::Stream { terminal: 7, from: 100 }).await;
    assert!(matches!(below.next().await, Some(Got::Json(_))));
    link.cut();
    assert_eq!(below.next().await, None, "the keeper sees the end of the old connection");
    let mut below = keeper.accept(900).await;
    let (mut link, hello) = hub.welcome().await;
    assert_eq!(link.authorization, "Bearer jwt-1", "the JWT still holds");
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals[0].end, 900);
    below.frame(&frame::output(7, 900, b"new")).await;
    assert_eq!(link.frame().await, frame::output(7, 900, b"new"), "nothing old came before");
}

#[tokio::test]
async fn a_lost_keeper_makes_the_runner_say_hello_again() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let below = keeper.accept(1).await;
    let (mut link, _) = hub.welcome().await;
    drop(below);
    assert!(matches!(link.next().await, Some(Message::Close(Some(frame))) if u16::from(frame.code) == 1001));
    let _below = keeper.accept(2).await;
    let (_, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals[0].end, 2);
}

#[tokio::test]
async fn a_keeper_that_answers_late_does_not_hold_up_the_others() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let (slow, quick) = (ModelKeeper::start(&place.state(), 7), ModelKeeper::start(&place.state(), 8));
    let _runner = place.start(&hub.url);
    let mut slow = slow.accept_silent().await;
    let _quick = quick.accept(5).await;
    let (mut link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    let seen: Vec<_> = terminals.iter().map(|t| (t.terminal, t.end, t.status.detail.as_str())).collect();
    assert_eq!(seen, [(7, 0, "its keeper has not answered yet"), (8, 5, "")]);
    slow.report(9).await;
    let end = link.until("opened", |message| match message {
        RunnerMessage::Opened { report } if report.terminal == 7 => Some(report.end),
        _ => None,
    });
    assert_eq!(end.await, 9);
}

#[tokio::test]
async fn close_codes_are_obeyed() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let mut runner = place.start(&hub.url);
    let (link, _) = hub.welcome().await;
    link.close(CloseCode::GoingAway.code()).await;
    let (link, _) = hub.welcome().await;
    assert_eq!(link.authorization, "Bearer jwt-1");
    link.close(CloseCode::Unauthorized.code()).await;
    let (link, _) = hub.welcome().await;
    assert_eq!(link.authorization, "Bearer jwt-2", "a fresh JWT was fetched");
    link.close(CloseCode::Replaced.code()).await;
    let (code, log) = runner.ended().await;
    assert_eq!(code, Some(11), "{log}");
    assert!(log.contains("another runner with the same token took over"), "{log}");
}

#[tokio::test]
async fn a_refused_token_is_said_plainly_and_tried_again() {
    let mut hub = ModelHub::start().await;
    hub.door.lock().expect("door").refuses = true;
    let place = Place::new();
    let mut runner = place.start(&hub.url);
    hub.exchanged().await;
    let line = runner.logs("the hub refuses the token").await;
    assert!(line.contains("this token was revoked") && !line.contains(TOKEN), "{line}");
    let line = runner.logs("dialling again").await;
    let wait: u64 = line.split("in_ms=").nth(1).and_then(|ms| ms.trim().parse().ok()).expect("a delay");
    assert!((30_000..=60_000).contains(&wait), "{line}");
}

#[tokio::test]
async fn one_runner_for_one_state_folder() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let first = place.start(&hub.url);
    hub.welcome().await;
    let (code, log) = place.start(&hub.url).ended().await;
    assert_eq!(code, Some(1));
    assert!(log.contains(&format!("process {}", first.pid())), "{log}");
}

#[tokio::test]
async fn a_signal_closes_properly_and_an_interrupted_wait_ends_at_once() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let mut runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    runner.logs("connected").await;
    runner.signal(Signal::INT);
    assert!(matches!(link.next().await, Some(Message::Close(Some(frame))) if u16::from(frame.code) == 1001));
    assert_eq!(runner.ended().await.0, Some(0));

    // A hub that is not there: the runner waits for its next attempt, and stops when asked.
    let mut runner = place.start("http://127.0.0.1:9");
    runner.logs("dialling again").await;
    runner.signal(Signal::TERM);
    assert_eq!(runner.ended().await.0, Some(0));
}

#[tokio::test]
async fn the_hop_is_measured_while_somebody_watches() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let _runner = place.start(&hub.url);
    let mut below = keeper.accept(0).await;
    let (mut link, _) = hub.welcome().await;
    link.command(&RunnerCommand::Snapshot { terminal: 7, scrollback: 0 }).await;
    assert!(matches!(below.next().await, Some(Got::Json(_))));
    let rtt =
        link.until("a pulse", |m| if let RunnerMessage::Pulse { rtt_ms } = m { Some(*rtt_ms) } else { None }).await;
    assert!(rtt < 5_000, "{rtt}");
}

#[tokio::test]
async fn without_hub_or_token_a_person_is_told_what_to_do() {
    let place = Place::new();
    for (vars, words) in [(["MUSTER_TOKEN_FILE", "x"], "no hub"), (["MUSTER_HUB", "ftp://x"], "looks like https://")] {
        let output = place.command(&["runner"]).env(vars[0], vars[1]).output().await.expect("run");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(words), "{text}");
    }
    let args = ["runner", "--hub", "http://127.0.0.1:9"];
    let output = place.command(&args).env_remove("MUSTER_TOKEN_FILE").env_remove("MUSTER_TOKEN").output().await;
    assert!(String::from_utf8_lossy(&output.expect("run").stderr).contains("no token"));
}

#[tokio::test]
async fn config_check_lists_agents_and_finds_mistakes() {
    let place = Place::new();
    let output = place.command(&["config", "check"]).output().await.expect("run");
    assert!(String::from_utf8_lossy(&output.stdout).contains("shell"), "{output:?}");
    let place = Place::with_config("\nhubb = \"x\"\n");
    let output = place.command(&["config", "check"]).output().await.expect("run");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("line 2") && text.contains("hubb"), "{text}");
}

#[tokio::test]
async fn status_asks_keepers_and_disturbs_nobody() {
    let place = Place::new();
    let keeper = ModelKeeper::start(&place.state(), 7);
    let asked = async {
        let mut side = keeper.accept_silent().await;
        side.report(4_711).await;
        assert_eq!(side.next().await, None, "it only looks");
    };
    let mut command = place.command(&["runner", "status", "--json"]);
    let (output, ()) = tokio::join!(command.output(), asked);
    let lines: serde_json::Value = serde_json::from_slice(&output.expect("run").stdout).expect("JSON");
    assert_eq!(lines[0]["terminal"], 7);
    assert_eq!(lines[0]["end"], 4_711);
    let _ = control::encode(&lines);
}
