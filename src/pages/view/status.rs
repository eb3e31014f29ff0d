//! How a status, a prompt's state and a moment of the timeline look: glyph, word, tone. The one place that decides it.

use protocol::control::StatusReport;
use protocol::status::{BlockedOn, PromptState, Status};

use super::text::{capitalised, visible};

/// A status as drawn: shape and word, so that neither colour nor shape alone carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// For `data-status`.
    pub word: &'static str,
    /// The glyph's name in icons.svg.
    pub icon: &'static str,
    /// For people: "Needs permission".
    pub label: &'static str,
}

impl Mark {
    /// The mark of a report.
    #[must_use]
    pub fn of(report: &StatusReport) -> Mark {
        let mut mark = Mark::of_status(report.status);
        if report.status == Status::Blocked {
            mark.label = match report.blocked_on {
                Some(BlockedOn::Permission) => "Needs permission",
                Some(BlockedOn::Question) => "Needs an answer",
                Some(BlockedOn::Auth) => "Needs a sign-in",
                Some(BlockedOn::Other) | None => "Needs you",
            };
        }
        mark
    }

    /// The mark of a status alone.
    #[must_use]
    pub fn of_status(status: Status) -> Mark {
        let label = match status {
            Status::Blocked => "Needs you",
            Status::Failed => "Failed",
            Status::Working => "Working",
            Status::Idle => "Idle",
            Status::Done => "Done",
            Status::Offline => "Offline",
            Status::Unknown => "Unknown",
        };
        Mark { word: status.word(), icon: status.word(), label }
    }

    /// True for the one glyph that turns.
    #[must_use]
    pub fn turns(&self) -> bool {
        self.word == "working"
    }
}

/// What an agent waits for or how it ended, beside what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Glyph.
    pub icon: &'static str,
    /// "Permission", "Question", "Exit".
    pub kind: &'static str,
    /// The whole text, never shortened.
    pub text: String,
    /// It failed, so the answer is to start again.
    pub failed: bool,
}

impl Ask {
    /// `None` unless it is a person's move.
    #[must_use]
    pub fn of(report: &StatusReport) -> Option<Ask> {
        match report.status {
            Status::Blocked => {
                let (icon, kind, otherwise) = match report.blocked_on {
                    Some(BlockedOn::Permission) => ("shield", "Permission", "It asks for leave to do something."),
                    Some(BlockedOn::Question) => ("question", "Question", "It asks a question."),
                    Some(BlockedOn::Auth) => ("key", "Sign-in", "It needs to be signed in."),
                    Some(BlockedOn::Other) | None => ("question", "Waiting", "It waits for a person."),
                };
                let text = if report.detail.is_empty() { otherwise.to_owned() } else { visible(&report.detail) };
                Some(Ask { icon, kind, text, failed: false })
            }
            Status::Failed => {
                let kind = if report.has_exited() { "Exit" } else { "Failed" };
                Some(Ask { icon: "failed", kind, text: sentence(report), failed: true })
            }
            _ => None,
        }
    }
}

/// How a process ended, and what was said of it.
#[must_use]
pub fn sentence(report: &StatusReport) -> String {
    // The second of each is a keeper's own wording, which says the same once more.
    let (end, same) = match (report.exit_signal, report.exit_code) {
        (Some(signal), _) => (format!("Ended by signal {signal}."), format!("Signal {signal} ended it")),
        (None, Some(code)) => (format!("Ended with code {code}."), format!("It ended with exit code {code}")),
        (None, None) => (String::new(), String::new()),
    };
    let detail = if report.detail == same { String::new() } else { capitalised(&visible(&report.detail)) };
    match (end.is_empty(), detail.is_empty()) {
        (true, true) => "It stopped with an error.".to_owned(),
        (false, true) => end,
        (true, false) => detail,
        (false, false) => format!("{end} {detail}"),
    }
}

/// One line on what an agent is at; may be empty.
#[must_use]
pub fn doing(report: &StatusReport) -> String {
    match report.status {
        Status::Failed | Status::Done if report.has_exited() => sentence(report),
        Status::Blocked => String::new(),
        _ if !report.detail.is_empty() => visible(&report.detail),
        _ => visible(&report.title),
    }
}

/// Glyph of a prompt's state: one to three steps, or how it ended.
#[must_use]
pub fn prompt_icon(state: PromptState) -> &'static str {
    match state {
        PromptState::Queued => "step-1",
        PromptState::Delivered => "step-2",
        PromptState::Accepted => "step-3",
        PromptState::Done => "done",
        PromptState::Cancelled => "cross",
        PromptState::Failed => "failed",
    }
}

/// Word of a prompt's state.
#[must_use]
pub fn prompt_label(state: PromptState) -> &'static str {
    match state {
        PromptState::Queued => "Queued",
        PromptState::Delivered => "Delivered",
        PromptState::Accepted => "Accepted",
        PromptState::Done => "Done",
        PromptState::Cancelled => "Cancelled",
        PromptState::Failed => "Failed",
    }
}

/// Glyph of a timeline entry; a kind of a newer hub gets the clock.
#[must_use]
pub fn timeline_icon(kind: &str) -> &'static str {
    match kind {
        "created" | "restarted" => "play",
        "opening" | "opened" => "terminal",
        "failed" => "failed",
        "status" => "working",
        "prompt" => "prompt",
        "exited" | "stopped" => "stop",
        "closed" => "cross",
        "renamed" => "pencil",
        "shared" => "people",
        "runner" => "plug",
        "attached" | "detached" => "eye",
        "driver" => "keyboard",
        _ => "clock",
    }
}
