//! The form is pinned byte by byte, and each kind of tampering is told by its name.

use super::*;

fn draft(at_ms: u64, target: &str) -> Draft {
    Draft {
        at_ms,
        actor: Actor::person("7", "Åsa"),
        via: Via::Browser,
        action: Action::TokenMade,
        target: target.to_owned(),
        detail: [("scope".to_owned(), "cli".to_owned()), ("name".to_owned(), "ci".to_owned())].into(),
    }
}

fn chain_of(length: u64) -> Vec<Entry> {
    let mut head = Head::default();
    let mut entries = Vec::new();
    for number in 1..=length {
        let entry = draft(1_800_000_000_000 + number, &format!("token {number}")).seal(Chain::Deployment, &head);
        head = entry.head();
        entries.push(entry);
    }
    entries
}

fn checked(entries: &[Entry]) -> Result<Summary, Break> {
    checked_with(Check::new(), entries)
}

fn checked_with(mut check: Check, entries: &[Entry]) -> Result<Summary, Break> {
    for entry in entries {
        check.line(&serde_json::to_string(entry).unwrap())?;
    }
    check.finish()
}

#[test]
fn the_form_is_pinned() {
    let entry = draft(1_800_000_000_000, "token t1").seal(Chain::Deployment, &Head::default());
    let expected = format!(
        "14:muster.audit.1,10:deployment,1:1,13:1800000000000,6:person,1:7,4:Åsa,7:browser,10:token_made,8:token t1,\
         1:2,4:name,2:ci,5:scope,3:cli,64:{START},"
    );
    assert_eq!(String::from_utf8(entry.canonical_bytes()).unwrap(), expected);
    // `printf '%s' "$expected" | sha256sum`
    assert_eq!(entry.hash, "10e9889ce9833aa2fefc02e0dc8f40e6877cfdbdf81b4b7f3bfaed22f73659d0");
    let line = format!(
        r#"{{"chain":"deployment","seq":1,"at_ms":1800000000000,"actor":{{"kind":"person","id":"7","name":"Åsa"}},"via":"browser","action":"token_made","target":"token t1","detail":{{"name":"ci","scope":"cli"}},"prev":"{START}","hash":"{}"}}"#,
        entry.hash
    );
    assert_eq!(serde_json::to_string(&entry).unwrap(), line);
    assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry);
    assert!(serde_json::from_str::<Entry>(&line.replace(r#""seq":1"#, r#""seq":1,"note":"no""#)).is_err());
}

#[test]
fn fields_cannot_be_shifted_into_one_another() {
    let head = Head::default();
    let one = Draft { target: "a".into(), ..draft(1, "") }.seal(Chain::Hub, &head);
    let mut other = one.clone();
    (other.action, other.target) = (format!("{}a", one.action), String::new());
    assert_ne!(one.computed_hash(), other.computed_hash());
}

#[test]
fn every_field_is_covered_by_the_hash() {
    let entry = &chain_of(1)[0];
    let changes: &[fn(&mut Entry)] = &[
        |entry| entry.chain = Chain::Hub,
        |entry| entry.at_ms += 1,
        |entry| entry.actor.kind = ActorKind::Token,
        |entry| entry.actor.id.push('0'),
        |entry| entry.actor.name.clear(),
        |entry| entry.via = "cli".into(),
        |entry| entry.action = "token_revoked".into(),
        |entry| entry.target.push('2'),
        |entry| drop(entry.detail.remove("name")),
        |entry| drop(entry.detail.insert("scope".into(), "runner".into())),
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = entry.clone();
        change(&mut changed);
        assert_eq!(checked(&[changed]), Err(Break::Changed { seq: 1 }), "change {index}");
    }
    let mut unlinked = entry.clone();
    unlinked.prev = "f".repeat(64);
    unlinked.hash = unlinked.computed_hash();
    assert_eq!(checked(&[unlinked]), Err(Break::NotLinked { seq: 1 }));
}

#[test]
fn a_whole_chain_holds_and_says_its_head() {
    let chain = chain_of(5);
    let summary = checked(&chain).unwrap();
    assert_eq!((summary.chain, summary.first, summary.entries), (Chain::Deployment, 1, 5));
    assert_eq!(summary.head, chain[4].head());
}

#[test]
fn what_is_removed_changed_or_moved_is_named() {
    let chain = chain_of(5);
    let without =
        |seq: usize| -> Vec<Entry> { chain.iter().filter(|entry| entry.seq != seq as u64).cloned().collect() };
    assert_eq!(checked(&without(3)), Err(Break::Missing { expected: 3, seq: 4 }));
    assert_eq!(checked(&without(1)), Err(Break::FrontMissing { seq: 2 }));
    assert_eq!(checked(&chain[2..]), Err(Break::FrontMissing { seq: 3 }));
    assert_eq!(checked(&[]), Err(Break::Empty));

    let mut swapped = chain.clone();
    swapped.swap(2, 3);
    assert_eq!(checked(&swapped), Err(Break::Missing { expected: 3, seq: 4 }));
    let mut doubled = chain.clone();
    doubled.insert(3, chain[2].clone());
    assert_eq!(checked(&doubled), Err(Break::OutOfOrder { expected: 4, seq: 3 }));

    // Changed, and its own hash made to fit: then the next one does not.
    let mut forged = chain.clone();
    forged[1].actor.name = "Eve".into();
    forged[1].hash = forged[1].computed_hash();
    assert_eq!(checked(&forged), Err(Break::NotLinked { seq: 3 }));

    let mut mixed = chain.clone();
    mixed[2] = draft(9, "").seal(Chain::Hub, &mixed[1].head());
    assert_eq!(checked(&mixed), Err(Break::OtherChain { line: 3, seq: 3 }));
    let mut noise = Check::new();
    assert!(matches!(noise.line("{}"), Err(Break::NotAnEntry { line: 1, .. })));
}

#[test]
fn a_chain_cut_at_its_end_misses_the_head_that_was_noted() {
    let chain = chain_of(5);
    let expecting = |index: usize| Check::new().expecting(&chain[index].hash.to_uppercase());
    assert!(checked_with(expecting(4), &chain).is_ok());
    assert!(checked_with(expecting(2), &chain).is_ok(), "a head of earlier is in the middle now");
    let cut = checked_with(expecting(4), &chain[..4]);
    assert_eq!(cut, Err(Break::OtherHead { expected: chain[4].hash.clone(), head: chain[3].head() }));
}

#[test]
fn a_later_export_continues_an_earlier_one() {
    let chain = chain_of(5);
    let summary = checked_with(Check::after(chain[1].head()), &chain[2..]).unwrap();
    assert_eq!((summary.first, summary.entries), (3, 3));
    assert_eq!(checked_with(Check::after(chain[1].head()), &chain[3..]), Err(Break::Missing { expected: 3, seq: 4 }));
    assert_eq!(
        checked_with(Check::after(Head { seq: 2, hash: START.into() }), &chain[2..]),
        Err(Break::NotLinked { seq: 3 })
    );
}

#[test]
fn texts_are_cut_and_never_refused() {
    let long = Draft {
        actor: Actor::person(&"9".repeat(200), &"x".repeat(500)),
        target: format!("a\nb{}", "y".repeat(500)),
        detail: (0..50).map(|index| (format!("{index:02}{}", "k".repeat(80)), "v".repeat(900))).collect(),
        ..draft(1, "")
    };
    let entry = long.seal(Chain::Hub, &Head::default());
    assert_eq!(entry.actor.id.chars().count(), ACTOR_ID_CHARS_MAX);
    assert_eq!(entry.actor.name.chars().count(), ACTOR_NAME_CHARS_MAX);
    assert!(entry.target.starts_with("a by") && entry.target.chars().count() == TARGET_CHARS_MAX);
    assert_eq!(entry.detail.len(), DETAIL_PAIRS_MAX);
    assert!(
        entry
            .detail
            .iter()
            .all(|(key, value)| key.len() == DETAIL_KEY_CHARS_MAX && value.len() == DETAIL_VALUE_CHARS_MAX)
    );
    assert!(checked(&[entry]).is_ok());
}

#[test]
fn words_are_found_again_and_unique() {
    for action in Action::ALL {
        assert_eq!(Action::from_word(action.word()), Some(*action));
        assert_eq!(serde_json::to_value(action).unwrap(), action.word());
    }
    assert_eq!(Action::from_word("other"), None);
}
