//! The words a person types, and what each leads to.
//!
//! Invariant: no secret is ever an argument, and standard output holds answers only; everything else goes to standard error.

mod audit;
mod credential;
mod login;
mod logout;
mod ls;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use run::run;

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    version,
    about = "Muster: one place for all your coding agents",
    long_about = None,
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much is logged to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogLevel::Info, env = "MUSTER_LOG", value_name = "LEVEL")]
    pub log: LogLevel,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What went wrong.
    Error,
    /// ... and what may need you.
    Warn,
    /// ... and what happened.
    Info,
    /// ... and what it is made of.
    Debug,
    /// Everything; never what people typed.
    Trace,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect this machine to your hub and run agents here.
    Runner(RunnerArgs),
    /// Let this machine act for you at a hub: you confirm a code in your browser.
    Login(LoginArgs),
    /// Give up what `muster login` was given.
    Logout(LogoutArgs),
    /// List your sessions, and those that others share with you.
    Ls(LsArgs),
    /// Own one terminal; started by the runner.
    #[command(hide = true)]
    Keeper {
        /// The terminal's folder, with `open.json` in it.
        #[arg(long, value_name = "DIR")]
        terminal_dir: PathBuf,
    },
    /// Look into the machinery.
    #[command(hide = true)]
    Debug {
        /// At what.
        #[command(subcommand)]
        command: DebugCommand,
    },
    /// Look at the configuration.
    Config {
        /// What to do with it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check an exported audit log.
    Audit {
        /// What to do with it.
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Print the version.
    Version,
    /// Print a completion script for your shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// `muster login`.
#[derive(Debug, Args)]
#[command(
    after_help = "It shows a code and a link. Open the link on any device where you are signed in to the hub, see what asks, and \
                  approve. No secret is typed or pasted. The token goes into the system's keyring, or where there is none \
                  into ~/.config/muster/credentials.json, which only you can read.\n\n`muster login --runner` once, then \
                  `muster runner`: it uses what is stored.\n\nExit codes: 0 logged in, 1 not, 2 wrong usage, 130 Ctrl-C."
)]
pub struct LoginArgs {
    /// The hub's address, like `https://muster.example.com`.
    #[arg(long, env = "MUSTER_HUB", value_name = "URL")]
    pub hub: Option<String>,
    /// What the hub calls this machine; its host name if not given.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// As a runner, for `muster runner`; else for the command line.
    #[arg(long)]
    pub runner: bool,
    /// Open no browser.
    #[arg(long)]
    pub no_browser: bool,
    /// Keep the token in the file even where there is a keyring: for services, which start before anyone unlocks it.
    #[arg(long)]
    pub no_keyring: bool,
    /// Show where this machine is logged in, and as whom, and nothing else.
    #[arg(long, conflicts_with_all = ["name", "no_browser", "no_keyring"])]
    pub status: bool,
    /// One line of JSON for the code, one for the result.
    #[arg(long)]
    pub json: bool,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `muster logout`.
#[derive(Debug, Args)]
#[command(
    after_help = "The token is revoked at the hub and removed from this machine. If the hub is away it is removed all the same, and \
                  you are told that it still works there."
)]
pub struct LogoutArgs {
    /// The hub's address; not needed where this machine is logged in at one only.
    #[arg(long, env = "MUSTER_HUB", value_name = "URL")]
    pub hub: Option<String>,
    /// The runner's token; else the command line's.
    #[arg(long)]
    pub runner: bool,
    /// The result as JSON.
    #[arg(long)]
    pub json: bool,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `muster ls`.
#[derive(Debug, Args)]
#[command(
    after_help = "The first column is a session's address: a plain number for your own, and for one that somebody shares with \
                  you the owner's number before it, like 3-7 for session 7 of person 3. Addresses are the same in the \
                  dashboard (/sessions/3-7) and in the API (/api/sessions/3-7).\n\nWhat you may do with a shared session is its \
                  right: a viewer watches, a prompter prompts too, an approver answers agents too, a driver types \
                  and opens terminals too.\n\nIt uses what `muster login` was given."
)]
pub struct LsArgs {
    /// The hub's address; not needed where this machine is logged in at one only.
    #[arg(long, env = "MUSTER_HUB", value_name = "URL")]
    pub hub: Option<String>,
    /// As JSON: `sessions` and `shared`, each line with its `address` and your `right`.
    #[arg(long)]
    pub json: bool,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArg,
}

