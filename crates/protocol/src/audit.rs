//! The audit log: an entry, the bytes that stand for it, its hash, and the check of a chain of exported entries.
//!
//! Two kinds of chain have one form: the deployment's (sign-ins, tokens, access, shares) and the one of each person's hub
//! (prompts, approvals, driving). Worker, hub and command line share this module; it knows no storage and no clock.
//!
//! **Invariant.** [`Entry::canonical_bytes`] of two entries are equal only if the entries are: every field is written with its
//! length before it. **Invariant.** What [`FORM`] names never changes: another form gets another word.
//!
//! `docs/security.md` states the form for whoever verifies a chain with another program.

mod check;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use check::{Break, Check, Summary};
pub use words::{Action, ActorKind, Chain, Via};

/// The word of the canonical form: its first field.
pub const FORM: &str = "muster.audit.1";
/// What the first entry of a chain names as the hash before it.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Longest id of an actor, in characters: a token's is 16, a person's at most 16 digits.
pub const ACTOR_ID_CHARS_MAX: usize = 64;
/// Longest name of an actor, in characters.
pub const ACTOR_NAME_CHARS_MAX: usize = 120;
/// Longest target, in characters: `terminal 4294967295 of session 9007199254740991` fits twice.
pub const TARGET_CHARS_MAX: usize = 200;
/// Most pairs of a detail.
pub const DETAIL_PAIRS_MAX: usize = 12;
/// Longest key of a detail, in characters.
pub const DETAIL_KEY_CHARS_MAX: usize = 40;
/// Longest value of a detail, in characters. With its pairs and keys a detail is at most 12 x 240 x 4 bytes, 12 KiB.
pub const DETAIL_VALUE_CHARS_MAX: usize = 200;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What the id names.
    pub kind: ActorKind,
    /// The person's or the token's id; empty for a stranger and for the system.
    pub id: String,
    /// For people, as it was then.
    pub name: String,
}

impl Actor {
    /// A person.
    #[must_use]
    pub fn person(id: &str, name: &str) -> Actor {
        Actor { kind: ActorKind::Person, id: id.to_owned(), name: name.to_owned() }
    }

    /// A program, by its token.
    #[must_use]
    pub fn token(id: &str, name: &str) -> Actor {
        Actor { kind: ActorKind::Token, id: id.to_owned(), name: name.to_owned() }
    }

    /// Nobody known.
    #[must_use]
    pub fn stranger() -> Actor {
        Actor { kind: ActorKind::Stranger, id: String::new(), name: String::new() }
    }

    /// The hub itself.
    #[must_use]
    pub fn system() -> Actor {
        Actor { kind: ActorKind::System, id: String::new(), name: String::new() }
    }
}

/// What happened, before it has its place in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Milliseconds since 1970, by the hub's clock.
    pub at_ms: u64,
    /// Who.
    pub actor: Actor,
    /// By which way.
    pub via: Via,
    /// What.
    pub action: Action,
    /// To what, like `token 1f2e`; may be empty.
    pub target: String,
    /// What else is worth knowing. Never a secret, and never the text of a prompt.
    pub detail: BTreeMap<String, String>,
}

impl Draft {
    /// Within all bounds and without control characters: texts are cut, never refused, so that no name can keep an entry
    /// from being written.
    #[must_use]
    pub fn bounded(self) -> Draft {
        let Draft { at_ms, actor, via, action, target, detail } = self;
        Draft {
            at_ms,
            actor: Actor {
                kind: actor.kind,
                id: bounded(&actor.id, ACTOR_ID_CHARS_MAX),
                name: bounded(&actor.name, ACTOR_NAME_CHARS_MAX),
            },
            via,
            action,
            target: bounded(&target, TARGET_CHARS_MAX),
            detail: detail
                .iter()
                .take(DETAIL_PAIRS_MAX)
                .map(|(key, value)| (bounded(key, DETAIL_KEY_CHARS_MAX), bounded(value, DETAIL_VALUE_CHARS_MAX)))
                .collect(),
        }
    }

    /// The entry that follows `head` in `chain`.
    #[must_use]
    pub fn seal(self, chain: Chain, head: &Head) -> Entry {
        let Draft { at_ms, actor, via, action, target, detail } = self.bounded();
        let (via, action) = (via.word().to_owned(), action.word().to_owned());
        let (prev, hash) = (String::new(), String::new());
        Entry { chain, seq: 0, at_ms, actor, via, action, target, detail, prev, hash }.sealed(head)
    }
}

fn bounded(text: &str, chars_max: usize) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(chars_max).collect()
}

/// The newest entry of a chain, as far as the next one must know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 before the first.
    pub seq: u64,
    /// Its hash; [`START`] before the first.
    pub hash: String,
}

impl Head {
    /// Highest number of an entry: what a double holds exactly, as everywhere in the hub.
    pub const SEQ_MAX: u64 = (1 << 53) - 1;
}

impl Default for Head {
    fn default() -> Head {
        Head { seq: 0, hash: START.to_owned() }
    }
}

/// An entry in its place: one line of an export.
///
/// Words are kept as text, so that an older command line verifies what a newer hub wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which kind of chain.
    pub chain: Chain,
    /// From 1, without a gap.
    pub seq: u64,
    /// Milliseconds since 1970, by the hub's clock.
    pub at_ms: u64,
    /// Who.
    pub actor: Actor,
    /// By which way.
    pub via: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// What else.
    pub detail: BTreeMap<String, String>,
    /// Hash of the entry before.
    pub prev: String,
    /// SHA-256 of [`Entry::canonical_bytes`], in lower-case hexadecimal digits.
    pub hash: String,
}

impl Entry {
    /// Everything but the hash, each field as `<length in bytes>:<bytes>,` (a netstring). Numbers are decimal; the detail is
    /// the number of its pairs and then key and value of each, in the order of the keys' bytes.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let (seq, at_ms, pairs) = (self.seq.to_string(), self.at_ms.to_string(), self.detail.len().to_string());
        let mut bytes = Vec::with_capacity(512);
        let fields = [FORM, self.chain.word(), &seq, &at_ms, self.actor.kind.word(), &self.actor.id, &self.actor.name];
        let rest = [self.via.as_str(), &self.action, &self.target, &pairs];
        for field in fields.into_iter().chain(rest) {
            netstring(&mut bytes, field);
        }
        for (key, value) in &self.detail {
            netstring(&mut bytes, key);
            netstring(&mut bytes, value);
        }
        netstring(&mut bytes, &self.prev);
        bytes
    }

    /// The same entry in the place that follows `head`.
    #[must_use]
    pub fn sealed(self, head: &Head) -> Entry {
        let mut entry = Entry { seq: head.seq + 1, prev: head.hash.clone(), ..self };
        entry.hash = entry.computed_hash();
        entry
    }

    /// What its hash must be.
    #[must_use]
    pub fn computed_hash(&self) -> String {
        hex(&Sha256::digest(self.canonical_bytes()))
    }

    /// What the next entry must know of it.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }
}

fn netstring(bytes: &mut Vec<u8>, field: &str) {
    bytes.extend_from_slice(field.len().to_string().as_bytes());
    bytes.push(b':');
    bytes.extend_from_slice(field.as_bytes());
    bytes.push(b',');
}

fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

#[cfg(test)]
mod tests;
