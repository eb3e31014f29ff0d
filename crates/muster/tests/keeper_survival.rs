//! What a keeper survives, and what is left when it does not: runners that die, readers that stall, its own end.

mod keeper_support;

use keeper_support::{Folder, Said, TERMINAL, sh};
use muster::keeper::spec::{ExitFile, OpenSpec};
use protocol::control::{RunnerCommand, RunnerMessage};
use protocol::frame::{Flags, Kind};
use protocol::limits::WINDOW_BYTES;
use protocol::status::{Evidence, Status};
use sha2::{Digest as _, Sha256};

/// What a keeper may take, whatever its terminal has seen; its program's own pages, shared by all keepers, come on top.
const MEMORY_KIB_MAX: u64 = 8 * 1024;

/// A program that writes random bytes, and then leaves a file `done` in a folder that has them as `data`.
fn flood(megabytes: u32, dir: &std::path::Path) -> OpenSpec {
    let dir = dir.display();
    sh(&format!("stty raw -echo; head -c {megabytes}000000 /dev/urandom > {dir}/data; cat {dir}/data; : > {dir}/done"))
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn fifty_megabytes_arrive_as_written_over_many_runners() {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::new(&flood(50, data.path()));
    let (mut hash, mut at) = (Sha256::new(), 0);
    // Each runner dies without a word after some megabytes; the next goes on by offset.
    for stretch in [1, 7_000_000, 123_456, 20_000_000, 65_536, u64::MAX] {
        let mut runner = folder.connect();
        runner.stream(at);
        let wanted = stretch.min(50_000_000 - at);
        let got = runner.follow(at, |bytes| bytes.len() as u64 >= wanted);
        hash.update(&got);
        at += got.len() as u64;
    }
    assert_eq!(at, 50_000_000);
    let written = std::fs::read(data.path().join("data")).unwrap();
    assert_eq!(hex(hash.finalize()), hex(Sha256::digest(&written)));
}

#[test]
fn a_runner_that_reads_nothing_stalls_nobody() {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::new(&flood(30, data.path()));
    let mut stalled = folder.connect();
    stalled.stream(0);
    stalled.send(&RunnerCommand::Read { terminal: TERMINAL, from: 0, to: 1 << 40 });
    // The program ends although nobody takes what it writes.
    folder.wait_until("the program's end", || data.path().join("done").exists());
    folder.wait_until("all of it", || folder.connect().report.unwrap().end == 30_000_000);
    let pid = folder.file().pid;
    if let Ok(memory) = std::fs::read_to_string(format!("/proc/{pid}/status")) {
        let line = memory.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib <= MEMORY_KIB_MAX, "{kib} KiB");
    }
}

#[test]
fn no_more_is_under_way_than_the_window() {
    let folder = Folder::new(&sh("head -c 3000000 /dev/zero; cat"));
    let mut runner = folder.connect();
    runner.stream(0);
    let mut got = 0;
    while got < WINDOW_BYTES {
        let Said::Output { bytes, .. } = runner.wait(|said| matches!(said, Said::Output { .. })) else {
            unreachable!()
        };
        got += bytes.len() as u64;
    }
    assert_eq!(got, WINDOW_BYTES);
    // An answer to something else comes, and no more output before it.
    runner.send(&RunnerCommand::CancelPrompt { terminal: TERMINAL, prompt: 1 });
    runner.wait(|said| matches!(said, Said::Message(RunnerMessage::Prompt { .. })));
    assert!(!runner.said.iter().any(|said| matches!(said, Said::Output { .. })));
    runner.credit(1000);
    let Said::Output { offset, bytes } = runner.wait(|said| matches!(said, Said::Output { .. })) else {
        unreachable!()
    };
    assert_eq!((offset, bytes.len()), (WINDOW_BYTES, 1000));
}

