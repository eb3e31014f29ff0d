//! One session: its header, terminal tabs, prompt queue, people and timeline. The terminal itself is the browser's.

use askama::Template;
use protocol::control::{AgentOffer, StatusReport};
use protocol::right::Right;
use protocol::status::{PromptState, Status};
use session_hub::call::{PromptView, SessionDetail, TerminalState, TerminalView, TimelineEntry};

use super::board::{Face, runner_note};
use super::people::may;
use super::status::{Ask, Mark, prompt_icon, prompt_label, sentence, timeline_icon};
use super::text::{Task, visible};
use super::time::{When, age, clock};
use super::{Nav, Vantage, Visitor};

/// All that session.mjs imports, directly or not, so that the browser fetches them at once and not one after another.
pub const MODULES: [&str; 26] = [
    "ages.mjs",
    "signed-out.mjs",
    "terminal/answers.mjs",
    "terminal/chrome.mjs",
    "terminal/client.mjs",
    "terminal/connection.mjs",
    "terminal/frame.mjs",
    "terminal/inflate.mjs",
    "terminal/input.mjs",
    "terminal/limits.mjs",
    "terminal/painter.mjs",
    "terminal/right.mjs",
    "terminal/search-box.mjs",
    "terminal/sizing.mjs",
    "terminal/soft-keys.mjs",
    "terminal/stream.mjs",
    "terminal/styles.mjs",
    "terminal/theme.mjs",
    "terminal/view.mjs",
    "terminal/whole.mjs",
    "vendor/addon-clipboard.js",
    "vendor/addon-search.js",
    "vendor/addon-unicode11.js",
    "vendor/addon-web-links.js",
    "vendor/addon-webgl.js",
    "vendor/xterm.js",
];

/// `GET /sessions/:id` and `GET /sessions/:id/terminals/:n`.
#[derive(Template)]
#[template(path = "pages/session.html")]
pub struct SessionPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub session: SessionDetailView,
    /// The terminal shown; `None` when the session has none.
    pub current: Option<Tab>,
}

impl<'a> SessionPage<'a> {
    /// The page with this terminal in front; without one, or one of another session, with the main one.
    #[must_use]
    pub fn new(
        detail: &SessionDetail,
        terminal: Option<u32>,
        vantage: &Vantage,
        visitor: &'a Visitor,
    ) -> SessionPage<'a> {
        let mut session = SessionDetailView::new(detail, vantage);
        let asked = terminal.unwrap_or(detail.view.main_terminal);
        let current = session.tabs.iter().find(|tab| tab.terminal == asked).or(session.tabs.last()).cloned();
        session.current = current.as_ref().map(|tab| tab.terminal);
        SessionPage { visitor, nav: Nav::Sessions, session, current }
    }
}

/// All that a session page shows; the page and the push are made from it.
pub struct SessionDetailView {
    pub now_ms: u64,
    pub session: u64,
    /// What its numbers in addresses begin with, and whose hub that is.
    pub vantage: Vantage,
    /// What whoever looks may do, and how that is said.
    pub right: Right,
    pub may: &'static str,
    pub name: String,
    pub task: Option<Task>,
    pub mark: Mark,
    pub agent_label: String,
    pub cwd: String,
    pub created: When,
    pub archived: bool,
    pub runner: String,
    pub runner_name: String,
    pub runner_online: bool,
    pub runner_outdated: bool,
    pub runner_note: String,
    pub runner_seen: Option<When>,
    pub main_terminal: u32,
    /// The tab in front: each page's own, so a push leaves it out and pages keep theirs.
    pub current: Option<u32>,
    pub tabs: Vec<Tab>,
    /// What may be opened beside them.
    pub offers: Vec<AgentOffer>,
    pub asks: Vec<(Tab, Ask)>,
    pub prompts: Vec<PromptRow>,
    /// Prompts that are not final.
    pub prompts_open: usize,
    /// Why the queue does not move, when it does not.
    pub held: &'static str,
    pub people: Vec<Face>,
    pub timeline: Vec<Moment>,
    /// True while an agent of it runs.
    pub runs: bool,
}

impl SessionDetailView {
    /// Everything that the templates need.
    #[must_use]
    pub fn new(detail: &SessionDetail, vantage: &Vantage) -> SessionDetailView {
        let (view, runner, now) = (&detail.view, &detail.runner_view, detail.now_ms);
        let tabs: Vec<Tab> = detail.terminal_views.iter().map(Tab::new).collect();
        let asks = detail.terminal_views.iter().zip(&tabs);
        let asks = asks.filter_map(|(terminal, tab)| Some((tab.clone(), Ask::of(&shown_status(terminal))?))).collect();
        let several = tabs.len() > 1;
        let prompts: Vec<PromptRow> =
            detail.prompts.iter().map(|prompt| PromptRow::new(prompt, several.then_some(tabs.as_slice()))).collect();
        SessionDetailView {
            now_ms: now,
            session: view.session,
            vantage: vantage.clone(),
            right: detail.right,
            may: may(detail.right),
            name: visible(&view.name),
            task: Task::new(&view.task),
            mark: Mark::of(&view.status),
            agent_label: visible(&view.agent_label),
            cwd: visible(&view.cwd),
            created: age(view.created_ms, now),
            archived: view.archived,
            runner: runner.runner.clone(),
            runner_name: visible(&runner.name),
            runner_online: runner.online,
            runner_outdated: runner.outdated,
            runner_note: runner_note(runner, now),
            runner_seen: (!runner.online && runner.seen_ms > 0).then(|| age(runner.seen_ms, now)),
            main_terminal: view.main_terminal,
            current: None,
            offers: runner.agents.iter().filter(|offer| offer.available).cloned().collect(),
            asks,
            prompts_open: detail.prompts.iter().filter(|prompt| !prompt.state.is_final()).count(),
            held: held(detail),
            prompts,
            people: Face::all(&people(detail)),
            timeline: detail.timeline.iter().map(Moment::new).collect(),
            runs: tabs.iter().any(|tab| tab.runs),
            tabs,
        }
    }

