//! One connection to the hub, from `hello` to its end.
//!
//! Three loops side by side on one thread: up, down and keep-alive. None waits for another, so that a keystroke on its way
//! down never queues behind output on its way up. Invariant: every queue between them is bounded; when the hub takes less,
//! keepers wait.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink, stream::SplitStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::link::Up;
use super::switch::{Switch, Taken};
use crate::hub_link::keep_alive::{Due, KeepAlive};
use crate::hub_link::socket::HubSocket;
use protocol::close::CloseCode;
use protocol::control::{self, RunnerMessage};
use protocol::limits::TERMINALS_PER_RUNNER_MAX;

/// Messages on their way up that wait for the socket, over all terminals. Frames have at most 64 KiB: 1 MiB.
pub const UP_MESSAGES_MAX: usize = 16;
/// Answers of the runner's own that wait for the socket, so that a hub that does not read is heard all the same: two for each
/// terminal that there may be, of at most a few KiB each.
const ANSWERS_MAX: usize = 2 * TERMINALS_PER_RUNNER_MAX;
/// How long a close handshake may take.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// RFC 6455: the endpoint goes away.
const GOING_AWAY: u16 = 1001;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// The hub closed it.
    Closed {
        /// With this code.
        code: u16,
        /// And these words.
        reason: String,
    },
    /// It broke.
    Lost(String),
    /// A keeper's connection ended or hangs: the hub must hear afresh what is true.
    Keeper(u32),
    /// A person or the system asked this process to stop.
    Stopped,
}

/// A connection that ended.
#[derive(Debug)]
pub struct Report {
    /// How.
    pub ended: Ended,
    /// How long it lived after the hub's welcome.
    pub good_for: Option<Duration>,
}

