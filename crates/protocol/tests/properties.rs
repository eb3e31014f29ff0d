//! Properties of every decoder: no bytes and no text make it panic or grow, and what was encoded comes back.
#![allow(missing_docs)]

use muster_protocol::control::*;
use muster_protocol::frame::{self, Flags, Frame, Header, Kind};
use muster_protocol::limits::*;
use muster_protocol::right::Right;
use muster_protocol::status::*;
use muster_protocol::{close, deflate};
use proptest::prelude::*;

/// All decoders, on the same bytes.
fn decode_everything(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        let raw = frame.raw_payload();
        assert!(raw.as_ref().map_or(0, |raw| raw.len()) <= FRAME_INFLATED_BYTES_MAX);
        if let Ok(raw) = raw {
            assert_eq!(raw.len() as u64, frame.len());
        }
        assert!(frame.end() >= frame.header.offset);
        let writes = matches!(frame.header.kind, Kind::Input | Kind::InputAck);
        assert_eq!(frame.writer().is_some(), writes);
        // Unknown bits and the zero byte apart, a frame is its header and its payload.
        let again = frame.header.with_payload(frame.payload);
        assert_eq!((&again[..3], &again[4..]), (&bytes[..3], &bytes[4..]));
    }
    if let Ok(raw) = deflate::inflate(bytes) {
        assert!(raw.len() <= FRAME_INFLATED_BYTES_MAX);
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = decode::<RunnerMessage>(&text);
    let _ = decode::<RunnerCommand>(&text);
    let _ = decode::<ViewerMessage>(&text);
    let _ = decode::<ViewerEvent>(&text);
    let _ = writer_from_text(&text);
    let _ = (Status::from_word(&text), PromptState::from_word(&text));
}

/// Texts that come close to messages: the tokens of the grammar in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"type\"",
        "\"hello\"",
        "\"open\"",
        "\"attach\"",
        "\"status\"",
        "\"error\"",
        "\"terminal\"",
        "\"cols\"",
        "\"rows\"",
        "\"code\"",
        "\"prompts\"",
        "\"\\ud800\"",
        "-1",
        "7",
        "1e400",
        "null",
        "true",
        "4294967296",
        "\u{0}",
        "é",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Output,
        Kind::Snapshot,
        Kind::Input,
        Kind::InputAck,
        Kind::Credit,
        Kind::Checkpoint,
    ])
}

fn size() -> impl Strategy<Value = Size> {
    (any::<u16>(), any::<u16>()).prop_map(|(cols, rows)| Size { cols, rows })
}

fn status() -> impl Strategy<Value = StatusReport> {
    let blocked =
        prop::sample::select(vec![BlockedOn::Permission, BlockedOn::Question, BlockedOn::Auth, BlockedOn::Other]);
    let evidence = prop::sample::select(vec![Evidence::Exit, Evidence::Hook, Evidence::Quiet, Evidence::None]);
    let status = prop::sample::select(Status::ALL.to_vec());
    let ends = (prop::option::of(any::<i32>()), prop::option::of(any::<i32>()));
    (status, prop::option::of(blocked), any::<String>(), any::<String>(), evidence, any::<u64>(), ends).prop_map(
        |(status, blocked_on, detail, title, evidence, since_ms, (exit_code, exit_signal))| StatusReport {
            status,
            blocked_on,
            detail,
            title,
            evidence,
            since_ms,
            exit_code,
            exit_signal,
        },
    )
}

fn prompt() -> impl Strategy<Value = PromptReport> {
    (any::<u64>(), prop::sample::select(PromptState::ALL.to_vec()), any::<String>())
        .prop_map(|(prompt, state, reason)| PromptReport { prompt, state, reason })
}

fn report() -> impl Strategy<Value = TerminalReport> {
    (any::<u32>(), any::<[u64; 3]>(), size(), status(), prop::collection::vec(prompt(), 0..4)).prop_map(
        |(terminal, [oldest, end, last_output_ms], size, status, prompts)| TerminalReport {
            terminal,
            oldest,
            end,
            size,
            status,
            last_output_ms,
            prompts,
        },
    )
}

fn runner_message() -> impl Strategy<Value = RunnerMessage> {
    let text = any::<String>();
    prop_oneof![
        report().prop_map(|report| RunnerMessage::Opened { report }),
        (any::<u32>(), text).prop_map(|(terminal, message)| RunnerMessage::OpenFailed { terminal, message }),
        (any::<u32>(), status(), any::<u64>()).prop_map(|(terminal, report, last_output_ms)| RunnerMessage::Status {
            terminal,
            report,
            last_output_ms
        }),
        (any::<u32>(), prompt()).prop_map(|(terminal, report)| RunnerMessage::Prompt { terminal, report }),
        (any::<u32>(), size()).prop_map(|(terminal, size)| RunnerMessage::Resized { terminal, size }),
        (any::<[String; 6]>(), prop::collection::vec(report(), 0..4)).prop_map(
            |([version, hostname, os, arch, home, name], terminals)| RunnerMessage::Hello {
                version,
                hostname,
                os,
                arch,
                capabilities: vec![name.clone()],
                agents: vec![AgentOffer { label: name.clone(), name, available: true }],
                home,
                terminals,
            }
        ),
    ]
}

fn runner_command() -> impl Strategy<Value = RunnerCommand> {
    prop_oneof![
        (any::<u32>(), any::<u64>(), any::<[String; 3]>(), size()).prop_map(
            |(terminal, session, [name, agent, cwd], size)| RunnerCommand::Open {
                terminal,
                session,
                name,
                agent,
                cwd,
                size
            }
        ),
        (any::<u32>(), any::<u64>(), any::<String>()).prop_map(|(terminal, prompt, text)| RunnerCommand::Prompt {
            terminal,
            prompt,
            text
        }),
        (any::<u32>(), any::<u64>(), any::<u64>()).prop_map(|(terminal, from, to)| RunnerCommand::Read {
            terminal,
            from,
            to
        }),
        (any::<u32>(), prop::option::of(any::<u64>()))
            .prop_map(|(terminal, lag_bytes_max)| RunnerCommand::Pace { terminal, lag_bytes_max }),
    ]
}

