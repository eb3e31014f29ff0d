//! claudecodeui instances, from the lobby that their sockets are in to the hubs of their owners.

use protocol::claudecodeui::{InstanceCommand, InstanceStatus, Metadata};
use protocol::close::CloseCode;
use protocol::control::ErrorCode;
use session_hub::call::{Farewell, Link, LinkAnswer, LobbyOrder, LobbyReport, Reply, Request, instance_number};
use session_hub::effect::{Effect, Input, Peer, Topic};
use session_hub::limits::{CLOCKS_APART_MS_MAX, INSTANCE_TEXTS_PER_PERIOD_MAX, INSTANCES_MAX, LOBBY_WAITING_MAX};
use session_hub::lobby::LobbyInput;

use crate::common::{Hall, LOBBY};

const PING: &str = r#"{"type":"ping","client_id":"a"}"#;
const PONG: &str = r#"{"type":"pong","client_id":"a"}"#;

#[test]
fn an_instance_comes_says_what_it_is_at_and_goes() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    let view = hall.one("ann", "a");
    assert_eq!((view.status, view.online, view.hostname.as_str()), (InstanceStatus::Active, true, "h"));
    hall.status(socket, "a", "busy");
    hall.say(socket, PING);
    hall.settle();
    assert_eq!(hall.one("ann", "a").status, InstanceStatus::Busy);
    assert_eq!(hall.heard(socket), [PONG]);
    hall.vanish(socket);
    hall.settle();
    let gone = hall.one("ann", "a");
    assert!(!gone.online && gone.gone_ms > view.connected_ms, "nobody had to ask it: {gone:?}");
    assert!(hall.instances("bob").is_empty());
    hall.vanish(socket);
    hall.settle();
    assert_eq!(hall.one("ann", "a"), gone, "an end that is told twice");
}

#[test]
fn a_page_hears_of_each_change_and_of_no_repetition() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    let number = instance_number(&hall.one("ann", "a").client).expect("a number");
    let shown = [Topic::Dashboard, Topic::Clients, Topic::Instance(number)];
    for topic in shown {
        hall.hubs.get_mut("ann").expect("ann").connect(Peer::Page { person: "ann".into(), topic });
    }
    let mut changes = |act: &dyn Fn(&mut Hall)| {
        hall.hubs.get_mut("ann").expect("ann").changed.clear();
        act(&mut hall);
        hall.settle();
        hall.hubs["ann"].changed.iter().copied().collect::<Vec<_>>()
    };
    assert_eq!(changes(&|hall| hall.status(socket, "a", "idle")), shown);
    let rows = |hall: &Hall| hall.hubs["ann"].twin.dump();
    assert_eq!(changes(&|hall| hall.status(socket, "a", "idle")), []);
    assert_eq!(changes(&|hall| hall.say(socket, PING)), []);
    assert_eq!(changes(&|hall| hall.vanish(socket)), shown);
    let before = rows(&hall);
    hall.instances("ann");
    assert_eq!(rows(&hall), before, "looking writes nothing");
}

