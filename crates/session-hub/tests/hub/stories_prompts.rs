//! The life of a prompt.

use protocol::control::{Delivery, ErrorCode};
use protocol::status::{PromptState, Status};
use session_hub::call::{PromptView, Reply, Request};

use crate::common::Stage;

fn queue(stage: &mut Stage, terminal: u32, text: &str) -> PromptView {
    let request = Request::QueuePrompt { terminal, text: text.into(), idempotency_key: String::new() };
    match stage.world.call(request) {
        Reply::Prompt(view) => view,
        other => panic!("{other:?}"),
    }
}

fn state(stage: &mut Stage, session: u64, prompt: u64) -> PromptState {
    stage.detail(session).prompts.iter().find(|view| view.prompt == prompt).expect("the prompt").state
}

#[test]
fn prompts_are_delivered_one_after_the_other() {
    let mut stage = Stage::new();
    let detail = stage.create("first\nwith two lines");
    let (session, terminal) = (detail.view.session, detail.view.main_terminal);
    assert_eq!(detail.view.name, "first");
    stage.settle();
    let second = queue(&mut stage, terminal, "second").prompt;
    assert_eq!(state(&mut stage, session, second), PromptState::Queued);
    assert_eq!(stage.detail(session).view.prompts_queued, 2);
    stage.work(terminal);
    assert_eq!(state(&mut stage, session, second), PromptState::Done);
    let written: Vec<u32> = stage.runner.terminals[&terminal].written.values().copied().collect();
    assert_eq!(written, vec![1, 1]);
    assert_eq!(stage.detail(session).view.prompts_queued, 0);
}

#[test]
fn a_prompt_waits_while_the_agent_works() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    let prompt = queue(&mut stage, terminal, "later").prompt;
    stage.settle();
    assert!(stage.runner.terminals[&terminal].prompts.is_empty());
    stage.runner.set_status(&mut stage.world, terminal, Status::Blocked);
    stage.settle();
    assert!(stage.runner.terminals[&terminal].prompts.is_empty());
    stage.runner.set_status(&mut stage.world, terminal, Status::Idle);
    stage.settle();
    assert_eq!(stage.runner.terminals[&terminal].prompts.len(), 1);
    stage.work(terminal);
    assert_eq!(state(&mut stage, session, prompt), PromptState::Done);
}

#[test]
fn a_report_lost_with_the_connection_comes_with_the_next_hello() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let prompt = queue(&mut stage, terminal, "do it").prompt;
    stage.settle();
    stage.runner.work(&mut stage.world, terminal);
    stage.runner.work(&mut stage.world, terminal);
    stage.runner.work(&mut stage.world, terminal);
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    assert_eq!(state(&mut stage, session, prompt), PromptState::Queued);
    stage.world.evict();
    stage.runner.connect(&mut stage.world);
    stage.settle();
    assert_eq!(state(&mut stage, session, prompt), PromptState::Done);
    assert_eq!(stage.runner.terminals[&terminal].written[&prompt], 1);
}

#[test]
fn a_prompt_lost_on_its_way_is_sent_again_and_written_once() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let prompt = queue(&mut stage, terminal, "do it").prompt;
    // It went out, and the connection broke under it.
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.runner.connect(&mut stage.world);
    stage.work(terminal);
    assert_eq!(state(&mut stage, session, prompt), PromptState::Done);
    assert_eq!(stage.runner.terminals[&terminal].written[&prompt], 1);
}