struct Shared {
    began: Instant,
    alive: RefCell<KeepAlive>,
    ping: Notify,
    /// What is due next comes earlier than was thought: somebody began to watch, or a ping was answered.
    due_moved: Notify,
    welcome: Cell<Option<Instant>>,
    /// Something happened for viewers since the last pulse. A pulse wakes the hub, so a silent terminal sends none.
    stirred: Cell<bool>,
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Says `hello` and serves the connection until it ends.
pub async fn serve(
    socket: HubSocket,
    hello: String,
    mut switch: Switch<'_>,
    mut ups: mpsc::Receiver<Up>,
    stop: impl Future<Output = ()>,
) -> Report {
    let shared = Shared {
        began: Instant::now(),
        alive: RefCell::new(KeepAlive::new(0)),
        ping: Notify::new(),
        due_moved: Notify::new(),
        welcome: Cell::new(None),
        stirred: Cell::new(false),
    };
    let (mut sink, mut stream) = socket.split();
    let (answer, mut answers) = mpsc::channel(ANSWERS_MAX);
    let ended = tokio::select! {
        biased;
        () = stop => Ended::Stopped,
        ended = downward(&shared, &mut stream, &mut switch, &answer) => ended,
        ended = upward(&shared, &mut sink, hello, &mut answers, &mut ups) => ended,
        ended = stay_alive(&shared) => ended,
    };
    let good_for = shared.welcome.get().map(|since| since.elapsed());
    // Keepers end their streams as their sockets close.
    drop(switch);
    close(&ended, sink, stream).await;
    Report { ended, good_for }
}

type Sink = SplitSink<HubSocket, Message>;
type Stream = SplitStream<HubSocket>;

/// Keepers to hub: what waits is written together, and flushed before waiting for more.
async fn upward(
    shared: &Shared,
    sink: &mut Sink,
    hello: String,
    answers: &mut mpsc::Receiver<Message>,
    ups: &mut mpsc::Receiver<Up>,
) -> Ended {
    let lost = |error: Error| Ended::Lost(error.to_string());
    if let Err(error) = sink.send(Message::text(hello)).await {
        return lost(error);
    }
    loop {
        let first = tokio::select! {
            biased;
            () = shared.ping.notified() => Up::Send(Message::Text(Utf8Bytes::from_static(protocol::PING))),
            Some(answer) = answers.recv() => Up::Send(answer),
            up = ups.recv() => match up {
                Some(up) => up,
                None => return Ended::Lost("the switch is gone".into()),
            },
        };
        let mut next = Some(first);
        let mut room = UP_MESSAGES_MAX;
        while let Some(up) = next.take() {
            match up {
                Up::KeeperLost { terminal, why } => {
                    tracing::warn!(terminal, "lost the keeper: {why}");
                    return Ended::Keeper(terminal);
                }
                Up::Send(message) => {
                    if message.is_binary() {
                        shared.stirred.set(true);
                    }
                    if let Err(error) = sink.feed(message).await {
                        return lost(error);
                    }
                }
            }
            room -= 1;
            if room > 0 {
                next = ups.try_recv().ok();
            }
        }
        if let Err(error) = sink.flush().await {
            return lost(error);
        }
    }
}

/// Hub to keepers.
async fn downward(
    shared: &Shared,
    stream: &mut Stream,
    switch: &mut Switch<'_>,
    answers: &mpsc::Sender<Message>,
) -> Ended {
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(Error::Capacity(CapacityError::MessageTooLong { size, .. }))) => {
                let reason = format!("a message of {size} bytes came");
                return Ended::Closed { code: CloseCode::TooLarge.code(), reason };
            }
            Some(Err(error)) => return Ended::Lost(error.to_string()),
            None => return Ended::Lost("the connection ended without a close".into()),
        };
        shared.alive.borrow_mut().heard(shared.now_ms());
        let taken = match message {
            Message::Binary(frame) => {
                shared.stirred.set(true);
                switch.frame(frame)
            }
            Message::Text(text) if text.as_str() == protocol::PONG => {
                let rtt = shared.alive.borrow_mut().answered(shared.now_ms());
                shared.due_moved.notify_one();
                match rtt.filter(|_| switch.is_watched() && shared.stirred.take()) {
                    Some(rtt) => {
                        let rtt_ms = u32::try_from(rtt).unwrap_or(u32::MAX);
                        Taken::Answer(Box::new(RunnerMessage::Pulse { rtt_ms }))
                    }
                    None => Taken::Done,
                }
            }
            Message::Text(text) => switch.text(text),
            Message::Close(frame) => {
                let (code, reason) = frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                return Ended::Closed { code, reason };
            }
            _ => Taken::Done,
        };
        match taken {
            Taken::Done => {}
            Taken::Hung(terminal) => {
                tracing::error!(terminal, "the keeper does not take its messages");
                return Ended::Keeper(terminal);
            }
            Taken::Watched => {
                shared.stirred.set(true);
                shared.alive.borrow_mut().hurry(shared.now_ms());
                shared.due_moved.notify_one();
            }
            Taken::Welcome { version, name } => {
                tracing::info!(hub = version, name, "connected");
                shared.welcome.set(Some(Instant::now()));
            }
            Taken::Answer(message) => {
                // A pulse that has to wait measures nothing. Any other that is lost would leave the hub waiting.
                let is_pulse = matches!(*message, RunnerMessage::Pulse { .. });
                let sent = answers.try_send(Message::text(control::encode(&*message)));
                if sent.is_err() && !is_pulse {
                    return Ended::Lost("the hub does not read what it asks for".into());
                }
            }
        }
    }
}

/// Asks for pings and watches for silence.
async fn stay_alive(shared: &Shared) -> Ended {
    loop {
        let due = shared.alive.borrow_mut().due(shared.now_ms());
        match due {
            Due::Ping => shared.ping.notify_one(),
            Due::Dead => return Ended::Lost("the hub has been silent for too long".into()),
            Due::At(at_ms) => {
                let at = shared.began + Duration::from_millis(at_ms);
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = shared.due_moved.notified() => {}
                }
            }
        }
    }
}

/// Leaves the socket properly, in bounded time.
async fn close(ended: &Ended, mut sink: Sink, mut stream: Stream) {
    let code = match ended {
        Ended::Stopped | Ended::Keeper(_) => GOING_AWAY,
        Ended::Closed { code, .. } if *code == CloseCode::TooLarge.code() => *code,
        // The other side closed or is gone; the library has answered its close already.
        Ended::Closed { .. } | Ended::Lost(_) => return,
    };
    let frame = CloseFrame { code: code.into(), reason: "".into() };
    let goodbye = async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_MAX, goodbye).await;
}
