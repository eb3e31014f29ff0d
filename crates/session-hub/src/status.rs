//! What a terminal's runner says of it becomes its row, its viewers' status line and, where a person would want to look, an
//! entry of the timeline. One row a change, and none when nothing changed.

use protocol::control::{StatusReport, ViewerEvent};
use protocol::limits::OFFSET_MAX;
use protocol::status::{Evidence, Status};

use crate::call::TerminalState;
use crate::db::Fault;
use crate::hub::Hub;
use crate::limits::TOUCH_EVERY_MS;
use crate::out::Out;
use crate::registry::Terminal;
use crate::store::Store;
use crate::text;
use crate::timeline::{self, Note};

/// A runner's word on a terminal.
pub(crate) struct Said {
    pub(crate) terminal: u32,
    pub(crate) status: StatusReport,
    pub(crate) last_output_ms: u64,
    /// Offset after the newest byte, where the message names it.
    pub(crate) end: Option<u64>,
    /// Nobody has its process or its log any more.
    pub(crate) lost: bool,
}

impl Said {
    /// The runner came back without this terminal.
    pub(crate) fn lost(terminal: &Terminal) -> Said {
        Said::ended(terminal, "The process that held this terminal is gone: the machine restarted, or it was killed.")
    }

    /// The runner will not come back: nothing can be heard of this terminal any more.
    pub(crate) fn revoked(terminal: &Terminal) -> Said {
        Said::ended(
            terminal,
            "Its runner's token was revoked. It may still run on that machine, out of reach from here.",
        )
    }

    fn ended(terminal: &Terminal, detail: &str) -> Said {
        let detail = detail.to_owned();
        let title = terminal.status.title.clone();
        let status =
            StatusReport { status: Status::Failed, detail, title, evidence: Evidence::None, ..StatusReport::default() };
        Said { terminal: terminal.id, status, last_output_ms: terminal.last_output_ms, end: None, lost: true }
    }
}

impl<S: Store> Hub<S> {
    /// Writes what was said, then tells the viewers. What follows for prompts is the caller's.
    pub(crate) fn said(&mut self, now_ms: u64, said: Said, out: &mut Out) -> Result<(), Fault> {
        let Some(known) = self.registry.terminals.get(&said.terminal) else { return Ok(()) };
        let mut next = known.clone();
        next.status = text::plain_status(said.status);
        next.lost = said.lost;
        next.state = if said.lost || next.status.has_exited() { TerminalState::Ended } else { TerminalState::Open };
        next.failure = String::new();
        next.last_output_ms = next.last_output_ms.max(said.last_output_ms.min(now_ms));
        next.end = next.end.max(said.end.unwrap_or_default().min(OFFSET_MAX));
        if says_otherwise(&known.status, &next.status) || known.state != next.state {
            next.status_ms = now_ms;
        }
        let seen = Seen::compare(known, &next, now_ms);
        if seen == Seen::Nothing {
            return Ok(());
        }
        let known = known.clone();
        if seen == Seen::Change {
            next.heard_ms = now_ms;
            self.note_status(now_ms, &known, &next)?;
            let ended = !next.is_alive() && known.is_alive();
            self.registry.put_terminal(&self.db, next.clone())?;
            if ended {
                self.fail_prompts(now_ms, next.id, "The agent ended first.", out)?;
            }
            out.session_changed(next.session);
        }
        if let Some(wire) = self.wires.get_mut(&next.id) {
            wire.ended = !next.is_alive();
            let event = ViewerEvent::Status {
                terminal: next.id,
                report: next.status.clone(),
                last_output_ms: next.printed_ms(),
            };
            wire.tell_all(&event, out);
        }
        Ok(())
    }

    fn note_status(&self, now_ms: u64, known: &Terminal, next: &Terminal) -> Result<(), Fault> {
        let ended = known.is_alive() && !next.is_alive();
        let turned = known.status.status != next.status.status || known.status.detail != next.status.detail;
        let (kind, text) = match next.status.status {
            _ if ended => ("exited", exit_text(next)),
            Status::Blocked if turned => ("status", detailed("Needs you", &next.status.detail)),
            Status::Failed if turned => ("status", detailed("Failed", &next.status.detail)),
            Status::Done if turned => ("status", detailed("Done", &next.status.detail)),
            _ => return Ok(()),
        };
        let note = Note { session: next.session, terminal: Some(next.id), kind, actor: "", text };
        Ok(timeline::write(&self.db, now_ms, &note)?)
    }
}

/// What of a report is worth a row.
#[derive(PartialEq)]
enum Seen {
    /// Nothing at all.
    Nothing,
    /// For the viewers alone: an agent that animates its title must not cost a row for each frame of it.
    Passing,
    /// A row.
    Change,
}

impl Seen {
    fn compare(known: &Terminal, next: &Terminal, now_ms: u64) -> Seen {
        if known.state != next.state || known.lost != next.lost || says_otherwise(&known.status, &next.status) {
            return Seen::Change;
        }
        let touched = known.status.title != next.status.title || known.last_output_ms != next.last_output_ms;
        if touched && now_ms.saturating_sub(known.heard_ms) >= TOUCH_EVERY_MS {
            return Seen::Change;
        }
        if known.status.title != next.status.title { Seen::Passing } else { Seen::Nothing }
    }
}

/// More than the title or the time differs.
fn says_otherwise(known: &StatusReport, next: &StatusReport) -> bool {
    (known.status, known.blocked_on, &known.detail, known.exit_code, known.exit_signal)
        != (next.status, next.blocked_on, &next.detail, next.exit_code, next.exit_signal)
}

fn detailed(word: &str, detail: &str) -> String {
    if detail.is_empty() { word.to_owned() } else { format!("{word}: {detail}") }
}

fn exit_text(terminal: &Terminal) -> String {
    let agent = &terminal.agent_label;
    match (terminal.status.exit_code, terminal.status.exit_signal) {
        (_, Some(signal)) => format!("{agent} was ended by signal {signal}"),
        (Some(code), None) => format!("{agent} ended with code {code}"),
        (None, None) => format!("{agent} is gone: {}", terminal.status.detail),
    }
}
