//! What the hub pushes to page sockets: the same fragments that pages are made of, each morphed into its place.
//!
//! Morphing keeps focus, scroll and open menus; the terminal's screen, the composer and the view switch are no part of any
//! fragment. One text serves all sockets of a topic.

use askama::Template;
use session_hub::call::{Board, InstanceView, SessionDetail, Shared};

use super::board::BoardView;
use super::clients::ClientsFragment;
use super::instances::InstanceFragment;
use super::session::SessionDetailView;
use super::shared::SharedView;
use super::vantage::Vantage;

/// Everything on the dashboard that may change.
#[must_use]
pub fn dashboard(board: &Board) -> String {
    let view = BoardView::new(board);
    let board = &view;
    [
        title(&view.title()),
        morph("count-sessions", CountFragment { board }.render()),
        morph("runners", RunnersFragment { board }.render()),
        morph("board", BoardFragment { board }.render()),
    ]
    .concat()
}

/// Everything on a session's page that may change.
#[must_use]
pub fn session(detail: &SessionDetail, vantage: &Vantage) -> String {
    let view = SessionDetailView::new(detail, vantage);
    let session = &view;
    [
        title(&view.title()),
        morph("session-head", HeadFragment { session }.render()),
        morph("terminal-tabs", TabsFragment { session }.render()),
        morph("asks", AsksFragment { session }.render()),
        morph("prompt-queue", QueueFragment { session }.render()),
        morph("panel", PanelFragment { session }.render()),
    ]
    .concat()
}

/// Everything on the list of clients that may change.
#[must_use]
pub fn clients(board: &Board) -> String {
    morph("clients", ClientsFragment::new(board).render())
}

/// The card of an instance.
#[must_use]
pub fn instance(instance: &InstanceView, now_ms: u64) -> String {
    morph("client", InstanceFragment::new(instance, now_ms).render())
}

/// The instance of this page was forgotten.
#[must_use]
pub fn instance_gone() -> String {
    morph("client", ClientGoneFragment {}.render())
}

/// The session of this page was deleted, or is not for whoever looks any more.
#[must_use]
pub fn gone(vantage: &Vantage) -> String {
    morph("session-head", GoneFragment { vantage }.render())
}

/// What an owner shares with whoever looks.
#[must_use]
pub fn shared(shared: &Shared, vantage: &Vantage) -> String {
    let view = SharedView::new(Some(shared), vantage);
    morph(&format!("shared-{}", view.owner), SharedFragment { shared: &view }.render())
}

/// A fragment that did not render changes nothing: the page keeps what it shows until the next push.
fn morph(id: &str, html: askama::Result<String>) -> String {
    html.map(|html| format!("<hx-partial hx-target=\"#{id}\" hx-swap=\"outerMorph\">{}</hx-partial>", html.trim()))
        .unwrap_or_default()
}

fn title(text: &str) -> String {
    TitleFragment { text }.render().unwrap_or_default()
}

#[derive(Template)]
#[template(source = "<title>{{ text }}</title>", ext = "html")]
struct TitleFragment<'a> {
    text: &'a str,
}

#[derive(Template)]
#[template(path = "fragments/count.html")]
struct CountFragment<'a> {
    board: &'a BoardView,
}

#[derive(Template)]
#[template(path = "fragments/runners.html")]
struct RunnersFragment<'a> {
    board: &'a BoardView,
}

#[derive(Template)]
#[template(path = "fragments/board.html")]
struct BoardFragment<'a> {
    board: &'a BoardView,
}

#[derive(Template)]
#[template(path = "fragments/session-head.html")]
struct HeadFragment<'a> {
    session: &'a SessionDetailView,
}

#[derive(Template)]
#[template(path = "fragments/terminal-tabs.html")]
struct TabsFragment<'a> {
    session: &'a SessionDetailView,
}

#[derive(Template)]
#[template(path = "fragments/asks.html")]
struct AsksFragment<'a> {
    session: &'a SessionDetailView,
}

#[derive(Template)]
#[template(path = "fragments/prompt-queue.html")]
struct QueueFragment<'a> {
    session: &'a SessionDetailView,
}

#[derive(Template)]
#[template(path = "fragments/panel.html")]
struct PanelFragment<'a> {
    session: &'a SessionDetailView,
}

#[derive(Template)]
#[template(path = "fragments/client-gone.html")]
struct ClientGoneFragment {}

#[derive(Template)]
#[template(path = "fragments/session-gone.html")]
struct GoneFragment<'a> {
    vantage: &'a Vantage,
}

#[derive(Template)]
#[template(path = "fragments/shared.html")]
struct SharedFragment<'a> {
    shared: &'a SharedView,
}
