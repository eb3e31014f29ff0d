//! Prompts: each written once, when its agent can take it, and followed until its turn is over. Pure, time is an input.
//!
//! queued, then pasted, then submitted by a carriage return of its own (agents take one in the same read for pasted text),
//! then accepted when work begins, then done when the turn ends. **Invariant: a number is written at most once, whatever is
//! repeated.** What cannot go on says why. It knows the PTY only as bytes to write.

use std::collections::VecDeque;

use protocol::control::PromptReport;
use protocol::status::{Evidence, PromptState, Status};

use super::spec::ProgramKind;

/// How long a prompt waits for an agent that cannot take it.
const PATIENCE_MS: u64 = 10 * 60 * 1000;
/// Silence before a paste, so that an agent that is starting up has drawn what takes it.
const CALM_MS: u64 = 150;
/// How long to wait for that silence once the agent says that it takes pasted text.
const CALM_PATIENCE_MS: u64 = 3_000;
/// How long to wait for an agent that has not been seen at rest, since some take pasted text long before they are ready.
const UNKNOWN_PATIENCE_MS: u64 = 15_000;
/// The same for agents that are known to say how they are.
const SPEECHLESS_PATIENCE_MS: u64 = 60_000;
/// These say how they are as soon as they are ready.
const SPEAKERS: [&str; 3] = ["claude", "codex", "gemini"];
/// Silence after a paste, so that it was drawn before it is submitted.
const SETTLE_MS: u64 = 80;
/// How long to wait for that silence.
const SETTLE_PATIENCE_MS: u64 = 1_000;
/// Silence after which a shell at its prompt has run what it was given.
const SHELL_SETTLE_MS: u64 = 300;
/// Silence after which an agent that says nothing of itself has answered.
const ANSWERED_MS: u64 = 8_000;
/// How long an agent that does say when it works may take to say so; after that, what was printed is the answer.
const SAY_PATIENCE_MS: u64 = 10_000;
/// How long an agent may print nothing at all.
const SILENT_PATIENCE_MS: u64 = 30_000;
/// Prompts remembered, so that one sent again is recognised. The hub sends a terminal's prompts one after the other.
const KNOWN_MAX: usize = 64;
/// Prompts told of in a report.
pub const REPORTED_MAX: usize = 8;

/// What a prompt looks at.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// Now.
    pub now_ms: u64,
    /// Bracketed paste is on.
    pub takes_paste: bool,
    /// The agent's status.
    pub status: Status,
    /// What it stands on.
    pub evidence: Evidence,
    /// How often it began to work.
    pub turns: u64,
    /// When it printed last.
    pub last_output_ms: u64,
    /// The program itself holds the foreground.
    pub own_foreground: bool,
    /// The program has ended, well if true.
    pub ended: Option<bool>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write to the PTY.
    Write(Vec<u8>),
    /// Tell the hub.
    Report(PromptReport),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting { since: u64, calm_since: Option<u64> },
    Pasted { at: u64 },
    Submitted { at: u64, turns: u64 },
    Over,
}

#[derive(Debug)]
struct Prompt {
    report: PromptReport,
    text: String,
    phase: Phase,
}

/// The prompts of a terminal.
#[derive(Debug)]
pub struct Prompts {
    kind: ProgramKind,
    /// The agent is one that says how it is.
    speaks: bool,
    known: VecDeque<Prompt>,
}

impl Prompts {
    /// None yet.
    pub fn new(kind: ProgramKind, agent: &str) -> Prompts {
        Prompts { kind, speaks: SPEAKERS.contains(&agent), known: VecDeque::new() }
    }

    /// What an earlier keeper knew; all of it is over.
    pub fn restore(&mut self, reports: Vec<PromptReport>) {
        let over = |report| Prompt { report, text: String::new(), phase: Phase::Over };
        self.known.extend(reports.into_iter().map(over));
    }

    /// Takes a prompt; answers with its state, also when it is known already.
    pub fn submit(&mut self, now_ms: u64, number: u64, text: &str) -> PromptReport {
        if let Some(known) = self.find(number) {
            return known.report.clone();
        }
        let phase = Phase::Waiting { since: now_ms, calm_since: None };
        self.remember(number, PromptState::Queued, clean(text), phase)
    }

    /// Withdraws a prompt that was not written yet; answers with its state. One never seen will not be written either.
    pub fn cancel(&mut self, number: u64) -> PromptReport {
        if let Some(known) = self.find(number) {
            if matches!(known.phase, Phase::Waiting { .. }) {
                known.end(PromptState::Cancelled, "");
            }
            return known.report.clone();
        }
        self.remember(number, PromptState::Cancelled, String::new(), Phase::Over)
    }

