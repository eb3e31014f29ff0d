//! The status ladder: from evidence of different strength to one status, pure, with time as an input.
//!
//! Exit, then OSC 7501, hooks, the foreground process, titles, and quiet. **Invariants: the strongest claim that stands
//! wins; quiet never makes anything blocked; without evidence the status is unknown; a report leaves only when something
//! changed**, a change of text alone at most every `TEXT_EVERY_MS`, any other as [`Bucket`] lets it. It knows neither PTY nor
//! wire.

use protocol::control::StatusReport;
use protocol::limits::{NAME_CHARS_MAX, STATUS_BURST, STATUS_EVERY_MS};
use protocol::status::{Evidence, Status};

use super::signals::{self, Claim};
use super::spec::ProgramKind;

/// Silence after which a working agent that says nothing of itself is taken for idle.
const QUIET_MS: u64 = 2_000;
/// Output that goes on this long after the last key and the last resize is work, not echo.
const SUSTAINED_MS: u64 = 700;
/// How often a mere change of title or detail is reported.
const TEXT_EVERY_MS: u64 = 30_000;

/// Evidence, as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The program printed.
    Output,
    /// Somebody typed, or the size changed: output that follows is no work.
    Stirred,
    /// A title.
    Title(String),
    /// BEL.
    Bell,
    /// An operating system command that is not the terminal's own.
    Osc(u32, String),
    /// A hook or event of the agent's own.
    Hook(Claim),
    /// Whether the program itself holds the terminal's foreground.
    Foreground {
        /// It does, and so waits at its prompt.
        own: bool,
    },
    /// The program ended.
    Exit {
        /// Its exit code.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// Somebody had asked for it.
        asked: bool,
    },
    /// It ended unseen; the text says how that came.
    Lost(String),
}

/// A leaky bucket: a burst of [`STATUS_BURST`] reports, then one every [`STATUS_EVERY_MS`]. A program may say `working` and
/// `idle` a thousand times a second, and each report costs the hub a row.
#[derive(Debug, Default)]
struct Bucket {
    /// When it is empty again.
    empty_ms: u64,
}

impl Bucket {
    /// When it takes one more.
    fn free_ms(&self) -> u64 {
        self.empty_ms.saturating_sub((STATUS_BURST - 1) * STATUS_EVERY_MS)
    }

    /// One more, though it may not be free: those that follow wait longer.
    fn add(&mut self, now_ms: u64) {
        self.empty_ms = self.empty_ms.max(now_ms) + STATUS_EVERY_MS;
    }
}

/// The state machine.
#[derive(Debug)]
pub struct Ladder {
    kind: ProgramKind,
    bell_means_idle: bool,
    osc: Option<Claim>,
    hook: Option<Claim>,
    foreground: Option<Claim>,
    titled: Option<Claim>,
    quiet: Option<Claim>,
    spun: bool,
    /// The bell's claim, which the next work takes away.
    rung: bool,
    last_output_ms: u64,
    burst_ms: u64,
    stirred_ms: u64,
    report: StatusReport,
    /// What was reported last, and when.
    told: Option<(StatusReport, u64)>,
    bucket: Bucket,
    turns: u64,
}

impl Ladder {
    /// A program that has just begun.
    pub fn new(kind: ProgramKind, agent: &str, now_ms: u64) -> Ladder {
        Ladder {
            kind,
            bell_means_idle: agent == "aider",
            osc: None,
            hook: None,
            foreground: None,
            titled: None,
            quiet: None,
            spun: false,
            rung: false,
            last_output_ms: 0,
            burst_ms: 0,
            stirred_ms: now_ms,
            report: StatusReport { since_ms: now_ms, ..StatusReport::default() },
            told: None,
            bucket: Bucket::default(),
            turns: 0,
        }
    }

    /// A program that ended before this keeper began.
    pub fn ended(report: StatusReport, last_output_ms: u64) -> Ladder {
        Ladder { report, last_output_ms, ..Ladder::new(ProgramKind::Shell, "", 0) }
    }

    /// The status as it stands.
    pub fn report(&self) -> &StatusReport {
        &self.report
    }

    /// How often it began to work.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// When the program printed last; 0 if never.
    pub fn last_output_ms(&self) -> u64 {
        self.last_output_ms
    }

    /// Takes evidence.
    pub fn take(&mut self, now_ms: u64, signal: Signal) {
        if self.report.has_exited() {
            return;
        }
        match signal {
            Signal::Output => self.output(now_ms),
            Signal::Stirred => {
                self.stirred_ms = now_ms;
                // Whoever typed has seen the question that a notification was about.
                self.titled.take_if(|claim| claim.status == Status::Blocked);
            }
            Signal::Title(title) => {
                self.titled = signals::title(&title, self.spun).or(self.titled.take());
                self.spun |= signals::has_spinner(&title);
                self.report.title = signals::still_title(&title, NAME_CHARS_MAX);
            }
            Signal::Bell if self.bell_means_idle => {
                self.rung = true;
                self.titled = Some(Claim::of(Status::Idle));
            }
            Signal::Bell => {}
            Signal::Osc(7501, text) => self.osc = signals::program_status(&text).or(self.osc.take()),
            Signal::Osc(9, text) => self.titled = signals::notification(&text).or(self.titled.take()),
            Signal::Osc(777, text) => self.titled = signals::urxvt_notification(&text).or(self.titled.take()),
            Signal::Osc(133, text) => self.titled = signals::shell_mark(&text).or(self.titled.take()),
            Signal::Osc(..) => {}
            Signal::Hook(claim) => self.hook = Some(claim),
            Signal::Foreground { own } => self.foreground(own),
            Signal::Exit { code, signal, asked } => return self.exit(now_ms, code, signal, asked),
            Signal::Lost(detail) => {
                let claim = Claim { status: Status::Failed, blocked_on: None, detail };
                self.report.exit_code = Some(-1);
                return self.set(now_ms, &claim, Evidence::Exit);
            }
        }
        self.resolve(now_ms);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now_ms: u64) {
        if !self.report.has_exited() && self.quiet_at().is_some_and(|at| at <= now_ms) {
            self.quiet = Some(Claim::of(Status::Idle));
            self.resolve(now_ms);
        }
    }

