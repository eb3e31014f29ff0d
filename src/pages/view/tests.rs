//! Views: urgency, escaping, names and roles, extremes. With `MUSTER_PICTURES=<folder>` they also write the pages there, to
//! look at.

use askama::Template;
use protocol::audit::{Action, Actor, Chain, Draft, Head, Via};
use protocol::right::Right;
use protocol::status::{PromptState, Status};
use session_hub::call::{AuditPage, AuditWanted};
use session_hub::call::{Board, TerminalState};

use super::audit::{AuditView, PAGE_ENTRIES, Which};
use super::sample::{NOW_MS, board, detail, instance, prompt, runner, session, shared, shares, status, visitor};
use super::*;

fn dashboard(board: &Board) -> String {
    DashboardPage::new(board, Vec::new(), &visitor()).render().unwrap()
}

fn session_page(detail: &session_hub::call::SessionDetail) -> String {
    SessionPage::new(detail, None, &Vantage::own(), &visitor()).render().unwrap()
}

/// The positions of these texts, which must all be there.
fn positions(html: &str, texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|text| html.find(text).unwrap_or_else(|| panic!("{text:?} is not on the page"))).collect()
}

fn count(html: &str, text: &str) -> usize {
    html.matches(text).count()
}

#[test]
fn the_dashboard_puts_what_needs_a_person_first_and_says_so() {
    let html = dashboard(&board());
    assert!(html.contains("<h1 id=\"headline\">3 sessions need you</h1>"));
    assert!(html.contains("<title>(3) Sessions · Muster</title>"));
    assert!(html.contains("1 working, 3 idle, 1 done"));
    let order =
        ["session-4", "session-3", "session-5", "session-2", "session-1", "session-8", "session-7", "session-6"];
    let order = positions(&html, &order.map(|id| format!("id=\"{id}\"")).each_ref().map(String::as_str));
    assert!(order.is_sorted(), "longest waiting, then failed, working, idle, unknown, offline, done: {order:?}");
    assert!(html.contains("Needs permission") && html.contains("Needs an answer"));
}

#[test]
fn what_an_agent_asks_is_whole_and_visible() {
    let mut board = board();
    board.sessions.truncate(1);
    let text = format!("rm -rf build \u{202e}gnp.exe \u{1b}[2J{}", "x".repeat(900));
    board.sessions[0].status = status(Status::Blocked, &text);
    let html = dashboard(&board);
    assert!(html.contains(&"x".repeat(900)), "not cut");
    assert!(
        html.contains("[U+202E]gnp.exe") && html.contains('\u{241b}'),
        "direction and control characters are named"
    );
    assert!(!html.contains('\u{202e}') && !html.contains('\u{1b}'));
}

#[test]
fn an_ask_leads_to_the_terminal_that_it_came_from() {
    let mut board = board();
    board.sessions.truncate(2);
    for (session, state) in board.sessions.iter_mut().zip([Status::Blocked, Status::Failed]) {
        (session.session, session.main_terminal, session.status_terminal) = (session.session + 100, 71, 72);
        session.status = status(state, "why");
    }
    let html = dashboard(&board);
    let [asks, failed] = [board.sessions[0].session, board.sessions[1].session];
    positions(
        &html,
        &[
            &format!("href=\"/sessions/{asks}/terminals/72\""),
            &format!("hx-post=\"/sessions/{failed}/terminals/72/restart\""),
        ],
    );
    assert!(!html.contains("terminals/71"));
}

