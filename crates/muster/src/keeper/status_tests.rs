//! Stories of the ladder.

use super::*;

fn tui() -> Ladder {
    Ladder::new(ProgramKind::Tui, "claude", 0)
}

fn osc(state: &str) -> Signal {
    Signal::Osc(7501, format!("state={state}"))
}

fn at(ladder: &Ladder) -> (Status, Evidence) {
    (ladder.report().status, ladder.report().evidence)
}

#[test]
fn unknown_without_evidence() {
    let mut shell = Ladder::new(ProgramKind::Shell, "shell", 0);
    shell.take(5000, Signal::Output);
    shell.tick(99_000);
    assert_eq!((at(&shell), shell.next_tick_ms()), ((Status::Unknown, Evidence::None), None));
    assert!(shell.news(0).is_some() && shell.news(0).is_none());
}

#[test]
fn the_strongest_claim_stands() {
    let mut ladder = tui();
    ladder.take(1, Signal::Title("✳ Claude Code".into()));
    assert_eq!(at(&ladder), (Status::Idle, Evidence::Title));
    ladder.take(2, osc("working"));
    ladder.take(3, Signal::Title("✳ Claude Code".into()));
    assert_eq!(at(&ladder), (Status::Working, Evidence::Osc7501));
    ladder.take(4, Signal::Osc(7501, "state=blocked:kind=question".into()));
    ladder.tick(99_000);
    assert_eq!(at(&ladder), (Status::Blocked, Evidence::Osc7501));
    ladder.take(100_000, Signal::Exit { code: Some(0), signal: None, asked: false });
    ladder.take(100_001, osc("working"));
    assert_eq!(at(&ladder), (Status::Done, Evidence::Exit));
    assert_eq!(ladder.report().since_ms, 100_000);
}

#[test]
fn sustained_output_is_work_and_quiet_ends_it() {
    let mut ladder = tui();
    for ms in (1000..1600).step_by(100) {
        ladder.take(ms, Signal::Output);
    }
    assert_eq!(at(&ladder).0, Status::Unknown);
    assert_eq!(ladder.next_tick_ms(), Some(3500));
    ladder.tick(3500);
    assert_eq!(at(&ladder), (Status::Idle, Evidence::Quiet));
    for ms in (10_000..11_000).step_by(100) {
        ladder.take(ms, Signal::Stirred);
        ladder.take(ms, Signal::Output);
    }
    assert_eq!(at(&ladder).0, Status::Idle, "echo is no work");
    for ms in (11_000..12_000).step_by(100) {
        ladder.take(ms, Signal::Output);
    }
    assert_eq!((at(&ladder), ladder.turns()), ((Status::Working, Evidence::Quiet), 1));
}

#[test]
fn a_shell_works_while_another_holds_its_foreground() {
    let mut shell = Ladder::new(ProgramKind::Shell, "shell", 0);
    shell.take(1, Signal::Foreground { own: true });
    assert_eq!(at(&shell), (Status::Idle, Evidence::Foreground));
    shell.take(2, Signal::Foreground { own: false });
    assert_eq!(at(&shell), (Status::Working, Evidence::Foreground));
    shell.take(3, osc("idle"));
    assert_eq!(at(&shell), (Status::Idle, Evidence::Osc7501));
    shell.take(4, Signal::Foreground { own: true });
    assert_eq!(at(&shell), (Status::Idle, Evidence::Foreground), "what it said ended with it");
}

#[test]
fn a_spinning_title_is_told_once() {
    let mut ladder = tui();
    ladder.take(0, Signal::Title("⠋ repo".into()));
    assert!(ladder.news(0).is_some());
    for ms in 1..1000 {
        let frame = char::from_u32(0x2801 + ms as u32 % 8).unwrap();
        ladder.take(ms, Signal::Title(format!("{frame} repo")));
        assert_eq!(ladder.news(ms), None);
    }
    ladder.take(1001, Signal::Title("⠋ another".into()));
    assert_eq!((ladder.news(1001), ladder.next_news_ms()), (None, Some(30_000)));
    assert_eq!(ladder.news(30_000).unwrap().title, "another");
    ladder.take(30_001, Signal::Title("another".into()));
    assert_eq!(ladder.news(30_001).unwrap().status, Status::Idle);
}

#[test]
fn a_bell_of_aider_is_idle_until_it_works_again() {
    let mut ladder = Ladder::new(ProgramKind::Tui, "aider", 0);
    ladder.take(1, Signal::Bell);
    assert_eq!(at(&ladder), (Status::Idle, Evidence::Title));
    for ms in (10_000..12_000).step_by(100) {
        ladder.take(ms, Signal::Output);
    }
    assert_eq!(at(&ladder), (Status::Working, Evidence::Quiet));
}

/// Tells a ladder something every millisecond; returns the times at which a runner heard of it.
fn told(ladder: &mut Ladder, from_ms: u64, to_ms: u64, states: [&str; 2]) -> Vec<(u64, Status)> {
    let mut told = Vec::new();
    for ms in from_ms..to_ms {
        ladder.take(ms, osc(states[ms as usize % 2]));
        let due = ladder.next_news_ms().is_some_and(|at| at <= ms);
        let news = ladder.news(ms);
        assert_eq!(news.is_some(), due, "what is due is told, and nothing else wakes the keeper");
        told.extend(news.map(|report| (ms, report.status)));
    }
    told
}

#[test]
fn a_program_that_changes_its_mind_every_millisecond_is_told_once_a_second() {
    let mut ladder = tui();
    let told_at = told(&mut ladder, 0, 12_000, ["working", "idle"]);
    assert!(told_at.len() as u64 <= STATUS_BURST + 12, "{told_at:?}");
    assert!(told_at.windows(6).all(|six| six[5].0 - six[0].0 >= STATUS_EVERY_MS), "{told_at:?}");
    // What is newest comes through, though nothing else happens.
    ladder.take(12_000, osc("done"));
    let due = ladder.next_news_ms().expect("news");
    assert!((12_000..=13_000).contains(&due), "{due}");
    assert_eq!((ladder.news(due - 1), ladder.news(due).map(|report| report.status)), (None, Some(Status::Done)));
    // After a rest a burst is let through again.
    ladder.take(30_000, osc("working"));
    assert!(ladder.news(30_000).is_some());
    ladder.take(30_001, osc("idle"));
    assert!(ladder.news(30_001).is_some());
}

#[test]
fn an_end_and_a_first_question_do_not_wait() {
    let mut ladder = tui();
    told(&mut ladder, 0, 1_000, ["working", "idle"]);
    ladder.take(1_000, osc("working"));
    assert_eq!(ladder.news(1_000), None);
    ladder.take(1_001, osc("blocked"));
    assert_eq!(ladder.news(1_001).map(|report| report.status), Some(Status::Blocked));
    ladder.take(1_002, Signal::Exit { code: Some(1), signal: None, asked: false });
    assert_eq!(ladder.news(1_002).and_then(|report| report.exit_code), Some(1));
    // One that asks without end has no more than the others.
    let mut ladder = tui();
    let told_at = told(&mut ladder, 0, 12_000, ["blocked", "idle"]);
    assert!(told_at.len() as u64 <= STATUS_BURST + 13, "{told_at:?}");
}
