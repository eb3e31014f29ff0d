//! The dashboard: groups of sessions in order of urgency, the runner strip, the headline that answers "does anything need me?".

use askama::Template;
use protocol::right::Right;
use protocol::status::Status;
use session_hub::call::{Board, RunnerView, SessionView};

use super::instances::InstanceCard;
use super::people::may;
use super::shared::SharedView;
use super::status::{Ask, Mark, doing};
use super::text::{Task, counted, initials, visible};
use super::time::{When, age, span};
use super::{Nav, Vantage, Visitor};

/// `GET /dashboard`.
#[derive(Template)]
#[template(path = "pages/dashboard.html")]
pub struct DashboardPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub board: BoardView,
    /// What others share, by owner.
    pub shared: Vec<SharedView>,
}

impl<'a> DashboardPage<'a> {
    /// The page for what the hub answered.
    #[must_use]
    pub fn new(board: &Board, shared: Vec<SharedView>, visitor: &'a Visitor) -> DashboardPage<'a> {
        DashboardPage { visitor, nav: Nav::Sessions, board: BoardView::new(board), shared }
    }
}

/// `GET /dashboard/shared`: what others share, by itself.
#[derive(Template)]
#[template(path = "fragments/shared-list.html")]
pub struct SharedListFragment {
    pub shared: Vec<SharedView>,
}

/// All that the dashboard shows; the page and the push are made from it.
pub struct BoardView {
    /// The hub's clock.
    pub now_ms: u64,
    /// When it grows, others share more than the page shows.
    pub invitations: u64,
    /// Open sessions.
    pub total: usize,
    /// Sessions that are a person's move.
    pub waiting: usize,
    /// The answer: "4 sessions need you".
    pub headline: String,
    /// The rest: "5 working, 3 idle, 2 done".
    pub summary: String,
    /// Groups that have sessions, most urgent first.
    pub groups: Vec<Group>,
    /// All runners, connected ones first.
    pub runners: Vec<RunnerCell>,
    /// claudecodeui instances that are connected.
    pub instances: Vec<InstanceCard>,
    /// For the filters.
    pub agents: Vec<(String, String)>,
}

impl BoardView {
    /// Sorts and groups.
    #[must_use]
    pub fn new(board: &Board) -> BoardView {
        let groups: Vec<Group> = GroupKind::ALL.into_iter().filter_map(|kind| Group::of(kind, board)).collect();
        let size = |kind| groups.iter().find(|group| group.kind == kind).map_or(0, |group| group.rows.len());
        let waiting = size(GroupKind::Needs);
        let parts =
            [(size(GroupKind::Working), "working"), (size(GroupKind::Idle), "idle"), (size(GroupKind::Done), "done")];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        BoardView {
            now_ms: board.now_ms,
            invitations: board.invitations,
            total: board.sessions.len(),
            waiting,
            headline: headline(board.sessions.len(), waiting),
            summary: parts.join(", "),
            groups,
            runners: RunnerCell::all(board),
            instances: InstanceCard::all(&board.instances, board.now_ms).into_iter().filter(|one| one.online).collect(),
            agents: agents(board),
        }
    }

    /// The page's title; the count stands first, where a narrow tab still shows it.
    #[must_use]
    pub fn title(&self) -> String {
        if self.waiting == 0 {
            "Sessions · Muster".to_owned()
        } else {
            format!("({}) Sessions · Muster", self.waiting)
        }
    }

    /// True when there is nothing to run a session on yet.
    #[must_use]
    pub fn is_first_run(&self) -> bool {
        self.runners.is_empty() && self.total == 0
    }
}

fn headline(total: usize, waiting: usize) -> String {
    match (total, waiting) {
        (0, _) => "No sessions yet".to_owned(),
        (_, 0) => "Nothing needs you".to_owned(),
        (_, 1) => "1 session needs you".to_owned(),
        (_, many) => format!("{many} sessions need you"),
    }
}

fn agents(board: &Board) -> Vec<(String, String)> {
    let mut agents: Vec<(String, String)> =
        board.sessions.iter().map(|session| (session.agent.clone(), session.agent_label.clone())).collect();
    agents.sort();
    agents.dedup();
    agents
}

/// A group of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// A person's move: blocked, then failed.
    Needs,
    /// Busy.
    Working,
    /// Waits for a prompt, is unknown, or is offline.
    Idle,
    /// Ended well.
    Done,
}

