//! `muster runner status`: the terminals on this machine, asked of their keepers. It needs no hub and no running runner, and
//! disturbs neither.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::io::AsyncReadExt as _;

use super::keepers;
use super::state::StateDir;
use crate::keeper::spec::{ExitFile, OpenSpec};
use crate::keeper::wire::{self, Message};
use protocol::control::{self, RunnerMessage, StatusReport, TerminalReport};
use protocol::status::Status;

/// How long one keeper may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// One terminal.
#[derive(Clone, Debug, Serialize)]
pub struct TerminalLine {
    /// The runner's id in its hub.
    pub runner: String,
    /// Its number there.
    pub terminal: u32,
    /// Its session's name.
    pub name: String,
    /// The agent's word.
    pub agent: String,
    /// The folder that it was started in.
    pub cwd: String,
    /// Whether its keeper answers.
    pub keeper: bool,
    /// Its status, as far as it is known.
    pub status: StatusReport,
    /// Bytes that it has printed.
    pub end: u64,
}

/// Asks every keeper in a state folder.
pub async fn terminals(state: &StateDir) -> Vec<TerminalLine> {
    let mut lines = Vec::new();
    for (runner, terminals) in state.all() {
        for terminal in terminals.list() {
            let dir = terminals.dir(terminal);
            let spec = OpenSpec::load(&dir).unwrap_or_default();
            let report = tokio::time::timeout(ANSWER_MAX, ask(&dir)).await.ok().flatten();
            let keeper = report.is_some();
            let exit = || ExitFile::load(&dir).ok().flatten().map(|exit| exit.status);
            let end = report.as_ref().map_or(0, |report| report.end);
            let status = report.map(|report| report.status).or_else(exit).unwrap_or_default();
            let OpenSpec { name, agent, cwd, .. } = spec;
            lines.push(TerminalLine { runner: runner.clone(), terminal, name, agent, cwd, keeper, status, end });
        }
    }
    lines
}

/// A table for people.
pub fn table(lines: &[TerminalLine]) -> String {
    if lines.is_empty() {
        return "No terminals on this machine.\n".into();
    }
    let mut text =
        format!("{:>8}  {:<10} {:<8} {:>10}  {:<24} {}\n", "TERMINAL", "AGENT", "STATUS", "BYTES", "NAME", "FOLDER");
    for line in lines {
        let status = match line.status.status {
            Status::Unknown if !line.keeper => "no keeper",
            status => status.word(),
        };
        let name: String = line.name.chars().take(24).collect();
        let TerminalLine { terminal, agent, end, cwd, .. } = line;
        text += &format!("{terminal:>8}  {agent:<10} {status:<8} {end:>10}  {name:<24} {cwd}\n");
    }
    text
}

/// The report with which a keeper begins every connection.
async fn ask(dir: &Path) -> Option<TerminalReport> {
    let mut stream = keepers::try_reach(dir).await?;
    let mut decoder = wire::Decoder::default();
    let mut buffer = [0; 8192];
    loop {
        let taken = stream.read(&mut buffer).await.ok().filter(|taken| *taken > 0)?;
        decoder.feed(&buffer[..taken]);
        if let Some(message) = decoder.next().ok()? {
            let Message::Json(text) = message else { return None };
            return match control::decode(text) {
                Ok(RunnerMessage::Opened { report }) => Some(report),
                _ => None,
            };
        }
    }
}
