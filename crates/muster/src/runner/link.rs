//! One keeper, as the switch sees it while a hub connection lasts: a bounded queue down, a shared bounded queue up.
//!
//! Invariant: a link lives no longer than its hub connection. The keeper ends its live stream when the socket closes, so
//! nothing of an earlier connection can reach a later one, and adoption after a crash is the same path as a reconnect.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::keepers;
use super::state::Terminals;
use crate::keeper::wire;
use protocol::control::{self, RunnerCommand, RunnerMessage, TerminalReport};
use protocol::limits::{FRAME_BYTES_MAX, TEXT_BYTES_MAX};

/// Messages that wait for one keeper. It reads at once; more than this means that it hangs.
const DOWN_MESSAGES_MAX: usize = 256;
/// Bytes gathered into one write to a keeper.
const WRITE_BYTES: usize = 64 * 1024;
/// Bytes read from a keeper at once: a whole frame and the start of the next.
const READ_BYTES: usize = FRAME_BYTES_MAX + 4 * 1024;

/// What comes up from the keepers.
#[derive(Debug)]
pub enum Up {
    /// For the hub, as it came.
    Send(Message),
    /// A keeper's connection ended though nobody asked for it.
    KeeperLost {
        /// Whose.
        terminal: u32,
        /// Why, for the log.
        why: String,
    },
}

/// Why a keeper does not get a message.
#[derive(Debug)]
pub enum Unsent {
    /// Its queue is full: it hangs.
    Full,
    /// It cannot be reached. The link has said why.
    Ended,
}

/// One keeper's link. Dropping it closes the connection.
#[derive(Debug)]
pub struct Link {
    down: mpsc::Sender<Message>,
    task: AbortHandle,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a link needs to begin.
#[derive(Debug)]
pub struct LinkStart {
    /// The terminal.
    pub terminal: u32,
    /// Where its folder is.
    pub terminals: Terminals,
    /// The folder was made just now: if its keeper does not start, there is nothing in it to keep.
    pub is_new: bool,
    /// Where everything goes that the keeper says.
    pub up: mpsc::Sender<Up>,
    /// Takes the first report, for `hello`; without it the report goes up as `opened`.
    pub report: Option<oneshot::Sender<TerminalReport>>,
}

impl Link {
    /// Reaches the keeper, or starts one, in a task of its own. What is sent meanwhile waits.
    pub fn start(start: LinkStart) -> Link {
        let (down, commands) = mpsc::channel(DOWN_MESSAGES_MAX);
        let task = tokio::spawn(serve(start, commands)).abort_handle();
        Link { down, task }
    }

    /// True once the keeper can no longer be reached through it.
    pub fn has_ended(&self) -> bool {
        self.down.is_closed()
    }