    /// When [`Self::tick`] would change something, if nothing else happens.
    pub fn next_tick_ms(&self) -> Option<u64> {
        if self.report.has_exited() { None } else { self.quiet_at() }
    }

    /// When [`Self::news`] would tell a runner something, if nothing else happens. What is newest by then is what it tells.
    pub fn next_news_ms(&self) -> Option<u64> {
        let Some((told, at)) = &self.told else { return Some(0) };
        let is_asking = |report: &StatusReport| report.status == Status::Blocked;
        if *told == self.report {
            None
        } else if told.has_exited() != self.report.has_exited() || is_asking(&self.report) && !is_asking(told) {
            Some(0) // A person waits for these. An end comes once, and to ask again it must have told something else before.
        } else if (told.status, told.blocked_on) == (self.report.status, self.report.blocked_on) {
            Some(at + TEXT_EVERY_MS)
        } else {
            Some(self.bucket.free_ms())
        }
    }

    /// The report, if it is news.
    pub fn news(&mut self, now_ms: u64) -> Option<StatusReport> {
        self.next_news_ms().filter(|due_ms| *due_ms <= now_ms)?;
        self.bucket.add(now_ms);
        self.told = Some((self.report.clone(), now_ms));
        Some(self.report.clone())
    }

    /// Says that the report went out with something else, as it stands.
    pub fn told(&mut self, now_ms: u64) {
        self.told = Some((self.report.clone(), now_ms));
    }

    fn quiet_at(&self) -> Option<u64> {
        let idle = self.quiet.as_ref().is_some_and(|claim| claim.status == Status::Idle);
        let counts = self.kind == ProgramKind::Tui && self.last_output_ms > 0 && !idle;
        counts.then_some(self.last_output_ms + QUIET_MS)
    }

    fn output(&mut self, now_ms: u64) {
        if self.last_output_ms == 0 || now_ms.saturating_sub(self.last_output_ms) >= QUIET_MS {
            self.burst_ms = now_ms;
        }
        self.last_output_ms = now_ms;
        if self.kind == ProgramKind::Tui && now_ms >= self.burst_ms.max(self.stirred_ms) + SUSTAINED_MS {
            self.quiet = Some(Claim::of(Status::Working));
            if std::mem::take(&mut self.rung) {
                self.titled = None;
            }
        }
    }

    fn foreground(&mut self, own: bool) {
        if self.kind != ProgramKind::Shell {
            return;
        }
        let before = self.foreground.replace(Claim::of(if own { Status::Idle } else { Status::Working }));
        if own && before.is_some_and(|claim| claim.status == Status::Working) {
            // What the program that ran in the shell said of itself ended with it.
            (self.osc, self.titled, self.hook, self.spun) = (None, None, None, false);
        }
    }

    fn exit(&mut self, now_ms: u64, code: Option<i32>, signal: Option<i32>, asked: bool) {
        (self.report.exit_code, self.report.exit_signal) = (code, signal);
        let (status, detail) = match (code, signal) {
            (Some(0), _) => (Status::Done, String::new()),
            _ if asked => (Status::Done, "It was stopped".to_owned()),
            (Some(code), _) => (Status::Failed, format!("It ended with exit code {code}")),
            (None, Some(signal)) => (Status::Failed, format!("Signal {signal} ended it")),
            (None, None) => (Status::Failed, "It ended".to_owned()),
        };
        self.set(now_ms, &Claim { status, blocked_on: None, detail }, Evidence::Exit);
    }

    fn resolve(&mut self, now_ms: u64) {
        let claims = [
            (&self.osc, Evidence::Osc7501),
            (&self.hook, Evidence::Hook),
            (&self.foreground, Evidence::Foreground),
            (&self.titled, Evidence::Title),
            (&self.quiet, Evidence::Quiet),
        ];
        let strongest = claims.into_iter().find_map(|(claim, evidence)| Some((claim.clone()?, evidence)));
        let (claim, evidence) = strongest.unwrap_or_default();
        self.set(now_ms, &claim, evidence);
    }

    fn set(&mut self, now_ms: u64, claim: &Claim, evidence: Evidence) {
        let report = &mut self.report;
        if (report.status, report.blocked_on) != (claim.status, claim.blocked_on) {
            report.since_ms = now_ms;
            self.turns += u64::from(claim.status == Status::Working);
        }
        (report.status, report.blocked_on, report.evidence) = (claim.status, claim.blocked_on, evidence);
        report.detail.clone_from(&claim.detail);
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