    /// It is whoever looks that owns it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.right == Right::Owner
    }

    /// Whoever looks may type, and open and end terminals.
    #[must_use]
    pub fn may_drive(&self) -> bool {
        self.right >= Right::Driver
    }

    /// As its address names it: `7`, or `3-7` in another's hub.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}{}", self.vantage.prefix, self.session)
    }

    /// The page's title: what waits for a person stands first.
    #[must_use]
    pub fn title(&self) -> String {
        match self.mark.word {
            "blocked" | "failed" => format!("({}) {} · Muster", self.mark.label, self.name),
            _ => format!("{} · Muster", self.name),
        }
    }
}

/// People of all terminals; who drives one of them counts as driving.
fn people(detail: &SessionDetail) -> Vec<protocol::control::Person> {
    detail.terminal_views.iter().flat_map(|terminal| terminal.people.clone()).collect()
}

/// Why queued prompts wait, in the order in which a person would have to act.
fn held(detail: &SessionDetail) -> &'static str {
    let queued = |prompt: &&PromptView| prompt.state == PromptState::Queued;
    let Some(next) = detail.prompts.iter().find(queued) else { return "" };
    let Some(terminal) = detail.terminal_views.iter().find(|terminal| terminal.terminal == next.terminal) else {
        return "";
    };
    match (detail.runner_view.online, terminal.state, terminal.status.status) {
        (false, ..) => "held until the runner is back",
        (true, TerminalState::Opening, _) => "held until the agent has started",
        (true, TerminalState::Ended | TerminalState::Failed, _) => "its agent has ended",
        (true, _, Status::Blocked) => "held until the agent has its answer",
        (true, _, Status::Working) => "delivered when the agent has finished its turn",
        _ => "",
    }
}

/// A terminal that could not be opened has failed, whatever its last report says.
fn shown_status(terminal: &TerminalView) -> StatusReport {
    match terminal.state {
        TerminalState::Failed => {
            StatusReport { status: Status::Failed, detail: terminal.failure.clone(), ..StatusReport::default() }
        }
        _ => terminal.status.clone(),
    }
}

/// A tab of the terminal frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    pub terminal: u32,
    pub agent: String,
    pub label: String,
    pub cwd: String,
    pub mark: Mark,
    /// For `data-state`, which the browser's overlay reads.
    pub state: &'static str,
    pub runs: bool,
    /// How it ended or why it could not be opened.
    pub end: String,
}

impl Tab {
    fn new(terminal: &TerminalView) -> Tab {
        let status = shown_status(terminal);
        let state = match terminal.state {
            TerminalState::Opening => "opening",
            TerminalState::Open => "open",
            TerminalState::Ended => "ended",
            TerminalState::Failed => "failed",
        };
        let ended = matches!(terminal.state, TerminalState::Ended | TerminalState::Failed);
        Tab {
            terminal: terminal.terminal,
            agent: terminal.agent.clone(),
            label: visible(&terminal.agent_label),
            cwd: visible(&terminal.cwd),
            mark: Mark::of(&status),
            state,
            runs: !ended,
            end: if ended { sentence_of_end(&status, terminal.state) } else { String::new() },
        }
    }
}

fn sentence_of_end(status: &StatusReport, state: TerminalState) -> String {
    match (state, status.exit_code, status.exit_signal) {
        (TerminalState::Ended, Some(0), None) => "Ended well.".to_owned(),
        (TerminalState::Ended, None, None) => "Ended.".to_owned(),
        _ => sentence(status),
    }
}

/// A prompt in the queue.
pub struct PromptRow {
    pub prompt: u64,
    pub state: &'static str,
    pub icon: &'static str,
    pub label: &'static str,
    pub text: String,
    /// The text as it was written, for editing it.
    pub raw: String,
    /// The agent it is for, where the session has several.
    pub for_agent: String,
    pub author: String,
    pub reason: String,
    pub at: When,
    /// Queued, and whoever looks may change it.
    pub is_editable: bool,
}

impl PromptRow {
    fn new(prompt: &PromptView, tabs: Option<&[Tab]>) -> PromptRow {
        let tab = tabs.and_then(|tabs| tabs.iter().find(|tab| tab.terminal == prompt.terminal));
        PromptRow {
            prompt: prompt.prompt,
            state: prompt.state.word(),
            icon: prompt_icon(prompt.state),
            label: prompt_label(prompt.state),
            raw: prompt.text.clone(),
            text: visible(&prompt.text),
            for_agent: tab.map(|tab| tab.label.clone()).unwrap_or_default(),
            author: visible(&prompt.author),
            reason: visible(&prompt.reason),
            at: clock(prompt.changed_ms),
            is_editable: prompt.editable,
        }
    }
}

/// A moment of the timeline.
pub struct Moment {
    pub entry: u64,
    pub at: When,
    pub icon: &'static str,
    pub actor: String,
    pub text: String,
}

impl Moment {
    fn new(entry: &TimelineEntry) -> Moment {
        Moment {
            entry: entry.entry,
            at: clock(entry.at_ms),
            icon: timeline_icon(&entry.kind),
            actor: visible(&entry.actor),
            text: visible(&entry.text),
        }
    }
}
