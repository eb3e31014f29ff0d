//! Sample answers of a hub, for the tests of the views alone.

use protocol::claudecodeui::InstanceStatus;
use protocol::control::{AgentOffer, Person, Size, StatusReport};
use protocol::right::Right;
use protocol::status::{BlockedOn, PromptState, Status};
use session_hub::call::{
    Board, Grantee, InstanceView, PromptView, RunnerView, SessionDetail, SessionView, ShareView, Shared, SharedSession,
    Shares, TerminalState, TerminalView, TimelineEntry, instance_id,
};

use super::{Preferences, Visitor};

/// 2026-11-20T17:00:00Z.
pub const NOW_MS: u64 = 1_795_194_000_000;
const MINUTE: u64 = 60_000;

pub fn visitor() -> Visitor {
    Visitor {
        is_admin: true,
        is_guest: false,
        name: "Mina Okafor".into(),
        signed_in_by: "a local link".into(),
        csrf: "csrf-token-of-mina".into(),
        preferences: Preferences::default(),
    }
}

pub fn status(status: Status, detail: &str) -> StatusReport {
    StatusReport { status, detail: detail.into(), ..StatusReport::default() }
}

pub fn person(name: &str, drives: bool) -> Person {
    Person { id: name.into(), name: name.into(), drives, you: false }
}

pub fn runner(id: &str, online: bool) -> RunnerView {
    let offer = |name: &str, label: &str, available| AgentOffer { name: name.into(), label: label.into(), available };
    RunnerView {
        runner: id.into(),
        name: id.into(),
        hostname: format!("{id}.example"),
        platform: "linux x86_64".into(),
        version: "0.1.0".into(),
        outdated: false,
        online,
        revoked: false,
        session: 0,
        since_ms: NOW_MS - 90 * MINUTE,
        seen_ms: NOW_MS - 120 * MINUTE,
        rtt_ms: online.then_some(22),
        agents: vec![
            offer("claude", "Claude Code", true),
            offer("codex", "Codex", true),
            offer("opencode", "OpenCode", true),
            offer("gemini", "Gemini CLI", false),
            offer("aider", "Aider", false),
            offer("shell", "Shell", true),
        ],
        home: "/home/mina/work".into(),
    }
}

pub fn session(number: u64, name: &str, report: StatusReport, age_min: u64) -> SessionView {
    SessionView {
        session: number,
        name: name.into(),
        task: String::new(),
        runner: "forge-01".into(),
        runner_name: "forge-01".into(),
        agent: "claude".into(),
        agent_label: "Claude Code".into(),
        cwd: "/home/mina/work/payments-api".into(),
        status: report,
        status_since_ms: NOW_MS - age_min * MINUTE,
        status_terminal: u32::try_from(number).unwrap() * 10 + 1,
        last_output_ms: NOW_MS - age_min * MINUTE,
        prompts_queued: 0,
        terminals: 1,
        main_terminal: u32::try_from(number).unwrap() * 10,
        people: Vec::new(),
        created_ms: NOW_MS - (age_min + 20) * MINUTE,
        archived: false,
    }
}

/// Every status, in an order that is not theirs.
pub fn board() -> Board {
    let mut blocked = session(
        3,
        "Retry webhooks with backoff",
        status(
            Status::Blocked,
            "Bash: sqlx migrate run --source crates/webhooks/migrations --database-url \"$STAGING_DATABASE_URL\"",
        ),
        2,
    );
    blocked.status.blocked_on = Some(BlockedOn::Permission);
    blocked.task = "https://linear.app/larkfield/issue/PAY-412".into();
    blocked.prompts_queued = 3;
    blocked.terminals = 3;
    blocked.people = vec![person("Mina Okafor", true), person("Jonas Lindqvist", false), person("Mina Okafor", false)];
    let mut asks = session(
        4,
        "Split the billing export job",
        status(Status::Blocked, "Keep the v1 column order in the CSV, or sort the columns by name?"),
        11,
    );
    asks.status.blocked_on = Some(BlockedOn::Question);
    asks.agent = "codex".into();
    asks.agent_label = "Codex".into();
    asks.task = "PAY-398".into();
    let mut failed = session(5, "Backfill invoice numbers", status(Status::Failed, "Out of memory."), 12);
    failed.status.exit_code = Some(137);
    let mut working = session(2, "Flaky login test on Safari", status(Status::Working, "npx playwright test login"), 0);
    working.people = vec![person("Priya Raman", true)];
    let mut offline = session(7, "Nightly dependency sweep", status(Status::Offline, ""), 130);
    offline.runner = "jl-laptop".into();
    offline.runner_name = "jl-laptop".into();
    let mut old = runner("rack-2", true);
    old.outdated = true;
    old.rtt_ms = Some(9);
    Board {
        invitations: 2,
        now_ms: NOW_MS,
        sessions: vec![
            session(1, "Read the changelog", status(Status::Idle, ""), 4),
            working,
            offline,
            session(8, "A plain shell", status(Status::Unknown, ""), 50),
            failed,
            session(6, "Bump the toolchain", status(Status::Done, ""), 300),
            asks,
            blocked,
        ],
        runners: vec![runner("jl-laptop", false), runner("forge-01", true), old],
        instances: vec![instance(1, true), instance(2, false)],
    }
}

