//! The new-session dialog: where, with which agent, in which folder, and what to begin with.

use askama::Template;
use protocol::control::AgentOffer;
use session_hub::call::{Board, RunnerView};

use super::board::{runner_icon, runner_note};
use super::text::{counted, visible};
use super::{Nav, Visitor};

/// The dialog as a fragment, for a page that is open.
#[derive(Template)]
#[template(path = "fragments/new-session.html")]
pub struct NewSessionDialog {
    pub form: NewSessionForm,
    /// False on a page of its own, where there is nothing behind it.
    pub modal: bool,
}

impl NewSessionDialog {
    /// For the runners that the hub knows; `key` makes sending it twice start one session.
    #[must_use]
    pub fn new(board: &Board, key: &str) -> NewSessionDialog {
        NewSessionDialog { form: NewSessionForm::new(board, key), modal: true }
    }
}

/// The dialog as a page, for `GET /sessions/new` without htmx.
#[derive(Template)]
#[template(path = "pages/new-session.html")]
pub struct NewSessionPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub form: NewSessionForm,
    pub modal: bool,
}

impl<'a> NewSessionPage<'a> {
    /// The same form.
    #[must_use]
    pub fn new(board: &Board, key: &str, visitor: &'a Visitor) -> NewSessionPage<'a> {
        NewSessionPage { visitor, nav: Nav::Sessions, form: NewSessionForm::new(board, key), modal: false }
    }
}

/// What the form offers.
pub struct NewSessionForm {
    pub key: String,
    pub places: Vec<Place>,
}

impl NewSessionForm {
    fn new(board: &Board, key: &str) -> NewSessionForm {
        let mut runners: Vec<&RunnerView> = board.runners.iter().filter(|runner| !runner.revoked).collect();
        runners.sort_by_key(|runner| (!runner.online, runner.name.to_lowercase()));
        let mut places: Vec<Place> = runners.into_iter().map(|runner| Place::new(runner, board)).collect();
        if let Some(first) = places.iter_mut().find(|place| place.usable()) {
            first.chosen = true;
        }
        NewSessionForm { key: key.to_owned(), places }
    }

    /// True when at least one runner can start something.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.places.iter().any(Place::usable)
    }
}

/// A runner to choose.
pub struct Place {
    pub runner: String,
    pub name: String,
    pub icon: &'static str,
    pub note: String,
    pub sessions: String,
    pub online: bool,
    pub chosen: bool,
    pub home: String,
    pub agents: Vec<AgentChoice>,
}

/// An agent to choose on a runner.
pub struct AgentChoice {
    pub name: String,
    pub label: String,
    pub available: bool,
    pub chosen: bool,
}

impl Place {
    fn new(runner: &RunnerView, board: &Board) -> Place {
        let mut agents: Vec<&AgentOffer> = runner.agents.iter().collect();
        agents.sort_by_key(|agent| !agent.available); // what can be chosen stands first
        let choice = |(index, agent): (usize, &AgentOffer)| AgentChoice {
            name: agent.name.clone(),
            label: visible(&agent.label),
            available: agent.available,
            chosen: index == 0 && agent.available,
        };
        let sessions = board.sessions.iter().filter(|session| session.runner == runner.runner).count();
        Place {
            runner: runner.runner.clone(),
            name: visible(&runner.name),
            icon: runner_icon(&runner.platform),
            note: if runner.online { visible(&runner.platform) } else { runner_note(runner, board.now_ms) },
            sessions: counted(sessions, "session", "sessions"),
            online: runner.online,
            chosen: false,
            home: visible(&runner.home),
            agents: agents.into_iter().enumerate().map(choice).collect(),
        }
    }

    /// Connected, with an agent that can be started.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.online && self.agents.iter().any(|agent| agent.available)
    }
}
