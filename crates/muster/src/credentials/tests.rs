//! Where secrets go, told with a keyring that works, one that is absent and one that fails later.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::rc::Rc;

use super::*;

const TOKEN: &str = "mst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt";

/// A keyring in memory, which can be taken away.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Option<BTreeMap<String, Secret>>>>);

impl Memory {
    fn working() -> Memory {
        Memory(Rc::new(RefCell::new(Some(BTreeMap::new()))))
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Secret>) -> Option<T>) -> Result<T, KeyringError> {
        let mut secrets = self.0.borrow_mut();
        let secrets = secrets.as_mut().ok_or_else(|| KeyringError::Absent("no bus".into()))?;
        work(secrets).ok_or(KeyringError::NoEntry)
    }
}

impl Keyring for Memory {
    fn set(&self, account: &str, secret: &Secret) -> Result<(), KeyringError> {
        self.with(|secrets| {
            secrets.insert(account.into(), secret.clone());
            Some(())
        })
    }

    fn get(&self, account: &str) -> Result<Secret, KeyringError> {
        self.with(|secrets| secrets.get(account).cloned())
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        self.with(|secrets| secrets.remove(account).map(drop))
    }
}

fn credential(hub: &str, scope: Scope) -> Credential {
    Credential { hub: hub.into(), scope, id: "t1".into(), name: "laptop".into(), person: "Ada".into() }
}

fn open(folder: &tempfile::TempDir, keyring: &Memory) -> Credentials {
    Credentials::new(folder.path().join("config/muster/credentials.json"), Box::new(keyring.clone()))
}

#[test]
fn a_keyring_keeps_the_secret_and_the_file_only_says_so() {
    let (folder, keyring) = (tempfile::tempdir().expect("folder"), Memory::working());
    let credentials = open(&folder, &keyring);
    let ours = credential("https://hub.example", Scope::Cli);
    assert!(matches!(credentials.keep(ours.clone(), &Secret::new(TOKEN)), Ok(Kept::Keyring)));
    let text = std::fs::read_to_string(credentials.path()).expect("file");
    assert!(!text.contains("mst_") && text.contains("https://hub.example"), "{text}");
    assert!(credentials.secret(&ours).expect("secret") == Secret::new(TOKEN));
    credentials.forget(&ours).expect("forgotten");
    assert!(keyring.get(&ours.account()).is_err());
    assert!(!credentials.path().exists(), "an empty list is no file");
}

#[test]
fn without_a_keyring_the_secret_is_in_a_file_of_its_owners_own() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    let ours = credential("https://hub.example", Scope::Runner);
    let kept = credentials.keep(ours.clone(), &Secret::new(TOKEN)).expect("kept");
    assert!(matches!(kept, Kept::File(KeyringError::Absent(_))), "{kept:?}");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(credentials.path()), 0o600);
    assert_eq!(mode(credentials.path().parent().expect("folder")), 0o700);
    assert!(std::fs::read_to_string(credentials.path()).expect("file").contains(TOKEN));
    assert!(credentials.secret(&ours).expect("secret") == Secret::new(TOKEN));
    credentials.forget(&ours).expect("forgotten, whatever the keyring says");
    assert_eq!(credentials.list().expect("list"), []);
}

#[test]
fn each_hub_and_scope_has_one_and_a_newer_replaces_it() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    for (hub, scope, token) in [
        ("https://a.example", Scope::Cli, "one"),
        ("https://a.example", Scope::Runner, "two"),
        ("https://b.example", Scope::Cli, "three"),
        ("https://a.example", Scope::Cli, "four"),
    ] {
        credentials.keep(credential(hub, scope), &Secret::new(token)).expect("kept");
    }
    assert_eq!(credentials.list().expect("list").len(), 3);
    let secret = |hub, scope| {
        let found = credentials.find(hub, scope).expect("readable").expect("there");
        credentials.secret(&found).expect("secret")
    };
    assert!(secret("https://a.example", Scope::Cli) == Secret::new("four"));
    assert!(secret("https://a.example", Scope::Runner) == Secret::new("two"));
    assert_eq!(credentials.find("https://c.example", Scope::Cli).expect("readable"), None);
}

