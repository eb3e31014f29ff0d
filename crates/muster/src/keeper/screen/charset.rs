//! The character sets that a program may designate (G0 to G3), as xterm.js has them, so that a snapshot cut between a
//! designation and its use paints the same. Knows nothing else.

/// A designated set, named by the final byte of its designation; `None` in a slot is ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset {
    /// Final byte of the designation that a snapshot repeats.
    pub name: u8,
    from: &'static str,
    to: &'static str,
}

impl Charset {
    /// The set that this final byte designates; unknown ones, like `B`, are ASCII.
    pub fn named(name: u8) -> Option<Charset> {
        SETS.iter().find(|set| set.0.as_bytes().contains(&name)).map(|set| Charset { name, from: set.1, to: set.2 })
    }

    /// What this character stands for in this set.
    pub fn map(self, code: u32) -> u32 {
        let at = self.from.bytes().position(|byte| u32::from(byte) == code);
        at.and_then(|at| self.to.chars().nth(at)).map_or(code, u32::from)
    }
}

/// Names, the characters replaced, and what by.
const SETS: [(&str, &str, &str); 12] = [
    ("0", "`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"),
    ("A", "#", "£"),
    ("4", "#@[\\]{|}~", "£¾i½|¨f¼´"),
    ("C5", "[\\]^`{|}~", "ÄÖÅÜéäöåü"),
    ("R", "#@[\\]{|}~", "£à°ç§éùè¨"),
    ("Q", "@[\\]^`{|}~", "àâçêîôéùèû"),
    ("K", "@[\\]{|}~", "§ÄÖÜäöüß"),
    ("Y", "#@[\\]`{|}~", "£§°çéùàòèì"),
    ("E6", "@[\\]^`{|}~", "ÄÆØÅÜäæøåü"),
    ("Z", "#@[\\]{|}", "£§¡Ñ¿°ñç"),
    ("H7", "@[\\]^`{|}~", "ÉÄÖÅÜéäöåü"),
    ("=", "#@[\\]^_`{|}~", "ùàéçêîèôäöüû"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_replaces_as_many_as_it_names() {
        assert!(SETS.iter().all(|(_, from, to)| from.chars().count() == to.chars().count() && from.is_ascii()));
        assert_eq!(Charset::named(b'0').unwrap().map(u32::from(b'q')), u32::from('─'));
        assert_eq!(Charset::named(b'B'), None);
    }
}
