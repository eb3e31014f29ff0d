//! Who watches which terminal, how far each viewer is, and which bytes go to whom. A [`Wire`] is the hub's end of one
//! terminal: the runner's socket at one side, the viewers at the other. It holds positions, never bytes, and knows neither
//! the store nor the registry.
//!
//! **Invariant.** A viewer at position `p` is sent a frame `[o, e)` only when `o <= p < e`, so its own trimming by offset
//! leaves every byte once. **Invariant.** No viewer has more than [`WINDOW_BYTES`] and one frame under way; an eviction, which
//! forgets what it took, adds [`UNKNOWN_CREDIT_BYTES`] at most.
//!
//! What an eviction takes away are the positions. A viewer that got frames as they came is at the stream's position,
//! whatever that is, and goes on; one that was reading what it missed is asked to say where it is (`resync`).
//!
//! [`WINDOW_BYTES`]: protocol::limits::WINDOW_BYTES
//! [`UNKNOWN_CREDIT_BYTES`]: crate::limits::UNKNOWN_CREDIT_BYTES

mod attach;
mod catch_up;
mod credit;
mod driver;
mod input;
mod link;
mod output;
mod snapshot;

use std::collections::VecDeque;

use protocol::control::{Delivery, RunnerCommand, Size, ViewerEvent};
use protocol::limits::SCREEN_LAG_BYTES_MAX;

use crate::effect::{SocketId, Watch, WatchMode};
use crate::out::Out;

pub(crate) use attach::Attach;
pub(crate) use input::InputVerdict;

/// One viewer of a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    pub(crate) socket: SocketId,
    pub(crate) person: String,
    pub(crate) name: String,
    /// With the socket, its place in the order of arrival.
    pub(crate) connected_ms: u64,
    pub(crate) writer: u64,
    /// It has typed, and the store knows whose its writer is.
    pub(crate) typed: bool,
    /// When the agent began to wait for the answer that this viewer gave last.
    pub(crate) answered_ms: u64,
    /// Bytes of that answer; all that it may have once it is given.
    pub(crate) answer_bytes: usize,
    pub(crate) size: Size,
    pub(crate) delivery: Delivery,
    /// The highest drives; 0 does not.
    pub(crate) drive_order: u64,
    pub(crate) mode: WatchMode,
    /// Scrollback lines that the awaited snapshot should hold.
    scrollback: u32,
    /// The first part of the awaited snapshot was sent, more follow.
    receiving: bool,
    /// Everything below was sent. Unknown after an eviction.
    at: Option<u64>,
    /// Everything below was taken. Unknown after an eviction.
    credit: Option<u64>,
    /// End of the read that is under way.
    reading: Option<u64>,
    /// Bytes sent since an eviction while neither position nor credit was known.
    blind: u64,
}

/// What the runner sends of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// Nobody asked, or after an eviction nobody here knows: it is stopped before it is started.
    Unknown,
    /// Nothing.
    Off,
    /// Live frames.
    On { horizon: u64, trust: Trust },
}

/// What is known of a stream's horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The highest offset seen since an eviction, or none yet; the stream may be further.
    Guess,
    /// A viewer named it, and the log may not reach it.
    Asked,
    /// The stream is not beyond it: who has everything below misses nothing.
    Sure,
}

/// The hub's end of one terminal.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    terminal: u32,
    /// The socket of the runner that serves the terminal's bytes now.
    pub(crate) link: Option<SocketId>,
    /// Its process ended: it takes no input.
    pub(crate) ended: bool,
    /// In order of arrival.
    pub(crate) watchers: Vec<Watcher>,
    stream: Stream,
    /// Snapshots asked for and not yet begun, by their scrollback lines.
    asked: VecDeque<u32>,
    /// The snapshot whose parts are coming was not asked for, as far as is known.
    unasked: bool,
    /// The highest credit that the runner knows of.
    credited: u64,
    /// The size that the runner was last told. Unknown after an eviction, and then told again when next it matters.
    told: Option<Size>,
}

impl Wire {
    pub(crate) fn new(terminal: u32) -> Wire {
        let (watchers, asked) = (Vec::new(), VecDeque::new());
        let stream = Stream::Unknown;
        Wire { terminal, link: None, ended: false, watchers, stream, asked, unasked: false, credited: 0, told: None }
    }

    /// Nobody at either side: it may be forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.link.is_none() && self.watchers.is_empty()
    }

    /// The watch of a socket, as its attachment keeps it.
    pub(crate) fn watch_of(&self, socket: SocketId) -> Option<Watch> {
        self.watcher(socket).map(|watcher| Watch {
            terminal: self.terminal,
            writer: protocol::control::writer_to_text(watcher.writer),
            size: watcher.size,
            delivery: watcher.delivery,
            drive_order: watcher.drive_order,
            typed: watcher.typed,
            mode: watcher.mode,
        })
    }

    pub(crate) fn watcher(&self, socket: SocketId) -> Option<&Watcher> {
        self.watchers.iter().find(|watcher| watcher.socket == socket)
    }

    pub(crate) fn watcher_mut(&mut self, socket: SocketId) -> Option<&mut Watcher> {
        self.watchers.iter_mut().find(|watcher| watcher.socket == socket)
    }

    /// Sends an event to everybody who watches.
    pub(crate) fn tell_all(&self, event: &ViewerEvent, out: &mut Out) {
        if self.watchers.is_empty() {
            return;
        }
        let text = protocol::control::encode(event);
        for watcher in &self.watchers {
            out.text(watcher.socket, text.clone());
        }
    }

    /// Sends a command to the terminal's runner, if it is there.
    pub(crate) fn command(&self, command: &RunnerCommand, out: &mut Out) {
        if let Some(link) = self.link {
            out.runner(link, command);
        }
    }

    /// How far the runner may let its stream fall behind before it jumps: only when nobody needs every byte.
    fn pace(&self) -> Option<u64> {
        let screens = self.watchers.iter().all(|watcher| watcher.delivery == Delivery::Screen);
        (screens && !self.watchers.is_empty()).then_some(SCREEN_LAG_BYTES_MAX)
    }

    fn send_pace(&self, out: &mut Out) {
        self.command(&RunnerCommand::Pace { terminal: self.terminal, lag_bytes_max: self.pace() }, out);
    }
}

impl Watcher {
    fn set_mode(&mut self, mode: WatchMode, out: &mut Out) {
        if self.mode != mode {
            self.mode = mode;
            out.touched.insert(self.socket);
        }
    }

    /// Bytes that may still be sent before credit must come back; a viewer whose position is unknown has all of them.
    fn room(&self) -> u64 {
        let under_way = match (self.at, self.credit) {
            (Some(at), Some(credit)) => at.saturating_sub(credit),
            _ => 0,
        };
        protocol::limits::WINDOW_BYTES.saturating_sub(under_way)
    }
}
