//! Sessions that are shared: what each right lets somebody do, decided message by message, and what withdrawing does at once.

use protocol::audit::Via;
use protocol::close::CloseCode;
use protocol::control::{Delivery, ErrorCode, Size, StatusReport, StopMode, ViewerMessage};
use protocol::right::Right;
use protocol::status::{BlockedOn, Status};
use session_hub::call::{AuditWanted, Caller, Grantee, Refusal, Reply, Request, SessionDetail, ShareView, Shared};
use session_hub::effect::{Pass, Peer, SocketId, Topic};
use session_hub::limits::{GUEST_LINK_MS_MAX, SHARES_PER_SESSION_MAX};
use session_hub::standing::{Invited, Standing};

use crate::common::{ModelViewer, Stage};

const HOUR_MS: u64 = 60 * 60 * 1000;

pub(super) fn invited(teams: &[&str], link: Option<u64>) -> Standing {
    let teams = teams.iter().map(|team| (*team).to_owned()).collect();
    Standing::Invited(Invited { owner: "1".into(), owner_name: "Ann".into(), teams, link })
}

pub(super) fn bob() -> Caller {
    Caller { person: "bob".into(), name: "Bob".into(), via: Via::Browser, standing: invited(&[], None) }
}

impl Stage {
    pub(super) fn share(&mut self, session: u64, grantee: Grantee, right: Right) -> ShareView {
        let expires_ms = if grantee == Grantee::Guest { self.world.now_ms + HOUR_MS } else { 0 };
        self.share_until(session, grantee, right, expires_ms)
    }

    pub(super) fn share_until(&mut self, session: u64, grantee: Grantee, right: Right, expires_ms: u64) -> ShareView {
        let name = format!("the {} {}", grantee.kind(), grantee.id());
        match self.world.call(Request::Share { session, grantee, name, right, expires_ms }) {
            Reply::Share(view) => view,
            other => panic!("{other:?}"),
        }
    }

    fn shares(&mut self, session: u64) -> Vec<ShareView> {
        match self.world.call(Request::Shares { session }) {
            Reply::Shares(shares) => shares.shares,
            other => panic!("{other:?}"),
        }
    }

    /// Somebody who was invited opens the terminal.
    pub(super) fn invite(&mut self, person: &str, standing: Standing, terminal: u32, drive: bool) -> usize {
        let mut viewer = ModelViewer::new(person, terminal, Delivery::Screen);
        viewer.pass = Pass { standing, ends_ms: 0 };
        viewer.drive = drive;
        self.add(viewer)
    }

    pub(super) fn page(&mut self, standing: Standing, topic: Topic) -> SocketId {
        let pass = Pass { standing, ends_ms: 0 };
        self.world.connect_with(Peer::Page { person: "bob".into(), topic }, pass)
    }

