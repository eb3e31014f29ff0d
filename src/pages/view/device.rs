//! `/device`: the four things it says to a person who lets a program in.

use askama::Template;

use super::text::visible;
use super::time::{When, age};
use super::{Nav, Visitor};

/// A program that asks to be let in.
pub struct Asking {
    /// What its machine calls itself; said by the machine, so it proves nothing.
    pub name: String,
    /// It wants to be a runner; else it is a command line.
    pub is_runner: bool,
    /// Where it asked from; empty: the hub's own machine.
    pub address: String,
    /// When.
    pub asked_ms: u64,
}

/// Where the person is.
pub enum Step {
    /// Types the code, or one that another site brought; `reason` says why the last one would not do.
    Enter { code: String, reason: Option<&'static str> },
    /// Looks at what asks, and decides.
    Confirm { code: String, name: String, is_runner: bool, address: String, asked: When },
    /// Said yes.
    Approved { name: String, is_runner: bool },
    /// Said no.
    Denied { name: String },
}

impl Step {
    /// What asks with this code.
    #[must_use]
    pub fn confirm(code: &str, asking: &Asking, now_ms: u64) -> Step {
        Step::Confirm {
            code: code.to_owned(),
            name: visible(&asking.name),
            is_runner: asking.is_runner,
            address: visible(&asking.address),
            asked: age(asking.asked_ms, now_ms),
        }
    }

    /// It was let in.
    #[must_use]
    pub fn approved(asking: &Asking) -> Step {
        Step::Approved { name: visible(&asking.name), is_runner: asking.is_runner }
    }

    /// It was not.
    #[must_use]
    pub fn denied(asking: &Asking) -> Step {
        Step::Denied { name: visible(&asking.name) }
    }
}

/// `GET /device`, and what approving and denying answer.
#[derive(Template)]
#[template(path = "pages/device.html")]
pub struct DevicePage<'a> {
    pub visitor: &'a Visitor,
    pub nav: Nav,
    pub step: Step,
}

impl<'a> DevicePage<'a> {
    /// The page at this step.
    #[must_use]
    pub fn new(step: Step, visitor: &'a Visitor) -> DevicePage<'a> {
        DevicePage { visitor, nav: Nav::Nowhere, step }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{NOW_MS, visitor};
    use super::*;

    fn asking(is_runner: bool) -> Asking {
        Asking { name: "atlas \u{202e}<b>".into(), is_runner, address: "203.0.113.7".into(), asked_ms: NOW_MS - 42_000 }
    }

    fn page(step: Step) -> String {
        DevicePage::new(step, &visitor()).render().unwrap()
    }

    #[test]
    fn a_person_sees_what_asks_and_nothing_of_it_is_markup() {
        let html = page(Step::confirm("WDJB-MJHT", &asking(false), NOW_MS));
        for part in ["WDJB-MJHT", "203.0.113.7", "42 s", "Mina Okafor", "hx-post=\"/device/approve\""] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("<b>") && !html.contains('\u{202e}'), "the name is shown as it is");
        assert!(html.contains("command line") && !html.contains("as a runner"));
        let runner = page(Step::confirm("WDJB-MJHT", &asking(true), NOW_MS));
        assert!(runner.contains("as a runner") && !runner.contains("command line"));
        let local = Asking { address: String::new(), ..asking(true) };
        assert!(page(Step::confirm("WDJB-MJHT", &local, NOW_MS)).contains("the hub's own machine"));
    }

    #[test]
    fn the_other_steps_decide_nothing() {
        let enter = page(Step::Enter { code: "WDJB-MJHT".into(), reason: Some("No program waits with this code.") });
        assert!(enter.contains("value=\"WDJB-MJHT\"") && enter.contains("role=\"alert\""));
        for html in [enter, page(Step::approved(&asking(true))), page(Step::denied(&asking(false)))] {
            assert!(!html.contains("/device/approve"));
        }
        assert!(page(Step::approved(&asking(true))).contains("href=\"/clients\""));
    }
}