    /// The newest prompts, oldest first.
    pub fn reports(&self) -> Vec<PromptReport> {
        let skipped = self.known.len().saturating_sub(REPORTED_MAX);
        self.known.iter().skip(skipped).map(|known| known.report.clone()).collect()
    }

    /// True while one of them is not over.
    pub fn has_open(&self) -> bool {
        self.known.iter().any(|known| known.phase != Phase::Over)
    }

    /// Moves on whatever can move on.
    pub fn poll(&mut self, moment: &Moment) -> Vec<Action> {
        let mut actions = Vec::new();
        let (kind, patience) = (self.kind, self.patience_ms());
        // One at a time: the next waits until the one before is over.
        while let Some(current) = self.known.iter_mut().find(|known| known.phase != Phase::Over) {
            let before = (current.phase, current.report.state);
            current.step(kind, patience, moment, &mut actions);
            if current.report.state != before.1 {
                actions.push(Action::Report(current.report.clone()));
            }
            if (current.phase, current.report.state) == before {
                break;
            }
        }
        actions
    }

    /// When to [`Self::poll`] again at the latest, if nothing else happens.
    pub fn next_poll_ms(&self, moment: &Moment) -> Option<u64> {
        let current = self.known.iter().find(|known| known.phase != Phase::Over)?;
        let after_output = |silence: u64, begin: u64, patience: u64| {
            (moment.last_output_ms.max(begin) + silence).min(begin + patience)
        };
        let at = match current.phase {
            Phase::Waiting { since, calm_since: None } if moment.now_ms < since + self.patience_ms() => {
                since + self.patience_ms()
            }
            Phase::Waiting { since, calm_since: None } => since + PATIENCE_MS,
            Phase::Waiting { calm_since: Some(calm), .. } => after_output(CALM_MS, calm, CALM_PATIENCE_MS),
            // Not every agent draws what is pasted.
            Phase::Pasted { at } if moment.last_output_ms <= at => at + SETTLE_PATIENCE_MS,
            Phase::Pasted { at } => after_output(SETTLE_MS, at, SETTLE_PATIENCE_MS),
            Phase::Submitted { at, .. } if self.kind == ProgramKind::Shell => {
                moment.last_output_ms.max(at) + SHELL_SETTLE_MS
            }
            Phase::Submitted { .. } if current.report.state == PromptState::Accepted => return None,
            Phase::Submitted { at, .. } if moment.last_output_ms <= at => at + SILENT_PATIENCE_MS,
            Phase::Submitted { at, .. } if speaks(moment) => at + SAY_PATIENCE_MS,
            Phase::Submitted { .. } => moment.last_output_ms + ANSWERED_MS,
            Phase::Over => return None,
        };
        Some(at).filter(|at| *at > moment.now_ms)
    }

    /// How long an agent of unknown status is not given a prompt.
    fn patience_ms(&self) -> u64 {
        if self.speaks { SPEECHLESS_PATIENCE_MS } else { UNKNOWN_PATIENCE_MS }
    }

    fn find(&mut self, number: u64) -> Option<&mut Prompt> {
        self.known.iter_mut().find(|known| known.report.prompt == number)
    }

    fn remember(&mut self, number: u64, state: PromptState, text: String, phase: Phase) -> PromptReport {
        if self.known.len() >= KNOWN_MAX {
            let oldest = self.known.iter().position(|known| known.phase == Phase::Over).unwrap_or(0);
            self.known.remove(oldest);
        }
        let report = PromptReport { prompt: number, state, reason: String::new() };
        self.known.push_back(Prompt { report: report.clone(), text, phase });
        report
    }
}

/// True when the agent itself says when it works.
fn speaks(moment: &Moment) -> bool {
    matches!(moment.evidence, Evidence::Osc7501 | Evidence::Hook | Evidence::Title)
}

/// True when the agent waits for a prompt, as far as it can be known.
fn is_at_rest(moment: &Moment, patience_ms: u64, since: u64) -> bool {
    let seen = match moment.status {
        Status::Working | Status::Blocked => return false,
        Status::Idle | Status::Done => patience_ms == UNKNOWN_PATIENCE_MS || speaks(moment),
        _ => false,
    };
    seen || moment.now_ms >= since + patience_ms
}

impl Prompt {
    fn end(&mut self, state: PromptState, reason: &str) {
        self.report.state = state;
        reason.clone_into(&mut self.report.reason);
        self.phase = Phase::Over;
        self.text = String::new();
    }