    /// What somebody is refused.
    pub(super) fn refuses(&mut self, who: &Caller, request: Request) -> Refusal {
        match self.world.ask_as(who.clone(), request) {
            Reply::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) fn types(&mut self, viewer: usize, bytes: u64) -> (u64, Vec<ErrorCode>) {
        let before = self.viewers[viewer].acked;
        self.viewers[viewer].refused.clear();
        let (model, world) = self.viewer(viewer);
        model.type_bytes(world, bytes);
        self.settle();
        (self.viewers[viewer].acked - before, self.viewers[viewer].refused.clone())
    }

    fn blocks(&mut self, terminal: u32) {
        let status = Status::Blocked;
        let report = StatusReport { status, blocked_on: Some(BlockedOn::Permission), ..StatusReport::default() };
        self.runner.set_report(&mut self.world, terminal, report);
        self.settle();
    }
}

pub(super) fn person(id: &str) -> Grantee {
    Grantee::Person(id.into())
}

pub(super) fn detail(reply: Reply) -> SessionDetail {
    match reply {
        Reply::Session(detail) => detail,
        other => panic!("{other:?}"),
    }
}

fn shared(reply: Reply) -> Shared {
    match reply {
        Reply::Shared(shared) => shared,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_that_is_not_shared_does_not_exist() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (other, _) = stage.session();
    stage.share(other, person("bob"), Right::Driver);
    let bob = bob();
    let prompt = match stage.world.call(Request::QueuePrompt {
        terminal,
        text: "secret".into(),
        idempotency_key: String::new(),
    }) {
        Reply::Prompt(view) => view.prompt,
        reply => panic!("{reply:?}"),
    };
    let text = String::from("x");
    for request in [
        Request::Session { session },
        Request::Terminal { terminal },
        Request::QueuePrompt { terminal, text: text.clone(), idempotency_key: String::new() },
        Request::EditPrompt { prompt, text: text.clone() },
        Request::CancelPrompt { prompt },
        Request::StopTerminal { terminal, mode: StopMode::Kill },
        Request::Shares { session },
        Request::DeleteSession { session },
        Request::RenameSession { session, name: text.clone() },
        Request::Board,
        Request::Health,
        Request::AuditPage { wanted: AuditWanted::default(), limit: 9 },
        Request::Runner { runner: "r1".into() },
        Request::RevokeRunner { runner: "r1".into() },
        Request::CloseSockets { person: "p1".into() },
        Request::CloseAll { revoke: true },
    ] {
        assert_eq!(stage.refuses(&bob, request.clone()).code, ErrorCode::NotFound, "{request:?}");
    }
    let lines = shared(stage.world.ask_as(bob, Request::Shared)).sessions;
    assert_eq!(lines.iter().map(|line| (line.view.session, line.right)).collect::<Vec<_>>(), [(other, Right::Driver)]);
    let viewer = stage.invite("bob", invited(&[], None), terminal, true);
    assert_eq!(stage.viewers[viewer].errors, [ErrorCode::NotFound]);
    assert!(stage.viewers[viewer].people.is_empty() && stage.viewers[viewer].right.is_none());
    assert_eq!(stage.types(viewer, 3).0, 0);
}

#[test]
fn each_right_lets_somebody_do_what_the_one_before_it_does_and_more() {
    for (right, may_prompt, may_stop) in [
        (Right::Viewer, false, false),
        (Right::Prompter, true, false),
        (Right::Approver, true, false),
        (Right::Driver, true, true),
    ] {
        let mut stage = Stage::new();
        let (session, terminal) = stage.session();
        stage.share(session, person("bob"), right);
        let bob = bob();
        let seen = detail(stage.world.ask_as(bob.clone(), Request::Session { session }));
        assert_eq!((seen.right, seen.view.session), (right, session));
        assert_eq!(seen.runner_view.home.is_empty(), !may_stop, "{right:?}");
        let prompt = Request::QueuePrompt { terminal, text: "go".into(), idempotency_key: String::new() };
        let stop = Request::StopTerminal { terminal, mode: StopMode::Interrupt };
        let open = Request::OpenTerminal { session, runner: String::new(), agent: "shell".into(), cwd: String::new() };
        for (request, may) in [(prompt, may_prompt), (stop, may_stop), (open, may_stop)] {
            match stage.world.ask_as(bob.clone(), request.clone()) {
                Reply::Refused(refusal) => {
                    assert!(!may && refusal.code == ErrorCode::Forbidden, "{right:?} {refusal:?}")
                }
                _ => assert!(may, "{right:?} {request:?}"),
            }
        }
        for request in [
            Request::RenameSession { session, name: "mine".into() },
            Request::ArchiveSession { session, archived: true },
            Request::DeleteSession { session },
            Request::Shares { session },
            Request::OpenTerminal { session, runner: "r1".into(), agent: "shell".into(), cwd: String::new() },
            Request::Share { session, grantee: person("eve"), name: "Eve".into(), right: Right::Viewer, expires_ms: 0 },
        ] {
            assert_eq!(stage.refuses(&bob, request).code, ErrorCode::Forbidden, "{right:?}");
        }
    }
}

#[test]
fn a_prompter_takes_back_their_own_prompts_and_nobody_elses() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.share(session, person("bob"), Right::Prompter);
    stage.runner.cut(&mut stage.world, 9); // what is queued stays queued
    stage.settle();
    let queue = |text: &str| Request::QueuePrompt { terminal, text: text.into(), idempotency_key: "same".into() };
    let number = |reply| match reply {
        Reply::Prompt(view) => view.prompt,
        other => panic!("{other:?}"),
    };
    let anns = number(stage.world.call(queue("of Ann")));
    let bobs = number(stage.world.ask_as(bob(), queue("of Bob")));
    assert_ne!(anns, bobs, "a key is its person's own");
    let seen = detail(stage.world.ask_as(bob(), Request::Session { session }));
    let editable: Vec<bool> = seen.prompts.iter().map(|prompt| prompt.editable).collect();
    assert_eq!(editable, [false, true]);
    assert_eq!(stage.refuses(&bob(), Request::CancelPrompt { prompt: anns }).code, ErrorCode::Forbidden);
    number(stage.world.ask_as(bob(), Request::EditPrompt { prompt: bobs, text: "better".into() }));
    number(stage.world.ask_as(bob(), Request::CancelPrompt { prompt: bobs }));
    stage.share(session, person("bob"), Right::Driver);
    number(stage.world.ask_as(bob(), Request::CancelPrompt { prompt: anns }));
}

#[test]
fn only_a_driver_types_and_has_the_size() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    for right in [Right::Viewer, Right::Prompter, Right::Approver] {
        stage.share(session, person("bob"), right);
        let viewer = stage.invite("bob", invited(&[], None), terminal, true);
        assert_eq!(stage.viewers[viewer].right, Some(right));
        assert_eq!(stage.runner.terminals[&terminal].size, Size::DEFAULT, "who may not drive has no size to give");
        assert_eq!(stage.types(viewer, 3), (0, vec![ErrorCode::Forbidden]), "{right:?}");
        let (model, world) = stage.viewer(viewer);
        model.say(world, &ViewerMessage::Drive { terminal });
        stage.settle();
        assert_eq!(stage.viewers[viewer].errors, [ErrorCode::Forbidden]);
        assert!(stage.viewers[viewer].people.iter().all(|person| !person.drives));
    }
    stage.share(session, person("bob"), Right::Driver);
    let viewer = stage.invite("bob", invited(&[], None), terminal, true);
    assert_eq!(stage.types(viewer, 3), (3, vec![]));
    assert_eq!(stage.runner.terminals[&terminal].size, Size { cols: 100, rows: 30 });
}

