//! A runner as the wire's documents describe it: logs by offset, streams paced by credit, input taken once, prompts
//! delivered once. Its terminals outlive its connections.

use std::collections::BTreeMap;

use protocol::control::{
    self, AgentOffer, ErrorCode, ErrorReport, PromptReport, RunnerCommand, RunnerMessage, Size, StatusReport,
    TerminalReport,
};
use protocol::frame::{self, Flags, Frame, Header, Kind};
use protocol::limits::WINDOW_BYTES;
use protocol::status::{PromptState, Status};
use session_hub::effect::{Peer, SocketId};

use super::{Down, Up, World, pattern};

/// Bytes of an ordinary output frame.
pub const FRAME: u64 = 4096;

#[derive(Clone, Debug)]
pub struct ModelTerminal {
    pub oldest: u64,
    pub end: u64,
    pub size: Size,
    pub status: StatusReport,
    pub last_output_ms: u64,
    /// The live stream's position and the newest credit.
    pub stream: Option<(u64, u64)>,
    pub pace: Option<u64>,
    /// Of each writer, everything below was typed.
    pub typed: BTreeMap<u64, u64>,
    pub prompts: BTreeMap<u64, PromptState>,
    /// How often each prompt was written to the agent.
    pub written: BTreeMap<u64, u32>,
    /// Reads and snapshots that were asked for, in order.
    asked: Vec<Asked>,
    pub saved: u64,
    pub jumps: u32,
}

#[derive(Clone, Debug)]
enum Asked {
    Read(u64, u64),
    Snapshot(u32),
}

pub struct ModelRunner {
    pub id: String,
    pub socket: Option<SocketId>,
    pub terminals: BTreeMap<u32, ModelTerminal>,
    pub forgotten: Vec<u32>,
    pub welcomed: u32,
    pub closed_with: Option<protocol::close::CloseCode>,
    /// Opens are answered with a failure.
    pub refuses_to_open: bool,
    /// It answers that it does not have these.
    pub lacks: Vec<u32>,
    /// Commands in the order they came, for stories.
    pub commands: Vec<RunnerCommand>,
    /// Snapshots are larger than one frame.
    pub wide: bool,
}

impl ModelRunner {
    pub fn new(id: &str) -> ModelRunner {
        ModelRunner {
            id: id.into(),
            socket: None,
            terminals: BTreeMap::new(),
            forgotten: Vec::new(),
            welcomed: 0,
            closed_with: None,
            refuses_to_open: false,
            lacks: Vec::new(),
            commands: Vec::new(),
            wide: false,
        }
    }

    pub fn connect(&mut self, world: &mut World) {
        self.dial(world);
        self.say_hello(world);
    }

    pub fn dial(&mut self, world: &mut World) {
        self.disconnected();
        let peer = Peer::Runner { runner: self.id.clone(), name: format!("{} box", self.id) };
        self.socket = Some(world.connect(peer));
    }

    pub fn hello(&self) -> RunnerMessage {
        let offer =
            |name: &str, label: &str, available| AgentOffer { name: name.into(), label: label.into(), available };
        RunnerMessage::Hello {
            version: env!("CARGO_PKG_VERSION").into(),
            hostname: "box".into(),
            os: "linux".into(),
            arch: "x86_64".into(),
            capabilities: vec![],
            agents: vec![
                offer("shell", "Shell", true),
                offer("claude", "Claude Code", true),
                offer("codex", "Codex", false),
            ],
            home: "/home/ann".into(),
            terminals: self.terminals.iter().map(|(id, terminal)| terminal.report(*id)).collect(),
        }
    }

    pub fn say_hello(&mut self, world: &mut World) {
        let hello = self.hello();
        self.say(world, &hello);
    }

    pub fn say(&self, world: &mut World, message: &RunnerMessage) {
        if let Some(socket) = self.socket {
            world.say(socket, Up::Text(control::encode(message)));
        }
    }

    fn say_bytes(&self, world: &mut World, bytes: Vec<u8>) {
        if let Some(socket) = self.socket {
            world.say(socket, Up::Binary(bytes));
        }
    }

    /// The connection broke; some of what was said may still arrive.
    pub fn cut(&mut self, world: &mut World, kept: usize) {
        if let Some(socket) = self.socket {
            world.cut(socket, kept);
        }
        self.disconnected();
    }

