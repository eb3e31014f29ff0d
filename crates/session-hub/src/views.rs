//! What pages and the API are shown: views made from the registry, the sockets and, for prompts and timeline, the store.
//! Nothing here changes anything.

use std::collections::BTreeMap;

use protocol::control::{Person, Size, StatusReport};
use protocol::right::Right;
use protocol::status::{PromptState, Status};

use crate::call::{
    Board, Caller, Health, InstanceView, RunnerView, SessionDetail, SessionView, TerminalState, TerminalView,
};
use crate::db::Fault;
use crate::effect::Peer;
use crate::hub::Hub;
use crate::migrations;
use crate::registry::{Runner, Session, Terminal};
use crate::runner::offline;
use crate::store::Store;
use crate::watch::Wire;

impl<S: Store> Hub<S> {
    /// A terminal's status as people see it, and since when by the hub's clock.
    pub(crate) fn shown(&self, terminal: &Terminal) -> (StatusReport, u64) {
        let away = terminal.is_alive() && !self.online.contains_key(&terminal.runner);
        if terminal.state == TerminalState::Failed {
            let detail = terminal.failure.clone();
            return (StatusReport { status: Status::Failed, detail, ..StatusReport::default() }, terminal.status_ms);
        }
        if away {
            let gone_ms = self.registry.runners.get(&terminal.runner).map_or(0, |runner| runner.gone_ms);
            return (offline(&terminal.status), gone_ms.max(terminal.opened_ms));
        }
        (terminal.status.clone(), terminal.status_ms)
    }

    pub(crate) fn terminal_view(&self, terminal: &Terminal) -> TerminalView {
        let wire = self.wires.get(&terminal.id);
        TerminalView {
            terminal: terminal.id,
            session: terminal.session,
            agent: terminal.agent.clone(),
            agent_label: terminal.agent_label.clone(),
            cwd: terminal.cwd.clone(),
            state: terminal.state,
            status: self.shown(terminal).0,
            size: wire.map_or(Size::DEFAULT, Wire::size),
            end: terminal.known_end(),
            last_output_ms: terminal.printed_ms(),
            people: wire.map(|wire| wire.people(None)).unwrap_or_default(),
            failure: terminal.failure.clone(),
            opened_ms: terminal.opened_ms,
        }
    }

    pub(crate) fn runner_view(&self, runner: &Runner) -> RunnerView {
        let socket = self.online.get(&runner.id).and_then(|socket| self.sockets.get(socket));
        let heard = self.registry.terminals_on(&runner.id).map(|t| t.heard_ms.max(t.checkpoint.map_or(0, |c| c.at_ms)));
        RunnerView {
            runner: runner.id.clone(),
            name: runner.name.clone(),
            hostname: runner.hostname.clone(),
            platform: runner.platform.clone(),
            version: runner.version.clone(),
            outdated: !runner.version.is_empty() && !is_same_series(&runner.version, env!("CARGO_PKG_VERSION")),
            online: socket.is_some(),
            revoked: runner.revoked,
            session: runner.session,
            since_ms: if socket.is_some() { runner.connected_ms } else { runner.gone_ms },
            seen_ms: match socket {
                Some(_) => heard.max().unwrap_or_default().max(runner.connected_ms),
                None => runner.gone_ms,
            },
            rtt_ms: socket.and_then(|socket| socket.rtt_ms),
            agents: runner.agents.clone(),
            home: runner.home.clone(),
        }
    }

    pub(crate) fn session_view(&self, session: &Session) -> SessionView {
        let terminals = self.registry.terminals_of(session.id);
        // The most urgent first; of two alike, the one that has been so for longest.
        let ((status, status_since_ms), status_terminal) = terminals
            .iter()
            .map(|terminal| (self.shown(terminal), terminal.id))
            .min_by_key(|((report, since_ms), _)| (report.status, *since_ms))
            .unwrap_or(((StatusReport::default(), session.created_ms), 0));
        let main = terminals.iter().find(|terminal| terminal.is_alive()).or(terminals.first());
        let queued = |terminal: &&Terminal| {
            terminal.prompts.iter().filter(|pending| pending.state == PromptState::Queued).count() as u32
        };
        SessionView {
            session: session.id,
            name: session.name.clone(),
            task: session.task.clone(),
            runner: session.runner.clone(),
            runner_name: self.registry.runner_name(&session.runner).to_owned(),
            agent: session.agent.clone(),
            agent_label: session.agent_label.clone(),
            cwd: session.cwd.clone(),
            status,
            status_since_ms,
            status_terminal,
            last_output_ms: terminals.iter().map(|terminal| terminal.printed_ms()).max().unwrap_or_default(),
            prompts_queued: terminals.iter().map(queued).sum(),
            terminals: terminals.iter().filter(|terminal| terminal.is_alive()).count() as u32,
            main_terminal: main.map_or(0, |terminal| terminal.id),
            people: self.people_of(&terminals),
            created_ms: session.created_ms,
            archived: session.archived,
        }
    }