#[test]
fn a_socket_that_does_not_register_is_closed_and_one_alarm_serves_all() {
    let mut hall = Hall::new();
    let first = hall.connect();
    let due = hall.now_ms + 10_000;
    hall.now_ms += 4_000;
    let (second, third) = (hall.connect(), hall.connect());
    hall.register(third, "a", "ann-1");
    hall.settle();
    assert_eq!(hall.alarms, [due], "one for all");
    hall.now_ms = due - 2;
    hall.input(LobbyInput::Alarm);
    assert!(hall.closed.is_empty(), "an alarm that comes early");
    assert_eq!(hall.alarms, [due, due], "is set again");
    hall.now_ms = due;
    hall.input(LobbyInput::Alarm);
    assert_eq!(hall.closed, [(first, CloseCode::HelloTimeout)].into());
    assert!(hall.heard(first)[0].contains(r#""type":"error""#));
    hall.now_ms += 20_000;
    hall.say(second, PING);
    assert_eq!(hall.closed[&second], CloseCode::HelloTimeout, "an alarm that is late lets nobody in");
    hall.input(LobbyInput::Alarm);
    assert_eq!((hall.closed.len(), hall.alarms.len()), (2, 3), "none is left to wait for");
    assert!(hall.one("ann", "a").online);
}

#[test]
fn what_is_said_before_the_answer_is_kept_in_order_and_as_the_newest() {
    let mut hall = Hall::new();
    let socket = hall.connect();
    hall.register(socket, "a", "ann-1");
    hall.say(socket, PING);
    for status in ["busy", "active", "idle"] {
        hall.status(socket, "a", status);
    }
    assert!(hall.heard(socket).is_empty(), "it is not known yet whether it may hear anything");
    hall.settle();
    assert_eq!((hall.heard(socket), hall.told), (vec![PONG], 2), "register, and the newest status");
    assert_eq!(hall.one("ann", "a").status, InstanceStatus::Idle);
    for _ in 0..20 {
        hall.status(socket, "a", "busy");
        hall.status(socket, "a", "active");
    }
    hall.settle();
    assert_eq!((hall.told, hall.one("ann", "a").status), (4, InstanceStatus::Active), "a flood is one or two reports");
}

#[test]
fn tokens_are_refused_wrong_revoked_or_revoked_meanwhile() {
    let mut hall = Hall::new();
    let wrong = hall.instance("a", "nobody's");
    assert_eq!(hall.closed[&wrong], CloseCode::Unauthorized);
    assert!(hall.heard(wrong)[0].contains("This token is unknown."));
    let late = hall.connect();
    hall.register(late, "a", "ann-1");
    assert!(hall.run_errand(), "D1 says it is good");
    hall.ask("ann", Request::RevokeInstances { token: "ann-1".into() });
    hall.settle();
    assert_eq!(hall.closed[&late], CloseCode::Revoked);
    assert!(hall.instances("ann").is_empty());
    let (one, two) = (hall.instance("b", "ann-2"), hall.instance("c", "ann-2"));
    let bobs = hall.instance("b", "bob-1");
    hall.tokens.insert("ann-3", "ann");
    let kept = hall.instance("d", "ann-3");
    hall.ask("ann", Request::RevokeInstances { token: "ann-2".into() });
    assert!(hall.one("ann", "d").online && !hall.closed.contains_key(&kept), "another token of the same person");
    assert_eq!((hall.closed[&one], hall.closed[&two]), (CloseCode::Revoked, CloseCode::Revoked));
    assert!(hall.instances("ann").iter().all(|view| view.online == (view.client_id == "d")));
    assert!(hall.one("bob", "b").online);
    assert!(!hall.closed.contains_key(&bobs));
    let day_ms = 25 * 60 * 60 * 1000;
    hall.now_ms += day_ms;
    hall.ask("ann", Request::RevokeInstances { token: "ann-9".into() });
    let barred = hall.hubs["ann"].twin.query("SELECT token FROM barred_tokens", &[]).expect("rows");
    assert_eq!(barred.len(), 1, "what is past any delay is forgotten");
}

#[test]
fn the_same_name_again_takes_the_older_ones_place_and_never_a_newer_ones() {
    let mut hall = Hall::new();
    let first = hall.instance("a", "ann-1");
    let client = hall.one("ann", "a").client;
    let second = hall.instance("a", "ann-2");
    assert_eq!(hall.closed, [(first, CloseCode::Replaced)].into());
    let view = hall.one("ann", "a");
    assert_eq!((view.client, view.online), (client, true));
    hall.vanish(first);
    hall.settle();
    assert!(hall.one("ann", "a").online, "the late end of the older one");
    // Two register messages overtake one another on their way to the hub.
    let (older, newer) = (hall.connect(), hall.connect());
    hall.register(newer, "a", "ann-1");
    hall.settle();
    hall.register(older, "a", "ann-1");
    hall.settle();
    assert_eq!(hall.closed[&older], CloseCode::Replaced);
    assert!(!hall.closed.contains_key(&newer) && hall.closed.contains_key(&second));
    let bobs = hall.instance("a", "bob-1");
    assert!(hall.one("ann", "a").online && hall.one("bob", "a").online && !hall.closed.contains_key(&bobs));
}

#[test]
fn commands_reach_the_owners_instances_and_nobody_elses() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    let number = instance_number(&hall.one("ann", "a").client).expect("a number");
    let refresh = |instance| Request::CommandInstance { instance, command: InstanceCommand::RefreshStatus };
    for who in ["bob", "ann"] {
        let other = number + u64::from(who == "ann");
        assert!(
            matches!(hall.ask(who, refresh(other)), Reply::Refused(refusal) if refusal.code == ErrorCode::NotFound)
        );
    }
    assert!(hall.heard(socket).is_empty());
    assert!(matches!(hall.ask("ann", refresh(number)), Reply::Instance(view) if view.online));
    assert_eq!(hall.heard(socket), [r#"{"type":"command","command":"refresh_status"}"#]);
    let disconnect = Request::CommandInstance { instance: number, command: InstanceCommand::Disconnect };
    assert!(matches!(hall.ask("ann", disconnect.clone()), Reply::Instance(view) if !view.online));
    assert_eq!(hall.heard(socket)[1], r#"{"type":"command","command":"disconnect"}"#);
    assert_eq!(hall.closed[&socket], CloseCode::Disconnected);
    assert!(matches!(hall.ask("ann", disconnect), Reply::Refused(refusal) if refusal.code == ErrorCode::Conflict));
}

#[test]
fn a_socket_speaks_for_itself_and_hears_nothing_before_it_is_known() {
    let mut hall = Hall::new();
    let (one, other) = (hall.instance("a", "ann-1"), hall.instance("b", "ann-1"));
    hall.status(one, "b", "busy");
    hall.say(one, r#"{"type":"ping","client_id":"b"}"#);
    hall.settle();
    assert!(hall.heard(one).len() == 2 && hall.heard(one).iter().all(|text| text.contains("another client_id")));
    assert_eq!(hall.one("ann", "a").status, InstanceStatus::Active);
    assert!(hall.one("ann", "b").status == InstanceStatus::Active && hall.heard(other).is_empty());
    let (waiting, checking) = (hall.connect(), hall.connect());
    hall.register(checking, "c", "bob-1");
    for socket in [waiting, checking] {
        let command = LobbyOrder::Command { socket, command: InstanceCommand::Disconnect };
        let close = LobbyOrder::Close { socket, why: Farewell::Revoked };
        for order in [command, close, LobbyOrder::Check { sockets: vec![socket, one] }] {
            assert_eq!(hall.order(LOBBY, order), [socket], "it is nobody's yet");
        }
        assert!(hall.heard(socket).is_empty() && !hall.closed.contains_key(&socket));
    }
}

#[test]
fn when_a_person_is_out_so_are_their_instances() {
    let mut hall = Hall::new();
    let (socket, bobs) = (hall.instance("a", "ann-1"), hall.instance("a", "bob-1"));
    hall.ask("ann", Request::CloseAll { revoke: false });
    assert_eq!(hall.closed, [(socket, CloseCode::Unauthorized)].into());
    hall.now_ms += 2 * CLOCKS_APART_MS_MAX;
    let again = hall.instance("a", "ann-1");
    assert!(hall.one("ann", "a").online, "let in again by D1");
    hall.ask("ann", Request::CloseAll { revoke: true });
    assert_eq!(hall.closed[&again], CloseCode::Revoked);
    let barred = hall.instance("a", "ann-1");
    assert_eq!(hall.closed[&barred], CloseCode::Revoked);
    assert!(hall.one("bob", "a").online && !hall.closed.contains_key(&bobs));
}

#[test]
fn whoever_is_on_their_way_in_when_all_is_closed_asks_anew() {
    for (revoke, evicted) in [(false, false), (true, false), (false, true)] {
        let mut hall = Hall::new();
        let bobs = hall.connect();
        let socket = hall.connect();
        hall.register(socket, "a", "ann-1");
        assert!(hall.run_errand(), "D1 says it is good");
        // No instance ever came with this token, so nothing in the hub names it.
        hall.ask("ann", Request::CloseAll { revoke });
        if evicted {
            hall.hubs.get_mut("ann").expect("ann").evict();
        }
        hall.settle();
        assert_eq!(hall.closed, [(socket, CloseCode::GoingAway)].into());
        assert!(hall.instances("ann").is_empty(), "the hub keeps nothing of it");
        hall.register(bobs, "b", "bob-1");
        hall.settle();
        assert!(hall.one("bob", "b").online, "another person's is none of it");
        hall.now_ms += 2 * CLOCKS_APART_MS_MAX;
        hall.tokens.remove("ann-1");
        let again = hall.instance("a", "ann-1");
        assert_eq!(hall.closed[&again], CloseCode::Unauthorized, "and D1 says no");
        hall.instance("b", "ann-2");
        assert!(hall.one("ann", "b").online, "whom D1 lets in is in");
    }
}

#[test]
fn a_token_that_ends_takes_its_instances_along_and_one_alarm_serves_them() {
    let mut hall = Hall::new();
    let ends_ms = hall.now_ms + 3_600_000;
    hall.ends_ms = [("ann-1", ends_ms), ("bob-1", ends_ms + 5_000)].into();
    let (first, second) = (hall.instance("a", "ann-1"), hall.instance("b", "ann-1"));
    let (stays, bobs) = (hall.instance("c", "ann-2"), hall.instance("a", "bob-1"));
    hall.now_ms += 15_000;
    hall.input(LobbyInput::Alarm);
    assert_eq!(hall.alarms.last(), Some(&ends_ms), "after those that might not have registered, the first token");
    let alarms = hall.alarms.len();
    for _ in 0..3 {
        hall.evict();
        hall.say(first, PING);
    }
    assert_eq!(hall.alarms.len(), alarms, "it is not asked for again by each ping that wakes the lobby");
    assert!(hall.closed.is_empty());
    hall.now_ms = ends_ms;
    hall.evict();
    hall.input(LobbyInput::Alarm);
    assert_eq!(hall.closed, [(first, CloseCode::Unauthorized), (second, CloseCode::Unauthorized)].into());
    assert!(hall.heard(second).last().expect("a word").contains("has ended"));
    assert_eq!(hall.alarms[alarms..], [ends_ms + 5_000], "and then the next");
    hall.settle();
    let online = |hall: &mut Hall, person: &str| {
        hall.instances(person).into_iter().filter(|view| view.online).map(|view| view.client_id).collect::<Vec<_>>()
    };
    assert_eq!(online(&mut hall, "ann"), ["c"], "nobody had to ask them");
    // An alarm that is late: what comes after the end counts for nothing.
    hall.now_ms = ends_ms + 6_000;
    hall.status(bobs, "a", "busy");
    assert_eq!(hall.closed[&bobs], CloseCode::Unauthorized);
    hall.settle();
    assert!(online(&mut hall, "bob").is_empty() && !hall.closed.contains_key(&stays));
    assert_eq!(hall.alarms.len(), alarms + 1, "none is left to wait for");
}

#[test]
fn a_token_that_ends_while_its_hub_is_told_is_closed_once() {
    let mut hall = Hall::new();
    hall.ends_ms.insert("ann-1", hall.now_ms + 10);
    let socket = hall.connect();
    hall.register(socket, "a", "ann-1");
    assert!(hall.run_errand(), "D1 says it is good");
    hall.now_ms += 10;
    hall.input(LobbyInput::Alarm);
    let alarms = hall.alarms.len();
    hall.input(LobbyInput::Alarm);
    assert_eq!(
        (hall.closed[&socket], hall.alarms.len()),
        (CloseCode::Unauthorized, alarms),
        "it waits for the hub alone"
    );
    hall.settle();
    assert!(!hall.one("ann", "a").online);
    assert_eq!(hall.counts(), (0, 0));
}

#[test]
fn only_one_that_is_away_is_forgotten_and_comes_back_as_new() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    hall.instance("b", "ann-1");
    let client = hall.one("ann", "a").client;
    let forget = Request::ForgetInstance { instance: instance_number(&client).expect("a number") };
    let code = |reply| if let Reply::Refused(refusal) = reply { Some(refusal.code) } else { None };
    assert_eq!(code(hall.ask("ann", forget.clone())), Some(ErrorCode::Conflict));
    assert!(hall.one("ann", "a").online && !hall.closed.contains_key(&socket));
    hall.vanish(socket);
    hall.settle();
    let world = hall.hubs.get_mut("ann").expect("ann");
    let shown = [Topic::Clients, Topic::Instance(instance_number(&client).expect("a number"))];
    for topic in shown {
        world.connect(Peer::Page { person: "ann".into(), topic });
    }
    world.changed.clear();
    assert_eq!(hall.ask("ann", forget.clone()), Reply::Done);
    let world = hall.hubs.get_mut("ann").expect("ann");
    assert!(shown.iter().all(|topic| world.changed.contains(topic)), "pages hear of it: {:?}", world.changed);
    world.evict();
    assert_eq!(hall.instances("ann").iter().map(|view| view.client_id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(code(hall.ask("ann", forget)), Some(ErrorCode::NotFound));
    hall.instance("a", "ann-1");
    assert_ne!(hall.one("ann", "a").client, client, "a number is never given twice");
}

#[test]
fn an_end_that_no_report_told_of_is_found_out_when_somebody_looks() {
    let mut hall = Hall::new();
    let (lost, kept) = (hall.instance("a", "ann-1"), hall.instance("b", "ann-1"));
    // The lobby dies with its socket, and so does its report.
    hall.attachments.remove(&lost);
    hall.evict();
    let hub = hall.hubs.get_mut("ann").expect("ann");
    hub.evict();
    assert!(hub.orders.is_empty(), "nobody looks, nobody asks");
    hub.connect(Peer::Page { person: "ann".into(), topic: Topic::Dashboard });
    assert!(hub.orders.is_empty());
    assert!(!hall.one("ann", "a").online && hall.one("ann", "b").online);
    hall.ask("ann", Request::Board);
    assert!(!hall.closed.contains_key(&kept));
    // A hub that does not answer: the socket is closed, so that its instance comes again and says all anew.
    hall.silent.insert("ann");
    hall.status(kept, "b", "busy");
    hall.settle();
    assert_eq!(hall.closed[&kept], CloseCode::GoingAway);
}

#[test]
fn a_close_in_the_middle_of_a_report_is_told_after_it() {
    let mut hall = Hall::new();
    let socket = hall.connect();
    hall.register(socket, "a", "ann-1");
    assert!(hall.run_errand());
    hall.vanish(socket);
    assert_eq!(hall.errands.len(), 1, "the hub is being told of its coming: its going waits");
    hall.settle();
    assert!(!hall.one("ann", "a").online);
    let early = hall.connect();
    hall.register(early, "c", "ann-1");
    hall.vanish(early);
    hall.settle();
    assert_eq!(hall.instances("ann").len(), 1, "one that left before its token was looked up was never there");
    assert_eq!(hall.counts(), (0, 0));
}

#[test]
fn what_an_eviction_cuts_off_ends_and_is_told() {
    for errands in 0..2 {
        let mut hall = Hall::new();
        let socket = hall.connect();
        hall.register(socket, "a", "ann-1");
        (0..errands).for_each(|_| assert!(hall.run_errand()));
        hall.errands.clear();
        hall.evict();
        hall.input(LobbyInput::Alarm);
        assert_eq!(hall.closed[&socket], CloseCode::GoingAway);
        assert_eq!(hall.errands.len(), errands, "the hub may know of it by now");
    }
}

#[test]
fn a_link_that_the_hub_lost_track_of_is_closed_when_it_speaks() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    hall.tell("ann", LobbyReport::Gone { lobby: LOBBY, sockets: vec![socket] });
    hall.status(socket, "a", "idle");
    hall.settle();
    assert_eq!(hall.closed[&socket], CloseCode::GoingAway);
    let order = LobbyOrder::Command { socket, command: InstanceCommand::RefreshStatus };
    assert_eq!(hall.order(LOBBY, order), [socket]);
}

#[test]
fn there_is_room_for_so_many_and_the_longest_away_makes_room() {
    let mut hall = Hall::new();
    let register = |hall: &mut Hall, n: u64| {
        let report = LobbyReport::Registered {
            link: Link { lobby: LOBBY, socket: n },
            token: "ann-1".into(),
            client_id: format!("c{n}"),
            metadata: Metadata { project: "\u{7}p".repeat(900), ..Metadata::default() },
            connected_ms: n,
        };
        hall.tell("ann", report)
    };
    let most = INSTANCES_MAX as u64;
    for n in 1..=most {
        assert_eq!(register(&mut hall, n), LinkAnswer::Taken);
    }
    assert_eq!(register(&mut hall, most + 1), LinkAnswer::Full);
    hall.tell("ann", LobbyReport::Gone { lobby: LOBBY, sockets: vec![7] });
    hall.tell("ann", LobbyReport::Gone { lobby: LOBBY, sockets: vec![8] });
    assert_eq!(register(&mut hall, most + 1), LinkAnswer::Taken);
    let Reply::Board(board) = hall.hubs.get_mut("ann").expect("ann").ask(Request::Board) else { panic!() };
    assert_eq!(board.instances.len(), INSTANCES_MAX);
    assert!(board.instances.iter().all(|view| view.client_id != "c7" && view.project.len() == 512));
    assert!(board.instances.iter().any(|view| view.client_id == "c8"));
    assert!(!board.instances.iter().any(|view| view.project.contains('\u{7}')));
}

#[test]
fn a_lobby_has_room_for_so_many_that_wait_and_for_so_much_talk() {
    let mut hall = Hall::new();
    let talker = hall.instance("a", "ann-1");
    for _ in 0..=INSTANCE_TEXTS_PER_PERIOD_MAX {
        hall.say(talker, PING);
    }
    hall.settle();
    assert_eq!(hall.closed[&talker], CloseCode::RateLimited);
    assert!(!hall.one("ann", "a").online);
    let sockets: Vec<u64> = (0..=LOBBY_WAITING_MAX).map(|_| hall.connect()).collect();
    assert_eq!(hall.closed.len(), 2);
    assert_eq!(hall.closed[sockets.last().expect("one")], CloseCode::Overloaded);
    assert_eq!(hall.counts(), (LOBBY_WAITING_MAX, LOBBY_WAITING_MAX));
}

#[test]
fn a_hub_is_rebuilt_the_same_with_its_instances() {
    let mut hall = Hall::new();
    let socket = hall.instance("a", "ann-1");
    hall.instance("b", "ann-2");
    hall.vanish(socket);
    hall.settle();
    let world = hall.hubs.get_mut("ann").expect("ann");
    world.is_rebuilt_the_same();
    world.evict();
    assert!(hall.one("ann", "b").online && !hall.one("ann", "a").online);
}

#[test]
fn an_order_comes_of_calls_alone() {
    let mut hall = Hall::new();
    hall.instance("a", "ann-1");
    let world = hall.hubs.get_mut("ann").expect("ann");
    world.evict();
    let page = world.connect(Peer::Page { person: "ann".into(), topic: Topic::Clients });
    for input in [Input::Text { socket: page, text: "x" }, Input::Alarm, Input::Closed { socket: page }] {
        let effects = world.effects(input);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Lobby { .. })));
    }
}
