//! Memory is a cache: after any sequence of inputs a hub rebuilt from the store and the attachments answers like the one
//! that took them.

use proptest::prelude::*;
use protocol::control::{Delivery, RunnerMessage, Size, StatusReport, StopMode, ViewerMessage};
use protocol::status::{BlockedOn, Status};
use session_hub::call::Request;
use session_hub::effect::{Peer, Topic};

use crate::common::{ModelRunner, ModelViewer, Stage};

/// One thing that may happen. The small numbers choose among what is there.
#[derive(Clone, Debug)]
enum Op {
    Create(bool),
    Open(u8),
    Stop(u8),
    Restart(u8),
    CloseTerminal(u8),
    Archive(u8, bool),
    Delete(u8),
    Rename(u8),
    Queue(u8),
    Cancel(u8),
    Status(u8, u8),
    Print(u8),
    Checkpoint(u8),
    Work(u8),
    Pulse,
    Watch(u8, u8, bool),
    Drive(u8),
    Release(u8),
    Resize(u8, u8),
    Type(u8),
    LeaveOrBreak(u8, bool),
    CutRunner(u8),
    ConnectRunner,
    LoseTerminal(u8),
    SecondRunner,
    RevokeSecond,
    RefuseToOpen(bool),
    Page(u8),
    SignOut(u8),
    Deliver(u8),
    Settle,
    Evict,
    Wait(u16),
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => any::<bool>().prop_map(Op::Create),
        2 => any::<u8>().prop_map(Op::Open),
        2 => any::<u8>().prop_map(Op::Stop),
        2 => any::<u8>().prop_map(Op::Restart),
        1 => any::<u8>().prop_map(Op::CloseTerminal),
        1 => any::<(u8, bool)>().prop_map(|(n, archived)| Op::Archive(n, archived)),
        1 => any::<u8>().prop_map(Op::Delete),
        1 => any::<u8>().prop_map(Op::Rename),
        4 => any::<u8>().prop_map(Op::Queue),
        2 => any::<u8>().prop_map(Op::Cancel),
        4 => any::<(u8, u8)>().prop_map(|(n, status)| Op::Status(n, status)),
        2 => any::<u8>().prop_map(Op::Print),
        2 => any::<u8>().prop_map(Op::Checkpoint),
        4 => any::<u8>().prop_map(Op::Work),
        1 => Just(Op::Pulse),
        4 => any::<(u8, u8, bool)>().prop_map(|(n, person, drive)| Op::Watch(n, person, drive)),
        2 => any::<u8>().prop_map(Op::Drive),
        1 => any::<u8>().prop_map(Op::Release),
        2 => any::<(u8, u8)>().prop_map(|(n, cols)| Op::Resize(n, cols)),
        2 => any::<u8>().prop_map(Op::Type),
        2 => any::<(u8, bool)>().prop_map(|(n, leave)| Op::LeaveOrBreak(n, leave)),
        2 => any::<u8>().prop_map(Op::CutRunner),
        3 => Just(Op::ConnectRunner),
        1 => any::<u8>().prop_map(Op::LoseTerminal),
        1 => Just(Op::SecondRunner),
        1 => Just(Op::RevokeSecond),
        1 => any::<bool>().prop_map(Op::RefuseToOpen),
        1 => any::<u8>().prop_map(Op::Page),
        1 => any::<u8>().prop_map(Op::SignOut),
        6 => any::<u8>().prop_map(Op::Deliver),
        4 => Just(Op::Settle),
        1 => Just(Op::Evict),
        2 => any::<u16>().prop_map(Op::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn a_rebuilt_hub_answers_like_the_one_in_memory(ops in prop::collection::vec(any_op(), 1..60)) {
        let mut scene = Scene::new();
        for op in ops {
            scene.play(&op);
            scene.stage.world.is_rebuilt_the_same();
        }
        scene.play(&Op::ConnectRunner);
        scene.stage.settle();
        scene.stage.world.is_rebuilt_the_same();
    }
}

struct Scene {
    stage: Stage,
    second: ModelRunner,
    sessions: Vec<u64>,
}

impl Scene {
    fn new() -> Scene {
        Scene { stage: Stage::new(), second: ModelRunner::new("r2"), sessions: Vec::new() }
    }

    fn session(&self, n: u8) -> Option<u64> {
        let count = self.sessions.len();
        (count > 0).then(|| self.sessions[usize::from(n) % count])
    }

    /// One of the numbers up to a few more than were given.
    fn terminal(&self, n: u8) -> u32 {
        1 + u32::from(n) % (self.sessions.len() as u32 + 4)
    }

    fn ask(&mut self, request: Request) {
        self.stage.world.ask(request);
    }

    fn play(&mut self, op: &Op) {
        match *op {
            Op::Create(prompt) => {
                let prompt = if prompt { "do it" } else { "" };
                let detail = self.stage.create(prompt);
                self.sessions.push(detail.view.session);
            }
            Op::Deliver(n) => {
                for socket in self.stage.world.up.keys().copied().collect::<Vec<_>>() {
                    for _ in 0..n % 4 {
                        self.stage.world.deliver_up(socket);
                    }
                }
                for _ in 0..n % 8 {
                    self.stage.runner.receive(&mut self.stage.world);
                    self.stage.runner.step(&mut self.stage.world);
                }
            }
            Op::Settle => self.stage.settle(),
            Op::Evict => self.stage.world.evict(),
            Op::Wait(ms) => self.stage.world.advance(u64::from(ms) * 10),
            Op::Page(n) => {
                let topic = self.session(n).map_or(Topic::Dashboard, Topic::Session);
                self.stage.world.connect(Peer::Page { person: "ann".into(), topic });
            }
            Op::SignOut(n) => self.ask(Request::CloseSockets { person: person(n) }),
            Op::SecondRunner => {
                self.second.connect(&mut self.stage.world);
                self.stage.settle();
            }
            Op::RevokeSecond => self.ask(Request::RevokeRunner { runner: "r2".into() }),
            _ => self.play_call(op),
        }
    }