#[test]
fn text_of_agents_and_people_is_escaped_everywhere() {
    let evil = "<script>alert(1)</script>\"' onload=x";
    let mut board = board();
    for session in &mut board.sessions {
        session.name = evil.into();
        session.cwd = evil.into();
        session.task = format!("javascript:{evil}");
        session.status.detail = evil.into();
        session.agent_label = evil.into();
    }
    board.runners[1].name = evil.into();
    for instance in &mut board.instances {
        (instance.client_id, instance.hostname) = (evil.into(), evil.into());
        (instance.project, instance.version) = (evil.into(), evil.into());
    }
    let mut detail = detail();
    detail.view.name = evil.into();
    detail.prompts[0].text = evil.into();
    detail.timeline[0].text = evil.into();
    detail.terminal_views[0].agent_label = evil.into();
    let pages = [
        dashboard(&board),
        session_page(&detail),
        push::dashboard(&board),
        push::session(&detail, &Vantage::own()),
        ClientsPage::new(&board, &visitor()).render().unwrap(),
        InstancePage::new(&board.instances[0], NOW_MS, &visitor()).render().unwrap(),
        push::clients(&board),
        push::instance(&board.instances[1], NOW_MS),
        NewSessionDialog::new(&board, "key").render().unwrap(),
        error_fragment(evil, Some(evil)),
    ];
    for html in pages {
        assert!(!html.contains("<script>"), "{html}");
        assert!(!html.contains("\"' onload"), "no quote leaves its attribute");
        assert!(!html.contains("href=\"javascript:"), "only http links are links");
    }
}

#[test]
fn an_instance_is_named_by_its_project_and_commanded_only_while_it_is_there() {
    let there = InstancePage::new(&instance(1, true), NOW_MS, &visitor()).render().unwrap();
    for part in [">shop-1</h1>", "jl-laptop", "/home/jl/shop-1/", "1.8.12", "browser-1", "Busy", ">50 min</time>"] {
        assert!(there.contains(part), "{part}");
    }
    for command in ["refresh", "disconnect"] {
        assert!(there.contains(&format!("hx-post=\"/clients/ui-1/{command}\"")));
    }
    assert!(there.contains("hx-ws:connect=\"/ws/connect?page=client&amp;client=ui-1\""));
    let away = push::instance(&instance(2, false), NOW_MS);
    assert!(away.contains("hx-target=\"#client\"") && away.contains("Offline"));
    assert_eq!(count(&away, "hx-post"), 1);
    assert!(away.contains("hx-post=\"/clients/ui-2/forget\" hx-confirm=") && !there.contains("/forget"));
    let mut bare = instance(3, true);
    (bare.project, bare.hostname) = (String::new(), String::new());
    assert!(push::instance(&bare, NOW_MS).contains(">browser-3</h1>"));
    let board = board();
    let (list, strip) = (ClientsPage::new(&board, &visitor()).render().unwrap(), dashboard(&board));
    assert!(list.contains("1 claudecodeui instance connected"));
    assert!(list.contains("id=\"client-ui-1\"") && list.contains("id=\"client-ui-2\""));
    assert!(strip.contains("id=\"runner-ui-1\"") && !strip.contains("ui-2"), "the strip has those that are there");
    let start = list.find("<div id=\"clients\">").unwrap();
    let fragment = ClientsFragment::new(&board).render().unwrap();
    let squeezed = |html: &str| html.split_whitespace().collect::<String>();
    assert!(squeezed(&list[start..]).starts_with(&squeezed(&fragment)), "page and fragment are the same");
}

#[test]
fn pages_have_no_inline_code_one_heading_and_unique_ids() {
    let (board, visitor) = (board(), visitor());
    for (name, html) in pages(&board, &visitor) {
        for banned in [" style=", "<style", " onclick", "javascript:"] {
            assert!(!html.contains(banned), "{name}: {banned}");
        }
        for script in html.split("<script").skip(1) {
            assert!(script.split('>').next().unwrap().contains("src="), "{name}: inline script");
        }
        assert_eq!(count(&html, "<h1"), 1, "{name}: one h1");
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        ids.sort_unstable();
        let twice = ids.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(twice.is_none(), "{name}: {twice:?} twice");
        assert!(html.contains("<title>") && html.contains("id=\"main\"") && html.contains("lang=\"en\""), "{name}");
    }
}

#[test]
fn htmx_does_not_start_before_its_extension_is_there() {
    let html = dashboard(&board());
    let [first, second] = ["vendor/htmx.js", "vendor/hx-ws.js"].map(crate::assets::url);
    let [htmx, extension, end] = positions(&html, &[&first, &second, "</body>"])[..] else { panic!() };
    assert!(htmx < extension && extension < end);
    let tags = html.split("<script").filter(|tag| tag.contains("vendor/")).map(|tag| tag.split('>').next().unwrap());
    for tag in tags {
        assert!(!tag.contains("defer") && !tag.contains("async") && !tag.contains("module"), "{tag}");
    }
}