#[test]
fn an_approver_answers_while_the_agent_waits_and_not_before_or_after() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let ann = stage.watch("p1", terminal, Delivery::Screen);
    assert_eq!(stage.types(ann, 2).0, 2, "Ann drives");
    stage.share(session, person("bob"), Right::Approver);
    let bob = stage.invite("bob", invited(&[], None), terminal, false);
    assert_eq!(stage.types(bob, 2), (0, vec![ErrorCode::Forbidden]));
    // What was refused is dropped; a client counts on from what was taken.
    stage.viewers[bob].typed = stage.viewers[bob].acked;
    stage.blocks(terminal);
    assert_eq!(stage.types(bob, 1), (1, vec![]));
    assert_eq!(stage.types(bob, 1), (1, vec![]));
    assert!(stage.viewers[ann].people.iter().any(|person| person.drives && person.you), "Ann drives still");
    stage.runner.set_status(&mut stage.world, terminal, Status::Working);
    stage.settle();
    assert_eq!(stage.types(bob, 1), (0, vec![ErrorCode::Forbidden]));
    stage.viewers[bob].typed = stage.viewers[bob].acked;
    stage.blocks(terminal);
    assert_eq!(stage.types(bob, 1), (1, vec![]));
    let wanted = AuditWanted { action: "approval_answered".into(), ..AuditWanted::default() };
    let Reply::Audit(page) = stage.world.call(Request::AuditPage { wanted, limit: 9 }) else { panic!("no entries") };
    let told: Vec<&str> = page.entries.iter().map(|entry| entry.actor.id.as_str()).collect();
    assert_eq!(told, ["bob", "bob"], "one entry for each time that the agent waited");
}

#[test]
fn withdrawing_acts_on_what_is_open_and_on_nobody_else() {
    for evict in [false, true] {
        let mut stage = Stage::new();
        let (session, terminal) = stage.session();
        let share = stage.share(session, person("bob"), Right::Driver);
        let team = stage.share(session, Grantee::Team("acme/builders".into()), Right::Viewer);
        let ann = stage.watch("p1", terminal, Delivery::Screen);
        let bob = stage.invite("bob", invited(&[], None), terminal, true);
        let carol = stage.invite("carol", invited(&["acme/builders"], None), terminal, false);
        let page = stage.page(invited(&[], None), Topic::Session(session));
        assert_eq!(stage.types(bob, 4).0, 4);
        let here: Vec<bool> = stage.shares(session).iter().map(|share| share.here).collect();
        assert_eq!(here, [true, true]);
        if evict {
            stage.world.evict();
            stage.settle();
        }
        stage.world.call(Request::Withdraw { session, share: share.share });
        stage.world.call(Request::Withdraw { session, share: share.share });
        stage.settle();
        assert_eq!(stage.runner.terminals[&terminal].size, Size::DEFAULT, "whoever is out has no size to give");
        assert_eq!(stage.viewers[bob].closed_with, Some(CloseCode::Revoked));
        assert_eq!(stage.world.farewells, [(page, Topic::Session(session))]);
        assert_eq!(stage.viewers[carol].closed_with, None);
        assert_eq!(stage.viewers[ann].people.len(), 2);
        assert_eq!(stage.shares(session).iter().map(|share| share.share).collect::<Vec<_>>(), [team.share]);
        stage.world.is_rebuilt_the_same();
    }
}

