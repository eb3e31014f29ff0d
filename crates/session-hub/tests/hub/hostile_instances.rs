//! Strangers in a lobby, and evictions between any two events: nothing panics, nobody else notices, and memory is a cache.

use proptest::prelude::*;
use protocol::close::CloseCode;
use session_hub::call::InstanceView;
use session_hub::effect::SocketId;
use session_hub::lobby::{Guest, LobbyInput, Stage};

use crate::common::Hall;

#[test]
fn guests_are_pinned() {
    let mut hall = Hall::new();
    let waiting = hall.connect();
    let here = hall.instance("a", "ann-1");
    let text = |hall: &Hall, socket: SocketId| hall.attachments[&socket].clone();
    let at = |text: &str| serde_json::from_str::<Guest>(text).expect("a guest").connected_ms;
    let (first, second) = (text(&hall, waiting), text(&hall, here));
    assert_eq!(
        first,
        format!(r#"{{"socket":101,"lobby":3,"from":"203.0.113.7","connected_ms":{},"stage":"waiting"}}"#, at(&first))
    );
    let rest = r#""stage":"here","client_id":"a","person":"ann"}"#;
    assert_eq!(
        second,
        format!(r#"{{"socket":102,"lobby":3,"from":"203.0.113.7","connected_ms":{},{rest}"#, at(&second))
    );
    for (stage, word) in [(Stage::Checking, "checking"), (Stage::Introducing, "introducing")] {
        assert_eq!(serde_json::to_string(&stage).expect("a word"), format!("\"{word}\""));
    }
}

/// Something like a message, or not at all.
fn any_text() -> impl Strategy<Value = String> {
    let id = prop_oneof!["a", "b", ".{0,140}"];
    let kind = prop_oneof!["register", "status_update", "ping", "hello", ".{0,9}"];
    let token = prop_oneof!["ann-1", "bob-1", "wrong", ".{0,300}"];
    let message = (kind, id, token, ".{0,20}").prop_map(|(kind, id, token, status)| {
        let metadata = serde_json::json!({ "hostname": status, "project": status, "status": status });
        serde_json::json!({
            "type": kind, "client_id": id, "user_token": token, "status": status, "metadata": metadata
        })
        .to_string()
    });
    prop_oneof![3 => message, 1 => ".{0,40}", 1 => Just("x".repeat(17_000)), 1 => Just("[".repeat(9_000))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_stranger_hurts_only_itself(texts in prop::collection::vec(any_text(), 1..8), binary in any::<bool>()) {
        let mut hall = Hall::new();
        let bobs = hall.instance("good", "bob-1");
        let stranger = hall.connect();
        for text in &texts {
            hall.say(stranger, text);
            hall.settle();
        }
        if binary && hall.attachments.contains_key(&stranger) {
            hall.input(LobbyInput::Binary { socket: stranger });
            hall.settle();
            prop_assert_eq!(hall.closed.get(&stranger), Some(&CloseCode::Protocol));
        }
        prop_assert!(!hall.closed.contains_key(&bobs) && hall.heard(bobs).is_empty());
        prop_assert!(hall.one("bob", "good").online);
        let known = serde_json::from_str::<serde_json::Value>(&texts[0]);
        let registers = known.is_ok_and(|message| message["type"] == "register");
        prop_assert!(registers || hall.closed.contains_key(&stranger), "only register comes first");
        for answer in hall.heard(stranger) {
            let answer: serde_json::Value = serde_json::from_str(answer).expect("JSON");
            prop_assert!(["pong", "error"].contains(&answer["type"].as_str().expect("a type")));
        }
    }

    #[test]
    fn an_eviction_between_any_two_events_changes_nothing(ops in prop::collection::vec(any_op(), 1..40)) {
        let (plain, _) = play(&ops, false);
        let (evicted, evictions) = play(&ops, true);
        prop_assert_eq!(plain, evicted);
        prop_assert!(evictions >= ops.len());
    }
}

/// One thing that may happen to one of four sockets.
#[derive(Clone, Copy, Debug)]
enum Op {
    Connect,
    Register(usize, usize, usize),
    Status(usize, usize),
    Ping(usize),
    Vanish(usize),
    Refresh(usize),
    Disconnect(usize),
    Wait(u64),
}

fn any_op() -> impl Strategy<Value = Op> {
    let place = 0..4_usize;
    prop_oneof![
        3 => Just(Op::Connect),
        4 => (place.clone(), 0..3_usize, 0..4_usize).prop_map(|(at, name, token)| Op::Register(at, name, token)),
        3 => (place.clone(), 0..4_usize).prop_map(|(at, status)| Op::Status(at, status)),
        2 => place.clone().prop_map(Op::Ping),
        2 => place.clone().prop_map(Op::Vanish),
        1 => place.clone().prop_map(Op::Refresh),
        1 => place.prop_map(Op::Disconnect),
        1 => (0..12_000_u64).prop_map(Op::Wait),
    ]
}

/// What everybody saw in the end: instances of Ann and of Bob, what sockets heard, how they closed.
type Seen = (Vec<InstanceView>, Vec<InstanceView>, Vec<(SocketId, Vec<String>)>, Vec<(SocketId, CloseCode)>);

fn play(ops: &[Op], evicting: bool) -> (Seen, usize) {
    use protocol::claudecodeui::InstanceCommand::{Disconnect, RefreshStatus};
    use session_hub::call::{Request, instance_number};
    let mut hall = Hall::new();
    let (mut sockets, mut names, mut evictions) = (Vec::new(), [""; 4], 0);
    for op in ops {
        let at = |place: usize| sockets.iter().rev().nth(place).copied().unwrap_or_default();
        match *op {
            Op::Connect => sockets.push(hall.connect()),
            Op::Register(place, name, token) => {
                names[place] = ["a", "b", "c"][name];
                hall.register(at(place), names[place], ["ann-1", "ann-2", "bob-1", "wrong"][token]);
            }
            Op::Status(place, status) => {
                hall.status(at(place), names[place], ["idle", "active", "busy", "other"][status]);
            }
            Op::Ping(place) => {
                hall.say(at(place), &format!(r#"{{"type":"ping","client_id":"{}"}}"#, names[place]));
            }
            Op::Vanish(place) => hall.vanish(at(place)),
            Op::Refresh(place) | Op::Disconnect(place) => {
                let command = if matches!(op, Op::Refresh(_)) { RefreshStatus } else { Disconnect };
                let instances = hall.instances("ann");
                if let Some(number) = instances.get(place).and_then(|view| instance_number(&view.client)) {
                    hall.ask("ann", Request::CommandInstance { instance: number, command });
                }
            }
            Op::Wait(ms) => {
                hall.now_ms += ms;
                hall.input(LobbyInput::Alarm);
            }
        }
        hall.settle();
        if evicting {
            hall.evict();
            hall.hubs.values_mut().for_each(|world| world.evict());
            evictions += 1;
        }
    }
    let without_clock = |mut views: Vec<InstanceView>| {
        for view in &mut views {
            (view.status_ms, view.connected_ms, view.gone_ms) = (0, 0, 0);
        }
        views
    };
    let (ann, bob) = (without_clock(hall.instances("ann")), without_clock(hall.instances("bob")));
    ((ann, bob, hall.heard.into_iter().collect(), hall.closed.into_iter().collect()), evictions)
}
