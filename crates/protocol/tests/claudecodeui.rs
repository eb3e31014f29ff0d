//! The messages of claudecodeui instances: their bytes are pinned, strangers are refused, and a token shows itself nowhere.
#![allow(missing_docs)]

use muster_protocol::claudecodeui::*;
use muster_protocol::limits::*;

const REGISTER: &str = r#"{"type":"register","client_id":"laptop-1","user_token":"mst_x","metadata":{"hostname":"laptop","project":"/src/app","status":"active","version":"1.8.0"}}"#;

#[test]
fn messages_are_as_instances_send_them() {
    let Ok(InstanceMessage::Register { client_id, user_token, metadata }) = decode(REGISTER) else { panic!() };
    assert_eq!((client_id.as_str(), user_token.expose()), ("laptop-1", "mst_x"));
    let expected = Metadata {
        hostname: "laptop".into(),
        project: "/src/app".into(),
        status: InstanceStatus::Active,
        version: "1.8.0".into(),
    };
    assert_eq!(metadata, expected);
    for status in [InstanceStatus::Idle, InstanceStatus::Active, InstanceStatus::Busy] {
        let text = format!(r#"{{"type":"status_update","client_id":"a","status":"{}"}}"#, status.word());
        assert_eq!(decode(&text), Ok(InstanceMessage::StatusUpdate { client_id: "a".into(), status }));
        assert_eq!(InstanceStatus::from_word(status.word()), status);
    }
    assert_eq!(decode(r#"{"type":"ping","client_id":"a"}"#), Ok(InstanceMessage::Ping { client_id: "a".into() }));
}

#[test]
fn answers_are_as_instances_read_them() {
    let answers = [
        (InstanceAnswer::Pong { client_id: "a".into() }, r#"{"type":"pong","client_id":"a"}"#),
        (
            InstanceAnswer::Command { command: InstanceCommand::Disconnect },
            r#"{"type":"command","command":"disconnect"}"#,
        ),
        (
            InstanceAnswer::Command { command: InstanceCommand::RefreshStatus },
            r#"{"type":"command","command":"refresh_status"}"#,
        ),
        (InstanceAnswer::Error { message: "no".into() }, r#"{"type":"error","message":"no"}"#),
    ];
    for (answer, text) in answers {
        assert_eq!(muster_protocol::control::encode(&answer), text);
    }
}

#[test]
fn what_is_newer_or_missing_costs_no_more_than_itself() {
    assert_eq!(decode(r#"{"type":"teleport","client_id":7}"#), Ok(InstanceMessage::Unknown));
    let bare = decode(r#"{"type":"register","client_id":"a","user_token":"t","more":[1]}"#);
    assert!(matches!(bare, Ok(InstanceMessage::Register { metadata, .. }) if metadata == Metadata::default()));
    let text = r#"{"type":"status_update","client_id":"a","status":"meditating"}"#;
    let status = InstanceStatus::Unknown;
    assert_eq!(decode(text), Ok(InstanceMessage::StatusUpdate { client_id: "a".into(), status }));
}

#[test]
fn strangers_are_refused_by_name() {
    for text in ["", "{", "[]", "7", "null", r#""register""#, "{}", r#"{"type":7}"#, r#"{"type":"ping"}"#] {
        assert_eq!(decode(text), Err(InstanceError::Malformed), "{text}");
    }
    let ping = |id: &str| decode(&serde_json::json!({ "type": "ping", "client_id": id }).to_string());
    for id in ["", "a\nb", "\u{0}", &"x".repeat(CLIENT_ID_CHARS_MAX + 1)] {
        assert_eq!(ping(id), Err(InstanceError::ClientId), "{id:?}");
    }
    assert!(ping(&"ä".repeat(CLIENT_ID_CHARS_MAX)).is_ok());
    let register = |token: &str| {
        decode(&serde_json::json!({ "type": "register", "client_id": "a", "user_token": token }).to_string())
    };
    assert!(register(&"x".repeat(CLIENT_TOKEN_BYTES_MAX)).is_ok());
    assert_eq!(register(&"x".repeat(CLIENT_TOKEN_BYTES_MAX + 1)), Err(InstanceError::Token));
    let padded = |bytes: usize| format!("{}{}", r#"{"type":"ping","client_id":"a"}"#, " ".repeat(bytes - 31));
    assert!(decode(&padded(CLIENT_MESSAGE_BYTES_MAX)).is_ok());
    assert_eq!(decode(&padded(CLIENT_MESSAGE_BYTES_MAX + 1)), Err(InstanceError::TooLarge));
}

#[test]
fn the_largest_register_message_fits_however_it_is_escaped() {
    let escaped = |chars: usize| r"\ud83d\ude00".repeat(chars);
    let text = format!(
        r#"{{"type":"register","client_id":"{}","user_token":"{}","metadata":{{"hostname":"{}","project":"{}","status":"idle","version":"{}"}}}}"#,
        escaped(CLIENT_ID_CHARS_MAX),
        r"\u0061".repeat(CLIENT_TOKEN_BYTES_MAX),
        escaped(NAME_CHARS_MAX),
        escaped(CLIENT_FIELD_CHARS_MAX),
        escaped(NAME_CHARS_MAX),
    );
    assert!(matches!(decode(&text), Ok(InstanceMessage::Register { .. })), "{} bytes", text.len());
}

#[test]
fn a_token_shows_itself_nowhere() {
    assert!(!format!("{:?}", decode(REGISTER)).contains("mst_x"));
    let wrong = decode(r#"{"type":"register","client_id":7,"user_token":"mst_x"}"#);
    assert!(wrong.is_err() && !format!("{wrong:?}").contains("mst_x"));
}
