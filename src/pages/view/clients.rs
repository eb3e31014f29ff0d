//! Runners: the list of them and of instances, one of them, and connecting a new one.

use askama::Template;
use protocol::control::AgentOffer;
use session_hub::call::{Board, RunnerView, SessionView};

use super::board::{runner_icon, runner_note};
use super::instances::InstanceCard;
use super::status::Mark;
use super::text::{counted, visible};
use super::time::{When, age};
use super::{Nav, Visitor};

/// `GET /clients`.
#[derive(Template)]
#[template(path = "pages/clients.html")]
pub struct ClientsPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub clients: ClientList,
}

impl<'a> ClientsPage<'a> {
    /// The page for what the hub answered.
    #[must_use]
    pub fn new(board: &Board, visitor: &'a Visitor) -> ClientsPage<'a> {
        ClientsPage { visitor, nav: Nav::Clients, clients: ClientList::new(board) }
    }
}

/// The list alone.
#[derive(Template)]
#[template(path = "fragments/clients.html")]
pub struct ClientsFragment {
    pub clients: ClientList,
}

impl ClientsFragment {
    /// The fragment for what the hub answered.
    #[must_use]
    pub fn new(board: &Board) -> ClientsFragment {
        ClientsFragment { clients: ClientList::new(board) }
    }
}

/// All runners and instances.
pub struct ClientList {
    pub headline: String,
    pub runners: Vec<RunnerCard>,
    pub instances_headline: String,
    pub instances: Vec<InstanceCard>,
}

impl ClientList {
    /// Connected ones first, revoked ones last.
    fn new(board: &Board) -> ClientList {
        let mut runners: Vec<&RunnerView> = board.runners.iter().collect();
        runners.sort_by_key(|runner| (runner.revoked, !runner.online, runner.name.to_lowercase()));
        let online = runners.iter().filter(|runner| runner.online).count();
        let headline = match (runners.len(), online) {
            (0, _) => "No runners yet".to_owned(),
            (_, 0) => "No runner is connected".to_owned(),
            (_, count) => format!("{} connected", counted(count, "runner", "runners")),
        };
        let runners =
            runners.into_iter().map(|runner| RunnerCard::new(runner, &board.sessions, board.now_ms)).collect();
        let connected = board.instances.iter().filter(|instance| instance.online).count();
        ClientList {
            headline,
            runners,
            instances_headline: format!(
                "{} connected",
                counted(connected, "claudecodeui instance", "claudecodeui instances")
            ),
            instances: InstanceCard::all(&board.instances, board.now_ms),
        }
    }
}

/// `GET /clients/:id`.
#[derive(Template)]
#[template(path = "pages/client.html")]
pub struct ClientPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub runner: RunnerCard,
}

impl<'a> ClientPage<'a> {
    /// `None` when there is no such runner.
    #[must_use]
    pub fn new(board: &Board, id: &str, visitor: &'a Visitor) -> Option<ClientPage<'a>> {
        let runner = board.runners.iter().find(|runner| runner.runner == id)?;
        let runner = RunnerCard::new(runner, &board.sessions, board.now_ms);
        Some(ClientPage { visitor, nav: Nav::Clients, runner })
    }
}

/// A runner in full.
pub struct RunnerCard {
    pub id: String,
    pub name: String,
    pub icon: &'static str,
    pub hostname: String,
    pub platform: String,
    pub version: String,
    pub home: String,
    pub online: bool,
    pub outdated: bool,
    pub revoked: bool,
    pub note: String,
    pub since: Option<When>,
    pub seen: Option<When>,
    pub agents: Vec<AgentOffer>,
    pub sessions: Vec<CardSession>,
    pub sessions_note: String,
}

/// A session on a runner's page.
pub struct CardSession {
    pub session: u64,
    pub name: String,
    pub mark: Mark,
    pub agent_label: String,
    pub since: When,
}

impl RunnerCard {
    fn new(runner: &RunnerView, sessions: &[SessionView], now_ms: u64) -> RunnerCard {
        let mut on_it: Vec<&SessionView> = sessions.iter().filter(|session| session.runner == runner.runner).collect();
        on_it.sort_by_key(|session| (session.status.status, session.session));
        RunnerCard {
            id: runner.runner.clone(),
            name: visible(&runner.name),
            icon: runner_icon(&runner.platform),
            hostname: visible(&runner.hostname),
            platform: visible(&runner.platform),
            version: visible(&runner.version),
            home: visible(&runner.home),
            online: runner.online,
            outdated: runner.outdated,
            revoked: runner.revoked,
            note: runner_note(runner, now_ms),
            since: (runner.online && runner.since_ms > 0).then(|| age(runner.since_ms, now_ms)),
            seen: (!runner.online && runner.seen_ms > 0).then(|| age(runner.seen_ms, now_ms)),
            agents: runner.agents.clone(),
            sessions_note: counted(on_it.len(), "session", "sessions"),
            sessions: on_it
                .into_iter()
                .map(|session| CardSession {
                    session: session.session,
                    name: visible(&session.name),
                    mark: Mark::of(&session.status),
                    agent_label: visible(&session.agent_label),
                    since: age(session.status_since_ms, now_ms),
                })
                .collect(),
        }
    }

    /// What it has, in words: "Claude Code, Codex".
    #[must_use]
    pub fn available(&self) -> String {
        let labels = self.agents.iter().filter(|agent| agent.available).map(|agent| visible(&agent.label));
        labels.collect::<Vec<_>>().join(", ")
    }
}

/// `GET /clients/connect` before a token was made, and the answer to `POST`.
#[derive(Template)]
#[template(path = "pages/connect.html")]
pub struct ConnectPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub token: Option<NewToken>,
    /// Where a claudecodeui instance connects.
    pub address: String,
    pub board: super::board::BoardView,
}

impl<'a> ConnectPage<'a> {
    /// With a token: the one time that it is shown. `origin` is the hub's own, as the browser reached it.
    #[must_use]
    pub fn new(board: &Board, token: Option<NewToken>, origin: &str, visitor: &'a Visitor) -> ConnectPage<'a> {
        // http becomes ws, and https wss.
        let address = format!("ws{}/ws/connect", origin.strip_prefix("http").unwrap_or(origin));
        ConnectPage { visitor, nav: Nav::Clients, token, address, board: super::board::BoardView::new(board) }
    }
}

/// A token that was just made.
pub struct NewToken {
    pub name: String,
    /// The runner's id.
    pub runner: String,
    /// The one command: it keeps the token in a file that only its owner reads, then connects.
    pub command: String,
}

impl NewToken {
    /// `origin` is the hub's own, as the browser reached it.
    #[must_use]
    pub fn new(name: &str, runner: &str, secret: &str, origin: &str) -> NewToken {
        // `printf` is the shell's own, so the secret is in no process's arguments; the leading space keeps the line out of
        // the history of shells that honour it.
        let file = "~/.config/muster/token";
        let command = format!(
            " (umask 077; mkdir -p ~/.config/muster; printf '%s\\n' '{secret}' > {file}) && muster runner --hub '{origin}' --token-file {file}"
        );
        NewToken { name: visible(name), runner: runner.to_owned(), command }
    }
}
