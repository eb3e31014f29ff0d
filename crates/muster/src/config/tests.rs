//! The grammar of `config.toml`, told through examples.

use super::*;
use crate::keeper::spec::ProgramKind;
use std::os::unix::fs::PermissionsExt;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("config.toml"), Path::new("/home/ada"))
}

fn names(config: &Config) -> Vec<&str> {
    config.agents.iter().map(|agent| agent.name.as_str()).collect()
}

#[test]
fn an_empty_file_offers_the_built_in_agents() {
    let config = parse("").expect("valid");
    assert_eq!(names(&config), ["claude", "codex", "opencode", "gemini", "aider", "shell"]);
    assert_eq!(config.default_folder, Path::new("/home/ada"));
    assert_eq!(config.log_bytes_max, 256 << 20);
    assert_eq!(config.agent("shell").map(|agent| agent.kind), Some(ProgramKind::Shell));
}

#[test]
fn a_person_changes_adds_and_disables() {
    let config = parse(
        r#"
        hub = "https://hub.example"
        token_file = "~/token"
        default_folder = "code"
        log_bytes_max = 8388608
        [agents.claude]
        args = ["--model", "opus"]
        env = { A = "b" }
        [agents.aider]
        enabled = false
        [agents.mine]
        label = "My own"
        command = ["/opt/mine", "run"]
        "#,
    )
    .expect("valid");
    assert_eq!(names(&config), ["claude", "codex", "opencode", "gemini", "shell", "mine"]);
    let claude = config.agent("claude").expect("claude");
    assert_eq!(claude.label, "Claude Code");
    assert_eq!(claude.argv(Path::new("/bin/claude")), ["/bin/claude", "--model", "opus"]);
    let mine = config.agent("mine").expect("mine");
    assert_eq!(mine.argv(Path::new("/opt/mine")), ["/opt/mine", "run"]);
    assert_eq!(mine.kind, ProgramKind::Tui);
    assert_eq!(config.token_file.as_deref(), Some(Path::new("/home/ada/token")));
    assert_eq!(config.default_folder, Path::new("/home/ada/code"));
    assert_eq!(config.agent("aider"), None);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    for (text, line, key) in
        [("hub = \"x\"\nhubb = 1\n", "line 2", "hubb"), ("\n\n[agents.claude]\nmodel = \"x\"\n", "line 4", "model")]
    {
        let error = parse(text).expect_err("unknown key").to_string();
        assert!(error.contains(line) && error.contains(key), "{error}");
    }
}

#[test]
fn wrong_values_say_what_would_be_right() {
    for (text, part) in [
        ("log_bytes_max = 10", "the least is"),
        ("[agents.mine]\nlabel = \"x\"", "needs `command"),
        ("[agents.\"My Own\"]\ncommand = [\"x\"]", "lower-case"),
        ("[agents.claude]\ncommand = []", "command is empty"),
        ("[agents.claude]\nlabel = \"\"", "label"),
        ("[agents.claude]\nenv = { \"A=B\" = \"c\" }", "variable's name"),
        ("[agents.claude]\nkind = \"gui\"", "gui"),
        ("default_folder = 7", "line 1"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_file_named_by_a_person_must_exist_and_the_usual_one_need_not() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("none.toml");
    assert!(Config::load(&path, false, folder.path()).is_ok());
    assert!(matches!(Config::load(&path, true, folder.path()), Err(ConfigError::Read { .. })));
}

#[test]
fn programs_are_found_on_the_path_and_only_when_executable() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("claude");
    std::fs::write(&file, "").expect("write");
    let config = parse("").expect("valid");
    let path = folder.path().display().to_string();
    let var = move |name: &str| (name == "PATH").then(|| path.clone());
    let claude = config.agent("claude").expect("claude");
    assert_eq!(claude.program(&var, folder.path()), None);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).expect("chmod");
    assert_eq!(claude.program(&var, folder.path()), Some(file));
    let shell = config.agent("shell").expect("shell");
    assert_eq!(shell.program(&var, folder.path()), Some("/bin/sh".into()));
    assert_eq!(shell.argv(Path::new("/bin/sh")), ["/bin/sh", "-l"]);
}

#[test]
fn paths_expand_from_home() {
    let home = Path::new("/home/ada");
    for (text, path) in [("~", "/home/ada"), ("~/a", "/home/ada/a"), ("/x", "/x"), ("a/b", "/home/ada/a/b")] {
        assert_eq!(places::expand(text, home), Path::new(path));
    }
    assert_eq!(places::state_dir(&|_| Some("relative".into()), home), home.join(".local/state/muster"));
    assert_eq!(places::config_file(&|_| Some("/etc/xdg".into()), home), Path::new("/etc/xdg/muster/config.toml"));
}
