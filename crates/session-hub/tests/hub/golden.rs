//! What is persisted, byte by byte: attachments that survive a deploy, and the schema that all migrations end in.

use protocol::control::{Delivery, Size};
use session_hub::effect::{Attachment, Pass, Peer, Topic, Watch, WatchMode};
use session_hub::standing::{Invited, Standing};
use session_hub::store::Value;

use crate::common::World;

#[test]
fn attachments_are_pinned() {
    let viewer = Attachment {
        socket: 7,
        peer: Peer::Viewer { person: "p1".into(), name: "Ann".into(), via: protocol::audit::Via::Browser },
        pass: Pass::default(),
        connected_ms: 1_700_000_000_000,
        watches: vec![Watch {
            terminal: 3,
            writer: "00000000deadbeef".into(),
            size: Size { cols: 120, rows: 40 },
            delivery: Delivery::Screen,
            drive_order: 2,
            typed: true,
            mode: WatchMode::CatchingUp,
        }],
        ready: false,
    };
    pinned(
        &viewer,
        concat!(
            r#"{"socket":7,"role":"viewer","person":"p1","name":"Ann","connected_ms":1700000000000,"#,
            r#""watches":[{"terminal":3,"writer":"00000000deadbeef","size":{"cols":120,"rows":40},"#,
            r#""delivery":"screen","drive_order":2,"typed":true,"mode":"catching_up"}],"ready":false}"#
        ),
    );
    let runner = Attachment {
        socket: 8,
        peer: Peer::Runner { runner: "t9".into(), name: "laptop".into() },
        pass: Pass::default(),
        connected_ms: 5,
        watches: vec![],
        ready: true,
    };
    pinned(&runner, r#"{"socket":8,"role":"runner","runner":"t9","name":"laptop","connected_ms":5,"ready":true}"#);
    let topics = [
        (Topic::Dashboard, r#"{"topic":"dashboard"}"#),
        (Topic::Session(4), r#"{"topic":"session","id":4}"#),
        (Topic::Clients, r#"{"topic":"clients"}"#),
        (Topic::Instance(5), r#"{"topic":"instance","id":5}"#),
        (Topic::Shared, r#"{"topic":"shared"}"#),
    ];
    for (topic, text) in topics {
        let peer = Peer::Page { person: "p1".into(), topic };
        let page =
            Attachment { socket: 9, peer, pass: Pass::default(), connected_ms: 6, watches: vec![], ready: false };
        let whole =
            format!(r#"{{"socket":9,"role":"page","person":"p1","topic":{text},"connected_ms":6,"ready":false}}"#);
        pinned(&page, &whole);
    }
}

#[test]
fn what_an_invited_socket_keeps_is_pinned() {
    let invited =
        Invited { owner: "3".into(), owner_name: "Ann".into(), teams: vec!["acme/builders".into()], link: None };
    let bob = Attachment {
        socket: 7,
        peer: Peer::Viewer { person: "p2".into(), name: "Bob".into(), via: protocol::audit::Via::Cli },
        pass: Pass { standing: Standing::Invited(invited), ends_ms: 9 },
        connected_ms: 5,
        watches: vec![],
        ready: false,
    };
    pinned(
        &bob,
        concat!(
            r#"{"socket":7,"role":"viewer","person":"p2","name":"Bob","via":"cli","#,
            r#""standing":{"invited":{"owner":"3","owner_name":"Ann","teams":["acme/builders"]}},"ends_ms":9,"#,
            r#""connected_ms":5,"ready":false}"#
        ),
    );
    let guest = Invited { owner: "3".into(), owner_name: "Ann".into(), teams: vec![], link: Some(4) };
    let guest = Attachment { pass: Pass { standing: Standing::Invited(guest), ends_ms: 9 }, ..bob };
    pinned(
        &guest,
        concat!(
            r#"{"socket":7,"role":"viewer","person":"p2","name":"Bob","via":"cli","#,
            r#""standing":{"invited":{"owner":"3","owner_name":"Ann","link":4}},"ends_ms":9,"connected_ms":5,"ready":false}"#
        ),
    );
}

/// A grounds that this version does not know must not be taken for the owner's.
#[test]
fn who_comes_on_unknown_grounds_is_nobody() {
    let text = r#"{"socket":7,"role":"viewer","person":"p1","name":"Ann","connected_ms":5,"standing":"landlord"}"#;
    serde_json::from_str::<Attachment>(text).expect_err("no attachment");
}

fn pinned(attachment: &Attachment, text: &str) {
    assert_eq!(serde_json::to_string(attachment).expect("an attachment"), text);
    assert_eq!(&serde_json::from_str::<Attachment>(text).expect("an attachment"), attachment);
}

#[test]
fn the_least_that_an_older_hub_wrote_is_still_read() {
    let text = r#"{"socket":7,"role":"viewer","person":"p1","name":"Ann","connected_ms":5}"#;
    let attachment: Attachment = serde_json::from_str(text).expect("an attachment");
    assert!(attachment.watches.is_empty() && !attachment.ready);
    let modes = ["awaiting_snapshot", "catching_up", "live", "stalled"];
    for mode in modes {
        let text =
            format!(r#"{{"terminal":1,"writer":"0","size":{{"cols":1,"rows":1}},"delivery":"bytes","mode":"{mode}"}}"#);
        serde_json::from_str::<Watch>(&text).expect("a watch");
    }
}

#[test]
fn the_schema_is_pinned() {
    let world = World::new();
    let rows = world.twin.query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name", &[]);
    let mut schema = String::new();
    for row in rows.expect("a schema") {
        let Value::Text(sql) = &row[0] else { panic!("{row:?}") };
        let lines: Vec<&str> = sql.lines().map(str::trim).collect();
        schema.push_str(&lines.join("\n"));
        schema.push_str(";\n");
    }
    // To change it: append a migration, never edit one; then write what this prints to the file.
    assert_eq!(schema, include_str!("golden_schema.sql"), "{schema}");
    let applied = world.twin.query("SELECT number, name FROM migrations", &[]).expect("migrations");
    let names = ["first tables", "audit log", "claudecodeui instances", "shares"];
    let expected = (1..).zip(names).map(|(number, name)| vec![Value::Integer(number), Value::Text(name.into())]);
    assert_eq!(applied, expected.collect::<Vec<_>>());
}

#[test]
fn migrations_run_once_and_a_newer_store_is_refused() {
    let mut world = World::new();
    let before = world.twin.dump();
    world.evict();
    assert_eq!(world.twin.dump(), before);
    world.twin.query("INSERT INTO migrations VALUES (99, 'from the future', 0)", &[]).expect("a row");
    let moment = world.moment();
    let opened = session_hub::Hub::open(world.twin.clone(), vec![], moment);
    assert!(opened.is_err_and(|error| error.0.contains("newer")));
}