fn viewer_message() -> impl Strategy<Value = ViewerMessage> {
    let delivery = prop::sample::select(vec![Delivery::Screen, Delivery::Bytes]);
    (any::<u32>(), prop::option::of(any::<u64>()), delivery, size(), any::<bool>(), prop::option::of(any::<String>()))
        .prop_map(|(terminal, from, delivery, size, drive, writer)| ViewerMessage::Attach {
            terminal,
            from,
            delivery,
            size,
            drive,
            writer,
        })
}

fn viewer_event() -> impl Strategy<Value = ViewerEvent> {
    let person = (any::<[String; 2]>(), any::<bool>(), any::<bool>()).prop_map(|([id, name], drives, you)| Person {
        id,
        name,
        drives,
        you,
    });
    prop_oneof![
        (any::<u32>(), any::<String>(), size(), any::<bool>(), any::<u64>(), status()).prop_map(
            |(terminal, writer, size, online, window, status)| ViewerEvent::Attached {
                terminal,
                writer,
                size,
                online,
                window,
                status,
                last_output_ms: window,
                right: Right::Prompter,
            }
        ),
        (any::<u32>(), prop::collection::vec(person, 0..4))
            .prop_map(|(terminal, people)| ViewerEvent::People { terminal, people }),
        (any::<u32>(), any::<[u64; 2]>(), any::<String>())
            .prop_map(|(terminal, [from, to], reason)| ViewerEvent::Gap { terminal, from, to, reason }),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        decode_everything(&bytes);
    }

    #[test]
    fn bytes_that_look_like_frames_never_panic(
        kind in 0u8..8, flags in any::<u8>(), rest in prop::collection::vec(any::<u8>(), 0..600)
    ) {
        let head = [1, kind, flags, 0, 0, 0, 0, 7, 0];
        decode_everything(&[&head[..], &rest[..]].concat());
    }

    #[test]
    fn texts_that_look_like_messages_never_panic(text in nearly_json()) {
        decode_everything(text.as_bytes());
    }

    #[test]
    fn a_cut_or_bent_message_never_panics(message in runner_message(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&message).into_bytes();
        let at = at.index(bytes.len());
        decode_everything(&bytes[..at]);
        bytes[at] = byte;
        decode_everything(&bytes);
    }

    #[test]
    fn messages_come_back(
        up in runner_message(), down in runner_command(), to in viewer_message(), event in viewer_event()
    ) {
        prop_assert_eq!(decode::<RunnerMessage>(&encode(&up)), Ok(up));
        prop_assert_eq!(decode::<RunnerCommand>(&encode(&down)), Ok(down));
        prop_assert_eq!(decode::<ViewerMessage>(&encode(&to)), Ok(to));
        prop_assert_eq!(decode::<ViewerEvent>(&encode(&event)), Ok(event));
    }

    #[test]
    fn frames_come_back(
        kind in kind(), flags in any::<u8>(), terminal in any::<u32>(), offset in 0..OFFSET_MAX,
        payload in prop::collection::vec(any::<u8>(), 8..400)
    ) {
        let payload = if kind == Kind::Credit { &[][..] } else { &payload[..] };
        let header = Header { kind, flags: Flags(flags & !Flags::DEFLATE.0), terminal, offset };
        let bytes = header.with_payload(payload);
        let frame = Frame::decode(&bytes).expect("decodes");
        prop_assert_eq!((frame.header, frame.payload), (header, payload));
    }

    #[test]
    fn payloads_inflate_to_what_they_were(raw in prop::collection::vec(0u8..4, 0..5_000)) {
        if let Some(packed) = deflate::deflate(&raw) {
            prop_assert!(packed.len() < raw.len());
            prop_assert_eq!(deflate::inflated_len(&packed), Ok(raw.len()));
            prop_assert_eq!(deflate::inflate(&packed), Ok(raw));
        }
    }

    #[test]
    fn sizes_end_up_within_limits(size in size()) {
        let Size { cols, rows } = size.clamped();
        prop_assert!((2..=COLS_MAX).contains(&cols) && (2..=ROWS_MAX).contains(&rows));
    }

    #[test]
    fn writers_come_back(writer in any::<u64>()) {
        prop_assert_eq!(writer_from_text(&writer_to_text(writer)), Some(writer));
    }

    #[test]
    fn every_close_code_has_a_verdict(code in any::<u16>()) {
        let known = close::CloseCode::from_code(code);
        prop_assert_eq!(known.map(close::CloseCode::code), known.map(|_| code));
        close::reconnect_after(code);
    }
}

proptest! {
    // Each case deflates up to two frames.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn screens_come_back(paint in prop::collection::vec(any::<u8>(), 0..90_000), cols in 2..COLS_MAX, rows in 2..ROWS_MAX) {
        let parts = frame::screen(Kind::Snapshot, Flags::NONE, 1, 2, cols, rows, &paint);
        let mut whole = Vec::new();
        for part in &parts {
            prop_assert!(part.len() <= FRAME_BYTES_MAX);
            whole.extend_from_slice(&Frame::decode(part).expect("decodes").raw_payload().expect("inflates"));
        }
        prop_assert_eq!(&whole[..4], &[cols.to_be_bytes(), rows.to_be_bytes()].concat()[..]);
        prop_assert_eq!(&whole[4..], &paint[..]);
    }
}
