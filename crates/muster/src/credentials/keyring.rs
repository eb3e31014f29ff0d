//! The system's keyring: the Secret Service on Linux (GNOME Keyring, KWallet, KeePassXC), the Keychain on a Mac.
//!
//! The kernel's keyring is no place for this: it forgets at the next start. A machine that nobody sits at has no keyring, and
//! one that is locked may ask its person in a window that nobody sees, so every call is given a time.

use std::sync::mpsc;
use std::time::Duration;

use keyring_core::Error;
use keyring_core::api::CredentialStoreApi;

use crate::hub_link::Secret;

/// What entries are filed under.
const SERVICE: &str = "muster";
/// Seconds that a person has to unlock it.
const ANSWER_S_MAX: u64 = 30;

/// Why the keyring did not do it. The texts name no secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    /// There is none, or it is not wanted.
    #[error("{0}")]
    Absent(String),
    /// It has nothing under this name.
    #[error("it holds no such token")]
    NoEntry,
    /// It said nothing in time; it may be waiting for a password.
    #[error("it did not answer within {ANSWER_S_MAX} s; is it locked?")]
    Silent,
    /// It refused.
    #[error("{0}")]
    Failed(String),
}

/// A place for secrets, by name.
pub trait Keyring {
    /// Keeps one; another under the same name is replaced.
    fn set(&self, account: &str, secret: &Secret) -> Result<(), KeyringError>;
    /// Gives one back.
    fn get(&self, account: &str) -> Result<Secret, KeyringError>;
    /// Forgets one.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// No keyring: everything goes into the file.
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn set(&self, _: &str, _: &Secret) -> Result<(), KeyringError> {
        Err(KeyringError::Absent("--no-keyring was given".into()))
    }

    fn get(&self, _: &str) -> Result<Secret, KeyringError> {
        Err(KeyringError::Absent("--no-keyring was given".into()))
    }

    fn remove(&self, _: &str) -> Result<(), KeyringError> {
        Err(KeyringError::Absent("--no-keyring was given".into()))
    }
}

/// The keyring of this machine's person.
pub struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn set(&self, account: &str, secret: &Secret) -> Result<(), KeyringError> {
        let (name, text) = (account.to_owned(), secret.reveal().to_owned());
        in_time(move |store| store.build(SERVICE, &name, None)?.set_password(&text))?;
        // A keyring that takes a secret and does not give it back is none.
        if self.get(account)? == *secret {
            Ok(())
        } else {
            Err(KeyringError::Failed("it did not keep the token".into()))
        }
    }

    fn get(&self, account: &str) -> Result<Secret, KeyringError> {
        let name = account.to_owned();
        in_time(move |store| store.build(SERVICE, &name, None)?.get_password()).map(|text| Secret::new(&text))
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        let name = account.to_owned();
        in_time(move |store| store.build(SERVICE, &name, None)?.delete_credential())
    }
}

type Store = std::sync::Arc<keyring_core::CredentialStore>;

#[cfg(target_os = "macos")]
fn store() -> Result<Store, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(not(target_os = "macos"))]
fn store() -> Result<Store, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// Does it on a thread of its own, which is left behind if it takes too long: it blocks, and ends with the program.
fn in_time<T: Send + 'static>(
    work: impl FnOnce(&dyn CredentialStoreApi) -> Result<T, Error> + Send + 'static,
) -> Result<T, KeyringError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let done =
            store().map_err(|error| absent(&error)).and_then(|store| work(&*store).map_err(|error| failed(&error)));
        let _ = sender.send(done);
    });
    receiver.recv_timeout(Duration::from_secs(ANSWER_S_MAX)).map_err(|_| KeyringError::Silent)?
}

fn absent(error: &Error) -> KeyringError {
    KeyringError::Absent(format!("this system has no keyring to talk to ({})", words(error)))
}

fn failed(error: &Error) -> KeyringError {
    match error {
        Error::NoEntry => KeyringError::NoEntry,
        _ => KeyringError::Failed(words(error)),
    }
}

/// The words alone: some kinds of error carry what was read.
fn words(error: &Error) -> String {
    match error {
        Error::PlatformFailure(why) | Error::NoStorageAccess(why) => why.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(_, _) => "what it holds is no token".into(),
        Error::Ambiguous(_) => "it holds several of this name".into(),
        other => other.to_string(),
    }
}