#[test]
fn every_module_of_the_terminal_is_fetched_ahead() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static"));
    let files = std::fs::read_dir(root.join("terminal")).unwrap();
    for file in files {
        let name = format!("terminal/{}", file.unwrap().file_name().to_string_lossy());
        assert!(session::MODULES.contains(&name.as_str()), "{name} is missing");
    }
    for name in session::MODULES.iter().filter(|name| !name.starts_with("vendor/")) {
        assert!(root.join(name).is_file(), "{name} is gone");
    }
}

#[test]
fn every_icon_that_is_drawn_exists() {
    let sprite = include_str!("../../../static/icons.svg");
    for (name, html) in pages(&board(), &visitor()) {
        for icon in html.split("#i-").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(sprite.contains(&format!("id=\"i-{icon}\"")), "{name} draws {icon}");
        }
    }
}

#[test]
fn without_sessions_or_runners_the_page_says_what_to_do() {
    let empty = Board { now_ms: NOW_MS, ..Board::default() };
    let html = dashboard(&empty);
    assert!(html.contains("<h1>Connect your first runner</h1>") && html.contains("href=\"/clients/connect\""));
    assert!(html.contains("<title>Sessions · Muster</title>"));
    let with_runner = Board { runners: vec![runner("forge-01", true)], ..empty };
    let html = dashboard(&with_runner);
    assert!(html.contains("No sessions yet") && html.contains("Start a session"));
    assert!(!html.contains("id=\"filters\""), "nothing to filter");
}

/// Two hundred sessions in every status, with names as long as they may be.
fn many() -> Board {
    let name = "Ünïcödé ".repeat(15);
    let sessions =
        (1..=200).map(|number| session(number, &name, status(Status::ALL[(number % 7) as usize], ""), number));
    Board { now_ms: NOW_MS, sessions: sessions.collect(), runners: vec![runner("forge-01", true)], ..Board::default() }
}