#[test]
fn a_lesser_right_takes_the_keyboard_away_and_says_so() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let share = stage.share(session, person("bob"), Right::Driver);
    let bob = stage.invite("bob", invited(&[], None), terminal, true);
    assert_eq!(stage.types(bob, 4).0, 4);
    let again = stage.share(session, person("bob"), Right::Viewer);
    assert_eq!(again.share, share.share, "one share for each of them");
    stage.settle();
    assert_eq!(stage.viewers[bob].right, Some(Right::Viewer));
    assert!(stage.viewers[bob].people.iter().all(|person| !person.drives));
    assert_eq!(stage.types(bob, 1), (0, vec![ErrorCode::Forbidden]));
    assert_eq!(stage.runner.terminals[&terminal].size, Size::DEFAULT);
}

#[test]
fn of_two_sessions_one_is_withdrawn() {
    let mut stage = Stage::new();
    let (one, terminal) = stage.session();
    let (other, _) = stage.session();
    let share = stage.share(one, person("bob"), Right::Viewer);
    stage.share(other, person("bob"), Right::Viewer);
    let bob = stage.invite("bob", invited(&[], None), terminal, false);
    stage.world.call(Request::Withdraw { session: one, share: share.share });
    stage.settle();
    assert_eq!(stage.viewers[bob].closed_with, None, "the connection serves the other session still");
    assert_eq!(stage.viewers[bob].errors, [ErrorCode::Forbidden]);
    stage.print(terminal, 50);
    let before = stage.viewers[bob].have;
    stage.settle();
    assert_eq!(stage.viewers[bob].have, before, "not a byte more");
}

#[test]
fn a_guest_comes_by_a_link_that_ends() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    let (other, _) = stage.session();
    let link = stage.share(session, Grantee::Guest, Right::Viewer);
    let second = stage.share(session, Grantee::Guest, Right::Driver);
    assert_ne!(link.share, second.share, "each link is its own");
    stage.share(other, person("guest:7"), Right::Driver);
    let standing = invited(&[], Some(link.share));
    let guest = Caller { person: "guest:7".into(), name: "Gus".into(), via: Via::Browser, standing: standing.clone() };
    let seen = detail(stage.world.ask_as(guest.clone(), Request::Session { session }));
    assert_eq!(seen.right, Right::Viewer, "the other link's right is not this one's");
    assert_eq!(stage.refuses(&guest, Request::Session { session: other }).code, ErrorCode::NotFound);
    let viewer = stage.invite("guest:7", standing.clone(), terminal, true);
    stage.world.evict();
    stage.settle();
    assert_eq!(stage.world.alarm_ms, Some(link.expires_ms), "asked for when the link was made, and never again");
    stage.world.advance_to_alarm(HOUR_MS - 1);
    assert_eq!(stage.viewers[viewer].closed_with, None);
    stage.world.advance(HOUR_MS);
    // Over is over, whether or not the alarm has rung.
    assert_eq!(stage.refuses(&guest, Request::Session { session }).code, ErrorCode::NotFound);
    assert_eq!(stage.types(viewer, 1).0, 0);
    stage.world.advance_to_alarm(0);
    stage.settle();
    assert_eq!(stage.viewers[viewer].closed_with, Some(CloseCode::Revoked));
    assert!(stage.shares(session).is_empty());
    assert_eq!(stage.world.alarm_ms, None, "and nothing is left to wake up for");
}

