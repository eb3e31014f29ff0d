//! What a runner says to a kept terminal, and what it is told.
//!
//! The messages and frames are those of the hub's wire, so that the runner passes them on as they are. Invariant: every
//! message is checked for the terminal's number, and what is not understood is answered, not guessed.

use protocol::control::{ErrorCode, ErrorReport, RunnerCommand, RunnerMessage, decode};
use protocol::frame::{self, Flags, Frame, Kind};
use protocol::status::Status;

use super::client::Client;
use super::kept::Kept;
use super::log::Read;
use super::prompt::Action;
use super::stream::{OUTPUT_BYTES_MAX, Position, Step};

/// How long a program that is killed to be forgotten may take to end.
const FORGET_PATIENCE_MS: u64 = 2_000;

impl Kept {
    /// Greets a runner that has just connected.
    pub fn greet(&mut self, now_ms: u64, client: &mut Client) {
        self.stream.disconnect();
        self.ladder.told(now_ms);
        self.resizes_untold.clear();
        match self.open_failed.take() {
            Some(message) => client.send(&RunnerMessage::OpenFailed { terminal: self.spec.terminal, message }),
            None => client.send(&RunnerMessage::Opened { report: self.report() }),
        }
    }

    /// Takes a control message.
    pub fn command(&mut self, now_ms: u64, text: &str, client: &mut Client) {
        let command: RunnerCommand = match decode(text) {
            Ok(command) => command,
            Err(error) => return self.refuse(client, ErrorCode::Invalid, &format!("Not a command: {error:?}")),
        };
        if terminal_of(&command).is_some_and(|terminal| terminal != self.spec.terminal) {
            return self.refuse(client, ErrorCode::NotFound, "This keeper has another terminal");
        }
        let end = self.log.end();
        match command {
            RunnerCommand::Open { .. } => {
                self.ladder.told(now_ms);
                client.send(&RunnerMessage::Opened { report: self.report() });
            }
            RunnerCommand::Snapshot { scrollback, .. } => self.stream.snapshot(scrollback, end),
            RunnerCommand::Stream { from, .. } => self.stream.stream(from, end),
            RunnerCommand::Pace { lag_bytes_max, .. } => self.stream.pace(lag_bytes_max),
            RunnerCommand::Read { from, to, .. } => self.stream.read(from, to, end),
            RunnerCommand::Unwatch { .. } => self.stream.unwatch(),
            RunnerCommand::Resize { size, .. } => {
                self.resize(now_ms, size);
            }
            RunnerCommand::Prompt { prompt, text, .. } => {
                let report = self.prompts.submit(now_ms, prompt, &text);
                client.send(&RunnerMessage::Prompt { terminal: self.spec.terminal, report });
            }
            RunnerCommand::CancelPrompt { prompt, .. } => {
                let report = self.prompts.cancel(prompt);
                client.send(&RunnerMessage::Prompt { terminal: self.spec.terminal, report });
            }
            RunnerCommand::Stop { mode, .. } => self.stop(now_ms, mode),
            RunnerCommand::Forget { .. } => {
                self.stop(now_ms, protocol::control::StopMode::Kill);
                self.forget_ms = Some(now_ms + FORGET_PATIENCE_MS);
            }
            RunnerCommand::CheckpointSaved { offset, .. } => self.stream.checkpoint_saved(offset),
            RunnerCommand::Unknown => {
                self.refuse(client, ErrorCode::UnknownType, "This keeper does not know that message")
            }
            RunnerCommand::Welcome { .. } | RunnerCommand::Error(_) => {}
        }
    }

    fn refuse(&self, client: &mut Client, code: ErrorCode, message: &str) {
        let (message, terminal) = (message.to_owned(), Some(self.spec.terminal));
        client.send(&RunnerMessage::Error(ErrorReport { code, message, terminal }));
    }

    /// Takes a binary frame. A frame that is none, or of a kind that comes from here, is dropped: the hub has checked it.
    pub fn frame(&mut self, now_ms: u64, bytes: &[u8], client: &mut Client) {
        let Ok(frame) = Frame::decode(bytes) else { return };
        if frame.header.terminal != self.spec.terminal {
            return;
        }
        match frame.header.kind {
            Kind::Credit => self.stream.credit(frame.header.offset, self.log.end()),
            Kind::Input if self.program.is_some() && !self.over => {
                let Some((writer, typed)) = frame.writer() else { return };
                let ack = self.input.take(now_ms, writer, frame.header.offset, typed);
                self.write_input();
                self.stir(now_ms);
                ack.into_iter().for_each(|ack| client.send_frame(&ack));
            }
            _ => {}
        }
    }

    /// Tells what became of prompts, the status if it changed, and what is due.
    pub fn tell(&mut self, now_ms: u64, actions: Vec<Action>, client: &mut Client) {
        let terminal = self.spec.terminal;
        // Prompts first: an exit ends all that are still open, and what is done by then must not be counted among them.
        for action in actions {
            if let Action::Report(report) = action {
                client.send(&RunnerMessage::Prompt { terminal, report });
            }
        }
        if let Some(report) = self.ladder.news(now_ms) {
            client.send(&RunnerMessage::Status { terminal, report, last_output_ms: self.ladder.last_output_ms() });
        }
        self.input.due(now_ms).iter().for_each(|ack| client.send_frame(ack));
        if self.checkpoint_due_ms().is_some_and(|at| at <= now_ms) && !self.is_screen_behind() {
            let paint = self.screen.snapshot(0);
            let size = self.screen.size();
            let frames =
                frame::screen(Kind::Checkpoint, Flags::NONE, terminal, self.screen_at, size.cols, size.rows, &paint);
            frames.iter().for_each(|frame| client.send_frame(frame));
            self.stream.checkpointed(now_ms, self.screen_at);
        }
    }

