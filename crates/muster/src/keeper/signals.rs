//! Reads what programs say of themselves: OSC 7501, titles, notifications, progress, shell marks.
//!
//! Each reader turns one text into a [`Claim`] or into nothing; nothing here remembers. The formats: OSC 7501 as Claude
//! Code 2.1 and Codex 0.169 emit it (`state=working:kind=...:msg=<base64>`), titles as these agents set them, OSC 9 as iTerm
//! and ConEmu have it, OSC 777 as urxvt, OSC 133 as FinalTerm.

use base64::Engine as _;
use protocol::status::{BlockedOn, Status};

use super::text::clean;

/// Length of a detail for people, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// What one source says an agent is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The status.
    pub status: Status,
    /// What it waits for.
    pub blocked_on: Option<BlockedOn>,
    /// What it says of it.
    pub detail: String,
}

impl Claim {
    /// A claim of nothing but a status.
    pub fn of(status: Status) -> Claim {
        Claim { status, ..Claim::default() }
    }
}

/// OSC 7501, without its number.
pub fn program_status(text: &str) -> Option<Claim> {
    let field = |name: &str| text.split(':').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let message = field("msg").and_then(|msg| {
        let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
        String::from_utf8(engine.decode(msg.trim_end_matches('=')).ok()?).ok()
    });
    let detail = clean(&message.unwrap_or_default(), DETAIL_CHARS_MAX);
    Some(match field("state")? {
        "working" => Claim { status: Status::Working, blocked_on: None, detail },
        "idle" => Claim { status: Status::Idle, blocked_on: None, detail },
        // The turn is over, and nobody has looked at what came of it yet.
        "done" => Claim { status: Status::Done, blocked_on: None, detail },
        "blocked" => {
            let kind = match field("kind") {
                Some("permission") => BlockedOn::Permission,
                Some("question") => BlockedOn::Question,
                Some("auth") => BlockedOn::Auth,
                _ => BlockedOn::Other,
            };
            Claim { status: Status::Blocked, blocked_on: Some(kind), detail }
        }
        // The turn failed, not the agent: it waits for what to do next.
        "error" => {
            let what = if detail.is_empty() {
                "The last turn failed".to_owned()
            } else {
                format!("The last turn failed: {detail}")
            };
            Claim { status: Status::Idle, blocked_on: None, detail: what }
        }
        _ => return None,
    })
}

/// A title, by the glyph that it begins with; `spun` says that an earlier title had a spinner.
pub fn title(title: &str, spun: bool) -> Option<Claim> {
    let first = title.trim_start().chars().next()?;
    Some(match first {
        _ if is_spinner(first) => Claim::of(Status::Working),
        '✳' | '◇' => Claim::of(Status::Idle),
        '✦' | '⏲' => Claim::of(Status::Working),
        '✋' => Claim { status: Status::Blocked, blocked_on: Some(BlockedOn::Permission), detail: String::new() },
        _ if spun => Claim::of(Status::Idle),
        _ => return None,
    })
}

/// True when a title begins with a frame of a spinner.
pub fn has_spinner(title: &str) -> bool {
    title.trim_start().chars().next().is_some_and(is_spinner)
}

fn is_spinner(glyph: char) -> bool {
    ('\u{2801}'..='\u{28ff}').contains(&glyph)
}

/// A title without its moving part, so that a spinner is not news.
pub fn still_title(title: &str, chars_max: usize) -> String {
    let moving = |c: char| is_spinner(c) || matches!(c, '✳' | '◇' | '✦' | '⏲' | '✋' | '\u{2800}') || c.is_whitespace();
    clean(title.trim_start_matches(moving), chars_max)
}

/// OSC 9: a notification, or ConEmu's progress.
pub fn notification(text: &str) -> Option<Claim> {
    if let Some(progress) = text.strip_prefix("4;") {
        return match progress.split(';').next()? {
            "0" => Some(Claim::of(Status::Idle)),
            "1" | "3" => Some(Claim::of(Status::Working)),
            _ => None,
        };
    }
    let detail = clean(text, DETAIL_CHARS_MAX);
    let lower = detail.to_lowercase();
    if ["permission", "approval", "approve"].iter().any(|word| lower.contains(word)) {
        return Some(Claim { status: Status::Blocked, blocked_on: Some(BlockedOn::Permission), detail });
    }
    let over = ["waiting for your input", "turn complete", "finished", "is done"];
    over.iter().any(|words| lower.contains(words)).then_some(Claim { status: Status::Idle, blocked_on: None, detail })
}

/// OSC 777: `notify;title;body`.
pub fn urxvt_notification(text: &str) -> Option<Claim> {
    notification(&text.strip_prefix("notify;")?.replace(';', ": "))
}

/// OSC 133: a shell's marks around its prompt and its commands.
pub fn shell_mark(text: &str) -> Option<Claim> {
    match text.bytes().next()? {
        b'C' => Some(Claim::of(Status::Working)),
        b'A' | b'D' => Some(Claim::of(Status::Idle)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(claim: Option<Claim>) -> Option<(Status, Option<BlockedOn>, String)> {
        claim.map(|claim| (claim.status, claim.blocked_on, claim.detail))
    }

    #[test]
    fn program_status_as_agents_emit_it() {
        let blocked = program_status("state=blocked:app=claude-code:kind=permission:msg=QmFzaCBuZWVkcyBsZWF2ZQ==");
        assert_eq!(said(blocked), Some((Status::Blocked, Some(BlockedOn::Permission), "Bash needs leave".into())));
        assert_eq!(said(program_status("state=working")), Some((Status::Working, None, String::new())));
        assert_eq!(said(program_status("state=done:msg=%%%")), Some((Status::Done, None, String::new())));
        assert_eq!(said(program_status("state=blocked:kind=newer")).unwrap().1, Some(BlockedOn::Other));
        assert_eq!((program_status("state=newer"), program_status("?"), program_status("")), (None, None, None));
    }

    #[test]
    fn titles_as_agents_set_them() {
        let status = |text, spun| title(text, spun).map(|claim| claim.status);
        assert_eq!(status("✳ Claude Code", false), Some(Status::Idle));
        assert_eq!(status("⠂ Fix the tests", false), Some(Status::Working));
        assert_eq!((status("⠋ repo", false), status("repo", true)), (Some(Status::Working), Some(Status::Idle)));
        assert_eq!(status("◇  Ready (repo)", false), Some(Status::Idle));
        assert_eq!(status("✋  Action Required (repo)", false), Some(Status::Blocked));
        assert_eq!((status("me@host: ~", false), status("", false)), (None, None));
        assert_eq!(
            (still_title("⠋ repo", 9), still_title("✦  Working… (repo)", 80)),
            ("repo".into(), "Working… (repo)".into())
        );
    }

    #[test]
    fn notifications() {
        let status = |text| notification(text).map(|claim| claim.status);
        assert_eq!(status("Claude needs your permission to use Bash"), Some(Status::Blocked));
        assert_eq!(
            (status("4;3;"), status("4;0;"), status("Hello")),
            (Some(Status::Working), Some(Status::Idle), None)
        );
        assert_eq!(urxvt_notification("notify;Claude;waiting for your input").unwrap().status, Status::Idle);
        assert_eq!(
            (shell_mark("C").unwrap().status, shell_mark("D;0").unwrap().status),
            (Status::Working, Status::Idle)
        );
    }
}