#[test]
fn a_socket_ends_with_what_let_it_in() {
    let mut stage = Stage::new();
    let (_, terminal) = stage.session();
    let mut viewer = ModelViewer::new("p1", terminal, Delivery::Screen);
    viewer.pass.ends_ms = stage.world.now_ms + HOUR_MS;
    let early = stage.add(viewer);
    let mut viewer = ModelViewer::new("p1", terminal, Delivery::Screen);
    viewer.pass.ends_ms = stage.world.now_ms + 2 * HOUR_MS;
    let late = stage.add(viewer);
    let forever = stage.watch("p1", terminal, Delivery::Screen);
    stage.world.evict();
    stage.world.advance_to_alarm(HOUR_MS);
    stage.settle();
    assert_eq!(stage.viewers[early].closed_with, Some(CloseCode::Unauthorized));
    assert_eq!(stage.viewers[late].closed_with, None);
    stage.world.advance_to_alarm(HOUR_MS);
    stage.settle();
    assert_eq!(stage.viewers[late].closed_with, Some(CloseCode::Unauthorized));
    assert_eq!(stage.viewers[forever].closed_with, None);
    assert_eq!(stage.world.alarm_ms, None);
}

#[test]
fn shares_are_bounded_and_checked() {
    let mut stage = Stage::new();
    let (session, _) = stage.session();
    let now_ms = stage.world.now_ms;
    let share = |grantee, right, expires_ms| Request::Share { session, grantee, name: "x".into(), right, expires_ms };
    for (request, field) in [
        (share(person("bob"), Right::Owner, 0), "right"),
        (share(person("p1"), Right::Viewer, 0), "grantee"),
        (share(person(""), Right::Viewer, 0), "grantee"),
        (share(Grantee::Team("x".repeat(500)), Right::Viewer, 0), "grantee"),
        (share(Grantee::Guest, Right::Viewer, 0), "expires"),
        (share(Grantee::Guest, Right::Viewer, now_ms + 2 * GUEST_LINK_MS_MAX), "expires"),
        (share(person("bob"), Right::Viewer, 5), "expires"),
    ] {
        assert_eq!(stage.world.refused(request.clone()).field.as_deref(), Some(field), "{request:?}");
    }
    for number in 0..SHARES_PER_SESSION_MAX {
        stage.share(session, person(&format!("q{number}")), Right::Viewer);
    }
    assert_eq!(stage.world.refused(share(person("bob"), Right::Viewer, 0)).code, ErrorCode::Limit);
    stage.share(session, person("q3"), Right::Driver);
    stage.world.is_rebuilt_the_same();
    stage.world.call(Request::DeleteSession { session });
    assert!(stage.world.twin.query("SELECT 1 FROM shares", &[]).expect("rows").is_empty());
}

#[test]
fn deleting_a_session_sends_everybody_away_and_ends_what_was_for_it_alone() {
    let mut stage = Stage::new();
    let (session, terminal) = stage.session();
    stage.share(session, person("bob"), Right::Driver);
    let bob = stage.invite("bob", invited(&[], None), terminal, true);
    let request = Request::AddRunner { runner: "sandbox".into(), name: "a sandbox".into(), session };
    stage.world.call(request);
    let elsewhere = Request::CreateSession {
        name: String::new(),
        task: String::new(),
        runner: "sandbox".into(),
        agent: "shell".into(),
        cwd: String::new(),
        prompt: String::new(),
        idempotency_key: String::new(),
    };
    assert_eq!(stage.world.refused(elsewhere).field.as_deref(), Some("runner"));
    let here = Request::OpenTerminal { session, runner: "sandbox".into(), agent: "shell".into(), cwd: String::new() };
    let Reply::Terminal(opened) = stage.world.call(here) else { panic!("no terminal") };
    assert_eq!(opened.session, session);
    stage.world.call(Request::DeleteSession { session });
    stage.settle();
    assert_eq!(stage.viewers[bob].closed_with, Some(CloseCode::Revoked));
    let Reply::Runner(runner) = stage.world.call(Request::Runner { runner: "sandbox".into() }) else { panic!() };
    assert!(runner.revoked);
}

#[test]
fn an_invitation_is_told_to_the_dashboards_and_outlives_an_eviction() {
    let mut stage = Stage::new();
    stage.world.connect(Peer::Page { person: "p1".into(), topic: Topic::Dashboard });
    stage.world.changed.clear();
    assert_eq!(stage.board().invitations, 0);
    stage.world.call(Request::Invited);
    assert!(stage.world.changed.contains(&Topic::Dashboard));
    stage.world.evict();
    assert_eq!(stage.board().invitations, 1);
    assert_eq!(stage.refuses(&bob(), Request::Invited).code, ErrorCode::NotFound);
}
