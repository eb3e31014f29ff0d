//! Peers of other versions: what is newer is ignored or becomes a word that says so, and never costs more than itself.
#![allow(missing_docs)]

use muster_protocol::control::*;
use muster_protocol::limits::CONTROL_BYTES_MAX;
use muster_protocol::status::*;

#[test]
fn unknown_types_become_unknown_whatever_they_hold() {
    for text in [r#"{"type":"teleport"}"#, r#"{"type":"teleport","terminal":7,"deep":{"a":[1,{"b":null}]}}"#] {
        assert_eq!(decode(text), Ok(RunnerMessage::Unknown));
        assert_eq!(decode(text), Ok(RunnerCommand::Unknown));
        assert_eq!(decode(text), Ok(ViewerMessage::Unknown));
        assert_eq!(decode(text), Ok(ViewerEvent::Unknown));
    }
}

#[test]
fn unknown_fields_are_ignored_in_messages_and_in_what_they_hold() {
    let text = r#"{"type":"unwatch","newer":1,"terminal":7,"also":{"x":[]}}"#;
    assert_eq!(decode(text), Ok(RunnerCommand::Unwatch { terminal: 7 }));
    let text = r#"{"type":"people","terminal":7,"people":[{"id":"1","name":"Ada","drives":false,"avatar":"x"}]}"#;
    let person = Person { id: "1".into(), name: "Ada".into(), drives: false, you: false };
    assert_eq!(decode(text), Ok(ViewerEvent::People { terminal: 7, people: vec![person] }));
    let text = r#"{"type":"open","terminal":1,"session":2,"name":"","agent":"shell","cols":80,"rows":24,"env":{}}"#;
    assert!(matches!(decode(text), Ok(RunnerCommand::Open { terminal: 1, .. })));
}

#[test]
fn unknown_words_become_the_word_for_it() {
    assert_eq!(decode(r#""meditating""#), Ok(Status::Unknown));
    assert_eq!(decode(r#""captcha""#), Ok(BlockedOn::Other));
    assert_eq!(decode(r#""telepathy""#), Ok(Evidence::None));
    assert_eq!(decode(r#""quantum""#), Ok(ErrorCode::Internal));
    let text = r#"{"type":"status","terminal":7,"status":"meditating","blocked_on":"captcha","evidence":"telepathy"}"#;
    let report = StatusReport { blocked_on: Some(BlockedOn::Other), ..StatusReport::default() };
    assert_eq!(decode(text), Ok(RunnerMessage::Status { terminal: 7, report, last_output_ms: 0 }));
    let text = r#"{"type":"error","code":"quantum","message":"m"}"#;
    let report = ErrorReport { code: ErrorCode::Internal, message: "m".into(), terminal: None };
    assert_eq!(decode(text), Ok(ViewerEvent::Error(report.clone())));
    assert_eq!(decode(text), Ok(RunnerMessage::Error(report)));
}

#[test]
fn words_that_command_are_never_guessed() {
    assert!(decode::<RunnerCommand>(r#"{"type":"stop","terminal":7,"mode":"vaporise"}"#).is_err());
    assert!(decode::<ViewerMessage>(r#"{"type":"attach","terminal":7,"cols":1,"rows":1,"delivery":"fax"}"#).is_err());
    assert!(decode::<RunnerMessage>(r#"{"type":"prompt","terminal":7,"prompt":1,"state":"pondered"}"#).is_err());
}

#[test]
fn a_prompt_in_a_newer_state_does_not_cost_the_hello() {
    let text = r#"{"type":"opened","terminal":7,"oldest":0,"end":1,"size":{"cols":80,"rows":24},"status":{"status":"idle"},
        "prompts":[{"prompt":1,"state":"done"},{"prompt":2,"state":"pondered"},{"prompt":3,"state":"failed","new":1}]}"#;
    let Ok(RunnerMessage::Opened { report }) = decode(text) else { panic!("decodes") };
    assert_eq!(report.prompts.iter().map(|prompt| prompt.prompt).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn what_is_no_message_is_malformed_and_what_is_too_long_is_not_looked_at() {
    for text in
        ["", "null", "[]", "{}", r#"{"type":7}"#, r#"{"type":"unwatch"}"#, r#"{"type":"unwatch","terminal":-1}"#]
    {
        assert!(matches!(decode::<RunnerCommand>(text), Err(ControlError::Malformed(_))), "{text}");
    }
    for text in
        [r#"{"type":"unwatch","terminal":4294967296}"#, r#"{"type":"resize","terminal":1,"cols":65536,"rows":1}"#]
    {
        assert!(matches!(decode::<RunnerCommand>(text), Err(ControlError::Malformed(_))), "{text}");
    }
    let deep = format!(r#"{{"type":"unwatch","terminal":7,"x":{}"#, "[".repeat(100_000));
    assert!(matches!(decode::<RunnerCommand>(&deep), Err(ControlError::Malformed(_))));
    let exact = |bytes: usize| {
        let text = r#"{"type":"unwatch","terminal":7}"#;
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    assert_eq!(decode(&exact(CONTROL_BYTES_MAX)), Ok(RunnerCommand::Unwatch { terminal: 7 }));
    assert_eq!(decode::<RunnerCommand>(&exact(CONTROL_BYTES_MAX + 1)), Err(ControlError::TooLarge));
}

#[test]
fn the_life_of_a_prompt_only_goes_forward() {
    for from in PromptState::ALL {
        assert!(!from.may_become(from), "a doubled report changes nothing");
        for to in PromptState::ALL {
            assert!(!(from.may_become(to) && to.may_become(from)), "{from:?} {to:?}");
            assert!(!(from.is_final() && from.may_become(to)), "{from:?} {to:?}");
        }
    }
}
