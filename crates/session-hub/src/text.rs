//! Text from outside: what people type is refused with the field's name when it does not fit; what machines report is cut
//! and cleaned, because refusing a status for its title would hide the status.

use protocol::control::{ErrorCode, StatusReport};
use protocol::limits::{NAME_CHARS_MAX, PROMPT_BYTES_MAX, TEXT_BYTES_MAX};

use crate::call::Refusal;
use crate::db::Fault;

/// A refusal for a field.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Fault {
    Fault::Refused(Refusal { code: ErrorCode::Invalid, message: message.into(), field: Some(field.to_owned()) })
}

/// A refusal that is not about a field.
pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Fault {
    Fault::Refused(Refusal { code, message: message.into(), field: None })
}

/// A name, trimmed; may be empty.
pub(crate) fn name(field: &str, text: &str) -> Result<String, Fault> {
    let text = one_line(field, text)?;
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(invalid(field, format!("At most {NAME_CHARS_MAX} characters.")));
    }
    Ok(text)
}

/// A name that may not be empty.
pub(crate) fn name_required(field: &str, text: &str) -> Result<String, Fault> {
    let text = name(field, text)?;
    if text.is_empty() { Err(invalid(field, "This may not be empty.")) } else { Ok(text) }
}

/// A path or a link, trimmed; may be empty.
pub(crate) fn one_line(field: &str, text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(invalid(field, format!("At most {TEXT_BYTES_MAX} bytes.")));
    }
    if text.chars().any(is_unprintable) {
        return Err(invalid(field, "Control characters and line breaks cannot stand here."));
    }
    Ok(text.to_owned())
}

/// A prompt with line breaks as `\n`, without blank lines around it; may be empty. An escape character would let a prompt
/// leave the bracketed paste that it is written in, so there may be none.
pub(crate) fn prompt(field: &str, text: &str) -> Result<String, Fault> {
    if text.len() > PROMPT_BYTES_MAX {
        return Err(invalid(field, format!("At most {} KiB.", PROMPT_BYTES_MAX / 1024)));
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(invalid(field, "Control characters cannot stand in a prompt."));
    }
    Ok(text.trim_matches('\n').trim_end().to_owned())
}

/// Text that a machine reports, for people: without control characters, cut to a number of characters.
pub(crate) fn plain(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !is_unprintable(*c)).take(chars_max).collect()
}

/// A status report with its texts cleaned.
pub(crate) fn plain_status(mut report: StatusReport) -> StatusReport {
    report.detail = plain(&report.detail, TEXT_BYTES_MAX / 4);
    report.title = plain(&report.title, NAME_CHARS_MAX);
    report
}

/// Control characters, and those that turn the direction of the text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_keeps_its_lines_and_never_an_escape() {
        assert_eq!(prompt("text", "\r\none\r\n  two\t\r\n").ok().as_deref(), Some("one\n  two"));
        assert!(prompt("text", "x\u{1b}[201~rm -rf /\r").is_err());
        assert!(prompt("text", &"x".repeat(PROMPT_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn names_are_one_line_within_their_limit() {
        assert_eq!(name("name", "  fix it ").ok().as_deref(), Some("fix it"));
        assert!(name("name", "a\nb").is_err());
        assert!(name("name", &"ä".repeat(NAME_CHARS_MAX)).is_ok());
        assert!(name("name", &"ä".repeat(NAME_CHARS_MAX + 1)).is_err());
        assert!(name_required("name", " ").is_err());
    }

    #[test]
    fn machine_text_is_cleaned_and_cut() {
        assert_eq!(plain("a\u{1b}]0;b\u{7}\u{202e}c", 4), "a]0;");
    }
}
