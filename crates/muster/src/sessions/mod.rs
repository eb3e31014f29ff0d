//! One's own sessions and those that others share, as the hub lists them.
//!
//! Invariant: a name in a list was written by a stranger, so nothing of it that a terminal would obey is printed. It must not
//! know where a token is kept.

use hyper::{Method, StatusCode};
use protocol::control::StatusReport;
use protocol::right::Right;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hub_link::http::{self, Answer, Ask, shorten};
use crate::hub_link::{Dialler, LinkError, Secret};

const OWN: &str = "/api/sessions";
const SHARED: &str = "/api/shared";
/// Largest list that is read: the 2000 sessions of a hub at 4 KiB each, most of which a long task and a long folder take.
const LIST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The hub was not reached.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It does not take the token.
    #[error("{hub} refuses this machine's token ({message}): log in again with `muster login --hub {hub}`")]
    SignedOut {
        /// The hub's address.
        hub: String,
        /// Its words.
        message: String,
    },
    /// It said no.
    #[error("{hub} refuses: {message}")]
    Refused {
        /// The hub's address.
        hub: String,
        /// Its words.
        message: String,
    },
    /// That was no hub's answer.
    #[error("{hub} gives no list of sessions ({why}): is its address right, and is this program new enough for it?")]
    NoList {
        /// The hub's address.
        hub: String,
        /// What came instead.
        why: String,
    },
}

/// What somebody can see.
#[derive(Debug, Serialize)]
pub struct Sessions {
    /// Their own, as the hub orders them.
    pub sessions: Vec<SessionLine>,
    /// Those of others.
    pub shared: Vec<SessionLine>,
}

/// One session. What this version does not know of it is kept for `--json`.
#[derive(Debug, Deserialize, Serialize)]
pub struct SessionLine {
    /// Its number in its hub.
    pub session: u64,
    /// What it is called here: its number, or the owner's number and its own.
    #[serde(default)]
    pub address: String,
    /// What may be done with it.
    #[serde(default)]
    pub right: Right,
    /// Its owner, for people; empty for one's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner_name: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The agent, for people.
    #[serde(default)]
    pub agent_label: String,
    /// The runner's name.
    #[serde(default)]
    pub runner_name: String,
    /// How its agent is.
    #[serde(default)]
    pub status: StatusReport,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct List {
    sessions: Vec<SessionLine>,
}

/// Asks the hub. One that is older than sharing lists one's own sessions only.
pub async fn list(dialler: &Dialler, token: &Secret) -> Result<Sessions, ListError> {
    let own = ask(dialler, token, OWN).await?;
    let mut sessions = read(dialler, &own)?;
    for line in &mut sessions {
        line.address = line.session.to_string();
    }
    let answer = ask(dialler, token, SHARED).await?;
    let shared = if answer.status == StatusCode::NOT_FOUND { Vec::new() } else { read(dialler, &answer)? };
    Ok(Sessions { sessions, shared })
}

async fn ask(dialler: &Dialler, token: &Secret, endpoint: &str) -> Result<Answer, ListError> {
    let ask = Ask { method: Method::GET, endpoint, token: Some(token), body: None };
    Ok(http::ask_up_to(dialler, ask, LIST_BYTES_MAX).await?)
}

fn read(dialler: &Dialler, answer: &Answer) -> Result<Vec<SessionLine>, ListError> {
    let hub = dialler.address.url();
    match (answer.status, answer.refusal()) {
        (StatusCode::OK, _) => {}
        (StatusCode::UNAUTHORIZED, Some(refusal)) => {
            return Err(ListError::SignedOut { hub, message: refusal.message });
        }
        (_, Some(refusal)) => return Err(ListError::Refused { hub, message: refusal.message }),
        (status, None) => return Err(ListError::NoList { hub, why: format!("it answers {status}") }),
    }
    parse(&answer.body).ok_or_else(|| ListError::NoList { hub, why: "its answer is of another form".into() })
}

/// serde's words could quote what it read, so they are not passed on.
fn parse(body: &[u8]) -> Option<Vec<SessionLine>> {
    fn whole<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
        serde_json::from_slice(body).ok()
    }
    whole::<List>(body).map(|list| list.sessions)
}

/// A table for people: one's own sessions, and those of others below them.
pub fn table(list: &Sessions) -> String {
    let mut text = if list.sessions.is_empty() {
        "You have no sessions.\n".to_owned()
    } else {
        let head = row(["SESSION", "STATUS", "AGENT", "RUNNER"], "NAME");
        list.sessions.iter().fold(head, |text, line| text + &row(place(line), &shorten(&line.name)))
    };
    if !list.shared.is_empty() {
        text += "\nShared with you:\n";
        text += &row(["SESSION", "STATUS", "AGENT", "RUNNER"], &format!("{:<9} {:<16} NAME", "RIGHT", "OWNER"));
        for line in &list.shared {
            let (owner, name) = (cut(&line.owner_name, 16), shorten(&line.name));
            text += &row(place(line), &format!("{:<9} {owner:<16} {name}", line.right.word()));
        }
    }
    text
}

fn place(line: &SessionLine) -> [&str; 4] {
    [&line.address, line.status.status.word(), &line.agent_label, &line.runner_name]
}

fn row([address, status, agent, runner]: [&str; 4], rest: &str) -> String {
    let (address, agent, runner) = (cut(address, 24), cut(agent, 14), cut(runner, 16));
    format!("{address:>9}  {status:<8} {agent:<14} {runner:<16} {rest}\n")
}

fn cut(text: &str, chars: usize) -> String {
    shorten(text).chars().take(chars).collect()
}

#[cfg(test)]
mod tests;
