//! Stories of prompts.

use super::*;

fn states(actions: &[Action]) -> Vec<PromptState> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Report(report) => Some(report.state),
            Action::Write(_) => None,
        })
        .collect()
}

fn writes(actions: &[Action]) -> String {
    let bytes = actions.iter().filter_map(|action| match action {
        Action::Write(bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
        Action::Report(_) => None,
    });
    bytes.collect::<String>().replace('\x1b', "^")
}

fn ready(now_ms: u64) -> Moment {
    Moment { now_ms, takes_paste: true, status: Status::Idle, evidence: Evidence::Osc7501, ..Moment::default() }
}

/// A prompt that an agent which speaks has pasted at 150 and submitted at 1150.
fn submitted() -> Prompts {
    let mut prompts = Prompts::new(ProgramKind::Tui, "claude");
    prompts.submit(0, 1, "do it");
    assert_eq!(writes(&prompts.poll(&ready(0))), "");
    assert_eq!(prompts.next_poll_ms(&ready(0)), Some(150));
    assert_eq!(writes(&prompts.poll(&ready(150))), "^[200~do it^[201~");
    let actions = prompts.poll(&Moment { last_output_ms: 160, ..ready(239) });
    assert_eq!(actions, []);
    let actions = prompts.poll(&Moment { last_output_ms: 160, ..ready(240) });
    assert_eq!((writes(&actions).as_str(), states(&actions)), ("\r", vec![PromptState::Delivered]));
    prompts
}

#[test]
fn a_turn() {
    let mut prompts = submitted();
    let working = Moment { status: Status::Working, turns: 1, ..ready(300) };
    assert_eq!(states(&prompts.poll(&working)), [PromptState::Accepted]);
    assert_eq!(prompts.poll(&Moment { status: Status::Blocked, turns: 1, ..ready(400) }), []);
    assert_eq!(states(&prompts.poll(&Moment { turns: 1, ..ready(900) })), [PromptState::Done]);
    assert_eq!(prompts.next_poll_ms(&ready(901)), None);
    assert_eq!(prompts.submit(2000, 1, "do it").state, PromptState::Done, "sent again, it is not written again");
    assert_eq!(prompts.poll(&ready(3000)), []);
}

#[test]
fn an_agent_that_draws_nothing_of_a_paste_is_given_its_end_all_the_same() {
    let mut prompts = Prompts::new(ProgramKind::Tui, "claude");
    prompts.submit(0, 1, "do it");
    prompts.poll(&ready(0));
    assert_eq!(writes(&prompts.poll(&ready(150))), "^[200~do it^[201~");
    assert_eq!(prompts.poll(&ready(240)), []);
    assert_eq!(prompts.next_poll_ms(&ready(240)), Some(1150));
    assert_eq!(writes(&prompts.poll(&ready(1150))), "\r");
}

#[test]
fn a_turn_too_quick_to_be_seen() {
    let mut prompts = submitted();
    let moment = Moment { turns: 1, last_output_ms: 290, ..ready(300) };
    assert_eq!(states(&prompts.poll(&moment)), [PromptState::Accepted, PromptState::Done]);
}

#[test]
fn what_starts_no_turn_is_answered_by_what_is_printed() {
    let mut prompts = submitted();
    let moment = Moment { last_output_ms: 260, ..ready(300) };
    assert_eq!((prompts.poll(&moment), prompts.next_poll_ms(&moment)), (vec![], Some(10_240)));
    assert_eq!(
        states(&prompts.poll(&Moment { last_output_ms: 260, ..ready(10_240) })),
        [PromptState::Accepted, PromptState::Done]
    );
}

#[test]
fn no_reaction_at_all_is_a_failure() {
    let mut prompts = submitted();
    let quiet = Moment { last_output_ms: 160, ..ready(30_239) };
    assert_eq!((prompts.poll(&quiet), prompts.next_poll_ms(&quiet)), (vec![], Some(30_240)));
    assert_eq!(states(&prompts.poll(&Moment { last_output_ms: 160, ..ready(30_240) })), [PromptState::Failed]);
    assert_eq!(prompts.reports()[0].reason, "The agent did not react to this");
}

#[test]
fn it_waits_while_the_agent_works_and_not_for_ever() {
    let mut prompts = Prompts::new(ProgramKind::Tui, "claude");
    assert_eq!(prompts.submit(0, 1, "x").state, PromptState::Queued);
    let busy = Moment { status: Status::Working, ..ready(1000) };
    assert_eq!((prompts.poll(&busy), prompts.next_poll_ms(&busy)), (vec![], Some(61_000)));
    // Time counts from when it was busy last.
    assert_eq!(prompts.poll(&Moment { takes_paste: false, ..ready(600_999) }), []);
    let actions = prompts.poll(&Moment { takes_paste: false, ..ready(601_000) });
    assert_eq!((writes(&actions).as_str(), states(&actions)), ("", vec![PromptState::Failed]));
}

#[test]
fn an_agent_that_is_starting_up_is_not_given_one() {
    let mut codex = Prompts::new(ProgramKind::Tui, "codex");
    codex.submit(0, 1, "x");
    // It takes pasted text and is quiet, but has not said that it is ready.
    let quiet = |now_ms| Moment { evidence: Evidence::Quiet, ..ready(now_ms) };
    assert_eq!((codex.poll(&quiet(5000)), codex.next_poll_ms(&quiet(5000))), (vec![], Some(60_000)));
    codex.poll(&ready(6000));
    assert_eq!(writes(&codex.poll(&ready(6150))), "^[200~x^[201~");
    let mut other = Prompts::new(ProgramKind::Tui, "opencode");
    other.submit(0, 1, "x");
    let unknown = |now_ms| Moment { status: Status::Unknown, evidence: Evidence::None, ..ready(now_ms) };
    assert_eq!(other.poll(&unknown(14_999)), []);
    other.poll(&unknown(15_000));
    assert_eq!(writes(&other.poll(&unknown(15_150))), "^[200~x^[201~");
}

#[test]
fn one_is_withdrawn_only_before_it_is_written() {
    let mut prompts = Prompts::new(ProgramKind::Tui, "claude");
    prompts.submit(0, 1, "x");
    assert_eq!(prompts.cancel(1).state, PromptState::Cancelled);
    assert_eq!(prompts.cancel(2).state, PromptState::Cancelled);
    assert_eq!(prompts.submit(1, 2, "late").state, PromptState::Cancelled);
    assert_eq!(prompts.poll(&ready(1000)), []);
    assert_eq!(submitted().cancel(1).state, PromptState::Delivered);
}

#[test]
fn a_shell_takes_it_at_its_prompt() {
    let mut prompts = Prompts::new(ProgramKind::Shell, "shell");
    prompts.submit(0, 1, "echo a\necho b\n");
    assert_eq!(prompts.poll(&Moment { now_ms: 500, ..Moment::default() }), []);
    let own = |now_ms, last_output_ms| Moment { now_ms, last_output_ms, own_foreground: true, ..Moment::default() };
    assert_eq!(prompts.poll(&own(600, 0)), [], "it has not shown its prompt yet");
    prompts.poll(&own(610, 605));
    assert_eq!(writes(&prompts.poll(&own(760, 605))), "echo a\recho b");
    assert_eq!(states(&prompts.poll(&own(850, 765))), [PromptState::Delivered]);
    let busy = Moment { now_ms: 860, ..Moment::default() };
    assert_eq!(states(&prompts.poll(&busy)), [PromptState::Accepted]);
    assert_eq!(prompts.poll(&own(5000, 4900)), []);
    assert_eq!(states(&prompts.poll(&own(5200, 4900))), [PromptState::Done]);
}

#[test]
fn a_shell_without_a_prompt_is_given_it_all_the_same() {
    let mut prompts = Prompts::new(ProgramKind::Shell, "shell");
    prompts.submit(0, 1, "true");
    let silent = |now_ms| Moment { now_ms, own_foreground: true, ..Moment::default() };
    assert_eq!(prompts.poll(&silent(150)), []);
    assert_eq!(prompts.next_poll_ms(&silent(150)), Some(UNKNOWN_PATIENCE_MS));
    prompts.poll(&silent(UNKNOWN_PATIENCE_MS));
    assert_eq!(writes(&prompts.poll(&silent(UNKNOWN_PATIENCE_MS + CALM_MS))), "true");
}

#[test]
fn the_end_of_the_agent_ends_all() {
    let mut prompts = submitted();
    prompts.submit(250, 2, "next");
    assert_eq!(states(&prompts.poll(&Moment { ended: Some(true), ..ready(300) })), [PromptState::Failed; 2]);
    let mut prompts = submitted();
    prompts.poll(&Moment { status: Status::Working, turns: 1, ..ready(300) });
    assert_eq!(states(&prompts.poll(&Moment { ended: Some(true), ..ready(400) })), [PromptState::Done]);
}

#[test]
fn no_text_breaks_out_of_the_paste() {
    assert_eq!(clean("a\x1b[201~rm\x07\x1b[31m\u{9b}b\r\nc\td\n"), "arm[31mb\rc\td");
    assert_eq!(clean("\x1b[20\x1b[201~1~x"), "[201~x");
}

#[test]
fn known_prompts_are_bounded() {
    let mut prompts = Prompts::new(ProgramKind::Tui, "claude");
    (0..200).for_each(|number| {
        prompts.cancel(number);
    });
    assert_eq!((prompts.known.len(), prompts.reports().len()), (KNOWN_MAX, REPORTED_MAX));
}
