//! What somebody may type who answers agents and does not drive: an answer, and no command to whatever comes after it.
//!
//! An agent's questions are answered by a letter, a few words, arrows and Return. Control keys are none of that: one of them ends
//! the agent, and what stands behind it takes commands. So a frame of an answer holds whole keys of a short list, an answer ends
//! with its Return, and the next one waits for the next question.

/// Longest answer to one question, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 1024;

/// Keys that begin with ESC: arrows, Home and End, and Shift-Tab; in both of the forms in which terminals send the first ones.
/// And that the terminal has the focus or not, which an emulator says by itself.
const ESCAPED: [&str; 15] = [
    "\u{1b}[A", "\u{1b}[B", "\u{1b}[C", "\u{1b}[D", "\u{1b}[H", "\u{1b}[F", "\u{1b}[Z", "\u{1b}OA", "\u{1b}OB",
    "\u{1b}OC", "\u{1b}OD", "\u{1b}OH", "\u{1b}[I", "\u{1b}[O", "\u{1b}OF",
];

/// What a frame of keys is to somebody who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// A part of an answer.
    Part,
    /// Its end: Return is the last key of it, and the last of the frame.
    Last,
    /// Something else.
    Other,
}

/// Tells an answer from everything else. An escape that is not whole is something else: what follows could be anything.
pub(crate) fn keys(bytes: &[u8]) -> Keys {
    let Ok(mut rest) = std::str::from_utf8(bytes) else { return Keys::Other };
    while let Some(first) = rest.chars().next() {
        if let Some(after) = ESCAPED.iter().find_map(|key| rest.strip_prefix(key)) {
            rest = after;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        match first {
            '\r' => return if rest.is_empty() { Keys::Last } else { Keys::Other },
            '\t' | '\u{8}' | '\u{7f}' => {}
            control if control.is_control() => return Keys::Other,
            _ => {}
        }
    }
    Keys::Part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_letters_arrows_and_one_return_at_its_end() {
        for part in [
            "y",
            "use the second one, with ümläuts",
            "\u{1b}[A\u{1b}[B",
            "\u{1b}OA",
            "\u{1b}[I\u{1b}[O",
            "\t\u{7f}\u{8}",
            "",
        ] {
            assert_eq!(keys(part.as_bytes()), Keys::Part, "{part:?}");
        }
        for last in ["\r", "y\r", "\u{1b}[B\r"] {
            assert_eq!(keys(last.as_bytes()), Keys::Last, "{last:?}");
        }
    }

    #[test]
    fn whatever_could_end_the_agent_or_command_what_comes_after_it_is_none() {
        for other in [
            "\u{3}",
            "\u{4}",
            "\u{1a}",
            "y\rrm -rf /\r",
            "\n",
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}[99;5u",
            "\u{1b}c",
            "\u{9b}99;5u",
            "\u{1b}[200~x\u{1b}[201~",
            "y\u{1c}",
        ] {
            assert_eq!(keys(other.as_bytes()), Keys::Other, "{other:?}");
        }
        assert_eq!(keys(&[0x80, 0x41]), Keys::Other, "half a character");
        // Cut anywhere, a key of another kind is still none: an escape never stands alone, nor at a frame's end.
        for (front, back) in [("\u{1b}", "[99;5u"), ("\u{1b}[", "99;5u")] {
            assert!(keys(front.as_bytes()) == Keys::Other, "{front:?} before {back:?}");
        }
    }
}
