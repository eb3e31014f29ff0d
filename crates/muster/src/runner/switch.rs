//! The switch: what the hub says, to the keeper that it concerns, as it came.
//!
//! Invariant: a binary frame is looked at no further than its header, and nothing here waits for a keeper, so that a hung one
//! hurts nobody else.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::link::{Link, LinkStart, Unsent, Up};
use super::open::{self, Machine};
use super::{keepers, state::Terminals};
use protocol::control::{self, ControlError, ErrorCode, ErrorReport, RunnerCommand, RunnerMessage};
use protocol::frame::{Frame, Kind};
use protocol::limits::TERMINALS_PER_RUNNER_MAX;

/// What a message of the hub led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It went where it belongs.
    Done,
    /// This side answers itself.
    Answer(Box<RunnerMessage>),
    /// The hub took the `hello`.
    Welcome {
        /// The hub's version.
        version: String,
        /// The runner's name there.
        name: String,
    },
    /// Somebody began to watch.
    Watched,
    /// A keeper hangs; only a fresh start tells the hub the truth about it.
    Hung(u32),
}

/// Links and watched terminals of one hub connection.
pub struct Switch<'a> {
    machine: &'a Machine,
    terminals: &'a Terminals,
    up: mpsc::Sender<Up>,
    links: BTreeMap<u32, Link>,
    watched: BTreeSet<u32>,
}

impl<'a> Switch<'a> {
    /// With the links that `hello` was made from.
    pub fn new(
        machine: &'a Machine,
        terminals: &'a Terminals,
        up: mpsc::Sender<Up>,
        links: BTreeMap<u32, Link>,
    ) -> Switch<'a> {
        Switch { machine, terminals, up, links, watched: BTreeSet::new() }
    }

    /// True while somebody watches any terminal.
    pub fn is_watched(&self) -> bool {
        !self.watched.is_empty()
    }

    /// A binary message.
    pub fn frame(&mut self, bytes: Bytes) -> Taken {
        let header = match Frame::decode(&bytes) {
            Ok(frame) => frame.header,
            Err(error) => return refuse(ErrorCode::Invalid, format!("not a frame: {error:?}"), None),
        };
        if !matches!(header.kind, Kind::Input | Kind::Credit) {
            let message = format!("a runner takes no {:?} frame", header.kind);
            return refuse(ErrorCode::Invalid, message, Some(header.terminal));
        }
        self.forward(header.terminal, Message::Binary(bytes))
    }

    /// A control message.
    pub fn text(&mut self, text: Utf8Bytes) -> Taken {
        let command: RunnerCommand = match control::decode(&text) {
            Ok(command) => command,
            Err(ControlError::TooLarge) => return refuse(ErrorCode::Limit, "the message is too long".into(), None),
            Err(ControlError::Malformed(why)) => return refuse(ErrorCode::Invalid, why, None),
        };
        let terminal = match command {
            RunnerCommand::Welcome { version, name, .. } => return Taken::Welcome { version, name },
            RunnerCommand::Error(report) => {
                tracing::warn!(code = ?report.code, terminal = report.terminal, "the hub says: {}", report.message);
                return Taken::Done;
            }
            RunnerCommand::Unknown => {
                let message = format!("version {} does not know this message", env!("CARGO_PKG_VERSION"));
                return refuse(ErrorCode::UnknownType, message, None);
            }
            RunnerCommand::Open { terminal, .. } if !self.is_linked(terminal) => return self.open(command),
            RunnerCommand::Forget { terminal } => return self.forget(terminal),
            RunnerCommand::Unwatch { terminal } => {
                self.watched.remove(&terminal);
                terminal
            }
            RunnerCommand::Snapshot { terminal, .. } | RunnerCommand::Stream { terminal, .. } => {
                let first = self.watched.is_empty();
                return match self.forward(terminal, Message::Text(text)) {
                    Taken::Done => {
                        self.watched.insert(terminal);
                        if first { Taken::Watched } else { Taken::Done }
                    }
                    other => other,
                };
            }
            RunnerCommand::Open { terminal, .. }
            | RunnerCommand::Pace { terminal, .. }
            | RunnerCommand::Read { terminal, .. }
            | RunnerCommand::Resize { terminal, .. }
            | RunnerCommand::Prompt { terminal, .. }
            | RunnerCommand::CancelPrompt { terminal, .. }
            | RunnerCommand::Stop { terminal, .. }
            | RunnerCommand::CheckpointSaved { terminal, .. } => terminal,
        };
        self.forward(terminal, Message::Text(text))
    }

    fn is_linked(&self, terminal: u32) -> bool {
        self.links.get(&terminal).is_some_and(|link| !link.has_ended())
    }

    fn forward(&mut self, terminal: u32, message: Message) -> Taken {
        let Some(link) = self.links.get(&terminal) else { return not_found(terminal) };
        match link.send(message) {
            Ok(()) => Taken::Done,
            Err(Unsent::Full) => Taken::Hung(terminal),
            Err(Unsent::Ended) => not_found(terminal),
        }
    }

    /// A terminal without a link: new, or one whose keeper could not be reached when the connection began.
    fn open(&mut self, command: RunnerCommand) -> Taken {
        let RunnerCommand::Open { terminal, session, name, agent, cwd, size } = command else { return Taken::Done };
        let is_new = !self.terminals.dir(terminal).exists();
        if is_new {
            let failed = |message| Taken::Answer(Box::new(RunnerMessage::OpenFailed { terminal, message }));
            if self.terminals.list().len() >= TERMINALS_PER_RUNNER_MAX {
                return failed(format!("this runner has {TERMINALS_PER_RUNNER_MAX} terminals already: end some first"));
            }
            let wish = open::Wish { terminal, session, name, agent, cwd, size };
            let made = open::spec(self.machine, wish)
                .and_then(|spec| self.terminals.create(&spec).map_err(|error| format!("cannot store it: {error}")));
            if let Err(message) = made {
                tracing::warn!(terminal, "not opened: {message}");
                return failed(message);
            }
            tracing::info!(terminal, session, "opening");
        }
        let start =
            LinkStart { terminal, terminals: self.terminals.clone(), is_new, up: self.up.clone(), report: None };
        self.links.insert(terminal, Link::start(start));
        Taken::Done
    }

    /// Ends with a task of its own: it must come to its end even if this connection does not.
    fn forget(&mut self, terminal: u32) -> Taken {
        self.links.remove(&terminal);
        self.watched.remove(&terminal);
        let terminals = self.terminals.clone();
        tokio::spawn(async move {
            match keepers::forget(&terminals, terminal).await {
                Ok(()) => tracing::info!(terminal, "forgotten"),
                Err(error) => tracing::error!(terminal, %error, "could not be forgotten"),
            }
        });
        Taken::Done
    }
}

fn not_found(terminal: u32) -> Taken {
    refuse(ErrorCode::NotFound, "this runner has no such terminal".into(), Some(terminal))
}

fn refuse(code: ErrorCode, message: String, terminal: Option<u32>) -> Taken {
    Taken::Answer(Box::new(RunnerMessage::Error(ErrorReport { code, message, terminal })))
}

#[cfg(test)]
mod tests;
