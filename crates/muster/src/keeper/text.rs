//! Text from programs, made fit for people: bounded, on one line, without controls or marks that reorder it.
//!
//! Invariant: what comes out has no character of the categories control and bidirectional formatting, and at most as many
//! characters as asked for. Knows nothing of where text comes from or goes.

/// Text for people.
pub fn clean(text: &str, chars_max: usize) -> String {
    let mut clean = String::new();
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            clean.push(' ');
        }
        clean.extend(word.chars().filter(|c| !reorders(*c)));
        if clean.chars().count() > chars_max {
            return clean.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect();
        }
    }
    clean
}

/// Bidirectional formatting, and characters that are nothing to see.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || ('\u{e0000}'..='\u{e0fff}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_may_not_see_goes() {
        assert_eq!(clean("  run\u{202e}gnihtemos\x1b[31m \n rm\t-rf ", 80), "rungnihtemos [31m rm -rf");
        assert_eq!(clean("abcdefgh", 5), "abcd…");
        assert_eq!(clean("⠋ Codex — 漢字", 80), "⠋ Codex — 漢字");
    }

    proptest! {
        #[test]
        fn the_bound_holds(text in any::<String>(), most in 1usize..50) {
            let clean = clean(&text, most);
            prop_assert!(clean.chars().count() <= most && !clean.chars().any(char::is_control));
        }
    }
}
