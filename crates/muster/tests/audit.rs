//! `muster audit verify`, as a person runs it over what they exported.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use protocol::audit::{Action, Actor, Chain, Draft, Entry, Head, Via};

fn chain(length: u64) -> Vec<Entry> {
    let mut head = Head::default();
    let seal = |number: u64| {
        let draft = Draft {
            at_ms: 1_800_000_000_000 + number,
            actor: Actor::person("1", "Ann"),
            via: Via::Browser,
            action: Action::SignedIn,
            target: format!("sign-in {number}"),
            detail: Default::default(),
        };
        let entry = draft.seal(Chain::Deployment, &head);
        head = entry.head();
        entry
    };
    (1..=length).map(seal).collect()
}

fn lines(entries: &[Entry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).unwrap() + "\n").collect()
}

/// Exit code, standard output, standard error.
fn verify(args: &[&str], stdin: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["audit", "verify"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_whole_chain_holds_from_a_file_in_parts_and_from_standard_input() {
    let entries = chain(6);
    let head = &entries[5].hash;
    let folder = tempfile::tempdir().unwrap();
    let one = file(&folder, "1.jsonl", &lines(&entries[..4]));
    let two = file(&folder, "2.jsonl", &lines(&entries[4..]));
    let expected = format!("The chain holds: 6 entries of the deployment's audit log, 1 to 6.\nHead: 6:{head}\n");
    assert_eq!(verify(&[], &lines(&entries)), (0, expected.clone(), String::new()));
    let both = [one.to_str().unwrap(), two.to_str().unwrap(), "--head", head];
    assert_eq!(verify(&both, ""), (0, expected, String::new()));
    let after = format!("4:{}", entries[3].hash);
    let (code, said, _) = verify(&[two.to_str().unwrap(), "--after", &after], "");
    assert_eq!((code, said.contains("2 entries") && said.contains("5 to 6")), (0, true), "{said}");
}

#[test]
fn whatever_breaks_a_chain_is_named_and_ends_with_1() {
    let entries = chain(6);
    let broken = |args: &[&str], entries: &[Entry], says: &str| {
        let (code, said, error) = verify(args, &lines(entries));
        assert_eq!((code, said.as_str()), (1, ""), "{error}");
        assert!(error.contains(says), "{error}");
    };
    let mut changed = entries.clone();
    changed[2].actor.name = "Eve".into();
    broken(&[], &changed, "entry 3 was changed");
    changed[2].hash = changed[2].computed_hash();
    broken(&[], &changed, "entry 4 does not follow");
    let mut removed = entries.clone();
    removed.remove(2);
    broken(&[], &removed, "entry 3 is missing");
    let mut moved = entries.clone();
    moved.swap(3, 4);
    broken(&[], &moved, "entry 4 is missing: 5 follows");
    broken(&[], &entries[1..], "the beginning is missing");
    broken(&["--head", &entries[5].hash], &entries[..5], "entries were removed at its end");
    broken(&[], &[], "there is no entry");
    let (code, _, error) = verify(&["/no/such/file"], "");
    assert_eq!((code, error.contains("cannot open")), (1, true), "{error}");
    assert_eq!(verify(&["--after", "nonsense"], "").0, 2);
}
