//! A small runner for tests of the keeper: starts one, talks to it over its real socket, waits for what it says.
//!
//! Nothing sleeps for a while and hopes: everything waits for a condition, with one deadline.
#![allow(dead_code, missing_docs)]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use muster::keeper::spec::{KeeperFile, OpenSpec, ProgramKind};
use muster::keeper::wire;
use protocol::control::{RunnerCommand, RunnerMessage, TerminalReport, decode, encode};
use protocol::frame::{self, Flags, Frame, Kind};

pub const TERMINAL: u32 = 7;
const DEADLINE: Duration = Duration::from_secs(30);

/// A folder with a keeper; ends with it.
pub struct Folder {
    pub dir: tempfile::TempDir,
    pub children: Vec<Child>,
}

/// What a keeper said.
#[derive(Clone, PartialEq)]
pub enum Said {
    Message(RunnerMessage),
    Output { offset: u64, bytes: Vec<u8> },
    Screen { kind: Kind, flags: Flags, offset: u64, raw: Vec<u8> },
    Ack { writer: u64, offset: u64, resend: bool },
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Said::Message(message) => write!(f, "{message:?}"),
            Said::Output { offset, bytes } => write!(f, "output {offset}+{}", bytes.len()),
            Said::Screen { kind, flags, offset, raw } => {
                write!(f, "{kind:?} {flags:?} at {offset}, {} bytes", raw.len())
            }
            Said::Ack { writer, offset, resend } => write!(f, "ack {writer} {offset} {resend}"),
        }
    }
}

pub fn sh(script: &str) -> OpenSpec {
    spec(&["sh", "-c", script])
}

pub fn spec(argv: &[&str]) -> OpenSpec {
    OpenSpec {
        terminal: TERMINAL,
        session: 3,
        argv: argv.iter().map(|arg| (*arg).to_owned()).collect(),
        cwd: "/".into(),
        cols: 80,
        rows: 24,
        kind: ProgramKind::Shell,
        ..OpenSpec::default()
    }
}

impl Folder {
    pub fn new(spec: &OpenSpec) -> Folder {
        let dir = tempfile::tempdir().unwrap();
        spec.store(dir.path()).unwrap();
        let mut folder = Folder { dir, children: Vec::new() };
        folder.start();
        folder
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a keeper, as a runner does.
    pub fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
        command.args(["keeper", "--terminal-dir"]).arg(self.path());
        command.env("MUSTER_TOKEN", "a secret of the runner");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.children.push(command.spawn().unwrap());
    }

    pub fn file(&self) -> KeeperFile {
        KeeperFile::load(self.path()).unwrap()
    }

    /// Connects, once the keeper that runs now listens.
    pub fn connect(&self) -> Runner {
        let end = Instant::now() + DEADLINE;
        let pid = self.children.last().map(Child::id);
        loop {
            let found = KeeperFile::load(self.path()).ok().filter(|file| Some(file.pid) == pid);
            if let Some(socket) = found.and_then(|file| UnixStream::connect(&file.socket).ok()) {
                let mut runner = Runner {
                    socket,
                    decoder: wire::Decoder::default(),
                    said: Vec::new(),
                    parts: Vec::new(),
                    report: None,
                    wire_bytes: 0,
                };
                match runner.wait(|said| {
                    matches!(said, Said::Message(RunnerMessage::Opened { .. } | RunnerMessage::OpenFailed { .. }))
                }) {
                    Said::Message(RunnerMessage::Opened { report }) => runner.report = Some(report),
                    _ => runner.report = None,
                }
                return runner;
            }
            assert!(Instant::now() < end, "no keeper: {:?}", std::fs::read_to_string(self.path().join("keeper.log")));
            std::thread::yield_now();
        }
    }

