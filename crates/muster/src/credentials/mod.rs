//! What `muster login` was given: one token for each hub and scope.
//!
//! The secret goes into the system's keyring; where there is none, into `credentials.json`, which only its owner may read.
//! That file also lists what is in the keyring. **Invariant: a secret leaves this module as a [`Secret`] only**, and nothing
//! is read from a file that others could have read or written. It must not know how a hub is asked.

mod file;
mod keyring;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::hub_link::Secret;
pub use file::FileError;
use file::{Entry, Store};
pub use keyring::{Keyring, KeyringError, NoKeyring, SystemKeyring};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The command line.
    Cli,
    /// `muster runner`.
    Runner,
}

impl Scope {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Cli => "cli",
            Scope::Runner => "runner",
        }
    }
}

/// A token that is kept, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The hub's address, as [`crate::hub_link::HubAddress::url`] writes it.
    pub hub: String,
    /// What it is for.
    pub scope: Scope,
    /// The token's id in the hub.
    pub id: String,
    /// What the hub calls this machine.
    pub name: String,
    /// Whom it acts for.
    pub person: String,
}

/// Where a secret is.
#[derive(Debug)]
pub enum Kept {
    /// In the system's keyring.
    Keyring,
    /// In the file, and why it is not in the keyring.
    File(KeyringError),
}

/// Why a credential cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The keyring, which should have it.
    #[error(
        "the token for {hub} is in the system's keyring, which does not give it: {why}. Log in again with `muster login`"
    )]
    Keyring {
        /// Of which hub.
        hub: String,
        /// The keyring's words.
        why: KeyringError,
    },
}

/// Everything that is kept.
pub struct Credentials {
    store: Store,
    keyring: Box<dyn Keyring>,
}

impl Credentials {
    /// In this file and this keyring.
    pub fn new(file: PathBuf, keyring: Box<dyn Keyring>) -> Credentials {
        Credentials { store: Store::new(file), keyring }
    }

    /// The file.
    pub fn path(&self) -> &std::path::Path {
        self.store.path()
    }

    /// All of them, in the order in which they came.
    pub fn list(&self) -> Result<Vec<Credential>, FileError> {
        Ok(self.store.read()?.into_iter().map(|entry| entry.credential).collect())
    }

    /// The one for this hub and scope.
    pub fn find(&self, hub: &str, scope: Scope) -> Result<Option<Credential>, FileError> {
        Ok(self.list()?.into_iter().find(|credential| credential.hub == hub && credential.scope == scope))
    }

    /// Its secret.
    pub fn secret(&self, credential: &Credential) -> Result<Secret, CredentialError> {
        let entry = self.store.read()?.into_iter().find(|entry| entry.credential.is_same_place(credential));
        if let Some(token) = entry.and_then(|entry| entry.token) {
            return Ok(Secret::new(&token));
        }
        let wrong = |why| CredentialError::Keyring { hub: credential.hub.clone(), why };
        self.keyring.get(&credential.account()).map_err(wrong)
    }

    /// Keeps it; another for the same hub and scope is replaced.
    pub fn keep(&self, credential: Credential, secret: &Secret) -> Result<Kept, FileError> {
        let account = credential.account();
        let kept = match self.keyring.set(&account, secret) {
            Ok(()) => Kept::Keyring,
            Err(why) => Kept::File(why),
        };
        let token = matches!(kept, Kept::File(_)).then(|| secret.reveal().to_owned());
        let written = self.store.change(|entries| {
            entries.retain(|entry| !entry.credential.is_same_place(&credential));
            entries.push(Entry { credential, token });
        });
        if let (Err(_), Kept::Keyring) = (&written, &kept) {
            // Nothing would ever find it there again.
            let _ = self.keyring.remove(&account);
        }
        written.map(|()| kept)
    }

    /// Forgets it, in both places. The keyring's refusal is told after the file let go.
    pub fn forget(&self, credential: &Credential) -> Result<(), CredentialError> {
        let mut was_in_file = false;
        self.store.change(|entries| {
            entries.retain(|entry| {
                let is_it = entry.credential.is_same_place(credential);
                was_in_file |= is_it && entry.token.is_some();
                !is_it
            });
        })?;
        match self.keyring.remove(&credential.account()) {
            Err(why) if !was_in_file => Err(CredentialError::Keyring { hub: credential.hub.clone(), why }),
            _ => Ok(()),
        }
    }
}

impl Credential {
    /// Names it in the keyring.
    fn account(&self) -> String {
        format!("{} {}", self.scope.word(), self.hub)
    }

    fn is_same_place(&self, other: &Credential) -> bool {
        self.hub == other.hub && self.scope == other.scope
    }
}

#[cfg(test)]
mod tests;