    fn play_call(&mut self, op: &Op) {
        let request = match *op {
            Op::Open(n) => self.session(n).map(|session| Request::OpenTerminal {
                runner: String::new(),
                session,
                agent: "shell".into(),
                cwd: String::new(),
            }),
            Op::Stop(n) => Some(Request::StopTerminal { terminal: self.terminal(n), mode: StopMode::Terminate }),
            Op::Restart(n) => Some(Request::RestartTerminal { terminal: self.terminal(n) }),
            Op::CloseTerminal(n) => Some(Request::CloseTerminal { terminal: self.terminal(n) }),
            Op::Archive(n, archived) => self.session(n).map(|session| Request::ArchiveSession { session, archived }),
            Op::Delete(n) => self.session(n).map(|session| Request::DeleteSession { session }),
            Op::Rename(n) => self.session(n).map(|session| Request::RenameSession { session, name: format!("n{n}") }),
            Op::Queue(n) => Some(Request::QueuePrompt {
                terminal: self.terminal(n),
                text: "more".into(),
                idempotency_key: if n % 2 == 0 { format!("k{}", n % 8) } else { String::new() },
            }),
            Op::Cancel(n) => Some(Request::CancelPrompt { prompt: 1 + u64::from(n) % 12 }),
            _ => return self.play_peer(op),
        };
        if let Some(request) = request {
            self.ask(request);
        }
    }

    fn play_peer(&mut self, op: &Op) {
        let statuses = [Status::Blocked, Status::Failed, Status::Working, Status::Idle, Status::Done, Status::Unknown];
        let terminal = |n| self.terminal(n);
        match *op {
            Op::Status(n, which) => {
                let (terminal, status) = (terminal(n), statuses[usize::from(which) % statuses.len()]);
                let blocked_on = (status == Status::Blocked).then_some(BlockedOn::Question);
                let exit_code = (which > 240).then_some(i32::from(which) - 241);
                let title = format!("title {}", which / 6 % 3);
                let report = StatusReport { status, blocked_on, title, exit_code, ..StatusReport::default() };
                self.stage.runner.set_report(&mut self.stage.world, terminal, report);
            }
            Op::Print(n) => {
                let terminal = terminal(n);
                self.stage.print(terminal, u64::from(n) * 100);
            }
            Op::Checkpoint(n) => {
                let terminal = terminal(n);
                self.stage.runner.checkpoint(&mut self.stage.world, terminal);
            }
            Op::Work(n) => {
                let terminal = terminal(n);
                self.stage.runner.work(&mut self.stage.world, terminal);
            }
            Op::Pulse => self.stage.runner.say(&mut self.stage.world, &RunnerMessage::Pulse { rtt_ms: 12 }),
            Op::CutRunner(n) => self.stage.runner.cut(&mut self.stage.world, usize::from(n) % 6),
            Op::ConnectRunner => {
                if self.stage.runner.socket.is_none() {
                    self.stage.runner.connect(&mut self.stage.world);
                }
            }
            Op::LoseTerminal(n) => {
                let terminal = terminal(n);
                self.stage.runner.cut(&mut self.stage.world, 0);
                self.stage.runner.terminals.remove(&terminal);
                self.stage.runner.connect(&mut self.stage.world);
            }
            Op::RefuseToOpen(refuses) => self.stage.runner.refuses_to_open = refuses,
            _ => self.play_viewer(op),
        }
    }

    fn play_viewer(&mut self, op: &Op) {
        if let Op::Watch(n, who, drive) = *op {
            let delivery = if who % 2 == 0 { Delivery::Screen } else { Delivery::Bytes };
            let mut viewer = ModelViewer::new(&person(who), self.terminal(n), delivery);
            viewer.drive = drive;
            viewer.have = (delivery == Delivery::Bytes).then_some(0);
            viewer.connect(&mut self.stage.world);
            return self.stage.viewers.push(viewer);
        }
        let count = self.stage.viewers.len();
        let (Op::Drive(n) | Op::Release(n) | Op::Resize(n, _) | Op::Type(n) | Op::LeaveOrBreak(n, _)) = *op else {
            return;
        };
        if count == 0 {
            return;
        }
        let (viewer, world) = self.stage.viewer(usize::from(n) % count);
        let terminal = viewer.terminal;
        match *op {
            Op::Drive(_) => viewer.say(world, &ViewerMessage::Drive { terminal }),
            Op::Release(_) => viewer.say(world, &ViewerMessage::Release { terminal }),
            Op::Resize(_, cols) => {
                viewer.say(world, &ViewerMessage::Size { terminal, size: Size { cols: cols.into(), rows: 30 } });
            }
            Op::Type(_) => viewer.type_bytes(world, 3),
            Op::LeaveOrBreak(_, true) => viewer.say(world, &ViewerMessage::Detach { terminal }),
            _ => viewer.cut(world, 1),
        }
    }
}

fn person(n: u8) -> String {
    ["ann", "bob", "eve"][usize::from(n) % 3].into()
}