impl GroupKind {
    const ALL: [GroupKind; 4] = [GroupKind::Needs, GroupKind::Working, GroupKind::Idle, GroupKind::Done];

    fn of(status: Status) -> GroupKind {
        match status {
            Status::Blocked | Status::Failed => GroupKind::Needs,
            Status::Working => GroupKind::Working,
            Status::Idle | Status::Unknown | Status::Offline => GroupKind::Idle,
            Status::Done => GroupKind::Done,
        }
    }
}

/// Place of a status within its group: unknown before offline, which sits at the end.
fn place(status: Status) -> u8 {
    match status {
        Status::Blocked | Status::Working | Status::Idle | Status::Done => 0,
        Status::Failed | Status::Unknown => 1,
        Status::Offline => 2,
    }
}

/// A group with its sessions.
pub struct Group {
    /// Which.
    pub kind: GroupKind,
    /// For ids and `data-group`.
    pub word: &'static str,
    /// For people.
    pub title: &'static str,
    /// Since when the one waits that waits longest; only where somebody waits.
    pub oldest: Option<When>,
    /// Its sessions in order.
    pub rows: Vec<SessionRow>,
}

impl Group {
    fn of(kind: GroupKind, board: &Board) -> Option<Group> {
        let mut sessions: Vec<&SessionView> =
            board.sessions.iter().filter(|session| GroupKind::of(session.status.status) == kind).collect();
        if sessions.is_empty() {
            return None;
        }
        // Stable for a group's life: a session never moves because it printed something.
        sessions.sort_by_key(|session| (place(session.status.status), session.status_since_ms, session.session));
        let oldest = sessions.iter().map(|session| session.status_since_ms).min().filter(|_| kind == GroupKind::Needs);
        let (word, title) = match kind {
            GroupKind::Needs => ("needs", "Needs you"),
            GroupKind::Working => ("working", "Working"),
            GroupKind::Idle => ("idle", "Idle"),
            GroupKind::Done => ("done", "Done"),
        };
        let rows = sessions.into_iter().map(|session| SessionRow::new(session, board.now_ms)).collect();
        Some(Group { kind, word, title, oldest: oldest.map(|since| age(since, board.now_ms)), rows })
    }
}

/// One session of the dashboard.
pub struct SessionRow {
    /// As addresses and ids name it: `7`, or `3-7` in another's hub.
    pub address: String,
    /// What the visitor may do, where it is another's: "may watch".
    pub may: &'static str,
    /// The visitor may start its agent again.
    pub may_drive: bool,
    pub name: String,
    pub task: Option<Task>,
    pub mark: Mark,
    pub since: When,
    pub doing: String,
    pub cwd: String,
    pub agent: String,
    pub agent_label: String,
    pub runner: String,
    pub runner_name: String,
    pub prompts: String,
    pub terminals: String,
    /// The terminal that the ask came from.
    pub asking_terminal: u32,
    pub ask: Option<Ask>,
    pub people: Vec<Face>,
    /// What the search looks through.
    pub search: String,
}

impl SessionRow {
    fn new(session: &SessionView, now_ms: u64) -> SessionRow {
        SessionRow::seen_from(&Vantage::own(), Right::Owner, session, now_ms)
    }

    /// The row for somebody with this right, who looks from there.
    #[must_use]
    pub fn seen_from(vantage: &Vantage, right: Right, session: &SessionView, now_ms: u64) -> SessionRow {
        let task = Task::new(&session.task);
        let words = [&session.name, &session.task, &session.agent_label, &session.runner_name, &session.cwd];
        SessionRow {
            address: format!("{}{}", vantage.prefix, session.session),
            may: if vantage.is_own() { "" } else { may(right) },
            may_drive: right >= Right::Driver,
            name: visible(&session.name),
            mark: Mark::of(&session.status),
            since: age(session.status_since_ms, now_ms),
            doing: doing(&session.status),
            cwd: visible(&session.cwd),
            agent: session.agent.clone(),
            agent_label: visible(&session.agent_label),
            runner: session.runner.clone(),
            runner_name: visible(&session.runner_name),
            prompts: match session.prompts_queued {
                0 => String::new(),
                count => counted(count as usize, "prompt queued", "prompts queued"),
            },
            terminals: match session.terminals {
                0 | 1 => String::new(),
                count => format!("{count} terminals"),
            },
            asking_terminal: session.status_terminal,
            ask: Ask::of(&session.status),
            people: Face::all(&session.people),
            search: words.map(|word| word.to_lowercase()).join(" "),
            task,
        }
    }
}

