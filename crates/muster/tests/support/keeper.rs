//! A model keeper: a folder in the state folder, and the keeper's end of the socket.

use std::path::{Path, PathBuf};

use muster::keeper::spec::{KeeperFile, OpenSpec};
use muster::keeper::wire;
use protocol::control::{self, RunnerCommand, RunnerMessage, Size, StatusReport, TerminalReport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::hub::RUNNER;
use super::soon;

/// Listens where a keeper would.
pub struct ModelKeeper {
    pub terminal: u32,
    pub dir: PathBuf,
    listener: UnixListener,
}

/// One connection of a runner.
pub struct KeeperSide {
    terminal: u32,
    read: KeeperRead,
    write: OwnedWriteHalf,
}

/// What it reads with.
pub struct KeeperRead {
    stream: OwnedReadHalf,
    decoder: wire::Decoder,
}

/// What a runner sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Json(String),
    Frame(Vec<u8>),
}

impl ModelKeeper {
    pub fn start(state: &Path, terminal: u32) -> ModelKeeper {
        let dir = state.join("runners").join(RUNNER).join("terminals").join(terminal.to_string());
        std::fs::create_dir_all(&dir).expect("folder");
        OpenSpec { terminal, ..OpenSpec::default() }.store(&dir).expect("open.json");
        let socket = dir.join("s");
        let listener = UnixListener::bind(&socket).expect("bind");
        KeeperFile { pid: std::process::id(), socket, ..KeeperFile::default() }.store(&dir).expect("keeper.json");
        ModelKeeper { terminal, dir, listener }
    }

    /// The next runner, given a report with this end of the log; its `unwatch` has come.
    pub async fn accept(&self, end: u64) -> KeeperSide {
        let mut side = self.accept_silent().await;
        side.report(end).await;
        let unwatch = control::encode(&RunnerCommand::Unwatch { terminal: self.terminal });
        assert_eq!(side.next().await, Some(Got::Json(unwatch)));
        side
    }

    pub async fn accept_silent(&self) -> KeeperSide {
        let (stream, _) = soon("a runner", self.listener.accept()).await.expect("accept");
        let (read, write) = stream.into_split();
        let read = KeeperRead { stream: read, decoder: wire::Decoder::default() };
        KeeperSide { terminal: self.terminal, read, write }
    }
}

impl KeeperSide {
    pub async fn report(&mut self, end: u64) {
        let status = StatusReport::default();
        let terminal = self.terminal;
        let report = TerminalReport {
            terminal,
            oldest: 0,
            end,
            size: Size::DEFAULT,
            status,
            last_output_ms: 0,
            prompts: vec![],
        };
        self.say(&RunnerMessage::Opened { report }).await;
    }

    /// The next message; `None` when the runner is gone.
    pub async fn next(&mut self) -> Option<Got> {
        self.read.next().await
    }

    pub async fn say(&mut self, message: &RunnerMessage) {
        let mut out = Vec::new();
        wire::push_json(&mut out, &control::encode(message));
        soon("the runner to read", self.write.write_all(&out)).await.expect("written");
    }

    pub async fn frame(&mut self, frame: &[u8]) {
        let mut out = Vec::new();
        wire::push_frame(&mut out, frame);
        soon("the runner to read", self.write.write_all(&out)).await.expect("written");
    }

    /// Waits as long as the runner does not read.
    pub async fn frame_patiently(&mut self, frame: &[u8]) {
        let mut out = Vec::new();
        wire::push_frame(&mut out, frame);
        self.write.write_all(&out).await.expect("written");
    }

    pub fn split(self) -> (KeeperRead, OwnedWriteHalf) {
        (self.read, self.write)
    }
}

impl KeeperRead {
    /// The next message; `None` when the runner is gone.
    pub async fn next(&mut self) -> Option<Got> {
        loop {
            match self.decoder.next().expect("well-formed") {
                Some(wire::Message::Json(text)) => return Some(Got::Json(text.into())),
                Some(wire::Message::Frame(frame)) => return Some(Got::Frame(frame.into())),
                None => {}
            }
            let mut buffer = [0; 65_536];
            match soon("the runner", self.stream.read(&mut buffer)).await {
                Ok(read) if read > 0 => self.decoder.feed(&buffer[..read]),
                _ => return None,
            }
        }
    }
}