    /// Each person once, however many tabs they have open, in order of arrival.
    fn people_of(&self, terminals: &[&Terminal]) -> Vec<Person> {
        let mut people: BTreeMap<&str, ((u64, u64), Person)> = BTreeMap::new();
        for wire in terminals.iter().filter_map(|terminal| self.wires.get(&terminal.id)) {
            let driver = wire.driver().map(|driver| driver.socket);
            for watcher in &wire.watchers {
                let order = (watcher.connected_ms, watcher.socket);
                let drives = driver == Some(watcher.socket);
                let person = Person { id: watcher.socket.to_string(), name: watcher.name.clone(), drives, you: false };
                let (first, known) = people.entry(&watcher.person).or_insert_with(|| (order, person.clone()));
                let drives = known.drives || drives;
                if order < *first {
                    (*first, *known) = (order, person);
                }
                known.drives = drives;
            }
        }
        let mut people: Vec<((u64, u64), Person)> = people.into_values().collect();
        people.sort_by_key(|(order, _)| *order);
        people.into_iter().map(|(_, person)| person).collect()
    }

    pub(crate) fn board(&self, now_ms: u64) -> Board {
        let live = self.registry.sessions.values().filter(|session| !session.archived);
        let mut sessions: Vec<SessionView> = live.map(|session| self.session_view(session)).collect();
        sessions.sort_by_key(urgency);
        let mut runners: Vec<RunnerView> =
            self.registry.runners.values().map(|runner| self.runner_view(runner)).collect();
        runners.sort_by_key(|view| (view.revoked, !view.online, view.name.clone(), view.runner.clone()));
        let mut instances: Vec<InstanceView> =
            self.registry.instances.values().map(|instance| self.instance_view(instance)).collect();
        instances.sort_by_key(|view| (!view.online, view.hostname.clone(), view.project.clone(), view.client.clone()));
        Board { now_ms, sessions, runners, instances, invitations: self.registry.invitations }
    }

    pub(crate) fn session_detail(&self, now_ms: u64, who: &Caller, session: &Session) -> Result<SessionDetail, Fault> {
        let absent = || Runner { id: session.runner.clone(), name: session.runner.clone(), ..Runner::default() };
        let runner = self.registry.runners.get(&session.runner).cloned().unwrap_or_else(absent);
        let terminals = self.registry.terminals_of(session.id);
        // Whoever came this far may at least watch.
        let right = self.right_of(who, session.id, now_ms).unwrap_or(Right::Viewer);
        let mut prompts = self.prompts_of(session.id)?;
        Self::mark_editable(who, right, &mut prompts);
        let mut timeline = crate::timeline::read(&self.db, session.id)?;
        if right < Right::Owner {
            // Nor are the names of others with whom it is shared.
            timeline.retain(|entry| entry.kind != crate::timeline::SHARED);
        }
        let mut runner_view = self.runner_view(&runner);
        if right < Right::Driver {
            // The machine is not part of what was shared with those who cannot type into it.
            (runner_view.hostname, runner_view.platform, runner_view.home) = Default::default();
            runner_view.agents = Vec::new();
        }
        Ok(SessionDetail {
            now_ms,
            right,
            view: self.session_view(session),
            runner_view,
            terminal_views: terminals.into_iter().map(|terminal| self.terminal_view(terminal)).collect(),
            prompts,
            timeline,
        })
    }

    pub(crate) fn health(&self) -> Health {
        let count = |wanted: fn(&Peer) -> bool| self.sockets.values().filter(|socket| wanted(&socket.peer)).count();
        Health {
            sockets: self.sockets.len() as u64,
            runners_connected: self.online.len() as u64,
            runners: self.registry.runners.len() as u64,
            viewers: count(|peer| matches!(peer, Peer::Viewer { .. })) as u64,
            pages: count(|peer| matches!(peer, Peer::Page { .. })) as u64,
            sessions: self.registry.sessions.values().filter(|session| !session.archived).count() as u64,
            schema_version: migrations::NEWEST,
            messages_in: self.messages_in,
            rows_written: self.db.rows_written(),
            loaded_ms: self.loaded_ms,
        }
    }
}

/// The place of a session in every list: the most urgent first.
pub(crate) fn urgency(view: &SessionView) -> impl Ord + use<> {
    (view.status.status, std::cmp::Reverse(view.status_since_ms), view.session)
}

/// Versions with the same first two numbers understand each other fully.
fn is_same_series(one: &str, other: &str) -> bool {
    let series = |version: &str| -> Vec<String> { version.split('.').take(2).map(str::to_owned).collect() };
    series(one) == series(other)
}
