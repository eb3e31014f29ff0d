//! What the Worker asks of a hub, and the answers that pages, fragments and the JSON API are made from. One typed call.

use protocol::audit::{Entry, Head, Via};
use protocol::claudecodeui::InstanceCommand;
use protocol::control::{AgentOffer, ErrorCode, Person, Size, StatusReport, StopMode};
use protocol::right::Right;
use protocol::status::PromptState;
use serde::{Deserialize, Serialize};

use crate::standing::Standing;

mod instances;
mod shares;

pub use instances::{Farewell, InstanceView, Link, LinkAnswer, LobbyOrder, LobbyReport, instance_id, instance_number};
pub use shares::{Grantee, ShareView, Shared, SharedSession, Shares};

/// Who asks; the hub writes it to the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// By which way.
    #[serde(default)]
    pub via: Via,
    /// On what grounds.
    #[serde(default)]
    pub standing: Standing,
}

/// A question or a command, with who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who.
    pub caller: Caller,
    /// What.
    #[serde(flatten)]
    pub request: Request,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Sockets, runners, schema version.
    Health,
    /// All sessions and runners. Answer: [`Reply::Board`].
    Board,
    /// One session in full. Answer: [`Reply::Session`].
    Session {
        /// Which.
        session: u64,
    },
    /// A new session with its first terminal. Answer: [`Reply::Session`].
    CreateSession {
        /// Its name; empty: made from the first prompt or the agent and folder.
        name: String,
        /// A link or a word for the task; may be empty.
        #[serde(default)]
        task: String,
        /// On which runner.
        runner: String,
        /// With which agent.
        agent: String,
        /// In which folder; empty: the runner's default.
        #[serde(default)]
        cwd: String,
        /// A first prompt; may be empty.
        #[serde(default)]
        prompt: String,
        /// The same key again within a day returns the same session instead of a second one; may be empty.
        #[serde(default)]
        idempotency_key: String,
    },
    /// Another name. Answer: [`Reply::Session`].
    RenameSession {
        /// Which.
        session: u64,
        /// The name.
        name: String,
    },
    /// Out of sight, its agents ended; can be restored. Answer: [`Reply::Session`].
    ArchiveSession {
        /// Which.
        session: u64,
        /// False restores it.
        archived: bool,
    },
    /// Gone for good, with its terminals' logs. Answer: [`Reply::Done`].
    DeleteSession {
        /// Which.
        session: u64,
    },
    /// One more terminal. Answer: [`Reply::Terminal`].
    OpenTerminal {
        /// In which session.
        session: u64,
        /// On which runner; empty: that of the session.
        #[serde(default)]
        runner: String,
        /// With which agent.
        agent: String,
        /// In which folder; empty: that of the session.
        #[serde(default)]
        cwd: String,
    },
    /// End the agent of a terminal. Answer: [`Reply::Terminal`].
    StopTerminal {
        /// Which.
        terminal: u32,
        /// How.
        mode: StopMode,
    },
    /// The same agent again in a new terminal of the same session, in the ended one's place. Answer: [`Reply::Terminal`].
    RestartTerminal {
        /// Which.
        terminal: u32,
    },
    /// Forget an ended terminal. Answer: [`Reply::Done`].
    CloseTerminal {
        /// Which.
        terminal: u32,
    },
    /// One terminal. Answer: [`Reply::Terminal`].
    Terminal {
        /// Which.
        terminal: u32,
    },
    /// A prompt at the end of the queue. Answer: [`Reply::Prompt`].
    QueuePrompt {
        /// For the agent of this terminal.
        terminal: u32,
        /// What.
        text: String,
        /// The same key again within a day returns the same prompt instead of a second one; may be empty.
        #[serde(default)]
        idempotency_key: String,
    },
    /// Another text for a prompt that is still queued. Answer: [`Reply::Prompt`].
    EditPrompt {
        /// Which.
        prompt: u64,
        /// What.
        text: String,
    },
    /// Take back a prompt that is still queued. Answer: [`Reply::Prompt`].
    CancelPrompt {
        /// Which.
        prompt: u64,
    },
    /// One runner. Answer: [`Reply::Runner`].
    Runner {
        /// Which.
        runner: String,
    },
    /// A token for a runner was made: show it before it ever connects. Answer: [`Reply::Runner`].
    AddRunner {
        /// The token's id.
        runner: String,
        /// Its name.
        name: String,
        /// The one session that it is for, with which it ends; 0: none in particular.
        #[serde(default)]
        session: u64,
    },
    /// Another name. Answer: [`Reply::Runner`].
    RenameRunner {
        /// Which.
        runner: String,
        /// The name.
        name: String,
    },
    /// Its token was revoked: close its socket and keep it as revoked. Answer: [`Reply::Runner`].
    RevokeRunner {
        /// Which.
        runner: String,
    },
    /// Who a session is shared with. Answer: [`Reply::Shares`].
    Shares {
        /// Which.
        session: u64,
    },
    /// A session is shared, or with whom it is shared already may do something else. Answer: [`Reply::Share`].
    Share {
        /// Which.
        session: u64,
        /// With whom.
        grantee: Grantee,
        /// What people call them.
        name: String,
        /// What they may do.
        right: Right,
        /// When it ends; 0: when it is withdrawn.
        expires_ms: u64,
    },
    /// It is no longer. Answer: [`Reply::Done`].
    Withdraw {
        /// Of which session.
        session: u64,
        /// Which share.
        share: u64,
    },
    /// The sessions that whoever asks was invited to. Answer: [`Reply::Shared`].
    Shared,
    /// Somebody else shares something with this hub's person: their dashboards ask what. Answer: [`Reply::Done`].
    Invited,
    /// Entries of the hub's audit log, oldest first. Answer: [`Reply::Audit`].
    AuditFrom {
        /// From this one on.
        seq: u64,
        /// At most this many.
        limit: u64,
    },
    /// Entries of the hub's audit log that fit, newest first. Answer: [`Reply::Audit`].
    AuditPage {
        /// Which.
        wanted: AuditWanted,
        /// At most this many.
        limit: u64,
    },
    /// One claudecodeui instance. Answer: [`Reply::Instance`].
    Instance {
        /// Which.
        instance: u64,
    },
    /// Something is wanted of an instance that is connected. Answer: [`Reply::Instance`].
    CommandInstance {
        /// Which.
        instance: u64,
        /// What.
        command: InstanceCommand,
    },
    /// Forget an instance that is not connected. Answer: [`Reply::Done`].
    ForgetInstance {
        /// Which.
        instance: u64,
    },
    /// A token for instances was revoked: close what came with it. Answer: [`Reply::Done`].
    RevokeInstances {
        /// The token's id.
        token: String,
    },
    /// A lobby tells of this person's instances. Answer: [`Reply::Link`].
    Lobby {
        /// What.
        report: LobbyReport,
    },
    /// The hub's person is out: close every socket. Answer: [`Reply::Done`].
    CloseAll {
        /// For good: the runners' tokens work no more.
        revoke: bool,
    },
    /// A sign-in ended: close the person's sockets. Answer: [`Reply::Done`].
    CloseSockets {
        /// Whose.
        person: String,
    },
}