    fn step(&mut self, kind: ProgramKind, patience_ms: u64, moment: &Moment, actions: &mut Vec<Action>) {
        if let Some(well) = moment.ended {
            return match self.report.state {
                PromptState::Accepted if well => self.end(PromptState::Done, ""),
                PromptState::Queued => self.end(PromptState::Failed, "The agent ended before it could take this"),
                _ => self.end(PromptState::Failed, "The agent ended before it was done with this"),
            };
        }
        match self.phase {
            Phase::Waiting { since, calm_since } => {
                let ready = match kind {
                    // Before its first word it has not taken the terminal over, which then echoes the prompt too.
                    ProgramKind::Shell => {
                        moment.own_foreground && (moment.last_output_ms > 0 || moment.now_ms >= since + patience_ms)
                    }
                    ProgramKind::Tui => moment.takes_paste && is_at_rest(moment, patience_ms, since),
                };
                self.wait(ready, moment, since, calm_since, actions);
            }
            Phase::Pasted { at } => {
                let drawn = moment.last_output_ms > at && moment.now_ms >= moment.last_output_ms + SETTLE_MS;
                if drawn || moment.now_ms >= at + SETTLE_PATIENCE_MS {
                    actions.push(Action::Write(b"\r".to_vec()));
                    self.phase = Phase::Submitted { at: moment.now_ms, turns: moment.turns };
                    self.report.state = PromptState::Delivered;
                }
            }
            Phase::Submitted { at, turns } if self.report.state == PromptState::Delivered => {
                self.accept(kind, moment, at, turns);
            }
            Phase::Submitted { at, .. } => {
                let over = match kind {
                    ProgramKind::Shell => {
                        moment.own_foreground && moment.now_ms >= moment.last_output_ms.max(at) + SHELL_SETTLE_MS
                    }
                    ProgramKind::Tui => matches!(moment.status, Status::Idle | Status::Done),
                };
                if over {
                    self.end(PromptState::Done, "");
                }
            }
            Phase::Over => {}
        }
    }

    fn wait(&mut self, ready: bool, moment: &Moment, since: u64, calm_since: Option<u64>, actions: &mut Vec<Action>) {
        let now = moment.now_ms;
        if !ready {
            // A busy agent, or one that waits for a person, will take it in its own time.
            let since = if matches!(moment.status, Status::Working | Status::Blocked) { now } else { since };
            self.phase = Phase::Waiting { since, calm_since: None };
            if now >= since + PATIENCE_MS {
                self.end(PromptState::Failed, "The agent could not take this for ten minutes");
            }
            return;
        }
        let calm = calm_since.unwrap_or(now);
        self.phase = Phase::Waiting { since, calm_since: Some(calm) };
        if now < moment.last_output_ms.max(calm) + CALM_MS && now < calm + CALM_PATIENCE_MS {
            return;
        }
        let paste = if moment.takes_paste { format!("\x1b[200~{}\x1b[201~", self.text) } else { self.text.clone() };
        actions.push(Action::Write(paste.into_bytes()));
        self.phase = Phase::Pasted { at: now };
    }

    fn accept(&mut self, kind: ProgramKind, moment: &Moment, at: u64, turns: u64) {
        let now = moment.now_ms;
        let printed = moment.last_output_ms > at;
        let silent_for = |ms: u64| now >= moment.last_output_ms.max(at) + ms;
        let accepted = match kind {
            ProgramKind::Shell => !moment.own_foreground || silent_for(SHELL_SETTLE_MS),
            ProgramKind::Tui if moment.turns > turns || matches!(moment.status, Status::Working | Status::Blocked) => {
                true
            }
            ProgramKind::Tui if speaks(moment) => printed && now >= at + SAY_PATIENCE_MS,
            ProgramKind::Tui => printed && silent_for(ANSWERED_MS),
        };
        if accepted {
            self.report.state = PromptState::Accepted;
        } else if !printed && now >= at + SILENT_PATIENCE_MS {
            self.end(PromptState::Failed, "The agent did not react to this");
        }
    }
}

/// Text as it may be pasted: no escape, no control but tabs and line ends, which terminals send as carriage returns.
fn clean(text: &str) -> String {
    let text = text.replace("\x1b[201~", "").replace("\x1b[200~", "").replace("\r\n", "\r").replace('\n', "\r");
    text.trim_end_matches('\r').chars().filter(|c| !c.is_control() || matches!(c, '\r' | '\t')).collect()
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