pub fn instance(number: u64, online: bool) -> InstanceView {
    InstanceView {
        client: instance_id(number),
        client_id: format!("browser-{number}"),
        hostname: "jl-laptop".into(),
        project: format!("/home/jl/shop-{number}/"),
        status: InstanceStatus::Busy,
        status_ms: NOW_MS - 3 * MINUTE,
        version: "1.8.12".into(),
        online,
        connected_ms: NOW_MS - 50 * MINUTE,
        gone_ms: if online { 0 } else { NOW_MS - 20 * MINUTE },
    }
}

pub fn terminal(number: u32, agent: &str, label: &str, report: StatusReport) -> TerminalView {
    TerminalView {
        terminal: number,
        session: 3,
        agent: agent.into(),
        agent_label: label.into(),
        cwd: "/home/mina/work/payments-api".into(),
        state: TerminalState::Open,
        status: report,
        size: Size::DEFAULT,
        end: 4096,
        last_output_ms: NOW_MS - 2 * MINUTE,
        people: Vec::new(),
        failure: String::new(),
        opened_ms: NOW_MS - 34 * MINUTE,
    }
}

pub fn prompt(number: u64, state: PromptState, text: &str) -> PromptView {
    PromptView {
        prompt: number,
        terminal: 30,
        text: text.into(),
        state,
        reason: String::new(),
        author: "Mina Okafor".into(),
        person: "2".into(),
        editable: state == PromptState::Queued,
        queued_ms: NOW_MS - 30 * MINUTE,
        changed_ms: NOW_MS - 20 * MINUTE,
    }
}

pub fn detail() -> SessionDetail {
    let view = board().sessions.pop().unwrap();
    let mut main = terminal(30, "claude", "Claude Code", view.status.clone());
    main.people = view.people.clone();
    let mut ended = terminal(31, "shell", "Shell", status(Status::Done, ""));
    ended.state = TerminalState::Ended;
    ended.status.exit_code = Some(0);
    let entry = |entry, minutes: u64, kind: &str, actor: &str, text: &str| TimelineEntry {
        entry,
        at_ms: NOW_MS - minutes * MINUTE,
        kind: kind.into(),
        actor: actor.into(),
        text: text.into(),
        terminal: Some(30),
    };
    SessionDetail {
        now_ms: NOW_MS,
        right: Right::Owner,
        runner_view: runner("forge-01", true),
        terminal_views: vec![main, ended, terminal(32, "opencode", "OpenCode", status(Status::Working, ""))],
        prompts: vec![
            prompt(
                90,
                PromptState::Accepted,
                "Read the Retry-After header on 429 and use it when it is longer than the backoff.",
            ),
            prompt(91, PromptState::Delivered, "Then add the same policy to webhook-sdk and note it in its changelog."),
            prompt(92, PromptState::Queued, "When both suites pass, mark #881 ready for review."),
        ],
        timeline: vec![
            entry(9, 2, "status", "", "Claude Code needs permission"),
            entry(8, 11, "prompt", "Mina Okafor", "prompted: Read the Retry-After header"),
            entry(7, 12, "renamed", "Mina Okafor", "renamed the session"),
            entry(6, 30, "opened", "", "Claude Code started on forge-01"),
            entry(5, 34, "created", "Mina Okafor", "started the session"),
        ],
        view,
    }
}

/// Who a session is shared with.
pub fn shares() -> Shares {
    let share = |share, grantee: Grantee, name: &str, right, expires_ms, here| ShareView {
        share,
        session: 14,
        grantee,
        name: name.into(),
        right,
        created_ms: NOW_MS - 90 * MINUTE,
        expires_ms,
        here,
    };
    Shares {
        now_ms: NOW_MS,
        session: 14,
        name: "Retry-After in the billing client".into(),
        shares: vec![
            share(1, Grantee::Person("5".into()), "Jonas Weber", Right::Driver, 0, true),
            share(2, Grantee::Team("acme/platform".into()), "acme/platform", Right::Viewer, 0, false),
            share(3, Grantee::Guest, "Auditor from outside", Right::Viewer, NOW_MS + 20 * 60 * MINUTE, false),
        ],
    }
}

/// What somebody else shares.
pub fn shared() -> Shared {
    let sessions = board().sessions.into_iter().take(3);
    let sessions = sessions.zip([Right::Viewer, Right::Prompter, Right::Driver]);
    Shared { now_ms: NOW_MS, sessions: sessions.map(|(view, right)| SharedSession { right, view }).collect() }
}