/// The answers.
#[allow(clippy::large_enum_variant)] // one a call, made and taken apart at once
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Figures.
    Health(Health),
    /// The dashboard.
    Board(Board),
    /// A session.
    Session(SessionDetail),
    /// A terminal.
    Terminal(TerminalView),
    /// A prompt.
    Prompt(PromptView),
    /// A runner.
    Runner(RunnerView),
    /// Who a session is shared with.
    Shares(Shares),
    /// One share.
    Share(ShareView),
    /// Sessions that the caller was invited to.
    Shared(Shared),
    /// Entries of the audit log.
    Audit(AuditPage),
    /// A claudecodeui instance.
    Instance(InstanceView),
    /// What the hub makes of a lobby's report.
    Link {
        /// Its word.
        answer: LinkAnswer,
    },
    /// Done, nothing to show.
    Done,
    /// Refused; nothing changed.
    Refused(Refusal),
}

/// Which entries of an audit log a page shows; what is empty or 0 does not choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditWanted {
    /// A part of the actor's name, or its id.
    pub actor: String,
    /// The word of an action.
    pub action: String,
    /// At or after this time.
    pub since_ms: u64,
    /// Before this time.
    pub until_ms: u64,
    /// Before this entry.
    pub before: u64,
}

/// Entries of an audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The newest entry of all.
    pub head: Head,
    /// Those that were asked for.
    pub entries: Vec<Entry>,
}

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which kind.
    pub code: ErrorCode,
    /// What happened and what to do, for people.
    pub message: String,
    /// The field at fault, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Figures of a hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Open sockets of all kinds.
    pub sockets: u64,
    /// Connected runners.
    pub runners_connected: u64,
    /// Runners known.
    pub runners: u64,
    /// Viewer sockets.
    pub viewers: u64,
    /// Page sockets.
    pub pages: u64,
    /// Sessions that are not archived.
    pub sessions: u64,
    /// Number of the newest migration.
    pub schema_version: u32,
    /// Messages that came in since the object was loaded, by kind; for the tests that count.
    pub messages_in: u64,
    /// Rows written since the object was loaded.
    pub rows_written: u64,
    /// When the object was loaded: it changes with every eviction.
    pub loaded_ms: u64,
}

/// The dashboard: all sessions, most urgent first, and all runners.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// When this was true.
    pub now_ms: u64,
    /// Sessions that are not archived.
    pub sessions: Vec<SessionView>,
    /// Runners.
    pub runners: Vec<RunnerView>,
    /// claudecodeui instances, connected ones first.
    pub instances: Vec<InstanceView>,
    /// How often somebody else shared something with this hub's person: when it grows, there is more to ask for.
    #[serde(default)]
    pub invitations: u64,
}