    fn disconnected(&mut self) {
        self.socket = None;
        for terminal in self.terminals.values_mut() {
            terminal.stream = None;
            terminal.pace = None;
            terminal.asked.clear();
        }
    }

    /// The program of a terminal prints.
    pub fn print(&mut self, world: &World, terminal: u32, bytes: u64) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            terminal.end += bytes;
            terminal.last_output_ms = world.now_ms;
        }
    }

    pub fn set_status(&mut self, world: &mut World, terminal: u32, status: Status) {
        let since_ms = world.now_ms;
        self.set_report(world, terminal, StatusReport { status, since_ms, ..StatusReport::default() });
    }

    pub fn set_report(&mut self, world: &mut World, terminal: u32, report: StatusReport) {
        let Some(known) = self.terminals.get_mut(&terminal) else { return };
        known.status = report.clone();
        let last_output_ms = known.last_output_ms;
        self.say(world, &RunnerMessage::Status { terminal, report, last_output_ms });
    }

    /// A screen for when this runner is away.
    pub fn checkpoint(&mut self, world: &mut World, terminal: u32) {
        let Some(known) = self.terminals.get(&terminal) else { return };
        let (offset, size) = (known.end, known.size);
        let paint = self.paint(terminal, offset);
        for part in frame::screen(Kind::Checkpoint, Flags::NONE, terminal, offset, size.cols, size.rows, &paint) {
            self.say_bytes(world, part);
        }
    }

    /// What a screen shows at an offset; a wide one does not compress and takes several frames.
    pub fn paint(&self, terminal: u32, offset: u64) -> Vec<u8> {
        let mut paint = format!("screen {terminal} {offset}").into_bytes();
        if self.wide {
            let mut state = offset | 1;
            paint.extend((0..80_000).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                (state >> 40) as u8
            }));
        }
        paint
    }

    /// Takes one message of the hub.
    pub fn receive(&mut self, world: &mut World) -> bool {
        let Some(socket) = self.socket else { return false };
        match world.take_down(socket) {
            None => false,
            Some(Down::Text(text)) => {
                let command: RunnerCommand = control::decode(&text).expect("a command");
                self.commands.push(command.clone());
                self.obey(world, command);
                true
            }
            Some(Down::Binary(bytes)) => {
                self.take_frame(world, &bytes);
                true
            }
            Some(Down::Close(code)) => {
                self.closed_with = Some(code);
                self.cut(world, 0);
                true
            }
        }
    }

    fn obey(&mut self, world: &mut World, command: RunnerCommand) {
        match command {
            RunnerCommand::Snapshot { terminal, .. }
            | RunnerCommand::Stream { terminal, .. }
            | RunnerCommand::Pace { terminal, .. }
            | RunnerCommand::Resize { terminal, .. }
                if self.lacks.contains(&terminal) =>
            {
                let (message, terminal) = ("no such terminal".into(), Some(terminal));
                self.say(world, &RunnerMessage::Error(ErrorReport { code: ErrorCode::NotFound, message, terminal }));
            }
            RunnerCommand::Welcome { .. } => self.welcomed += 1,
            RunnerCommand::Open { terminal, size, .. } => self.open(world, terminal, size),
            RunnerCommand::Snapshot { terminal, scrollback } => {
                self.with(terminal, |known| known.asked.push(Asked::Snapshot(scrollback)));
            }
            RunnerCommand::Stream { terminal, from } => self.with(terminal, |known| {
                let from = from.min(known.end);
                known.stream = known.stream.or(Some((from, from)));
            }),
            RunnerCommand::Pace { terminal, lag_bytes_max } => self.with(terminal, |known| known.pace = lag_bytes_max),
            RunnerCommand::Read { terminal, from, to } => {
                self.with(terminal, |known| known.asked.push(Asked::Read(from, to.min(known.end))));
            }
            RunnerCommand::Unwatch { terminal } => self.with(terminal, |known| known.stream = None),
            RunnerCommand::Resize { terminal, size } => {
                self.with(terminal, |known| known.size = size);
                self.say(world, &RunnerMessage::Resized { terminal, size });
            }
            RunnerCommand::Prompt { terminal, prompt, .. } => {
                let Some(known) = self.terminals.get_mut(&terminal) else { return };
                let state = *known.prompts.entry(prompt).or_insert(PromptState::Queued);
                self.say_prompt(world, terminal, prompt, state);
            }
            RunnerCommand::CancelPrompt { terminal, prompt } => {
                let Some(known) = self.terminals.get_mut(&terminal) else { return };
                let state = known.prompts.entry(prompt).or_insert(PromptState::Cancelled);
                if *state == PromptState::Queued {
                    *state = PromptState::Cancelled;
                }
                let state = *state;
                self.say_prompt(world, terminal, prompt, state);
            }
            RunnerCommand::Stop { terminal, .. } => self.exit(world, terminal, 0),
            RunnerCommand::Forget { terminal } => {
                self.terminals.remove(&terminal);
                self.forgotten.push(terminal);
            }
            RunnerCommand::CheckpointSaved { terminal, offset } => self.with(terminal, |known| known.saved = offset),
            RunnerCommand::Error(report) => panic!("the hub did not understand: {report:?}"),
            RunnerCommand::Unknown => panic!("a command that nobody knows"),
        }
    }

    fn with(&mut self, terminal: u32, change: impl FnOnce(&mut ModelTerminal)) {
        if let Some(known) = self.terminals.get_mut(&terminal) {
            change(known);
        }
    }

    fn open(&mut self, world: &mut World, terminal: u32, size: Size) {
        if self.refuses_to_open {
            let message = "no such folder".into();
            return self.say(world, &RunnerMessage::OpenFailed { terminal, message });
        }
        let report = self.terminals.entry(terminal).or_insert_with(|| ModelTerminal::new(size)).report(terminal);
        self.say(world, &RunnerMessage::Opened { report });
    }

    pub fn exit(&mut self, world: &mut World, terminal: u32, code: i32) {
        let status = if code == 0 { Status::Done } else { Status::Failed };
        self.set_report(world, terminal, StatusReport { status, exit_code: Some(code), ..StatusReport::default() });
    }

    fn say_prompt(&self, world: &mut World, terminal: u32, prompt: u64, state: PromptState) {
        let report = PromptReport { prompt, state, reason: String::new() };
        self.say(world, &RunnerMessage::Prompt { terminal, report });
    }

    fn take_frame(&mut self, world: &mut World, bytes: &[u8]) {
        let frame = Frame::decode(bytes).expect("a frame");
        let Header { kind, terminal, offset, .. } = frame.header;
        let Some(known) = self.terminals.get_mut(&terminal) else { return };
        match kind {
            Kind::Credit => {
                if let Some((_, credit)) = &mut known.stream {
                    *credit = (*credit).max(offset);
                }
            }
            Kind::Input => {
                let (writer, typed) = frame.writer().expect("a writer");
                let applied = known.typed.entry(writer).or_default();
                let end = offset + typed.len() as u64;
                let flags = if offset > *applied { Flags::RESEND } else { Flags::NONE };
                if offset <= *applied && end > *applied {
                    assert_eq!(typed, pattern::bytes(writer as u32, offset, end), "input out of place");
                    *applied = end;
                }
                let ack = frame::input_ack(terminal, writer, *applied, flags);
                self.say_bytes(world, ack);
            }
            other => panic!("the hub sent a runner {other:?}"),
        }
    }

    /// Sends the next thing of each terminal: an answer that was asked for, or a frame of the stream.
    pub fn step(&mut self, world: &mut World) -> bool {
        if self.socket.is_none() {
            return false;
        }
        let ids: Vec<u32> = self.terminals.keys().copied().collect();
        let mut busy = false;
        for id in ids {
            let asked = self.terminals.get_mut(&id).and_then(|known| {
                let first = !known.asked.is_empty();
                first.then(|| known.asked.remove(0))
            });
            busy |= match asked {
                Some(Asked::Read(from, to)) => self.read(world, id, from, to),
                Some(Asked::Snapshot(scrollback)) => self.snapshot(world, id, scrollback, Flags::NONE),
                None => self.stream(world, id),
            };
        }
        busy
    }

    fn read(&mut self, world: &mut World, id: u32, from: u64, to: u64) -> bool {
        let oldest = self.terminals[&id].oldest;
        let mut at = from;
        if at < oldest {
            self.say_gap(world, id, at, oldest);
            at = oldest;
        }
        if at < to {
            let end = to.min(at + 3 * FRAME);
            self.say_output(world, id, at, end);
            if end < to {
                self.with(id, |known| known.asked.insert(0, Asked::Read(end, to)));
            }
        }
        true
    }

    fn snapshot(&mut self, world: &mut World, id: u32, scrollback: u32, flags: Flags) -> bool {
        let paint = self.paint(id, self.terminals[&id].end);
        let Some(known) = self.terminals.get_mut(&id) else { return false };
        let (offset, size) = (known.end, known.size);
        if known.stream.is_none() || flags.has(Flags::JUMP) {
            known.stream = Some((offset, offset));
        }
        let flags = if scrollback > 0 { flags.with(Flags::SCROLLBACK) } else { flags };
        for part in frame::screen(Kind::Snapshot, flags, id, offset, size.cols, size.rows, &paint) {
            self.say_bytes(world, part);
        }
        true
    }

    fn stream(&mut self, world: &mut World, id: u32) -> bool {
        let known = &self.terminals[&id];
        let Some((at, credit)) = known.stream else { return false };
        if at >= known.end {
            return false;
        }
        if known.pace.is_some_and(|lag| known.end - at > lag) {
            self.with(id, |known| known.jumps += 1);
            return self.snapshot(world, id, 0, Flags::JUMP);
        }
        if at < known.oldest {
            let oldest = known.oldest;
            self.say_gap(world, id, at, oldest);
            self.with(id, |known| known.stream = Some((oldest, credit.max(oldest))));
            return true;
        }
        if at >= credit + WINDOW_BYTES {
            return false;
        }
        let end = known.end.min(at + FRAME * (1 + at % 5)).min(credit + WINDOW_BYTES);
        self.say_output(world, id, at, end);
        self.with(id, |known| known.stream = Some((end, credit)));
        true
    }

    fn say_gap(&self, world: &mut World, terminal: u32, from: u64, to: u64) {
        self.say(world, &RunnerMessage::Gap { terminal, from, to, reason: "beyond the log's retention".into() });
    }

    fn say_output(&self, world: &mut World, terminal: u32, from: u64, to: u64) {
        let raw = pattern::bytes(terminal, from, to);
        // Some are deflated, as a runner does when that is smaller.
        let packed = (from % 64 == 3).then(|| protocol::deflate::deflate(&raw)).flatten();
        let bytes = match packed {
            Some(packed) => {
                let header = Header { kind: Kind::Output, flags: Flags::DEFLATE, terminal, offset: from };
                header.with_payload(&packed)
            }
            None => frame::output(terminal, from, &raw),
        };
        self.say_bytes(world, bytes);
    }

    /// The agent of a terminal works on its next prompt, one step.
    pub fn work(&mut self, world: &mut World, terminal: u32) -> bool {
        let Some(known) = self.terminals.get_mut(&terminal) else { return false };
        if known.status.has_exited() {
            return false;
        }
        let Some((prompt, state)) = known.prompts.iter().find(|(_, state)| !state.is_final()) else { return false };
        let (prompt, next) = match state {
            PromptState::Queued => (*prompt, PromptState::Delivered),
            PromptState::Delivered => (*prompt, PromptState::Accepted),
            _ => (*prompt, PromptState::Done),
        };
        known.prompts.insert(prompt, next);
        if next == PromptState::Delivered {
            *known.written.entry(prompt).or_default() += 1;
        }
        let status = if next == PromptState::Done { Status::Idle } else { Status::Working };
        self.say_prompt(world, terminal, prompt, next);
        if self.terminals[&terminal].status.status != status {
            self.set_status(world, terminal, status);
        }
        true
    }
}

impl ModelTerminal {
    pub fn new(size: Size) -> ModelTerminal {
        ModelTerminal {
            oldest: 0,
            end: 0,
            size,
            status: StatusReport { status: Status::Idle, ..StatusReport::default() },
            last_output_ms: 0,
            stream: None,
            pace: None,
            typed: BTreeMap::new(),
            prompts: BTreeMap::new(),
            written: BTreeMap::new(),
            asked: Vec::new(),
            saved: 0,
            jumps: 0,
        }
    }

    pub fn report(&self, terminal: u32) -> TerminalReport {
        let prompt = |(prompt, state): (&u64, &PromptState)| PromptReport {
            prompt: *prompt,
            state: *state,
            reason: String::new(),
        };
        TerminalReport {
            terminal,
            oldest: self.oldest,
            end: self.end,
            size: self.size,
            status: self.status.clone(),
            last_output_ms: self.last_output_ms,
            prompts: self.prompts.iter().map(prompt).collect(),
        }
    }
}