    pub fn kill_keeper(&mut self) {
        let mut child = self.children.pop().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + DEADLINE;
        while !holds() {
            assert!(Instant::now() < end, "{what}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = KeeperFile::load(self.dir.path()).map(|file| std::fs::remove_file::<PathBuf>(file.socket));
    }
}

pub struct Runner {
    socket: UnixStream,
    decoder: wire::Decoder,
    /// Everything said that nobody has waited for.
    pub said: Vec<Said>,
    parts: Vec<u8>,
    pub report: Option<TerminalReport>,
    /// Bytes of output frames, as they came.
    pub wire_bytes: usize,
}

impl Runner {
    pub fn send(&mut self, command: &RunnerCommand) {
        let mut bytes = Vec::new();
        wire::push_json(&mut bytes, &encode(command));
        self.socket.write_all(&bytes).unwrap();
    }

    pub fn frame(&mut self, frame: &[u8]) {
        let mut bytes = Vec::new();
        wire::push_frame(&mut bytes, frame);
        self.socket.write_all(&bytes).unwrap();
    }

    pub fn typed(&mut self, writer: u64, offset: u64, text: &str) {
        self.frame(&frame::input(TERMINAL, writer, offset, text.as_bytes()));
    }

    pub fn credit(&mut self, offset: u64) {
        self.frame(&frame::credit(TERMINAL, offset));
    }

    pub fn stream(&mut self, from: u64) {
        self.send(&RunnerCommand::Stream { terminal: TERMINAL, from });
    }

    pub fn prompt(&mut self, prompt: u64, text: &str) {
        self.send(&RunnerCommand::Prompt { terminal: TERMINAL, prompt, text: text.into() });
    }

    /// The next thing said; `None` when the keeper is gone or the deadline has come.
    pub fn next(&mut self, end: Instant) -> Option<Said> {
        loop {
            match self.decoder.next().unwrap() {
                Some(wire::Message::Json(text)) => return Some(Said::Message(decode(text).unwrap())),
                Some(wire::Message::Frame(bytes)) => {
                    let frame = Frame::decode(bytes).unwrap();
                    let (header, raw) = (frame.header, frame.raw_payload().unwrap().into_owned());
                    assert_eq!(header.terminal, TERMINAL);
                    self.wire_bytes += if header.kind == Kind::Output { bytes.len() } else { 0 };
                    match header.kind {
                        Kind::Output => return Some(Said::Output { offset: header.offset, bytes: raw }),
                        Kind::InputAck => {
                            let (writer, _) = frame.writer().unwrap();
                            return Some(Said::Ack {
                                writer,
                                offset: header.offset,
                                resend: header.flags.has(Flags::RESEND),
                            });
                        }
                        kind => {
                            self.parts.extend_from_slice(&raw);
                            if !header.flags.has(Flags::MORE) {
                                let raw = std::mem::take(&mut self.parts);
                                return Some(Said::Screen { kind, flags: header.flags, offset: header.offset, raw });
                            }
                        }
                    }
                }
                None => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.socket.set_read_timeout(Some(left)).unwrap();
                    let mut buffer = [0; 65536];
                    match self.socket.read(&mut buffer) {
                        Ok(count) if count > 0 => self.decoder.feed(&buffer[..count]),
                        _ => return None,
                    }
                }
            }
        }
    }

    /// Waits for something; what else was said is kept in `said`.
    pub fn wait(&mut self, is_it: impl Fn(&Said) -> bool) -> Said {
        if let Some(at) = self.said.iter().position(&is_it) {
            return self.said.remove(at);
        }
        let end = Instant::now() + DEADLINE;
        while let Some(said) = self.next(end) {
            if is_it(&said) {
                return said;
            }
            self.said.push(said);
        }
        let skipped = self.said.len().saturating_sub(20);
        panic!("it was not said; what was, at last: {:?}", &self.said[skipped..]);
    }

    /// Follows the live stream from an offset, giving credit, until `enough`; returns the bytes, checked to be gapless.
    pub fn follow(&mut self, from: u64, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let (mut got, end) = (Vec::new(), Instant::now() + DEADLINE);
        let mut credited = from;
        while !enough(&got) {
            let said = if let Some(at) = self.said.iter().position(|said| matches!(said, Said::Output { .. })) {
                self.said.remove(at)
            } else {
                self.next(end).unwrap_or_else(|| {
                    panic!(
                        "it ended after {} bytes: {:?}",
                        got.len(),
                        String::from_utf8_lossy(&got[got.len().saturating_sub(2000)..])
                    )
                })
            };
            match said {
                Said::Output { offset, bytes } => {
                    assert_eq!(offset, from + got.len() as u64, "no hole, nothing twice");
                    got.extend(bytes);
                    if from + got.len() as u64 - credited >= 100_000 {
                        credited = from + got.len() as u64;
                        self.credit(credited);
                    }
                }
                other => self.said.push(other),
            }
        }
        got
    }

    pub fn follow_until(&mut self, from: u64, needle: &str) -> String {
        let found = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(needle);
        String::from_utf8_lossy(&self.follow(from, found)).into_owned()
    }

    pub fn is_closed(&mut self) -> bool {
        let end = Instant::now() + DEADLINE;
        while self.next(end).is_some() {}
        Instant::now() < end
    }
}