#[test]
fn two_hundred_sessions_with_long_names_all_stand_there() {
    let html = dashboard(&many());
    assert_eq!(count(&html, "class=\"session\""), 200);
    // A glyph for each of 200 would push the runner's name away; the words still count all.
    let strip = html.split("id=\"runner-forge-01\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert_eq!(count(strip, "data-status="), 10);
    assert!(strip.contains("28 need you"), "{strip}");
}

#[test]
fn a_push_is_the_pages_own_fragment_and_holds_nothing_personal() {
    let (board, detail) = (board(), detail());
    let (pushed, page) = (push::dashboard(&board), dashboard(&board));
    let inner = pushed.split("hx-target=\"#board\" hx-swap=\"outerMorph\">").nth(1).unwrap();
    let inner = inner.split("</hx-partial>").next().unwrap();
    assert!(page.contains(inner), "the page holds the very fragment that is pushed");
    assert!(pushed.starts_with("<title>(3) Sessions"));
    for text in [pushed, push::session(&detail, &Vantage::own())] {
        assert!(!text.contains("csrf") && !text.contains("aria-current"), "{text}");
        assert!(
            !text.contains("<textarea") && !text.contains("id=\"screen\""),
            "what a person types in is not swapped"
        );
        assert_eq!(count(&text, "<hx-partial"), count(&text, "</hx-partial>"));
    }
    let targets = ["session-head", "terminal-tabs", "asks", "prompt-queue", "panel"];
    let page = session_page(&detail);
    for target in targets {
        assert!(push::session(&detail, &Vantage::own()).contains(&format!("hx-target=\"#{target}\"")));
        assert!(page.contains(&format!("id=\"{target}\"")), "{target} has a place to go");
    }
}

#[test]
fn the_session_page_shows_prompts_with_their_states_and_why_they_wait() {
    let mut detail = detail();
    let html = session_page(&detail);
    assert!(html.contains("held until the agent has its answer"));
    for (state, word) in [("accepted", "Accepted"), ("delivered", "Delivered"), ("queued", "Queued")] {
        assert!(html.contains(&format!("data-state=\"{state}\"")) && html.contains(word));
    }
    assert_eq!(count(&html, "aria-label=\"Edit this prompt\""), 1, "only what is queued can change");
    detail.runner_view.online = false;
    assert!(session_page(&detail).contains("held until the runner is back"));
    let mut lost = prompt(93, PromptState::Failed, "Again");
    lost.reason = "The agent ended first.".into();
    detail.prompts = vec![lost];
    assert!(session_page(&detail).contains("The agent ended first."));
}

#[test]
fn the_tab_asked_for_is_in_front() {
    let (detail, visitor) = (detail(), visitor());
    let front = |terminal| SessionPage::new(&detail, terminal, &Vantage::own(), &visitor).current.unwrap().terminal;
    assert_eq!(front(Some(32)), 32);
    assert_eq!(front(None), 30, "the main one");
    assert_eq!(front(Some(77)), 32, "one of another session is not shown; the newest of this one is");
    let html = SessionPage::new(&detail, Some(31), &Vantage::own(), &visitor).render().unwrap();
    assert!(html.contains("id=\"tab-31\" aria-current=\"page\""));
    assert_eq!(count(&html, "data-state=\"ended\""), 1);
    assert!(html.contains("Ended well."));
}

#[test]
fn a_terminal_that_could_not_open_says_why_and_offers_to_try_again() {
    let mut detail = detail();
    detail.terminal_views[0].state = TerminalState::Failed;
    detail.terminal_views[0].failure = "There is no folder /nowhere on forge-01.".into();
    let html = session_page(&detail);
    assert!(html.contains("There is no folder /nowhere on forge-01."));
    assert!(html.contains("hx-post=\"/sessions/3/terminals/30/restart\""));
}

#[test]
fn a_session_without_terminals_still_has_a_page() {
    let mut detail = detail();
    detail.terminal_views.clear();
    let html = session_page(&detail);
    assert!(html.contains("This session has no terminal") && !html.contains("id=\"composer\""));
}

#[test]
fn the_new_session_dialog_offers_what_can_start_and_nothing_else() {
    let html = NewSessionDialog::new(&board(), "key-1").render().unwrap();
    assert!(html.contains("name=\"key\" value=\"key-1\""));
    let aider = html.split("value=\"aider\"").nth(1).unwrap().split("</label>").next().unwrap();
    assert!(aider.contains("disabled") && aider.contains("not installed"));
    let away = html.split("value=\"jl-laptop\"").nth(1).unwrap().split("</label>").next().unwrap();
    assert!(away.contains("disabled") && away.contains("offline"));
    assert_eq!(count(&html, "data-agents-of="), 2, "one list of agents for each runner that can start one");
    let none = Board { now_ms: NOW_MS, ..Board::default() };
    assert!(NewSessionDialog::new(&none, "").render().unwrap().contains("There is no runner yet"));
}

#[test]
fn the_connect_command_shows_the_secret_once_and_in_no_argument_list_of_ours() {
    let token = NewToken::new("atlas", "r1", "mst_secret", "https://hub.example");
    assert!(token.command.starts_with(' '), "stays out of the shell's history");
    assert!(token.command.contains("--hub 'https://hub.example'") && token.command.contains("--token-file"));
    let html = ConnectPage::new(&board(), Some(token), "https://hub.example", &visitor()).render().unwrap();
    assert_eq!(count(&html, "mst_secret"), 1);
    assert!(!html.contains("claudecodeui"), "one thing at a time");
}

#[test]
fn the_connect_page_says_where_a_claudecodeui_instance_connects_and_with_what() {
    for (origin, address) in [
        ("https://hub.example", "wss://hub.example/ws/connect"),
        ("http://127.0.0.1:8787", "ws://127.0.0.1:8787/ws/connect"),
    ] {
        let html = ConnectPage::new(&board(), None, origin, &visitor()).render().unwrap();
        assert!(html.contains(&format!("<code id=\"instance-address\">{address}</code>")), "{html}");
        assert!(html.contains("data-copy=\"#instance-address\"") && html.contains("href=\"/settings/tokens#make\""));
    }
}

#[test]
fn preferences_survive_their_cookie_and_forged_ones_change_nothing() {
    for theme in [Theme::System, Theme::Light, Theme::Dark] {
        for (shortcuts, screen_reader) in [(true, false), (false, true), (true, true), (false, false)] {
            let preferences = Preferences { theme, shortcuts, screen_reader };
            let cookie = preferences.to_set_cookie(true);
            let pair = cookie.split(';').next().unwrap();
            assert_eq!(Preferences::from_cookies(&format!("a=b; {pair}; c=d")), preferences);
        }
    }
    assert_eq!(Preferences::from_cookies("muster_prefs=\"><script>"), Preferences::default());
    assert!(Preferences::default().to_set_cookie(true).ends_with("; Secure"));
}

#[test]
fn times_read_as_people_say_them() {
    assert_eq!(time::iso(NOW_MS), "2026-11-20T17:00:00Z");
    assert_eq!(time::iso(951_782_399_000), "2000-02-28T23:59:59Z");
    assert_eq!(time::iso(951_868_799_000), "2000-02-29T23:59:59Z");
    let said = [0, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 400 * 86_400_000].map(time::span);
    assert_eq!(said, ["0 s", "59 s", "1 min", "59 min", "1 h", "1 d", "400 d"]);
    assert_eq!(time::age(NOW_MS + 5000, NOW_MS).text, "0 s", "clocks that disagree do not make it negative");
}

#[test]
fn a_task_is_a_link_only_when_it_is_one() {
    let task = |text| text::Task::new(text).map(|task| (task.label, task.href.is_some()));
    assert_eq!(task("  "), None);
    assert_eq!(task("PAY-1"), Some(("PAY-1".into(), false)));
    assert_eq!(task("https://example.com/issues/PAY-1?x=1"), Some(("PAY-1".into(), true)));
    assert_eq!(task("javascript:alert(1)"), Some(("javascript:alert(1)".into(), false)));
}

fn audit_page(visitor: &Visitor) -> String {
    let mut head = Head::default();
    let mut entries = Vec::new();
    for number in 0..PAGE_ENTRIES as u64 + 1 {
        let draft = Draft {
            at_ms: NOW_MS + number,
            actor: Actor::person("7", "Mina <b>Okafor</b>"),
            via: Via::Browser,
            action: Action::TokenMade,
            target: format!("token {number}"),
            detail: [("name".to_owned(), "ci".to_owned())].into(),
        };
        let entry = draft.seal(Chain::Deployment, &head);
        head = entry.head();
        entries.insert(0, entry);
    }
    let (found, days) = (AuditPage { head, entries }, ("2026-11-20".to_owned(), String::new()));
    let wanted = AuditWanted { actor: "mina&x".into(), action: "token_made".into(), ..AuditWanted::default() };
    AuditView::new(Which::Deployment, true, &found, &wanted, days, visitor).render().unwrap()
}

#[test]
fn the_audit_page_shows_one_page_the_head_and_the_way_to_older_entries() {
    let html = audit_page(&visitor());
    assert_eq!(html.matches("<tr id=\"audit-").count(), PAGE_ENTRIES);
    assert!(html.contains("Mina &#60;b&#62;Okafor") && !html.contains("<b>Okafor"));
    assert!(html.contains("2026-11-20T17:00:00Z") && html.contains("Token made") && html.contains("name: ci"));
    assert!(
        html.contains("actor=mina%26x&#38;action=token_made&#38;since=2026-11-20&#38;until=&#38;before=2"),
        "{html}"
    );
    assert!(html.contains("<option value=\"token_made\" selected>"));
}

fn device(step: Step, visitor: &Visitor) -> String {
    DevicePage::new(step, visitor).render().unwrap()
}

fn asking() -> device::Asking {
    device::Asking { name: "atlas".into(), is_runner: true, address: "203.0.113.7".into(), asked_ms: NOW_MS - 42_000 }
}

/// Every page with the sample data, by a name for its file.
fn pages(board: &Board, visitor: &Visitor) -> Vec<(&'static str, String)> {
    let sign_in = |id: &str, device: &str, current| SignIn {
        id: id.into(),
        device: device.into(),
        created_ms: NOW_MS - 86_400_000,
        seen_ms: NOW_MS - 720_000,
        current,
    };
    let sign_ins = [
        sign_in("1", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", true),
        sign_in(
            "2",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
            false,
        ),
    ];
    let token =
        NewToken::new("atlas", "r9", "mst_run_EXAMPLE7Qd2Vx9KpT4mZc8RhW3nYs6LbF1gJe5U", "https://muster.example");
    let empty = Board { now_ms: NOW_MS, ..Board::default() };
    let ready = Board { runners: vec![runner("forge-01", true)], ..empty.clone() };
    vec![
        ("dashboard", dashboard(board)),
        ("dashboard-many", dashboard(&many())),
        ("empty", dashboard(&empty)),
        ("ready", dashboard(&ready)),
        ("session", session_page(&detail())),
        ("session-viewer", seen_by(Right::Viewer, &as_guest(visitor))),
        ("session-driver", seen_by(Right::Driver, visitor)),
        ("dashboard-shared", {
            let view = SharedView::new(Some(&shared()), &ann());
            let unknown = SharedView::new(None, &Vantage::in_hub_of("9", "Jonas Weber"));
            DashboardPage::new(board, vec![view, unknown], visitor).render().unwrap()
        }),
        (
            "people",
            people_page(Some(FreshLink {
                name: "Auditor from outside".into(),
                address: format!("https://muster.example/guest#mst_{}", "x".repeat(48)),
            })),
        ),
        ("people-none", {
            let none = session_hub::call::Shares { shares: Vec::new(), ..shares() };
            PeoplePage::new(&none, &[], None, visitor).render().unwrap()
        }),
        ("guest", GuestPage {}.render().unwrap()),
        ("clients", ClientsPage::new(board, visitor).render().unwrap()),
        ("client", ClientPage::new(board, "forge-01", visitor).unwrap().render().unwrap()),
        ("instance", InstancePage::new(&instance(1, true), NOW_MS, visitor).render().unwrap()),
        ("instance-away", InstancePage::new(&instance(2, false), NOW_MS, visitor).render().unwrap()),
        ("connect", ConnectPage::new(board, None, "https://hub.example", visitor).render().unwrap()),
        ("connect-command", ConnectPage::new(board, Some(token), "https://hub.example", visitor).render().unwrap()),
        ("new-session", NewSessionPage::new(board, "key", visitor).render().unwrap()),
        ("device", device(Step::Enter { code: String::new(), reason: None }, visitor)),
        ("device-confirm", device(Step::confirm("WDJB-MJHT", &asking(), NOW_MS), visitor)),
        ("device-approved", device(Step::approved(&asking()), visitor)),
        ("device-denied", device(Step::denied(&asking()), visitor)),
        ("settings", SettingsPage::new(&sign_ins, NOW_MS, visitor).render().unwrap()),
        ("audit", audit_page(visitor)),
        (
            "signin",
            SignInPage::new(&SignInWays { local: true, github: false, access: false, to: "" }, "127.0.0.1:8787", None)
                .render()
                .unwrap(),
        ),
        (
            "signin-refused",
            SignInPage::new(
                &SignInWays { local: false, github: true, access: false, to: "/device?code=A" },
                "muster.example",
                Some("This link was used already."),
            )
            .render()
            .unwrap(),
        ),
        ("error", ErrorPage::new(404, "There is no such session.", "r-1").render().unwrap()),
    ]
}

fn ann() -> Vantage {
    Vantage::in_hub_of("3", "Ann")
}

fn as_guest(visitor: &Visitor) -> Visitor {
    Visitor { name: "Gus".into(), is_guest: true, is_admin: false, ..visitor.clone() }
}

fn seen_by(right: Right, visitor: &Visitor) -> String {
    let mut detail = detail();
    detail.right = right;
    for prompt in &mut detail.prompts {
        prompt.editable &= right >= Right::Driver;
    }
    let vantage = Vantage { is_guest: visitor.is_guest, ..ann() };
    SessionPage::new(&detail, None, &vantage, visitor).render().unwrap()
}

fn people_page(fresh: Option<FreshLink>) -> String {
    let colleagues = [("jonas".to_owned(), "Jonas Weber".to_owned())];
    PeoplePage::new(&shares(), &colleagues, fresh, &visitor()).render().unwrap()
}

#[test]
fn whoever_was_invited_is_offered_what_they_may_do_and_no_more() {
    let visitor = visitor();
    let owners = ["/rename", "/archive", "/delete", "/people", "href=\"/clients/"];
    let drivers = ["/stop", "/restart", "terminal-add", "data-edit-prompt"];
    for (right, may_drive) in
        [(Right::Viewer, false), (Right::Prompter, false), (Right::Approver, false), (Right::Driver, true)]
    {
        let html = seen_by(right, &visitor);
        assert!(owners.iter().all(|text| !html.contains(text)), "{right:?}");
        assert!(drivers.iter().all(|text| html.contains(text) == may_drive), "{right:?}");
        // Who may not prompt has no box to write in: the stylesheet hides it by the head's word, which is pushed.
        assert!(html.contains(&format!("data-right=\"{}\" data-status", right.word())));
        assert!(html.contains(&format!("Ann shares it: you {}", people::may(right))));
        assert!(html.contains("data-hub=\"3\"") && !html.contains("/sessions/14"), "addresses are of Ann's hub");
    }
    let own = session_page(&detail());
    assert!([&owners[..], &drivers].concat().iter().all(|text| own.contains(text)));
    assert!(own.contains("data-hub=\"\""));
}

#[test]
fn a_guest_is_led_nowhere_but_out() {
    let html = seen_by(Right::Driver, &as_guest(&visitor()));
    for absent in ["href=\"/dashboard\"", "href=\"/settings\"", "href=\"/clients", "/sessions/new", "/auth/logout"] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("/guest/leave"));
    let mut detail = detail();
    detail.right = Right::Driver;
    assert!(!push::session(&detail, &Vantage { is_guest: true, ..ann() }).contains("/dashboard"));
    assert!(push::gone(&ann()).contains("no longer shared with you"));
    assert!(push::gone(&Vantage::own()).contains("was deleted"));
}

#[test]
fn what_others_share_stands_apart_and_keeps_their_addresses() {
    let pushed = push::shared(&shared(), &ann());
    assert!(pushed.starts_with("<hx-partial hx-target=\"#shared-3\""));
    assert!(
        pushed.contains("Shared by Ann") && pushed.contains("href=\"/sessions/3-") && pushed.contains("you may prompt")
    );
    assert!(!pushed.contains("href=\"/sessions/1"));
    let empty = push::shared(&session_hub::call::Shared::default(), &ann());
    assert!(empty.contains(" hidden"), "nothing is said of nothing");
}

#[test]
fn people_are_listed_with_what_they_may_do() {
    let html = people_page(None);
    assert_eq!(
        positions(&html, &["Jonas Weber", "here now", "acme/platform", "Auditor from outside", "in 20 h"]).len(),
        5
    );
    assert!(html.contains("value=\"#5\"") && html.contains("value=\"acme/platform\""));
    assert!(!html.contains("mst_"), "a link is shown once");
    let mut evil = shares();
    evil.shares[0].name = "<script>alert(1)</script>".into();
    evil.name = "\"><script>".into();
    let html = PeoplePage::new(&evil, &[("<script>".into(), "<b>".into())], None, &visitor()).render().unwrap();
    assert!(!html.contains("<script>alert") && !html.contains("\"><script>") && !html.contains("value=\"<script>"));
}

#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("MUSTER_PICTURES") else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, html) in pages(&board(), &visitor()) {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    }
    let dialog = NewSessionDialog::new(&board(), "key").render().unwrap();
    std::fs::write(std::path::Path::new(&folder).join("new-session-dialog.html"), dialog).unwrap();
}
