//! A keeper with real programs in a real PTY: what they print, are told, and how they end.

mod keeper_support;

use keeper_support::{Folder, Said, TERMINAL, sh, spec};
use muster::keeper::screen::Screen;
use muster::keeper::spec::{ExitFile, OpenSpec};
use protocol::control::{ErrorCode, RunnerCommand, RunnerMessage, Size, StopMode};
use protocol::frame::{Flags, Kind};
use protocol::status::{Evidence, PromptState, Status};

fn exited(said: &Said) -> bool {
    matches!(said, Said::Message(RunnerMessage::Status { report, .. }) if report.has_exited())
}

fn status_of(said: Said) -> protocol::control::StatusReport {
    match said {
        Said::Message(RunnerMessage::Status { report, .. }) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_prints_and_ends_with_a_code() {
    let folder = Folder::new(&sh(
        "printf 'hello from %s %s %s\\n' \"$TERM\" \"$MUSTER_TERMINAL/$MUSTER_SESSION\" \"${MUSTER_TOKEN:-no token}\"; stty size; exit 3",
    ));
    let mut runner = folder.connect();
    runner.stream(0);
    assert_eq!(runner.follow_until(0, "80"), "hello from xterm-256color 7/3 no token\r\n24 80\r\n");
    // The greeting may have come after the end.
    let greeted = runner.report.clone().unwrap().status;
    let report = if greeted.has_exited() { greeted } else { status_of(runner.wait(exited)) };
    assert_eq!((report.status, report.evidence, report.exit_code), (Status::Failed, Evidence::Exit, Some(3)));
    assert_eq!(report.detail, "It ended with exit code 3");
    folder.wait_until("exit.json", || ExitFile::load(folder.path()).is_ok_and(|exit| exit.is_some()));
}

#[test]
fn a_signal_is_told_and_a_stop_ends_even_a_stubborn_program() {
    let folder = Folder::new(&sh("trap '' HUP TERM INT; echo ready; while :; do sleep 1; done"));
    let mut runner = folder.connect();
    runner.stream(0);
    runner.follow_until(0, "ready");
    runner.send(&RunnerCommand::Stop { terminal: TERMINAL, mode: StopMode::Terminate });
    let report = status_of(runner.wait(exited));
    assert_eq!((report.status, report.detail.as_str(), report.exit_signal), (Status::Done, "It was stopped", Some(9)));
}

#[test]
fn what_a_program_leaves_behind_delays_neither_its_end_nor_a_stop() {
    let left = "(trap 'echo told to end; exit' TERM; while :; do echo tick; sleep 0.05; done)";
    let folder = Folder::new(&sh(&format!("trap '' HUP; {left} & exit 4")));
    let mut runner = folder.connect();
    runner.stream(0);
    let report = match runner.report.clone().unwrap().status {
        greeted if greeted.has_exited() => greeted,
        _ => status_of(runner.wait(exited)),
    };
    assert_eq!((report.status, report.exit_code), (Status::Failed, Some(4)));
    folder.wait_until("exit.json", || ExitFile::load(folder.path()).is_ok_and(|exit| exit.is_some()));
    runner.send(&RunnerCommand::Stop { terminal: TERMINAL, mode: StopMode::Terminate });
    let text = runner.follow_until(0, "told to end");
    assert!(text.contains("tick\r\ntick\r\n"), "{text}");
}

#[test]
fn what_cannot_start_says_why() {
    for (spec, why) in [
        (spec(&["no-such-program-anywhere"]), "no-such-program-anywhere could not be started"),
        (OpenSpec { cwd: "/no/such/folder".into(), ..sh("true") }, "There is no folder /no/such/folder"),
    ] {
        let folder = Folder::new(&spec);
        let mut runner = folder.connect();
        assert!(runner.report.is_none());
        drop(runner);
        // A later runner sees a terminal that has failed.
        runner = folder.connect();
        let report = runner.report.take().unwrap().status;
        assert_eq!(report.status, Status::Failed);
        assert!(report.detail.contains(why), "{}", report.detail);
    }
}

#[test]
fn a_shell_is_idle_at_its_prompt_and_works_while_a_command_runs() {
    let folder = Folder::new(&spec(&["bash", "--norc", "-i"]));
    let mut runner = folder.connect();
    let at = |status: Status| move |said: &Said| matches!(said, Said::Message(RunnerMessage::Status { report, .. }) if report.status == status && report.evidence == Evidence::Foreground);
    if runner.report.as_ref().is_none_or(|report| report.status.status != Status::Idle) {
        runner.wait(at(Status::Idle));
    }
    runner.typed(1, 0, "cat\r");
    runner.wait(at(Status::Working));
    runner.typed(1, 4, "\x04");
    runner.wait(at(Status::Idle));
    runner.typed(1, 5, "exit 0\r");
    assert_eq!(status_of(runner.wait(exited)).status, Status::Done);
}

#[test]
fn a_prompt_into_a_shell_goes_through_its_states_once() {
    let folder = Folder::new(&spec(&["bash", "--norc", "-i"]));
    let mut runner = folder.connect();
    runner.stream(0);
    let is = |number: u64, state: PromptState| move |said: &Said| matches!(said, Said::Message(RunnerMessage::Prompt { report, .. }) if report.prompt == number && report.state == state);
    runner.prompt(1, "echo o''nce; sleep 0.3; echo d''one\x1b[201~");
    runner.prompt(1, "echo o''nce; sleep 0.3; echo d''one");
    for state in [PromptState::Queued, PromptState::Delivered, PromptState::Accepted, PromptState::Done] {
        runner.wait(is(1, state));
    }
    runner.prompt(1, "echo again");
    runner.wait(is(1, PromptState::Done));
    runner.prompt(2, "exit 4");
    runner.wait(is(2, PromptState::Delivered));
    assert_eq!(status_of(runner.wait(exited)).exit_code, Some(4));
    let text = runner.follow_until(0, "exit 4");
    assert_eq!((text.matches("once").count(), text.matches("done").count()), (1, 1), "{text}");
}

#[test]
fn questions_are_answered_once_by_the_keeper() {
    let script = "stty raw -echo; printf '\\033[c\\033[5n\\033[3;5H\\033[6n\\033]11;?\\007\\033[?2004$p'; \
        dd bs=1 count=53 2>/dev/null | od -An -c | tr -d ' \\n'; printf end; cat";
    let folder = Folder::new(&sh(script));
    let mut runner = folder.connect();
    runner.stream(0);
    let text = runner.follow_until(0, "end");
    let answers = "033[?1;2c033[0n033[3;5R033]11;rgb:1616/1616/1a1a033\\033[?2004;2$y";
    assert!(text.contains(answers), "{text:?}");
}

#[test]
fn sizes_are_told_in_order_and_reach_program_and_screen() {
    let folder = Folder::new(&sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done"));
    let mut runner = folder.connect();
    runner.stream(0);
    let before = runner.follow_until(0, "ready\r\n");
    runner.send(&RunnerCommand::Resize { terminal: TERMINAL, size: Size { cols: 100, rows: 30 } });
    runner.wait(|said| {
        *said == Said::Message(RunnerMessage::Resized { terminal: TERMINAL, size: Size { cols: 100, rows: 30 } })
    });
    let after = runner.follow_until(before.len() as u64, "30 100");
    runner.send(&RunnerCommand::Snapshot { terminal: TERMINAL, scrollback: 0 });
    let Said::Screen { offset, raw, .. } = runner.wait(|said| matches!(said, Said::Screen { .. })) else {
        unreachable!()
    };
    assert!(offset >= (before.len() + after.trim_end().len()) as u64);
    assert_eq!(raw[..4], [0, 100, 0, 30]);
}

#[test]
fn a_snapshot_and_the_stream_from_there_show_what_the_program_drew() {
    let folder =
        Folder::new(&sh("for n in 1 2 3 4 5 6; do echo line $n; done; printf '\\033[?1049h\\033[2;3Halternate'; cat"));
    let mut runner = folder.connect();
    runner.stream(0);
    runner.follow_until(0, "alternate");
    runner = folder.connect();
    runner.send(&RunnerCommand::Snapshot { terminal: TERMINAL, scrollback: 100 });
    let Said::Screen { kind, flags, offset, raw } = runner.wait(|said| matches!(said, Said::Screen { .. })) else {
        unreachable!()
    };
    assert_eq!((kind, flags.has(Flags::SCROLLBACK)), (Kind::Snapshot, true));
    runner.typed(1, 0, "typed\r");
    let mut screen = Screen::new(Size { cols: 80, rows: 24 });
    screen.feed(&raw[4..]);
    let more = runner.follow(offset, |bytes| String::from_utf8_lossy(bytes).matches("typed").count() == 2);
    screen.feed(&more);
    assert_eq!((screen.text()[1].as_str(), screen.text()[2].as_str()), ("  alternatetyped", "typed"));
}

#[test]
fn what_is_not_understood_is_answered() {
    let folder = Folder::new(&sh("cat"));
    let mut runner = folder.connect();
    runner.send(&RunnerCommand::Unknown);
    runner.send(&RunnerCommand::Unwatch { terminal: TERMINAL + 1 });
    for expected in [ErrorCode::UnknownType, ErrorCode::NotFound] {
        runner.wait(|said| matches!(said, Said::Message(RunnerMessage::Error(report)) if report.code == expected));
    }
}

#[test]
fn output_is_deflated_when_asked_for() {
    let folder = Folder::new(&OpenSpec { deflate_output: true, ..sh("seq 1 20000; echo end; cat") });
    let mut runner = folder.connect();
    runner.stream(0);
    let text = runner.follow_until(0, "end\r\n");
    assert!(text.contains("19999\r\n20000\r\n") && runner.wire_bytes * 2 < text.len(), "{}", runner.wire_bytes);
}
