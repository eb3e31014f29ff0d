//! The first message of a connection: this machine, its agents, and every terminal as its keeper reports it now.
//!
//! Invariant: the message fits the wire's limit, whatever programs wrote into titles and details.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::link::{Link, LinkStart, Up};
use super::open::Machine;
use super::state::Terminals;
use crate::keeper::spec::{ExitFile, OpenSpec};
use protocol::control::{self, RunnerMessage, Size, StatusReport, TerminalReport};
use protocol::limits::CONTROL_BYTES_MAX;
use protocol::status::Status;

/// How long all keepers together may take to report before `hello` goes without them; after a reboot each must be started
/// first.
const REPORTS_MAX: Duration = Duration::from_secs(5);
/// Characters that stay of a detail or reason when all reports together are too long.
const SHORT_CHARS: usize = 80;

/// Links to all keepers, and what they reported.
pub async fn gather(terminals: &Terminals, up: &mpsc::Sender<Up>) -> (BTreeMap<u32, Link>, Vec<TerminalReport>) {
    let deadline = tokio::time::Instant::now() + REPORTS_MAX;
    let mut started = Vec::new();
    for terminal in terminals.list() {
        let (sender, report) = oneshot::channel();
        let start =
            LinkStart { terminal, terminals: terminals.clone(), is_new: false, up: up.clone(), report: Some(sender) };
        started.push((terminal, Link::start(start), report));
    }
    let (mut links, mut reports) = (BTreeMap::new(), Vec::new());
    for (terminal, link, report) in started {
        let dir = terminals.dir(terminal);
        match tokio::time::timeout_at(deadline, report).await {
            Ok(Ok(report)) => {
                links.insert(terminal, link);
                reports.push(report);
            }
            // It has failed. One that never opened has been removed.
            Ok(Err(_)) => {
                let why = "its keeper could not be started; see keeper.log in its folder";
                reports.extend(dir.exists().then(|| from_folder(terminal, &dir, Status::Failed, why)));
            }
            // It is slow: its own report follows.
            Err(_) => {
                links.insert(terminal, link);
                reports.push(from_folder(terminal, &dir, Status::Unknown, "its keeper has not answered yet"));
            }
        }
    }
    (links, reports)
}

/// `hello`, shortened as far as it must be.
pub fn message(machine: &Machine, terminals: Vec<TerminalReport>) -> String {
    let uname = rustix::system::uname();
    let mut hello = RunnerMessage::Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        hostname: uname.nodename().to_string_lossy().into_owned(),
        os: std::env::consts::OS.into(),
        arch: std::env::consts::ARCH.into(),
        capabilities: Vec::new(),
        agents: machine.offers(),
        home: machine.config.default_folder.to_string_lossy().into_owned(),
        terminals,
    };
    let steps: [fn(&mut TerminalReport); 3] = [
        |report| {
            shorten(&mut report.status.detail);
            report.prompts.iter_mut().for_each(|prompt| shorten(&mut prompt.reason));
        },
        |report| {
            let keep = report.prompts.len().min(2);
            report.prompts.drain(..report.prompts.len() - keep);
        },
        |report| {
            report.prompts.clear();
            report.status.detail.clear();
            shorten(&mut report.status.title);
        },
    ];
    let mut text = control::encode(&hello);
    for step in steps {
        if text.len() <= CONTROL_BYTES_MAX {
            break;
        }
        if let RunnerMessage::Hello { terminals, .. } = &mut hello {
            terminals.iter_mut().for_each(step);
        }
        text = control::encode(&hello);
    }
    text
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(SHORT_CHARS) {
        text.truncate(end);
    }
}

/// What is known of a terminal whose keeper does not say.
fn from_folder(terminal: u32, dir: &Path, status: Status, why: &str) -> TerminalReport {
    let size = OpenSpec::load(dir).map_or(Size::DEFAULT, |spec| spec.size());
    let exit = ExitFile::load(dir).ok().flatten();
    // What has failed for good has ended, or nobody could close it.
    let exit_code = (status == Status::Failed).then_some(-1);
    let unknown = || StatusReport { status, detail: why.into(), exit_code, ..StatusReport::default() };
    let status = exit.as_ref().map_or_else(unknown, |exit| exit.status.clone());
    let (last_output_ms, prompts) = exit.map(|exit| (exit.last_output_ms, exit.prompts)).unwrap_or_default();
    TerminalReport { terminal, oldest: 0, end: 0, size, status, last_output_ms, prompts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use protocol::control::PromptReport;
    use protocol::status::PromptState;

    #[test]
    fn hello_fits_with_every_terminal_at_its_wordiest() {
        let config = Config::parse("", Path::new("config.toml"), Path::new("/root")).expect("valid");
        let machine = Machine { config, home: "/root".into(), hostname: "laptop".into() };
        let report = |terminal| TerminalReport {
            terminal,
            oldest: protocol::limits::OFFSET_MAX - 1,
            end: protocol::limits::OFFSET_MAX - 1,
            size: Size { cols: 1_000, rows: 500 },
            status: StatusReport {
                detail: "é".repeat(protocol::limits::TEXT_BYTES_MAX / 2),
                title: "\u{1}".repeat(protocol::limits::NAME_CHARS_MAX),
                ..StatusReport::default()
            },
            last_output_ms: u64::MAX,
            prompts: vec![PromptReport { prompt: 1, state: PromptState::Failed, reason: "x".repeat(4_096) }; 16],
        };
        let reports: Vec<_> = (0..protocol::limits::TERMINALS_PER_RUNNER_MAX as u32).map(report).collect();
        let text = message(&machine, reports);
        assert!(text.len() <= CONTROL_BYTES_MAX, "{}", text.len());
        let RunnerMessage::Hello { terminals, .. } = control::decode(&text).expect("valid") else {
            panic!("not hello")
        };
        assert_eq!(terminals.len(), 256);
        let text = message(&machine, vec![report(1)]);
        assert!(text.contains(&"é".repeat(2_048)), "nothing is cut without need");
    }
}