#[test]
fn a_stream_far_behind_jumps_when_nobody_needs_every_byte() {
    let data = tempfile::tempdir().unwrap();
    let script =
        format!("head -c 3000000 /dev/zero | tr '\\0' x; printf '\\033[Hend'; : > {}/done; cat", data.path().display());
    let folder = Folder::new(&sh(&script));
    let mut runner = folder.connect();
    runner.send(&RunnerCommand::Pace { terminal: TERMINAL, lag_bytes_max: Some(100_000) });
    runner.stream(0);
    folder.wait_until("all of it is printed", || data.path().join("done").exists());
    let (mut at, mut jumps, end) = (0, 0, std::time::Instant::now() + std::time::Duration::from_secs(30));
    while at < 3_000_006 {
        match runner.next(end).expect("more") {
            Said::Output { offset, bytes } => at = offset + bytes.len() as u64,
            Said::Screen { offset, flags, raw, .. } => {
                assert!(flags.has(Flags::JUMP) && offset > at);
                assert!(offset < 3_000_006 || String::from_utf8_lossy(&raw).contains("end"));
                (at, jumps) = (offset, jumps + 1);
            }
            _ => {}
        }
        runner.credit(at);
    }
    assert!(jumps > 0);
}

#[test]
fn typing_survives_runners_and_is_applied_once() {
    let folder = Folder::new(&sh("stty raw -echo; echo ready; cat"));
    let mut runner = folder.connect();
    runner.stream(0);
    let begin = runner.follow_until(0, "ready\n").len() as u64;
    let text: String = (0..2000).map(|n| format!("{n},")).collect();
    let (bytes, mut at) = (text.as_bytes(), 0);
    // Each runner sends what no acknowledgement has covered, a little too much of it, in pieces, and dies.
    for stretch in [3000usize, 1, 2500, 4000] {
        runner = folder.connect();
        let from = at - at.min(700);
        let to = (at + stretch).min(bytes.len());
        for (index, piece) in bytes[from..to].chunks(333).enumerate() {
            runner.typed(9, (from + 333 * index) as u64, std::str::from_utf8(piece).unwrap());
        }
        // Ask for something, so that all of it was taken before this runner dies.
        runner.send(&RunnerCommand::CancelPrompt { terminal: TERMINAL, prompt: 1 });
        runner.wait(|said| matches!(said, Said::Message(RunnerMessage::Prompt { .. })));
        at = to;
    }
    runner = folder.connect();
    runner.typed(9, 99_999, "beyond what was sent");
    let asked = runner.wait(|said| matches!(said, Said::Ack { resend: true, .. }));
    assert_eq!(asked, Said::Ack { writer: 9, offset: at as u64, resend: true });
    runner.typed(9, at as u64, &text[at..]);
    runner.wait(|said| *said == Said::Ack { writer: 9, offset: text.len() as u64, resend: false });
    runner.stream(begin);
    let got = runner.follow(begin, |got| got.len() >= text.len());
    assert_eq!(String::from_utf8(got).unwrap(), text);
}

#[test]
fn a_program_that_does_not_read_costs_nothing_and_gets_everything() {
    let gate = tempfile::tempdir().unwrap();
    let script =
        format!("stty raw -echo; echo ready; while [ ! -e {}/go ]; do sleep 0.02; done; cat", gate.path().display());
    let folder = Folder::new(&sh(&script));
    let mut runner = folder.connect();
    runner.stream(0);
    let begin = runner.follow_until(0, "ready\n").len() as u64;
    let text = "0123456789".repeat(60_000);
    let mut sent = 0;
    for piece in text.as_bytes().chunks(16_000) {
        runner.typed(5, sent, std::str::from_utf8(piece).unwrap());
        sent += piece.len() as u64;
    }
    runner.send(&RunnerCommand::CancelPrompt { terminal: TERMINAL, prompt: 1 });
    runner.wait(|said| matches!(said, Said::Message(RunnerMessage::Prompt { .. })));
    std::fs::write(gate.path().join("go"), "").unwrap();
    let mut got = Vec::new();
    while got.len() < text.len() {
        match runner.next(std::time::Instant::now() + std::time::Duration::from_secs(30)).expect("more") {
            Said::Ack { offset, resend: true, .. } => {
                for (index, piece) in text.as_bytes()[offset as usize..].chunks(16_000).enumerate() {
                    runner.typed(5, offset + 16_000 * index as u64, std::str::from_utf8(piece).unwrap());
                }
            }
            Said::Output { bytes, .. } => {
                got.extend(bytes);
                runner.credit(begin + got.len() as u64);
            }
            _ => {}
        }
    }
    assert!(got == text.as_bytes());
}