    /// When a checkpoint is due.
    pub fn checkpoint_due_ms(&self) -> Option<u64> {
        let resting = !matches!(self.ladder.report().status, Status::Working | Status::Unknown);
        self.stream.checkpoint_due_ms(self.log.end(), resting, self.over)
    }

    /// When something is due to be told. It stays due until a runner is there to hear it, so without one nothing waits for it.
    pub fn next_word_ms(&self) -> Option<u64> {
        [self.ladder.next_news_ms(), self.input.next_due_ms(), self.checkpoint_due_ms()].into_iter().flatten().min()
    }

    fn position(&self) -> Position {
        Position { oldest: self.log.oldest(), end: self.log.end(), screen: self.screen_at }
    }

    /// True when bytes that the live stream would take are few, so that waiting a moment makes one frame of many.
    pub fn is_worth_waiting(&self) -> bool {
        self.stream.live_at().is_some_and(|at| self.log.end() - at < OUTPUT_BYTES_MAX) && !self.stream.wants_screen()
    }

    /// Queues what the runner has room and credit for.
    pub fn pump(&mut self, client: &mut Client, buffer: &mut [u8]) {
        while client.has_room() {
            match self.stream.next(self.position()) {
                Some(Step::Output { from, to, live }) => self.send_output(client, buffer, from, to, live),
                Some(Step::Snapshot { scrollback, jump }) => self.send_snapshot(client, scrollback, jump),
                Some(Step::CatchUp(_)) | None => break,
            }
        }
        if self.stream.live_at().is_none_or(|at| at >= self.log.end()) {
            self.tell_sizes(client, u64::MAX);
        }
    }

    fn tell_sizes(&mut self, client: &mut Client, up_to: u64) {
        while let Some((_, size)) = self.resizes_untold.pop_front_if(|(at, _)| *at <= up_to) {
            client.send(&RunnerMessage::Resized { terminal: self.spec.terminal, size });
        }
    }

    fn send_output(&mut self, client: &mut Client, buffer: &mut [u8], from: u64, mut to: u64, live: bool) {
        let terminal = self.spec.terminal;
        if live {
            self.tell_sizes(client, from);
            to = self.resizes_untold.front().map_or(to, |(at, _)| to.min(*at));
        }
        let fresh = from.checked_sub(self.fresh_at).and_then(|at| self.fresh.get(at as usize..));
        if let Some(bytes) = fresh.filter(|bytes| !bytes.is_empty()) {
            let count = bytes.len().min((to - from) as usize);
            client.send_output(terminal, from, &bytes[..count], self.spec.deflate_output);
            return self.stream.sent(from + count as u64, live);
        }
        let most = buffer.len().min((to - from) as usize);
        match self.log.read(from, &mut buffer[..most]) {
            Read::Bytes(count) => {
                client.send_output(terminal, from, &buffer[..count], self.spec.deflate_output);
                self.stream.sent(from + count as u64, live);
            }
            Read::Gap(next) => {
                let reason = match self.log.fault() {
                    _ if next <= self.log.oldest() => "older output is no longer kept".to_owned(),
                    Some(fault) => format!("it could not be written down: {fault}"),
                    None => "it could not be written down".to_owned(),
                };
                client.send(&RunnerMessage::Gap { terminal, from, to: next, reason });
                self.stream.sent(next, live);
            }
            Read::End => self.stream.sent(to, live),
        }
    }

    fn send_snapshot(&mut self, client: &mut Client, scrollback: u32, jump: bool) {
        self.tell_sizes(client, self.screen_at);
        let mut flags = if scrollback > 0 { Flags::SCROLLBACK } else { Flags::NONE };
        if jump {
            flags = flags.with(Flags::JUMP);
        }
        let paint = self.screen.snapshot(scrollback as usize);
        let size = self.screen.size();
        let frames =
            frame::screen(Kind::Snapshot, flags, self.spec.terminal, self.screen_at, size.cols, size.rows, &paint);
        frames.iter().for_each(|frame| client.send_frame(frame));
        self.stream.painted(self.screen_at, jump);
    }
}

fn terminal_of(command: &RunnerCommand) -> Option<u32> {
    match command {
        RunnerCommand::Open { terminal, .. }
        | RunnerCommand::Snapshot { terminal, .. }
        | RunnerCommand::Stream { terminal, .. }
        | RunnerCommand::Pace { terminal, .. }
        | RunnerCommand::Read { terminal, .. }
        | RunnerCommand::Unwatch { terminal }
        | RunnerCommand::Resize { terminal, .. }
        | RunnerCommand::Prompt { terminal, .. }
        | RunnerCommand::CancelPrompt { terminal, .. }
        | RunnerCommand::Stop { terminal, .. }
        | RunnerCommand::Forget { terminal }
        | RunnerCommand::CheckpointSaved { terminal, .. } => Some(*terminal),
        RunnerCommand::Welcome { .. } | RunnerCommand::Error(_) | RunnerCommand::Unknown => None,
    }
}
