//! The check of a chain: exported lines in, the first thing that is wrong out.

use std::fmt;

use super::{Chain, Entry, Head, START};

/// What is wrong with a chain, at which line of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The line is not an entry.
    NotAnEntry {
        /// The line, from 1.
        line: u64,
        /// Why not.
        why: String,
    },
    /// An entry of another kind of chain.
    OtherChain {
        /// The line, from 1.
        line: u64,
        /// Its number.
        seq: u64,
    },
    /// The export does not begin with the chain.
    FrontMissing {
        /// The number of the first entry that is there.
        seq: u64,
    },
    /// Entries are missing before this one.
    Missing {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        seq: u64,
    },
    /// An entry comes again, or after one that follows it.
    OutOfOrder {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        seq: u64,
    },
    /// The entry's own hash does not fit its fields: it was changed.
    Changed {
        /// Its number.
        seq: u64,
    },
    /// The entry is whole by itself and does not follow the one before: one of the two was replaced.
    NotLinked {
        /// Its number.
        seq: u64,
    },
    /// The chain holds and does not end in (or contain) the expected head.
    OtherHead {
        /// What was expected.
        expected: String,
        /// The chain's own.
        head: Head,
    },
    /// There is no entry.
    Empty,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Break::NotAnEntry { line, why } => write!(f, "line {line} is not an entry of an audit log: {why}"),
            Break::OtherChain { line, seq } => write!(f, "line {line}: entry {seq} is of another chain"),
            Break::FrontMissing { seq } => write!(f, "the beginning is missing: the first entry is {seq}, not 1"),
            Break::Missing { expected, seq } => write!(f, "entry {expected} is missing: {seq} follows"),
            Break::OutOfOrder { expected, seq } => {
                write!(f, "entry {seq} is out of order or there twice: {expected} should follow")
            }
            Break::Changed { seq } => write!(f, "entry {seq} was changed: its hash does not fit what it says"),
            Break::NotLinked { seq } => {
                write!(f, "entry {seq} does not follow the entry before it: one of the two was replaced")
            }
            Break::OtherHead { expected, head } => {
                write!(
                    f,
                    "no entry has the hash {expected}: the chain ends with entry {} and {}; entries were removed at its \
                     end, or it was made anew",
                    head.seq, head.hash
                )
            }
            Break::Empty => f.write_str("there is no entry"),
        }
    }
}

impl std::error::Error for Break {}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which kind of chain.
    pub chain: Chain,
    /// The number of its first entry here.
    pub first: u64,
    /// How many entries were checked.
    pub entries: u64,
    /// Its newest entry.
    pub head: Head,
}

/// Takes exported lines one after the other and remembers only what the next one needs.
#[derive(Clone, Debug, Default)]
pub struct Check {
    line: u64,
    chain: Option<Chain>,
    first: u64,
    head: Head,
    /// Where the export continues an earlier one, instead of beginning with the chain.
    after: Option<Head>,
    expected: Option<String>,
    met: bool,
}

impl Check {
    /// A check of a whole chain, from its first entry.
    #[must_use]
    pub fn new() -> Check {
        Check::default()
    }

    /// A check of what follows the entry with this number and hash, which an earlier check ended with.
    #[must_use]
    pub fn after(head: Head) -> Check {
        Check { head: head.clone(), after: Some(head), ..Check::default() }
    }

    /// The same, and one of the entries must have this hash: what was noted down earlier is still in the chain.
    #[must_use]
    pub fn expecting(mut self, hash: &str) -> Check {
        self.expected = Some(hash.to_ascii_lowercase());
        self
    }

    /// Takes the next line. Empty lines are none.
    pub fn line(&mut self, text: &str) -> Result<(), Break> {
        self.line += 1;
        if text.trim().is_empty() {
            return Ok(());
        }
        let not_an_entry = |error: serde_json::Error| Break::NotAnEntry { line: self.line, why: error.to_string() };
        let entry = serde_json::from_str(text).map_err(not_an_entry)?;
        self.entry(&entry)
    }

    /// Takes the next entry.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), Break> {
        let (seq, expected) = (entry.seq, self.head.seq + 1);
        let is_first = self.chain.is_none();
        if *self.chain.get_or_insert(entry.chain) != entry.chain {
            return Err(Break::OtherChain { line: self.line, seq });
        }
        if is_first && self.after.is_none() && seq != 1 {
            return Err(Break::FrontMissing { seq });
        }
        if seq != expected {
            return Err(match seq > expected {
                true => Break::Missing { expected, seq },
                false => Break::OutOfOrder { expected, seq },
            });
        }
        if entry.computed_hash() != entry.hash {
            return Err(Break::Changed { seq });
        }
        if entry.prev != self.head.hash {
            return Err(Break::NotLinked { seq });
        }
        if is_first {
            self.first = seq;
        }
        self.met |= self.expected.as_deref() == Some(entry.hash.as_str());
        self.head = entry.head();
        Ok(())
    }

    /// All lines were taken.
    pub fn finish(self) -> Result<Summary, Break> {
        let Some(chain) = self.chain else { return Err(Break::Empty) };
        match self.expected {
            Some(expected) if !self.met && expected != self.after.map_or(START.to_owned(), |head| head.hash) => {
                Err(Break::OtherHead { expected, head: self.head })
            }
            _ => {
                let entries = self.head.seq + 1 - self.first;
                Ok(Summary { chain, first: self.first, entries, head: self.head })
            }
        }
    }
}
