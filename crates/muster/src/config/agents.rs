//! The allow-list: built-in agents, what a person changes of them, and where their programs are.
//!
//! Invariant: an [`Agent`] always has a command of at least one word.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::is_word;
use crate::keeper::spec::ProgramKind;
use protocol::limits::{NAME_CHARS_MAX, TEXT_BYTES_MAX};

/// An agent that may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The word that names it.
    pub name: String,
    /// For people.
    pub label: String,
    /// The program and its first arguments.
    pub command: Vec<String>,
    /// Arguments after those.
    pub args: Vec<String>,
    /// Set for it, beyond the runner's own environment.
    pub env: BTreeMap<String, String>,
    /// How it takes prompts.
    pub kind: ProgramKind,
}

/// One `[agents.NAME]` table; what is absent stays as built in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentEntry {
    label: Option<String>,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
    kind: Option<ProgramKind>,
    enabled: Option<bool>,
}

/// Word, label, command, kind.
const BUILT_IN: [(&str, &str, &[&str], ProgramKind); 6] = [
    ("claude", "Claude Code", &["claude"], ProgramKind::Tui),
    ("codex", "Codex", &["codex"], ProgramKind::Tui),
    ("opencode", "OpenCode", &["opencode"], ProgramKind::Tui),
    ("gemini", "Gemini CLI", &["gemini"], ProgramKind::Tui),
    ("aider", "Aider", &["aider"], ProgramKind::Tui),
    // `$SHELL` is resolved when it starts. A login shell, since a runner that a service manager started has a bare PATH.
    ("shell", "Shell", &["$SHELL", "-l"], ProgramKind::Shell),
];

impl Agent {
    /// The program to run, found now: an absolute path, or `None` when it is not installed.
    pub fn program(&self, var: &dyn Fn(&str) -> Option<String>, home: &Path) -> Option<PathBuf> {
        let word = self.command.first()?;
        let word = if word == "$SHELL" {
            var("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into())
        } else {
            word.clone()
        };
        find_program(&word, var("PATH").as_deref().map(OsStr::new), home)
    }

    /// Program and arguments as the keeper starts them.
    pub fn argv(&self, program: &Path) -> Vec<String> {
        let first = program.to_string_lossy().into_owned();
        std::iter::once(first).chain(self.command.iter().skip(1).cloned()).chain(self.args.iter().cloned()).collect()
    }
}

/// Finds an executable file: as named when the name holds a slash, else on `path`.
pub fn find_program(word: &str, path: Option<&OsStr>, home: &Path) -> Option<PathBuf> {
    if word.contains('/') {
        let file = super::places::expand(word, home);
        return is_executable(&file).then_some(file);
    }
    std::env::split_paths(path?).map(|folder| folder.join(word)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The built-in entries with a person's changes. The error says which entry and what would be right.
pub(super) fn merge(mut entries: BTreeMap<String, AgentEntry>) -> Result<Vec<Agent>, String> {
    let mut agents = Vec::new();
    for (name, label, command, kind) in BUILT_IN {
        let base = Agent {
            name: name.into(),
            label: label.into(),
            command: command.iter().map(ToString::to_string).collect(),
            args: Vec::new(),
            env: BTreeMap::new(),
            kind,
        };
        agents.extend(apply(base, entries.remove(name).unwrap_or_default())?);
    }
    for (name, entry) in entries {
        if !is_word(&name) {
            return Err(format!("agent name {name:?}: use lower-case letters, digits, `-` and `_`"));
        }
        if entry.command.is_none() && entry.enabled != Some(false) {
            return Err(format!("[agents.{name}] is not built in, so it needs `command = [\"program\"]`"));
        }
        let base = Agent {
            label: name.clone(),
            name,
            command: Vec::new(),
            args: Vec::new(),
            env: BTreeMap::new(),
            kind: ProgramKind::Tui,
        };
        agents.extend(apply(base, entry)?);
    }
    Ok(agents)
}

/// `None` when the entry switches the agent off.
fn apply(base: Agent, entry: AgentEntry) -> Result<Option<Agent>, String> {
    if entry.enabled == Some(false) {
        return Ok(None);
    }
    let agent = Agent {
        label: entry.label.unwrap_or(base.label),
        command: entry.command.unwrap_or(base.command),
        args: entry.args.unwrap_or(base.args),
        env: entry.env.unwrap_or(base.env),
        kind: entry.kind.unwrap_or(base.kind),
        name: base.name,
    };
    let name = &agent.name;
    if agent.command.first().is_none_or(String::is_empty) {
        return Err(format!("[agents.{name}] command is empty; name a program"));
    }
    if agent.label.is_empty() || agent.label.chars().count() > NAME_CHARS_MAX {
        return Err(format!("[agents.{name}] label must have 1 to {NAME_CHARS_MAX} characters"));
    }
    let words = agent.command.iter().chain(&agent.args).chain(agent.env.values());
    if let Some(word) = words.into_iter().find(|word| word.len() > TEXT_BYTES_MAX || word.contains('\0')) {
        return Err(format!(
            "[agents.{name}] a word of {} bytes; the most is {TEXT_BYTES_MAX}, without NUL",
            word.len()
        ));
    }
    if let Some(key) = agent.env.keys().find(|key| key.is_empty() || key.contains(['=', '\0'])) {
        return Err(format!("[agents.{name}] env: {key:?} is not a variable's name"));
    }
    Ok(Some(agent))
}