#[test]
fn an_ended_terminal_can_be_looked_at_until_it_is_forgotten() {
    let mut folder = Folder::new(&sh("printf 'the last words\\n'; exit 0"));
    folder.wait_until("exit.json", || ExitFile::load(folder.path()).is_ok_and(|exit| exit.is_some()));
    for again in [false, true] {
        if again {
            folder.kill_keeper();
            folder.start();
        }
        let mut runner = folder.connect();
        let report = runner.report.clone().unwrap();
        assert_eq!((report.status.status, report.status.exit_code, report.end), (Status::Done, Some(0), 16));
        runner.stream(0);
        assert_eq!(runner.follow_until(0, "\n"), "the last words\r\n");
        runner.send(&RunnerCommand::Snapshot { terminal: TERMINAL, scrollback: 0 });
        let Said::Screen { offset, raw, .. } =
            runner.wait(|said| matches!(said, Said::Screen { kind: Kind::Snapshot, .. }))
        else {
            unreachable!()
        };
        assert_eq!(offset, 16);
        assert!(String::from_utf8_lossy(&raw).contains("the last words"));
    }
    let mut runner = folder.connect();
    runner.send(&RunnerCommand::Forget { terminal: TERMINAL });
    assert!(runner.is_closed() && !folder.path().exists());
}

#[test]
fn what_dies_with_its_keeper_has_failed_and_keeps_its_log() {
    let mut folder = Folder::new(&sh("echo before; cat"));
    let mut runner = folder.connect();
    runner.stream(0);
    runner.follow_until(0, "before\r\n");
    folder.kill_keeper();
    folder.start();
    let mut runner = folder.connect();
    let report = runner.report.clone().unwrap();
    assert_eq!((report.status.status, report.status.evidence), (Status::Failed, Evidence::Exit));
    assert_eq!(report.status.detail, "Its keeper was killed, and it ended with it");
    runner.stream(0);
    assert_eq!(runner.follow_until(0, "\n"), "before\r\n");
}

#[test]
fn one_keeper_has_a_folder_and_a_second_leaves() {
    let mut folder = Folder::new(&sh("cat"));
    drop(folder.connect());
    let first = folder.children.remove(0);
    folder.start();
    let mut second = folder.children.remove(0);
    assert!(second.wait().unwrap().success());
    folder.children.push(first);
    drop(folder.connect());
}

#[test]
fn forgetting_kills_what_runs() {
    let folder = Folder::new(&sh("trap '' HUP TERM INT; echo $$; cat"));
    let mut runner = folder.connect();
    runner.stream(0);
    let pid = runner.follow_until(0, "\r\n").trim().to_owned();
    runner.send(&RunnerCommand::Forget { terminal: TERMINAL });
    assert!(runner.is_closed() && !folder.path().exists());
    folder.wait_until("its end", || !std::path::Path::new("/proc").join(&pid).exists());
}

#[test]
fn a_hang_up_of_the_keeper_is_nothing() {
    let folder = Folder::new(&sh("echo ready; cat"));
    let mut runner = folder.connect();
    let pid = rustix::process::Pid::from_raw(folder.file().pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    runner.stream(0);
    runner.follow_until(0, "ready\r\n");
    runner.typed(1, 0, "still here\r");
    runner.follow_until(7, "still here\r\nstill here\r\n");
    assert_eq!(rustix::process::getsid(Some(pid)).unwrap(), pid, "it has a session of its own");
}

#[test]
fn unwatched_it_sends_a_checkpoint_at_its_end_and_nothing_else() {
    let folder = Folder::new(&sh("echo ready; cat >/dev/null; echo bye"));
    let mut runner = folder.connect();
    runner.typed(1, 0, "\x04");
    let said = runner.wait(|said| matches!(said, Said::Screen { kind: Kind::Checkpoint, .. }));
    let Said::Screen { offset, raw, .. } = said else { unreachable!() };
    assert!(String::from_utf8_lossy(&raw).contains("bye"));
    assert!(!runner.said.iter().any(|said| matches!(said, Said::Output { .. } | Said::Screen { .. })));
    runner.send(&RunnerCommand::CheckpointSaved { terminal: TERMINAL, offset });
}
