//! What somebody may do with a session.

use serde::{Deserialize, Serialize};

/// Rights in a session, each with all that the one before it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
pub enum Right {
    /// Watches: terminals, prompts, timeline. Also what a newer version's unknown right is taken for.
    Viewer,
    /// Sends prompts, and takes its own back.
    Prompter,
    /// Answers what an agent waits for.
    Approver,
    /// Types into terminals, opens and ends them.
    Driver,
    /// Does everything: it is the owner's session. What a hub means that does not know of rights.
    #[default]
    Owner,
}

impl Right {
    /// Those that can be given, the least first.
    pub const GIVEN: [Right; 4] = [Right::Viewer, Right::Prompter, Right::Approver, Right::Driver];

    /// The word in tables, forms and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Right::Viewer => "viewer",
            Right::Prompter => "prompter",
            Right::Approver => "approver",
            Right::Driver => "driver",
            Right::Owner => "owner",
        }
    }

    /// The right of a word, if it is one that can be given.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Right> {
        Right::GIVEN.into_iter().find(|right| right.word() == word)
    }
}

impl From<String> for Right {
    fn from(word: String) -> Right {
        match word.as_str() {
            "owner" => Right::Owner,
            word => Right::from_word(word).unwrap_or(Right::Viewer),
        }
    }
}

impl From<Right> for &'static str {
    fn from(right: Right) -> &'static str {
        right.word()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_written_as_their_words_and_each_has_more_than_the_one_before() {
        for right in Right::GIVEN.into_iter().chain([Right::Owner]) {
            let text = serde_json::to_string(&right).unwrap();
            assert_eq!(text, format!("{:?}", right.word()));
            assert_eq!(serde_json::from_str::<Right>(&text).unwrap(), right);
        }
        assert!(Right::GIVEN.is_sorted() && Right::GIVEN.iter().all(|right| *right < Right::Owner));
    }

    #[test]
    fn what_is_not_known_may_only_watch() {
        assert_eq!(serde_json::from_str::<Right>(r#""superdriver""#).unwrap(), Right::Viewer);
        assert_eq!(Right::from_word("owner"), None, "the owner's right is not given");
    }
}