/// `muster runner`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "The token is read from --token-file, from the file that MUSTER_TOKEN_FILE names, or from MUSTER_TOKEN. Without \
                  any of these it is what `muster login --runner` was given.\n\nAgents outlive this process: stop it, kill it or upgrade it, and the next \
                  `muster runner` finds them at work. Under systemd set `KillMode=process`, or it ends them with \
                  this process.\n\nExit codes: 0 asked to stop, 1 could not start, 2 wrong usage, \
                  10 the hub wants a newer version, 11 another runner with this token took over, 12 the token was revoked."
)]
pub struct RunnerArgs {
    /// Something else than running.
    #[command(subcommand)]
    pub command: Option<RunnerSubcommand>,
    /// The hub's address, like `https://muster.example.com`.
    #[arg(long, env = "MUSTER_HUB", value_name = "URL")]
    pub hub: Option<String>,
    /// A file that holds the token.
    #[arg(long, env = "MUSTER_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArg,
    /// The state folder.
    #[command(flatten)]
    pub state: StateArg,
}

/// `--config`.
#[derive(Debug, Args)]
pub struct ConfigArg {
    /// The configuration file; ~/.config/muster/config.toml if not given.
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `--state`.
#[derive(Debug, Args)]
pub struct StateArg {
    /// The folder for terminals and their logs; ~/.local/state/muster if not given.
    #[arg(long, env = "MUSTER_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Below `muster runner`.
#[derive(Debug, Subcommand)]
pub enum RunnerSubcommand {
    /// Show the terminals on this machine and how their agents are.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// The state folder.
        #[command(flatten)]
        state: StateArg,
    },
}

/// Below `muster debug`.
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Print the bytes that restore a recorded stream's screen; the recording is read from standard input.
    Snapshot {
        /// Columns.
        #[arg(long, default_value_t = 120)]
        cols: u16,
        /// Rows.
        #[arg(long, default_value_t = 40)]
        rows: u16,
        /// After how many bytes, rising; with several, each snapshot has its length before it.
        #[arg(long, value_delimiter = ',', value_name = "BYTES")]
        at: Vec<usize>,
        /// Lines above the screen.
        #[arg(long, default_value_t = 0)]
        scrollback: usize,
    },
}

/// Below `muster config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the file and list the agents that this machine offers.
    Check {
        /// The configuration file.
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Below `muster audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry was changed, removed or moved.
    Verify(VerifyArgs),
}

/// `muster audit verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Export a log in your hub's settings, or with `curl -H \"Authorization: Bearer $(cat TOKEN-FILE)\" \
                  https://HUB/api/audit`. An export in several files is given in its order.\n\nExit codes: 0 the chain \
                  holds, 1 it does not or cannot be read."
)]
pub struct VerifyArgs {
    /// Exported lines; - is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A hash that was noted down earlier: some entry must have it.
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
    /// The number and the hash of the entry that an earlier export ended with, and that this one continues.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = audit::parse_head)]
    pub after: Option<protocol::audit::Head>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        for line in [
            "muster runner",
            "muster runner --hub http://x status",
            "muster config check",
            "muster version",
            "muster login --status --json",
            "muster logout --runner",
            "muster ls --json",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert_eq!(parsed.is_ok(), !line.contains("--hub"), "{line}");
        }
        let help = Cli::command().render_long_help().to_string();
        assert!(!help.contains("keeper"), "{help}");
    }

    #[test]
    fn the_help_says_what_an_address_is() {
        let mut cli = Cli::command();
        let help = cli.find_subcommand_mut("ls").expect("ls").render_long_help().to_string();
        assert!(help.contains("3-7") && help.contains("address"), "{help}");
    }

    #[test]
    fn a_token_is_no_argument() {
        for command in ["runner", "login", "logout", "ls"] {
            assert!(Cli::try_parse_from(["muster", command, "--token", "secret"]).is_err());
        }
    }
}
