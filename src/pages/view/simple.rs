//! Pages with little of their own: sign-in, settings, errors.

use askama::Template;

use super::time::{When, age};
use super::{Nav, SignIn, Visitor};

/// `GET /` for nobody. It is honest about how one gets in.
#[derive(Template)]
#[template(path = "pages/signin.html")]
pub struct SignInPage<'a> {
    /// How one gets in.
    pub ways: &'a SignInWays<'a>,
    /// Why the person is here, when something refused them.
    pub reason: Option<&'a str>,
    /// The hub's host name.
    pub host: &'a str,
    /// Glyphs of the roll behind it: a decoration, one of them stepped forward.
    pub roll: Vec<RollGlyph>,
}

/// The ways to sign in that this deployment has.
pub struct SignInWays<'a> {
    /// Started on this machine, so there are one-time links.
    pub local: bool,
    /// A GitHub app is configured.
    pub github: bool,
    /// Cloudflare Access stands in front.
    pub access: bool,
    /// Where to go afterwards; empty: home.
    pub to: &'a str,
}

impl SignInWays<'_> {
    /// The address that begins a sign-in with GitHub.
    #[must_use]
    pub fn github_href(&self) -> String {
        match self.to {
            "" => "/auth/github".to_owned(),
            to => format!("/auth/github?{}", serde_urlencoded::to_string([("to", to)]).unwrap_or_default()),
        }
    }
}

/// One glyph of the decoration.
pub struct RollGlyph {
    pub icon: &'static str,
    pub x: u32,
    pub y: u32,
    pub forward: bool,
}

/// Columns and rows of the decoration, and the step between two glyphs.
const ROLL: (u32, u32, u32) = (10, 11, 64);

impl<'a> SignInPage<'a> {
    /// The page.
    #[must_use]
    pub fn new(ways: &'a SignInWays<'a>, host: &'a str, reason: Option<&'a str>) -> SignInPage<'a> {
        let (columns, rows, step) = ROLL;
        let place = |index: u32| {
            let (column, row) = (index % columns, index / columns);
            let forward = (column, row) == (6, 4);
            // A fixed scatter: the same on every load, so that nothing jumps.
            let icon = match (index * 7 + row * 3 + column * column) % 11 {
                _ if forward => "blocked",
                0 => "offline",
                1 | 4 | 8 => "working",
                2 | 6 | 10 => "done",
                _ => "idle",
            };
            RollGlyph { icon, x: column * step + 2, y: row * step + 2, forward }
        };
        SignInPage { ways, reason, host, roll: (0..columns * rows).map(place).collect() }
    }
}

/// `GET /settings`.
#[derive(Template)]
#[template(path = "pages/settings.html")]
pub struct SettingsPage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub sign_ins: Vec<SignInRow>,
}

/// A sign-in in the list.
pub struct SignInRow {
    pub id: String,
    pub device: String,
    pub icon: &'static str,
    pub created: When,
    pub seen: When,
    pub current: bool,
}

impl<'a> SettingsPage<'a> {
    /// The page, with this person's sign-ins.
    #[must_use]
    pub fn new(sign_ins: &[SignIn], now_ms: u64, visitor: &'a Visitor) -> SettingsPage<'a> {
        let row = |sign_in: &SignIn| {
            let device = device(&sign_in.device);
            SignInRow {
                id: sign_in.id.clone(),
                icon: if device.contains("iPhone") || device.contains("Android") { "phone" } else { "laptop" },
                device,
                created: age(sign_in.created_ms, now_ms),
                seen: age(sign_in.seen_ms, now_ms),
                current: sign_in.current,
            }
        };
        SettingsPage { visitor, nav: Nav::Settings, sign_ins: sign_ins.iter().map(row).collect() }
    }
}

/// "Firefox on Linux", of what a browser calls itself. Order matters: each later one also carries the names of others.
fn device(agent: &str) -> String {
    let browsers =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if agent.is_empty() => "Unknown device".to_owned(),
        _ => super::text::visible(agent).chars().take(60).collect(),
    }
}

/// Something went wrong, as a page.
#[derive(Template)]
#[template(path = "pages/error.html")]
pub struct ErrorPage<'a> {
    pub status: u16,
    pub title: &'a str,
    pub message: &'a str,
    pub request_id: &'a str,
}

impl<'a> ErrorPage<'a> {
    /// `message` says what happened and what to do.
    #[must_use]
    pub fn new(status: u16, message: &'a str, request_id: &'a str) -> ErrorPage<'a> {
        let title = match status {
            401 => "Not signed in",
            403 => "Not allowed",
            404 => "Not found",
            429 => "Too many requests",
            500..=599 => "The hub failed",
            _ => "That did not work",
        };
        ErrorPage { status, title, message, request_id }
    }
}

#[derive(Template)]
#[template(path = "fragments/error.html")]
struct ErrorFragment<'a> {
    message: &'a str,
    field: &'a str,
}

/// Something went wrong, inside the page that it concerns. `field` names the field at fault, so that it gets the focus.
#[must_use]
pub fn error_fragment(message: &str, field: Option<&str>) -> String {
    // Rendering into a String cannot fail; if it ever did, an empty notice is better than a second error.
    ErrorFragment { message, field: field.unwrap_or_default() }.render().unwrap_or_default()
}