/// One line of the dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its number.
    pub session: u64,
    /// Its name.
    pub name: String,
    /// A link or a word for the task; may be empty.
    pub task: String,
    /// The runner's id.
    pub runner: String,
    /// The runner's name.
    pub runner_name: String,
    /// The agent's word.
    pub agent: String,
    /// The agent, for people.
    pub agent_label: String,
    /// The folder.
    pub cwd: String,
    /// Status of the most urgent terminal; offline while the runner is away and the agent has not ended.
    pub status: StatusReport,
    /// When its status last changed, by the hub's clock.
    pub status_since_ms: u64,
    /// The terminal whose status this is.
    pub status_terminal: u32,
    /// When it last printed something.
    pub last_output_ms: u64,
    /// Prompts not yet delivered.
    pub prompts_queued: u32,
    /// Terminals open.
    pub terminals: u32,
    /// The terminal to open first.
    pub main_terminal: u32,
    /// People attached now.
    pub people: Vec<Person>,
    /// When it was made.
    pub created_ms: u64,
    /// Archived.
    pub archived: bool,
}

/// A session in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionDetail {
    /// When this was true.
    pub now_ms: u64,
    /// What whoever asks may do with it.
    #[serde(default)]
    pub right: Right,
    /// Its line.
    #[serde(flatten)]
    pub view: SessionView,
    /// Its runner.
    pub runner_view: RunnerView,
    /// Its terminals in order of opening.
    pub terminal_views: Vec<TerminalView>,
    /// Its prompts, oldest first: all that are not final, and the newest final ones.
    pub prompts: Vec<PromptView>,
    /// Newest first, bounded.
    pub timeline: Vec<TimelineEntry>,
}

/// A terminal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminalView {
    /// Its number in the hub.
    pub terminal: u32,
    /// Its session.
    pub session: u64,
    /// The agent's word.
    pub agent: String,
    /// The agent, for people.
    pub agent_label: String,
    /// The folder.
    pub cwd: String,
    /// Its life.
    pub state: TerminalState,
    /// The agent's status; offline while the runner is away.
    pub status: StatusReport,
    /// Size of the PTY.
    pub size: Size,
    /// Offset after the newest byte the hub knows of.
    pub end: u64,
    /// When it last printed something.
    pub last_output_ms: u64,
    /// People attached now.
    pub people: Vec<Person>,
    /// Why it could not be opened.
    #[serde(default)]
    pub failure: String,
    /// When it was opened.
    pub opened_ms: u64,
}

/// Life of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    /// Asked for; the runner has not answered yet.
    Opening,
    /// Runs.
    Open,
    /// Its process ended.
    Ended,
    /// Could not be opened.
    Failed,
}

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptView {
    /// Its number in the hub.
    pub prompt: u64,
    /// Its terminal.
    pub terminal: u32,
    /// Its text.
    pub text: String,
    /// Its state.
    pub state: PromptState,
    /// Why it failed, for people.
    #[serde(default)]
    pub reason: String,
    /// Who sent it.
    pub author: String,
    /// The id of that person; empty where only the name was kept.
    #[serde(default)]
    pub person: String,
    /// Whoever asks may change it or take it back, while it is queued.
    #[serde(default)]
    pub editable: bool,
    /// When it was queued.
    pub queued_ms: u64,
    /// When it reached its state.
    pub changed_ms: u64,
}

/// A runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerView {
    /// Its id.
    pub runner: String,
    /// Its name.
    pub name: String,
    /// Its host.
    pub hostname: String,
    /// Operating system and processor.
    pub platform: String,
    /// Its version; empty before it ever connected.
    pub version: String,
    /// True when its version differs from the hub's so that something is missing.
    pub outdated: bool,
    /// Connected now.
    pub online: bool,
    /// Revoked.
    pub revoked: bool,
    /// The one session that it is for; 0: none in particular.
    #[serde(default, skip_serializing_if = "is_none_in_particular")]
    pub session: u64,
    /// When it connected or disconnected; 0: it never connected.
    pub since_ms: u64,
    /// Its newest sign of life.
    pub seen_ms: u64,
    /// Round trip to the hub, when known.
    pub rtt_ms: Option<u32>,
    /// Agents that it offers.
    pub agents: Vec<AgentOffer>,
    /// Its default folder.
    pub home: String,
}

fn is_none_in_particular(session: &u64) -> bool {
    *session == 0
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Its number.
    pub entry: u64,
    /// When.
    pub at_ms: u64,
    /// What: `created`, `opened`, `status`, `prompt`, `exited`, `stopped`, `renamed`, `runner`, ...
    pub kind: String,
    /// Who, where a person did it.
    pub actor: String,
    /// For people; plain text.
    pub text: String,
    /// The terminal it concerns.
    pub terminal: Option<u32>,
}
