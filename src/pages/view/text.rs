//! Text from agents and people, made safe to read. (Escaping is the template engine's; this is about what eyes are told.)

/// Two letters for an avatar: of the first and last word, or the first two of one.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or("?");
    let letters: String = match words.next_back() {
        Some(last) => first.chars().take(1).chain(last.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_uppercase()
}

/// The text with control and bidirectional characters shown by name: what an agent says stands where people decide, and
/// must read as it is.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' | ' ' => shown.push(character),
            '\u{0}'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + character as u32)),
            '\u{7f}' => shown.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => {
                shown.push_str(&format!("[U+{:04X}]", character as u32));
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// With a capital at its start, as a sentence that stands alone has.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A session's task: a link when it is one, else a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What stands there: the last part of a link, or the word itself.
    pub label: String,
    /// Where it leads; only http and https.
    pub href: Option<String>,
}

impl Task {
    /// `None` when there is no task.
    #[must_use]
    pub fn new(task: &str) -> Option<Task> {
        let task = task.trim();
        if task.is_empty() {
            return None;
        }
        if !(task.starts_with("https://") || task.starts_with("http://")) {
            return Some(Task { label: visible(task), href: None });
        }
        let path = task.split(['?', '#']).next().unwrap_or(task).trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or(path);
        Some(Task { label: visible(last), href: Some(task.to_owned()) })
    }
}

/// "1 session", "4 sessions".
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