#[test]
fn a_queued_prompt_is_rewritten_and_taken_back() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    let prompt = queue(&mut stage, terminal, "wrong").prompt;
    stage.world.call(Request::EditPrompt { prompt, text: "right".into() });
    assert_eq!(stage.detail(session).prompts[0].text, "right");
    stage.world.call(Request::CancelPrompt { prompt });
    assert_eq!(state(&mut stage, session, prompt), PromptState::Cancelled);
    assert_eq!(stage.world.refused(Request::CancelPrompt { prompt }).code, ErrorCode::Conflict);
    assert_eq!(stage.world.refused(Request::EditPrompt { prompt, text: "x".into() }).code, ErrorCode::Conflict);
    assert_eq!(stage.world.refused(Request::CancelPrompt { prompt: 99 }).code, ErrorCode::NotFound);
    stage.runner.set_status(&mut stage.world, terminal, Status::Idle);
    stage.work(terminal);
    assert!(stage.runner.terminals[&terminal].written.is_empty());
}

#[test]
fn one_that_is_on_its_way_is_taken_back_by_the_runner_or_not_at_all() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let first = queue(&mut stage, terminal, "first").prompt;
    stage.settle();
    // It is with the runner, not yet written: the runner forgets it, even if it is away meanwhile.
    stage.runner.cut(&mut stage.world, 0);
    stage.settle();
    stage.world.call(Request::CancelPrompt { prompt: first });
    assert_eq!(state(&mut stage, session, first), PromptState::Queued);
    assert_eq!(stage.world.refused(Request::EditPrompt { prompt: first, text: "x".into() }).code, ErrorCode::Conflict);
    stage.world.evict();
    stage.runner.connect(&mut stage.world);
    stage.work(terminal);
    assert_eq!(state(&mut stage, session, first), PromptState::Cancelled);
    assert!(stage.runner.terminals[&terminal].written.is_empty());
    // Written already when the word arrives: it stays written.
    let second = queue(&mut stage, terminal, "second").prompt;
    stage.settle();
    stage.runner.work(&mut stage.world, terminal);
    stage.world.call(Request::CancelPrompt { prompt: second });
    stage.work(terminal);
    assert_eq!(state(&mut stage, session, second), PromptState::Done);
}

#[test]
fn prompts_end_with_their_agent() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    let prompt = queue(&mut stage, terminal, "too late").prompt;
    stage.runner.exit(&mut stage.world, terminal, 1);
    stage.settle();
    let detail = stage.detail(session);
    assert_eq!(
        (detail.prompts[0].state, detail.prompts[0].reason.as_str()),
        (PromptState::Failed, "The agent ended first.")
    );
    assert_eq!(state(&mut stage, session, prompt), PromptState::Failed);
    let request = Request::QueuePrompt { terminal, text: "x".into(), idempotency_key: String::new() };
    assert_eq!(stage.world.refused(request).code, ErrorCode::Ended);
}

#[test]
fn the_same_key_queues_once() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let request = || Request::QueuePrompt { terminal, text: "once".into(), idempotency_key: "k1".into() };
    let (first, again) = (stage.world.call(request()), stage.world.call(request()));
    assert_eq!(first, again);
    stage.world.evict();
    stage.world.call(request());
    assert_eq!(stage.detail(session).prompts.len(), 1);
    stage.world.advance(session_hub::limits::KEY_KEPT_MS);
    stage.world.call(request());
    assert_eq!(stage.detail(session).prompts.len(), 2, "a day later it is another");
}

#[test]
fn queues_and_texts_are_bounded() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    for _ in 0..session_hub::limits::PROMPTS_OPEN_PER_TERMINAL_MAX {
        queue(&mut stage, terminal, "more");
    }
    let one = |text: &str| Request::QueuePrompt { terminal, text: text.into(), idempotency_key: String::new() };
    assert_eq!(stage.world.refused(one("x")).code, ErrorCode::Limit);
    let prompt = stage.detail(session).prompts[0].prompt;
    stage.world.call(Request::CancelPrompt { prompt });
    for text in ["", " \n ", "a\u{1b}b", &"x".repeat(protocol::limits::PROMPT_BYTES_MAX + 1)] {
        assert_eq!(stage.world.refused(one(text)).field.as_deref(), Some("text"));
    }
    let _ = stage.watch("ann", terminal, Delivery::Screen);
}