    /// Queues a message for the keeper, as it came from the hub.
    pub fn send(&self, message: Message) -> Result<(), Unsent> {
        self.down.try_send(message).map_err(|unsent| match unsent {
            mpsc::error::TrySendError::Full(_) => Unsent::Full,
            mpsc::error::TrySendError::Closed(_) => Unsent::Ended,
        })
    }
}

/// How a link ended by itself.
enum End {
    /// The connection broke.
    Lost(String),
    /// The keeper's program could not be started; what it said of that, for the hub.
    NotOpened(Utf8Bytes),
}

async fn serve(start: LinkStart, commands: mpsc::Receiver<Message>) {
    let LinkStart { terminal, terminals, is_new, up, mut report } = start;
    let end = match keepers::reach(&terminals.dir(terminal)).await {
        Ok(stream) => {
            let (read, write) = stream.into_split();
            tokio::select! {
                end = upward(terminal, read, &up, &mut report) => end,
                end = downward(terminal, write, commands) => end,
            }
        }
        Err(error) => {
            tracing::error!(terminal, %error, "a terminal cannot be served");
            let mut message = error.to_string();
            message.truncate(message.floor_char_boundary(TEXT_BYTES_MAX));
            let failed = control::encode(&RunnerMessage::OpenFailed { terminal, message });
            if !is_new {
                // What it printed before is still there: it stays, for a keeper that can be started another time. The one
                // that assembles `hello` sees the closed channel and says what is known; one that waited for it no longer
                // gets no answer but this to what it has queued here meanwhile.
                if report.as_ref().is_none_or(oneshot::Sender::is_closed) {
                    let _ = up.send(Up::Send(Message::text(failed))).await;
                }
                return;
            }
            End::NotOpened(failed.into())
        }
    };
    match end {
        End::Lost(why) => {
            let _ = up.send(Up::KeeperLost { terminal, why }).await;
        }
        End::NotOpened(text) => {
            // While `hello` is assembled it is left out: the hub then asks for it again, and hears the answer.
            if report.is_none() {
                let _ = up.send(Up::Send(Message::Text(text))).await;
            }
            if let Err(error) = keepers::forget(&terminals, terminal).await {
                tracing::error!(terminal, %error, "what was not opened could not be removed");
            }
        }
    }
}

/// Keeper to hub.
async fn upward(
    terminal: u32,
    mut read: OwnedReadHalf,
    up: &mpsc::Sender<Up>,
    report: &mut Option<oneshot::Sender<TerminalReport>>,
) -> End {
    let lost = |why: &dyn std::fmt::Display| End::Lost(why.to_string());
    let mut decoder = wire::Decoder::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut is_first = true;
    loop {
        let taken = match read.read(&mut buffer).await {
            Ok(0) => return lost(&"it closed the connection"),
            Ok(taken) => taken,
            Err(error) => return lost(&error),
        };
        decoder.feed(&buffer[..taken]);
        loop {
            let message = match decoder.next() {
                Ok(None) => break,
                Err(error) => return lost(&error),
                Ok(Some(wire::Message::Frame(frame))) => Message::Binary(Bytes::copy_from_slice(frame)),
                Ok(Some(wire::Message::Json(text))) => Message::Text(Utf8Bytes::from(text)),
            };
            if std::mem::take(&mut is_first) {
                match begins(terminal, &message) {
                    Ok(first) => {
                        // One that comes too late for `hello` goes up as it is.
                        if report.take().is_some_and(|report| report.send(first).is_ok()) {
                            continue;
                        }
                    }
                    Err(end) => return end,
                }
            }
            if up.send(Up::Send(message)).await.is_err() {
                return lost(&"the hub connection ended");
            }
        }
    }
}

/// A keeper begins with a report of its terminal, or says that there is none.
fn begins(terminal: u32, message: &Message) -> Result<TerminalReport, End> {
    let text = match message {
        Message::Text(text) => text,
        _ => return Err(End::Lost("it began with a frame".into())),
    };
    match control::decode::<RunnerMessage>(text) {
        Ok(RunnerMessage::Opened { report }) if report.terminal == terminal => Ok(report),
        Ok(RunnerMessage::OpenFailed { terminal: failed, .. }) if failed == terminal => {
            Err(End::NotOpened(text.clone()))
        }
        _ => Err(End::Lost("it did not begin with a report of its terminal".into())),
    }
}

/// Hub to keeper. What waits goes out in one write.
async fn downward(terminal: u32, mut write: OwnedWriteHalf, mut commands: mpsc::Receiver<Message>) -> End {
    let mut out = Vec::new();
    // Says that this connection is the runner's, and that nothing of an earlier one goes on.
    wire::push_json(&mut out, &control::encode(&RunnerCommand::Unwatch { terminal }));
    if let Err(error) = write.write_all(&out).await {
        return End::Lost(error.to_string());
    }
    out.clear();
    while let Some(message) = commands.recv().await {
        push(&mut out, &message);
        while out.len() < WRITE_BYTES {
            match commands.try_recv() {
                Ok(message) => push(&mut out, &message),
                Err(_) => break,
            }
        }
        if let Err(error) = write.write_all(&out).await {
            return End::Lost(error.to_string());
        }
        out.clear();
        out.shrink_to(WRITE_BYTES);
    }
    End::Lost("the hub connection ended".into())
}

fn push(out: &mut Vec<u8>, message: &Message) {
    match message {
        Message::Text(text) => wire::push_json(out, text),
        Message::Binary(frame) => wire::push_frame(out, frame),
        // Nothing else is ever queued.
        _ => {}
    }
}
