//! Where the token comes from: a file or a variable, never an argument, which every user of the machine could read.

use std::path::PathBuf;

use crate::hub_link::Secret;

/// A place that holds the token.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// Read afresh for each exchange, so that a replaced token is taken up without a restart.
    File(PathBuf),
    /// From the environment.
    Given(Secret),
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {path}: {why}")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the token is empty; make one in the hub's settings")]
    Empty,
}

impl TokenSource {
    /// The token, now.
    pub fn read(&self) -> Result<Secret, TokenError> {
        let token = match self {
            TokenSource::Given(token) => token.clone(),
            TokenSource::File(path) => {
                let text = std::fs::read_to_string(path);
                Secret::new(&text.map_err(|why| TokenError::Read { path: path.clone(), why })?)
            }
        };
        if token.is_empty() { Err(TokenError::Empty) } else { Ok(token) }
    }
}
