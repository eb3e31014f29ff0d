//! A hub, one runner and some viewers, with the verbs that stories are told in.

use protocol::control::Delivery;
use protocol::status::Status;
use session_hub::call::{Board, Reply, Request, SessionDetail};

use super::{ModelRunner, ModelViewer, World};

pub struct Stage {
    pub world: World,
    pub runner: ModelRunner,
    pub viewers: Vec<ModelViewer>,
}

impl Stage {
    /// A hub with a connected runner.
    pub fn new() -> Stage {
        Stage::with_seed(1)
    }

    pub fn with_seed(seed: u64) -> Stage {
        let mut stage = Stage { world: World::with_seed(seed), runner: ModelRunner::new("r1"), viewers: Vec::new() };
        stage.runner.connect(&mut stage.world);
        stage.settle();
        stage
    }

    /// A session with an open terminal, and their numbers.
    pub fn session(&mut self) -> (u64, u32) {
        let detail = self.create("");
        self.settle();
        (detail.view.session, detail.view.main_terminal)
    }

    pub fn create(&mut self, prompt: &str) -> Box<SessionDetail> {
        let request = Request::CreateSession {
            name: String::new(),
            task: String::new(),
            runner: "r1".into(),
            agent: "claude".into(),
            cwd: "/src/app".into(),
            prompt: prompt.into(),
            idempotency_key: String::new(),
        };
        match self.world.call(request) {
            Reply::Session(detail) => Box::new(detail),
            other => panic!("{other:?}"),
        }
    }

    pub fn detail(&mut self, session: u64) -> Box<SessionDetail> {
        match self.world.call(Request::Session { session }) {
            Reply::Session(detail) => Box::new(detail),
            other => panic!("{other:?}"),
        }
    }

    pub fn board(&mut self) -> Board {
        match self.world.call(Request::Board) {
            Reply::Board(board) => board,
            other => panic!("{other:?}"),
        }
    }

    pub fn status(&mut self, session: u64) -> Status {
        self.detail(session).view.status.status
    }

    /// A person opens the terminal; returns its place among the viewers.
    pub fn watch(&mut self, person: &str, terminal: u32, delivery: Delivery) -> usize {
        let mut viewer = ModelViewer::new(person, terminal, delivery);
        if delivery == Delivery::Bytes {
            viewer.have = Some(0);
        }
        self.add(viewer)
    }

    pub fn add(&mut self, mut viewer: ModelViewer) -> usize {
        viewer.connect(&mut self.world);
        self.viewers.push(viewer);
        self.settle();
        self.viewers.len() - 1
    }

    pub fn print(&mut self, terminal: u32, bytes: u64) {
        self.runner.print(&self.world, terminal, bytes);
    }

    pub fn viewer(&mut self, index: usize) -> (&mut ModelViewer, &mut World) {
        (&mut self.viewers[index], &mut self.world)
    }

    /// Lets everything that is on its way arrive, and everybody render what came, until nothing moves.
    pub fn settle(&mut self) {
        let all: Vec<usize> = (0..self.viewers.len()).collect();
        self.settle_but(&[], &all);
    }

    /// The same, but `stalled` take nothing at all; `rendering` put what comes on their screens.
    pub fn settle_but(&mut self, stalled: &[usize], rendering: &[usize]) {
        for _ in 0..2_000_000 {
            if !self.turn(stalled, rendering) {
                return;
            }
        }
        panic!("nothing comes to rest");
    }

    fn turn(&mut self, stalled: &[usize], rendering: &[usize]) -> bool {
        let mut moved = false;
        let sockets: Vec<u64> = self.world.up.keys().copied().collect();
        for socket in sockets {
            moved |= self.world.deliver_up(socket);
        }
        while self.runner.receive(&mut self.world) {
            moved = true;
        }
        moved |= self.runner.step(&mut self.world);
        for (index, viewer) in self.viewers.iter_mut().enumerate() {
            if stalled.contains(&index) {
                continue;
            }
            while viewer.receive(&mut self.world) {
                moved = true;
            }
            if rendering.contains(&index) {
                viewer.render(&mut self.world, u64::MAX);
            }
        }
        moved || self.world.up.values().any(|queue| !queue.is_empty())
    }

    /// The agent works until it has nothing more to do.
    pub fn work(&mut self, terminal: u32) {
        loop {
            self.settle();
            if !self.runner.work(&mut self.world, terminal) {
                return;
            }
        }
    }

    pub fn end_of(&self, terminal: u32) -> u64 {
        self.runner.terminals[&terminal].end
    }
}