/// Somebody's avatar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    pub initials: String,
    pub name: String,
    pub drives: bool,
}

impl Face {
    /// One face a person, however many tabs they have; it drives if one of them does.
    #[must_use]
    pub fn all(people: &[protocol::control::Person]) -> Vec<Face> {
        let mut faces: Vec<Face> = Vec::new();
        for person in people {
            match faces.iter_mut().find(|face| face.name == person.name) {
                Some(face) => face.drives |= person.drives,
                None => faces.push(Face {
                    initials: initials(&person.name),
                    name: visible(&person.name),
                    drives: person.drives,
                }),
            }
        }
        faces
    }
}

/// A runner of the strip: its sessions as glyphs, the most urgent first.
pub struct RunnerCell {
    pub runner: String,
    pub name: String,
    pub icon: &'static str,
    pub online: bool,
    pub outdated: bool,
    /// Delay of its hop, or that it never came.
    pub note: String,
    /// When it was last seen; only while it is away.
    pub seen: Option<When>,
    pub marks: Vec<Mark>,
    /// The glyphs in words.
    pub roll: String,
}

/// Glyphs of one runner in the strip; more would make it wider than its name.
const GLYPHS_MAX: usize = 10;

impl RunnerCell {
    fn all(board: &Board) -> Vec<RunnerCell> {
        let mut runners: Vec<&RunnerView> = board.runners.iter().filter(|runner| !runner.revoked).collect();
        runners.sort_by_key(|runner| (!runner.online, runner.name.to_lowercase(), runner.runner.clone()));
        runners.into_iter().map(|runner| RunnerCell::new(runner, board)).collect()
    }

    fn new(runner: &RunnerView, board: &Board) -> RunnerCell {
        let on_it = |session: &&SessionView| session.runner == runner.runner;
        let mut statuses: Vec<Status> =
            board.sessions.iter().filter(on_it).map(|session| session.status.status).collect();
        statuses.sort();
        let words = Status::ALL.into_iter().filter_map(|status| {
            let count = statuses.iter().filter(|other| **other == status).count();
            let word = match status {
                Status::Blocked if count == 1 => "needs you".to_owned(),
                Status::Blocked => "need you".to_owned(),
                other => other.word().to_owned(),
            };
            (count > 0).then(|| format!("{count} {word}"))
        });
        let roll: Vec<String> = words.collect();
        RunnerCell {
            runner: runner.runner.clone(),
            name: visible(&runner.name),
            icon: runner_icon(&runner.platform),
            online: runner.online,
            outdated: runner.outdated,
            note: runner_note(runner, board.now_ms),
            seen: (!runner.online && runner.seen_ms > 0).then(|| age(runner.seen_ms, board.now_ms)),
            marks: statuses.into_iter().take(GLYPHS_MAX).map(Mark::of_status).collect(),
            roll: if roll.is_empty() { "no sessions".to_owned() } else { roll.join(", ") },
        }
    }
}

/// The machine's glyph.
#[must_use]
pub fn runner_icon(platform: &str) -> &'static str {
    if platform.contains("macos") || platform.contains("darwin") { "laptop" } else { "server" }
}

/// What stands beside a runner's name while it has no age.
#[must_use]
pub fn runner_note(runner: &RunnerView, now_ms: u64) -> String {
    match (runner.online, runner.rtt_ms, runner.seen_ms) {
        (true, Some(rtt), _) => format!("{rtt} ms"),
        (true, None, _) => "connected".to_owned(),
        (false, _, 0) => "never connected".to_owned(),
        (false, _, seen) => format!("seen {} ago", span(now_ms.saturating_sub(seen))),
    }
}
