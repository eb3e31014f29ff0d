//! What may be opened on this machine: the allow-list applied to a wish of the hub.
//!
//! Invariant: program, arguments and environment come from the configuration alone; the hub chooses an entry, a folder and
//! a size.

use std::path::PathBuf;

use crate::config::{Config, places};
use crate::keeper::spec::OpenSpec;
use protocol::control::{AgentOffer, Size};
use protocol::limits::{NAME_CHARS_MAX, TEXT_BYTES_MAX};

/// This machine, as far as opening is concerned.
#[derive(Debug)]
pub struct Machine {
    /// The allow-list and defaults.
    pub config: Config,
    /// The user's home folder.
    pub home: PathBuf,
    /// For people.
    pub hostname: String,
}

/// A terminal that the hub wants.
#[derive(Debug)]
pub struct Wish {
    /// Its number.
    pub terminal: u32,
    /// Its session.
    pub session: u64,
    /// The session's name.
    pub name: String,
    /// The word of the agent.
    pub agent: String,
    /// The folder; empty for the default.
    pub cwd: String,
    /// Its size.
    pub size: Size,
}

impl Machine {
    /// The agents on offer, with what is installed now.
    pub fn offers(&self) -> Vec<AgentOffer> {
        let offer = |agent: &crate::config::Agent| AgentOffer {
            name: agent.name.clone(),
            label: agent.label.clone(),
            available: agent.program(&places::var, &self.home).is_some(),
        };
        self.config.agents.iter().map(offer).collect()
    }
}

/// What the keeper shall run. The error is for the person who asked: what is wrong and what to do.
pub fn spec(machine: &Machine, wish: Wish) -> Result<OpenSpec, String> {
    let config = &machine.config;
    let Some(agent) = config.agent(&wish.agent) else {
        let names: Vec<_> = config.agents.iter().map(|agent| agent.name.as_str()).collect();
        let wanted: String = wish.agent.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        return Err(format!(
            "{} does not offer the agent {wanted:?}; it offers {}. Others are added in its config.toml",
            machine.hostname,
            names.join(", ")
        ));
    };
    let Some(program) = agent.program(&places::var, &machine.home) else {
        let word = &agent.command[0];
        return Err(format!(
            "{} is not installed on {}: {word:?} was not found. Install it, or name its full path as `command` in \
             config.toml, and start the runner again where its PATH has it",
            agent.label, machine.hostname
        ));
    };
    let cwd = folder(machine, &wish.cwd)?;
    let size = wish.size.clamped();
    Ok(OpenSpec {
        terminal: wish.terminal,
        session: wish.session,
        name: wish.name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect(),
        agent: agent.name.clone(),
        argv: agent.argv(&program),
        cwd,
        env: agent.env.clone(),
        cols: size.cols,
        rows: size.rows,
        log_bytes_max: config.log_bytes_max,
        kind: agent.kind,
        ..OpenSpec::default()
    })
}

fn folder(machine: &Machine, wanted: &str) -> Result<String, String> {
    if wanted.len() > TEXT_BYTES_MAX || wanted.contains('\0') {
        return Err("the folder's name is too long".into());
    }
    let path = match wanted.trim() {
        "" => machine.config.default_folder.clone(),
        wanted => places::expand(wanted, &machine.home),
    };
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(format!("{shown} on {} is not a folder", machine.hostname)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!(
                "there is no folder {shown} on {}: make it there, or choose another",
                machine.hostname
            ));
        }
        Err(error) => return Err(format!("the folder {shown} on {} cannot be used: {error}", machine.hostname)),
    }
    path.to_str().map(str::to_owned).ok_or_else(|| format!("the folder {shown} has a name that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn machine(text: &str, home: &Path) -> Machine {
        let config = Config::parse(text, Path::new("config.toml"), home).expect("valid");
        Machine { config, home: home.into(), hostname: "laptop".into() }
    }

    fn wish(agent: &str, cwd: &str) -> Wish {
        let size = Size { cols: 0, rows: 9_999 };
        Wish { terminal: 7, session: 2, name: "fix\x07 it".into(), agent: agent.into(), cwd: cwd.into(), size }
    }

    #[test]
    fn a_wish_within_the_list_becomes_a_spec() {
        let home = tempfile::tempdir().expect("folder");
        std::fs::create_dir(home.path().join("code")).expect("folder");
        let machine =
            machine("[agents.mine]\ncommand=[\"/bin/sh\",\"-c\"]\nargs=[\"true\"]\nenv={A=\"b\"}", home.path());
        let spec = spec(&machine, wish("mine", "~/code")).expect("spec");
        assert_eq!(spec.argv, ["/bin/sh", "-c", "true"]);
        assert_eq!((spec.cols, spec.rows, spec.name.as_str()), (2, 500, "fix it"));
        assert_eq!(spec.cwd, home.path().join("code").to_str().expect("UTF-8"));
        assert_eq!(spec.env.get("A").map(String::as_str), Some("b"));
    }

    #[test]
    fn what_is_refused_says_why_and_what_to_do() {
        let home = tempfile::tempdir().expect("folder");
        std::fs::write(home.path().join("file"), "").expect("write");
        let machine = machine("[agents.none]\ncommand=[\"no-such-program\"]\n", home.path());
        for (agent, cwd, parts) in [
            ("rm -rf /", "", ["does not offer", "claude"]),
            ("none", "", ["is not installed on laptop", "no-such-program"]),
            ("shell", "~/nowhere", ["there is no folder", "nowhere"]),
            ("shell", "~/file", ["is not a folder", "file"]),
        ] {
            let error = spec(&machine, wish(agent, cwd)).expect_err(agent);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        assert!(spec(&machine, wish("shell", "")).is_ok());
    }
}