#[test]
fn a_keyring_that_is_gone_is_told_and_the_secret_not_invented() {
    let (folder, keyring) = (tempfile::tempdir().expect("folder"), Memory::working());
    let credentials = open(&folder, &keyring);
    let ours = credential("https://hub.example", Scope::Cli);
    credentials.keep(ours.clone(), &Secret::new(TOKEN)).expect("kept");
    *keyring.0.borrow_mut() = None;
    let error = credentials.secret(&ours).map(|_| ()).expect_err("no keyring").to_string();
    assert!(error.contains("https://hub.example") && error.contains("no bus"), "{error}");
    assert!(credentials.forget(&ours).is_err(), "it is still in there");
    assert_eq!(credentials.list().expect("list"), [], "but this machine does not use it any more");
}

#[test]
fn a_file_that_others_can_read_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    let ours = credential("https://hub.example", Scope::Cli);
    credentials.keep(ours.clone(), &Secret::new(TOKEN)).expect("kept");
    for mode in [0o644, 0o640, 0o602] {
        std::fs::set_permissions(credentials.path(), std::fs::Permissions::from_mode(mode)).expect("chmod");
        let error = credentials.secret(&ours).map(|_| ()).expect_err("exposed").to_string();
        assert!(error.contains(&format!("mode {mode:03o}")) && !error.contains("mst_"), "{error}");
        assert!(credentials.keep(ours.clone(), &Secret::new("x")).is_err());
        assert!(std::fs::read_to_string(credentials.path()).expect("file").contains(TOKEN));
    }
}

#[test]
fn another_file_is_not_overwritten_and_never_quoted() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    std::fs::create_dir_all(credentials.path().parent().expect("folder")).expect("folder");
    for text in ["", "mst_secret", "{\"version\":2,\"credentials\":[]}", "{\"version\":\"mst_secret\"}", "[]"] {
        std::fs::write(credentials.path(), text).expect("write");
        std::fs::set_permissions(credentials.path(), std::fs::Permissions::from_mode(0o600)).expect("chmod");
        let error = credentials.list().expect_err(text).to_string();
        assert!(error.contains("not a list of credentials") && !error.contains("mst_"), "{error}");
        assert!(credentials.keep(credential("h", Scope::Cli), &Secret::new(TOKEN)).is_err());
        assert_eq!(std::fs::read_to_string(credentials.path()).expect("file"), text);
    }
}

#[test]
fn a_file_left_by_a_crash_lends_its_permissions_to_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    let beside = credentials.path().with_extension("new");
    std::fs::create_dir_all(credentials.path().parent().expect("folder")).expect("folder");
    std::fs::write(&beside, "half").expect("write");
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o666)).expect("chmod");
    credentials.keep(credential("https://hub.example", Scope::Cli), &Secret::new(TOKEN)).expect("kept");
    let mode = std::fs::metadata(credentials.path()).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!beside.exists());
}

#[test]
fn the_file_is_pinned() {
    let folder = tempfile::tempdir().expect("folder");
    let credentials = open(&folder, &Memory::default());
    credentials.keep(credential("https://hub.example", Scope::Runner), &Secret::new(TOKEN)).expect("kept");
    let text = std::fs::read_to_string(credentials.path()).expect("file");
    let json: serde_json::Value = serde_json::from_str(&text).expect("json");
    let entry = serde_json::json!({
        "hub": "https://hub.example", "scope": "runner", "id": "t1", "name": "laptop", "person": "Ada", "token": TOKEN
    });
    assert_eq!(json, serde_json::json!({ "version": 1, "credentials": [entry] }));
}
