//! The hub between a model runner and model viewers, with everything going wrong that does: connections break with messages
//! under way, closes come late, twice or never, sockets overtake one another, the hub is evicted between any two inputs, the
//! runner's process dies. Each run follows from one number: `MUSTER_SIM_SEED=17` plays the seventeenth again.

use protocol::control::{Delivery, Size, ViewerMessage};
use protocol::limits::WINDOW_BYTES;
use protocol::status::PromptState;
use session_hub::call::{Reply, Request};
use session_hub::effect::Input;

use crate::common::{ModelViewer, Stage};

/// Runs and steps of the everyday test; `MUSTER_SIM_SEEDS` and `MUSTER_SIM_STEPS` ask for more.
const SEEDS: u64 = 150;
const STEPS: u64 = 2_500;

#[test]
fn whatever_goes_wrong_no_byte_is_lost_or_doubled() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let steps = number("MUSTER_SIM_STEPS").unwrap_or(STEPS);
    let seeds = match number("MUSTER_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MUSTER_SIM_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let run = std::panic::AssertUnwindSafe(|| Simulation::new(seed).run(steps));
        match std::panic::catch_unwind(run) {
            Ok(run) => seen.add(&run),
            Err(panic) => {
                eprintln!("again with: MUSTER_SIM_SEED={seed} MUSTER_SIM_STEPS={steps}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{seen:?}");
    if seeds.end - seeds.start > 50 {
        seen.is_worth_something();
    }
}

/// What the runs went through, so that a simulation that no longer bites shows.
#[derive(Default, Debug)]
struct Seen {
    bytes: u64,
    evictions: u64,
    cuts: u64,
    snapshots: u64,
    jumps: u64,
    resyncs: u64,
    prompts: u64,
    typed: u64,
    excess_max: u64,
}

impl Seen {
    fn add(&mut self, other: &Seen) {
        self.bytes += other.bytes;
        self.evictions += other.evictions;
        self.cuts += other.cuts;
        self.snapshots += other.snapshots;
        self.jumps += other.jumps;
        self.resyncs += other.resyncs;
        self.prompts += other.prompts;
        self.typed += other.typed;
        self.excess_max = self.excess_max.max(other.excess_max);
    }

    fn is_worth_something(&self) {
        let all =
            [self.bytes, self.evictions, self.cuts, self.snapshots, self.jumps, self.resyncs, self.prompts, self.typed];
        assert!(all.iter().all(|count| *count > 0), "{self:?}");
    }
}

struct Simulation {
    stage: Stage,
    rng: Rng,
    session: u64,
    terminals: Vec<u32>,
    prompts: Vec<u64>,
    seen: Seen,
    /// Sockets that closed, whose closes may come again.
    gone: Vec<u64>,
    /// One eviction in so many comes true: what an eviction heals must not hide what it does not.
    calm: u64,
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

impl Simulation {
    fn new(seed: u64) -> Simulation {
        let mut rng = Rng(seed);
        let mut stage = Stage::with_seed(seed);
        let (session, first) = stage.session();
        let (_, second) = stage.session();
        stage.runner.wide = rng.one_in(12);
        for index in 0..2 + rng.below(4) {
            let terminal = if rng.one_in(3) { second } else { first };
            // One person in many places: whoever types takes the keyboard.
            let mut viewer = match rng.below(2) {
                0 => ModelViewer::of_bytes("ann", terminal),
                _ => ModelViewer::new("ann", terminal, Delivery::Screen),
            };
            viewer.drive = rng.one_in(2);
            viewer.size = Size { cols: 60 + index as u16, rows: 20 + index as u16 };
            viewer.connect(&mut stage.world);
            stage.viewers.push(viewer);
        }
        let calm = [1, 10, 100, u64::MAX][rng.below(4) as usize];
        let (seen, terminals) = (Seen::default(), vec![first, second]);
        Simulation { stage, rng, session, terminals, prompts: Vec::new(), seen, gone: Vec::new(), calm }
    }

    fn run(mut self, steps: u64) -> Seen {
        for _ in 0..steps {
            self.step();
        }
        self.come_to_rest();
        self.judge();
        self.seen.evictions = self.stage.world.evictions;
        self.seen.excess_max = self.stage.world.excess_max;
        for viewer in &self.stage.viewers {
            self.seen.snapshots += u64::from(viewer.snapshots);
            self.seen.resyncs += u64::from(viewer.resyncs);
            self.seen.typed += viewer.typed;
        }
        for terminal in self.stage.runner.terminals.values() {
            self.seen.jumps += u64::from(terminal.jumps);
            self.seen.bytes += terminal.end;
        }
        self.seen
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..30 => self.deliver_some(),
            30..55 => self.peers_take_some(),
            55..67 => {
                for _ in 0..1 + self.rng.below(12) {
                    self.stage.runner.step(&mut self.stage.world);
                }
            }
            67..74 => self.print(),
            74..81 => self.render(),
            81..85 => self.type_something(),
            85..88 => self.change_a_viewer(),
            88..90 => self.break_a_viewer(),
            90 => self.break_the_runner(),
            91..95 => {
                if self.rng.one_in(self.calm) {
                    self.evict();
                }
            }
            95..97 => self.work(),
            97 => self.close_again(),
            _ => self.call(),
        }
    }

    /// Some sockets' oldest messages reach the hub: in order within one, in any order across them.
    fn deliver_some(&mut self) {
        for _ in 0..1 + self.rng.below(8) {
            let sockets: Vec<u64> =
                self.stage.world.up.iter().filter(|(_, queue)| !queue.is_empty()).map(|(socket, _)| *socket).collect();
            if sockets.is_empty() {
                return;
            }
            let socket = sockets[self.rng.below(sockets.len() as u64) as usize];
            for _ in 0..1 + self.rng.below(6) {
                self.stage.world.deliver_up(socket);
            }
            if !self.stage.world.up.contains_key(&socket) {
                self.gone.push(socket);
            }
        }
    }

    fn peers_take_some(&mut self) {
        let count = self.stage.viewers.len() as u64;
        for _ in 0..1 + self.rng.below(20) {
            match self.rng.below(count + 1) as usize {
                0 => self.stage.runner.receive(&mut self.stage.world),
                index => {
                    let (viewer, world) = self.stage.viewer(index - 1);
                    viewer.receive(world)
                }
            };
        }
        self.reconnect_those_closed();
    }

    /// Whoever was closed by the hub dials again, as clients do.
    fn reconnect_those_closed(&mut self) {
        for index in 0..self.stage.viewers.len() {
            let again = self.rng.one_in(3);
            let (viewer, world) = self.stage.viewer(index);
            assert_eq!(viewer.closed_with, None, "the hub closed a viewer");
            if viewer.socket.is_none() && again {
                viewer.connect(world);
            }
        }
        if self.stage.runner.closed_with.take().is_some() || (self.stage.runner.socket.is_none() && self.rng.one_in(3))
        {
            self.stage.runner.connect(&mut self.stage.world);
        }
    }

    fn print(&mut self) {
        let terminal = self.terminals[self.rng.below(2) as usize];
        let bytes = match self.rng.below(100) {
            0..7 => self.rng.below(3 * WINDOW_BYTES),
            7 if self.rng.one_in(3) => 9 * WINDOW_BYTES,
            8..30 => self.rng.below(40_000),
            _ => self.rng.below(200),
        };
        self.stage.print(terminal, bytes);
    }

    fn render(&mut self) {
        let index = self.rng.below(self.stage.viewers.len() as u64) as usize;
        // The first takes all at once, so that others fall behind it.
        let bytes = if index == 0 { u64::MAX } else { self.rng.below(200_000) };
        let (viewer, world) = self.stage.viewer(index);
        viewer.render(world, bytes);
    }

    fn type_something(&mut self) {
        let index = self.rng.below(self.stage.viewers.len() as u64) as usize;
        let most = if self.rng.one_in(8) { 3_000 } else { 4 };
        let bytes = 1 + self.rng.below(most);
        let (viewer, world) = self.stage.viewer(index);
        viewer.type_bytes(world, bytes);
    }

    fn change_a_viewer(&mut self) {
        let index = self.rng.below(self.stage.viewers.len() as u64) as usize;
        let kind = self.rng.below(5);
        let size = Size { cols: 40 + self.rng.below(100) as u16, rows: 10 + self.rng.below(50) as u16 };
        let (viewer, world) = self.stage.viewer(index);
        let terminal = viewer.terminal;
        match kind {
            0 => viewer.say(world, &ViewerMessage::Drive { terminal }),
            1 => viewer.say(world, &ViewerMessage::Release { terminal }),
            2 => {
                viewer.size = size;
                viewer.say(world, &ViewerMessage::Size { terminal, size });
            }
            3 if viewer.delivery == Delivery::Screen => {
                viewer.say(world, &ViewerMessage::Snapshot { terminal, scrollback: u32::from(size.cols) % 3 });
            }
            _ if viewer.socket.is_some() && viewer.writer.is_some() => {
                // A page that is hidden and shown again.
                viewer.say(world, &ViewerMessage::Detach { terminal });
                viewer.attach(world);
            }
            _ => {}
        }
    }

    fn break_a_viewer(&mut self) {
        let index = self.rng.below(self.stage.viewers.len() as u64) as usize;
        let kept = self.rng.below(12) as usize;
        let again = self.rng.one_in(2);
        let (viewer, world) = self.stage.viewer(index);
        viewer.cut(world, kept);
        if again {
            viewer.connect(world); // before the hub has heard of the end of the old one
        }
        self.seen.cuts += 1;
    }

    fn break_the_runner(&mut self) {
        let kept = self.rng.below(30) as usize;
        self.stage.runner.cut(&mut self.stage.world, kept);
        if self.rng.one_in(2) {
            self.stage.runner.connect(&mut self.stage.world);
        }
        self.seen.cuts += 1;
    }

    /// Sometimes the process dies with the memory, and sockets are gone without a word.
    fn evict(&mut self) {
        for index in 0..self.stage.viewers.len() {
            if self.rng.one_in(12) {
                let (viewer, world) = self.stage.viewer(index);
                if let Some(socket) = viewer.socket {
                    viewer.cut(world, 0);
                    world.vanish(socket);
                }
            }
        }
        if self.rng.one_in(15)
            && let Some(socket) = self.stage.runner.socket
        {
            self.stage.runner.cut(&mut self.stage.world, 0);
            self.stage.world.vanish(socket);
        }
        self.stage.world.evict();
    }

    fn work(&mut self) {
        let terminal = self.terminals[0];
        self.stage.runner.work(&mut self.stage.world, terminal);
        if self.rng.one_in(3) {
            self.stage.runner.checkpoint(&mut self.stage.world, terminal);
        }
    }

    /// A close that comes a second time.
    fn close_again(&mut self) {
        if let Some(socket) = self.gone.last() {
            self.stage.world.input(Input::Closed { socket: *socket });
        }
    }

    fn call(&mut self) {
        match self.rng.below(4) {
            0 if self.prompts.len() < 40 => {
                let terminal = self.terminals[0];
                let request = Request::QueuePrompt {
                    terminal,
                    text: "go on".into(),
                    idempotency_key: format!("key {}", self.prompts.len()),
                };
                let first = self.stage.world.call(request.clone());
                assert_eq!(first, self.stage.world.call(request), "asked twice is asked once");
                let Reply::Prompt(view) = first else { panic!("{first:?}") };
                self.prompts.push(view.prompt);
                self.seen.prompts += 1;
            }
            1 if !self.prompts.is_empty() => {
                let prompt = self.prompts[self.rng.below(self.prompts.len() as u64) as usize];
                self.stage.world.ask(Request::CancelPrompt { prompt });
            }
            2 => {
                self.stage.board();
            }
            _ => {
                let session = self.session;
                self.stage.detail(session);
            }
        }
    }

    /// The world heals: everybody is connected, and everything that is under way arrives.
    fn come_to_rest(&mut self) {
        self.stage.settle();
        if self.stage.runner.socket.is_none() {
            self.stage.runner.connect(&mut self.stage.world);
        }
        for index in 0..self.stage.viewers.len() {
            let (viewer, world) = self.stage.viewer(index);
            if viewer.socket.is_none() {
                viewer.connect(world);
            }
        }
        let terminals = self.terminals.clone();
        for terminal in terminals {
            self.stage.work(terminal);
        }
        // A silent program may hide what is missing from people, but not from this test: it prints nothing more.
        self.stage.settle();
    }

    fn judge(&mut self) {
        for (index, viewer) in self.stage.viewers.iter().enumerate() {
            let terminal = &self.stage.runner.terminals[&viewer.terminal];
            assert_eq!(viewer.have, Some(terminal.end), "viewer {index} is not caught up");
            assert_eq!(viewer.acked, viewer.typed, "viewer {index}: input is missing");
            let writer = viewer.writer.expect("a writer");
            let typed = terminal.typed.get(&writer).copied().unwrap_or_default();
            assert_eq!(typed, viewer.typed, "viewer {index}: not typed once");
            assert!(viewer.gaps.is_empty() && viewer.refused.is_empty(), "viewer {index}: {:?}", viewer.refused);
            assert!(viewer.delivery == Delivery::Screen || viewer.snapshots == 0);
            assert_eq!(viewer.pty_size, Some(terminal.size), "viewer {index} has another size than the PTY");
            let watching = self.stage.viewers.iter().filter(|other| other.terminal == viewer.terminal).count();
            assert_eq!(viewer.people.len(), watching, "viewer {index} sees ghosts or misses people");
        }
        let session = self.session;
        let prompts = self.stage.detail(session).prompts;
        let terminal = &self.stage.runner.terminals[&self.terminals[0]];
        for prompt in &self.prompts {
            let written = terminal.written.get(prompt).copied().unwrap_or_default();
            let Some(view) = prompts.iter().find(|view| view.prompt == *prompt) else { continue };
            match view.state {
                PromptState::Done => assert_eq!(written, 1, "prompt {prompt}"),
                PromptState::Cancelled => assert_eq!(written, 0, "prompt {prompt}"),
                other => panic!("prompt {prompt} is {other:?} at rest"),
            }
        }
        self.leaves_nothing_running();
    }

    /// With nobody left nothing is sent, and the PTY has its ordinary size.
    fn leaves_nothing_running(&mut self) {
        for index in 0..self.stage.viewers.len() {
            let (viewer, world) = self.stage.viewer(index);
            viewer.cut(world, 0);
        }
        self.stage.settle();
        for terminal in self.stage.runner.terminals.values() {
            assert_eq!((terminal.stream, terminal.size), (None, Size::DEFAULT));
        }
    }
}
