//! `docs/protocol.md` says what the code says: every limit, close code, kind, flag, word, message and member.
#![allow(missing_docs)]

use muster_protocol::close::{CloseCode, Reconnect};
use muster_protocol::frame::{Flags, Frame, Kind};
use muster_protocol::limits;
use muster_protocol::status::{PromptState, Status};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The source of all control messages.
const CONTROL: &str = concat!(
    include_str!("../src/control.rs"),
    include_str!("../src/control/runner.rs"),
    include_str!("../src/control/viewer.rs"),
    include_str!("../src/claudecodeui.rs")
);

/// The rows of all tables below a heading, up to the next heading of any level, as cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let start = DOCUMENT.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}")) + 1;
    let body = &DOCUMENT[start + heading.len()..];
    let body = &body[..body.find("\n#").unwrap_or(body.len())];
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    body.lines().filter(|line| line.starts_with("| ") && !line.contains("---")).map(cells).collect()
}

#[test]
fn limits_are_the_codes() {
    macro_rules! values {
        ($($name:ident)*) => { vec![$((stringify!($name), limits::$name as u64)),*] };
    }
    let values = values!(FRAME_BYTES_MAX FRAME_HEADER_BYTES FRAME_PAYLOAD_BYTES_MAX FRAME_INFLATED_BYTES_MAX
        CONTROL_BYTES_MAX INPUT_BYTES_MAX PROMPT_BYTES_MAX WINDOW_BYTES CREDIT_EVERY_BYTES SCREEN_LAG_BYTES_MAX
        SNAPSHOT_BYTES_MAX SCROLLBACK_LINES_MAX COLS_MAX ROWS_MAX TERMINALS_PER_RUNNER_MAX ATTACHMENTS_PER_VIEWER_MAX
        AGENTS_PER_RUNNER_MAX NAME_CHARS_MAX TEXT_BYTES_MAX CLOSE_REASON_BYTES_MAX PING_EVERY_S SILENCE_S_MAX REGISTER_S_MAX
        CLIENT_ID_CHARS_MAX CLIENT_TOKEN_BYTES_MAX CLIENT_FIELD_CHARS_MAX CLIENT_MESSAGE_BYTES_MAX STATUS_BURST
        STATUS_EVERY_MS OFFSET_MAX);
    let rows: Vec<_> = rows("## 14. Limits").into_iter().skip(1).map(|row| (row[0].clone(), row[1].clone())).collect();
    let expected: Vec<_> = values.iter().map(|(name, value)| (format!("`{name}`"), value.to_string())).collect();
    assert_eq!(rows, expected);
    let source = include_str!("../src/limits.rs");
    let names = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    assert_eq!(names.collect::<Vec<_>>(), values.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn close_codes_are_the_codes() {
    let verdict = |close: CloseCode| match close.reconnect() {
        Reconnect::Backoff => "`backoff`",
        Reconnect::Reauthenticate => "`reauthenticate`",
        Reconnect::Never => "`never`",
    };
    let expected: Vec<_> = CloseCode::ALL
        .map(|close| (close.code().to_string(), format!("`{}`", close.name()), verdict(close).to_owned()))
        .to_vec();
    let rows = rows("## 13. Closing and coming back");
    let rows = rows.iter().filter(|row| row[0].starts_with('4'));
    assert_eq!(rows.map(|row| (row[0].clone(), row[1].clone(), row[3].clone())).collect::<Vec<_>>(), expected);
}

#[test]
fn kinds_and_flags_are_the_codes() {
    let rows = rows("## 4. Frames");
    let find = |name: &str| {
        let row = rows.iter().find(|row| row[1] == format!("`{name}`"));
        row.unwrap_or_else(|| panic!("{name} is not in a table"))[0].clone()
    };
    let kinds = [Kind::Output, Kind::Snapshot, Kind::Input, Kind::InputAck, Kind::Credit, Kind::Checkpoint];
    for kind in kinds {
        assert_eq!(find(&format!("{kind:?}")), (kind as u8).to_string());
    }
    let known = |byte: &u8| {
        let mut bytes = [0; 24];
        (bytes[0], bytes[1]) = (1, *byte);
        Frame::decode(&bytes).is_ok() || Frame::decode(&bytes[..16]).is_ok()
    };
    assert_eq!((0..=255).filter(known).count(), kinds.len(), "a kind is missing from this test");
    let source = include_str!("../src/frame.rs");
    let flags = source.lines().filter_map(|line| line.trim().strip_prefix("pub const ")?.strip_suffix(");"));
    let mut count = 0;
    for flag in flags.filter(|line| line.contains(": Flags = Flags(") && !line.starts_with("NONE")) {
        let (name, value) = flag.split_once(": Flags = Flags(").expect("a flag");
        assert_eq!(find(name), value);
        count += 1;
    }
    assert!(count >= 6 && Flags::REST.0 == 32);
}

/// Variants of an enum in the source, with the names of their members; flattened objects as `..object`.
fn variants(name: &str) -> Vec<(String, Vec<String>)> {
    let source = CONTROL;
    let start = source.find(&format!("pub enum {name} {{")).expect("the enum");
    let body = &source[start..start + source[start..].find("\n}").expect("its end")];
    let mut variants: Vec<(String, Vec<String>)> = Vec::new();
    let mut flattened = false;
    for line in body.lines() {
        let depth = line.len() - line.trim_start().len();
        let word = line.trim().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        match depth {
            4 if word.starts_with(|c: char| c.is_ascii_uppercase()) => variants.push((snake(word), Vec::new())),
            8 if line.contains("serde(flatten)") => flattened = true,
            8 if line.ends_with(',') && !line.trim().starts_with(['#', '/']) => {
                let object = line.trim().trim_end_matches(',').rsplit(' ').next().unwrap_or_default();
                let member = if flattened { format!("..{object}") } else { word.to_owned() };
                variants.last_mut().expect("a variant").1.push(member);
                flattened = false;
            }
            _ => {}
        }
    }
    variants.retain(|(word, _)| word != "unknown");
    variants
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

#[test]
fn messages_and_their_members_are_the_codes() {
    for (heading, name) in [
        ("### Runner to hub", "RunnerMessage"),
        ("### Hub to runner", "RunnerCommand"),
        ("### Viewer to hub", "ViewerMessage"),
        ("### Hub to viewer", "ViewerEvent"),
        ("### Instance to hub", "InstanceMessage"),
        ("### Hub to instance", "InstanceAnswer"),
    ] {
        let rows = rows(heading);
        let variants = variants(name);
        assert!(variants.len() > 2, "{name}: {variants:?}");
        let documented: Vec<_> = rows.iter().skip(1).map(|row| row[0].trim_matches('`').to_owned()).collect();
        assert_eq!(documented, variants.iter().map(|(word, _)| word.clone()).collect::<Vec<_>>(), "{name}");
        for ((word, members), row) in variants.iter().zip(&rows[1..]) {
            for member in members {
                let wanted = match member.as_str() {
                    "..Size" => "`cols`, `rows`".to_owned(),
                    "..StatusReport" => "a status report".to_owned(),
                    "..PromptReport" => "a prompt report".to_owned(),
                    "..TerminalReport" => "a terminal report".to_owned(),
                    member => format!("`{member}`"),
                };
                assert!(row[1].contains(&wanted), "{name} {word}: {wanted} is not documented in {:?}", row[1]);
            }
        }
    }
}

#[test]
fn words_are_the_codes() {
    let rows = rows("## 5. Control messages");
    let words = |name: &str| {
        let row = rows.iter().find(|row| row[0] == format!("`{name}`")).expect("a row");
        row[1].split(", ").map(|word| word.trim_matches('`').to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words("status"), Status::ALL.map(Status::word));
    assert_eq!(words("state"), PromptState::ALL.map(PromptState::word));
    let sources = [CONTROL, include_str!("../src/status.rs"), include_str!("../src/right.rs")].concat();
    for (name, of) in [
        ("blocked_on", "BlockedOn"),
        ("evidence", "Evidence"),
        ("code", "ErrorCode"),
        ("mode", "StopMode"),
        ("delivery", "Delivery"),
        ("right", "Right"),
    ] {
        let start = sources.find(&format!("pub enum {of} {{")).expect("the enum");
        let body = &sources[start..start + sources[start..].find("\n}").expect("its end")];
        let variant = |line: &str| {
            let line = line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))?;
            Some(snake(line.trim_end_matches(',')))
        };
        assert_eq!(words(name), body.lines().filter_map(variant).collect::<Vec<_>>(), "{of}");
    }
}

#[test]
fn the_transcripts_bytes_are_frames() {
    let mut count = 0;
    let transcript = &DOCUMENT[DOCUMENT.find("## 16.").expect("the transcript")..];
    for line in transcript.lines().filter(|line| line.contains(" 01 0")) {
        let digits = &line[line.find(" 01 0").expect("bytes")..];
        let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
        let frame = Frame::decode(&bytes).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let said = format!("{:?}({}", frame.header.kind, frame.header.offset);
        assert!(line.contains(&said), "{line}: {said}");
        count += 1;
    }
    assert_eq!(count, 5);
    for line in transcript.lines().filter_map(|line| Some(&line[line.find("{\"type\"")?..])) {
        if line.ends_with('}') && !line.contains("...") {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}
