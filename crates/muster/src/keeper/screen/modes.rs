//! The modes of a terminal, and a ledger of those that it does not act on itself but a viewer might.
//!
//! Invariant: [`Modes::write`] on a reset terminal brings every mode to where it is here. Cursor, margins and the choice of
//! buffer are not modes of this kind.

use std::collections::BTreeMap;

/// Modes that the ledger remembers. Programs set a dozen; the rest is nonsense.
const LEDGER_MAX: usize = 64;
/// Entries of a kitty keyboard stack, as kitty itself bounds it.
const KITTY_STACK_MAX: usize = 8;
/// Colours that a program may set: the palette, foreground, background, cursor.
const COLORS_MAX: usize = 259;
/// Longest specification of a colour: `rgb:ffff/ffff/ffff` and its like.
const COLOR_BYTES_MAX: usize = 32;
/// Private modes that are actions, or that would harm: DECANM, DECCOLM, and the choice of buffer and cursor.
const NOT_IN_LEDGER: [u16; 7] = [2, 3, 47, 1047, 1048, 1049, 1034];

/// All modes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Modes {
    pub application_cursor: bool,
    pub application_keypad: bool,
    pub bracketed_paste: bool,
    pub origin: bool,
    pub autowrap: bool,
    pub reverse_wrap: bool,
    pub focus: bool,
    pub synchronized: bool,
    pub insert: bool,
    pub newline: bool,
    pub cursor_hidden: bool,
    /// The mouse protocol last set (9, 1000, 1002, 1003); 0 is none.
    pub mouse: u16,
    /// The mouse encoding last set (1006, 1016); 0 is the default.
    pub mouse_encoding: u16,
    /// DECSCUSR.
    pub cursor_style: Option<u8>,
    /// Private modes that only viewers know.
    others: BTreeMap<u16, bool>,
    /// `CSI > 4 ; n m`.
    modify_other_keys: Option<u8>,
    /// Kitty keyboard flags, of the primary and the alternate buffer.
    kitty: [Vec<u8>; 2],
    /// Colours set by the program: 0..=255 the palette, 256 foreground, 257 background, 258 cursor.
    colors: BTreeMap<u16, String>,
}

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            application_cursor: false,
            application_keypad: false,
            bracketed_paste: false,
            origin: false,
            autowrap: true,
            reverse_wrap: false,
            focus: false,
            synchronized: false,
            insert: false,
            newline: false,
            cursor_hidden: false,
            mouse: 0,
            mouse_encoding: 0,
            cursor_style: None,
            others: BTreeMap::new(),
            modify_other_keys: None,
            kitty: [Vec::new(), Vec::new()],
            colors: BTreeMap::new(),
        }
    }
}

impl Modes {
    /// DECSET and DECRST, for all that are plain switches.
    pub fn set_private(&mut self, mode: u16, on: bool) {
        match mode {
            1 => self.application_cursor = on,
            6 => self.origin = on,
            7 => self.autowrap = on,
            25 => self.cursor_hidden = !on,
            45 => self.reverse_wrap = on,
            66 => self.application_keypad = on,
            9 | 1000 | 1002 | 1003 => self.mouse = if on { mode } else { 0 },
            1004 => self.focus = on,
            1006 | 1016 => self.mouse_encoding = if on { mode } else { 0 },
            2004 => self.bracketed_paste = on,
            2026 => self.synchronized = on,
            _ if NOT_IN_LEDGER.contains(&mode) => {}
            _ if self.others.len() < LEDGER_MAX || self.others.contains_key(&mode) => {
                self.others.insert(mode, on);
            }
            _ => {}
        }
    }

    /// What the ledger has of a mode that nothing here acts on.
    pub fn other(&self, mode: u16) -> Option<bool> {
        self.others.get(&mode).copied()
    }

    /// DECSTR.
    pub fn soft_reset(&mut self) {
        let fresh = Modes {
            newline: self.newline,
            mouse: self.mouse,
            mouse_encoding: self.mouse_encoding,
            others: std::mem::take(&mut self.others),
            modify_other_keys: self.modify_other_keys,
            kitty: std::mem::take(&mut self.kitty),
            colors: std::mem::take(&mut self.colors),
            ..Modes::default()
        };
        *self = fresh;
    }

    /// RIS. The new-line mode stays, since it does in xterm.js.
    pub fn reset(&mut self) {
        *self = Modes { newline: self.newline, ..Modes::default() };
    }

    /// `CSI > 4 ; n m`; `None` for `CSI > 4 m`.
    pub fn set_modify_other_keys(&mut self, level: Option<u8>) {
        self.modify_other_keys = level.filter(|level| *level > 0);
    }

    /// `CSI > flags u`.
    pub fn kitty_push(&mut self, alternate: bool, flags: u8) {
        let stack = &mut self.kitty[usize::from(alternate)];
        if stack.len() == KITTY_STACK_MAX {
            stack.remove(0);
        }
        stack.push(flags);
    }

    /// `CSI < count u`.
    pub fn kitty_pop(&mut self, alternate: bool, count: usize) {
        let stack = &mut self.kitty[usize::from(alternate)];
        stack.truncate(stack.len().saturating_sub(count));
    }

    /// `CSI = flags ; how u`: 1 sets all, 2 adds, 3 takes away.
    pub fn kitty_set(&mut self, alternate: bool, flags: u8, how: i32) {
        let stack = &mut self.kitty[usize::from(alternate)];
        let old = stack.pop().unwrap_or(0);
        stack.push(match how {
            2 => old | flags,
            3 => old & !flags,
            _ => flags,
        });
    }

    /// Sets or, with `None`, restores a colour.
    pub fn set_color(&mut self, index: u16, spec: Option<&str>) {
        match spec {
            Some(spec) if spec.len() <= COLOR_BYTES_MAX && usize::from(index) < COLORS_MAX => {
                self.colors.insert(index, spec.to_owned());
            }
            Some(_) => {}
            None => {
                self.colors.remove(&index);
            }
        }
    }

    /// Restores the palette.
    pub fn reset_palette(&mut self) {
        self.colors.retain(|index, _| *index > 255);
    }

    /// A colour that the program has set.
    pub fn color(&self, index: u16) -> Option<&str> {
        self.colors.get(&index).map(String::as_str)
    }

    /// Appends what sets the modes that move no cursor and change no printing.
    pub fn write(&self, out: &mut Vec<u8>, alternate: bool) {
        let mut private = |mode: u16, on: bool| {
            out.extend_from_slice(format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }).as_bytes());
        };
        let switches = [
            (1, self.application_cursor),
            (66, self.application_keypad),
            (45, self.reverse_wrap),
            (1004, self.focus),
            (2004, self.bracketed_paste),
            (2026, self.synchronized),
        ];
        switches.into_iter().filter(|(_, on)| *on).for_each(|(mode, on)| private(mode, on));
        [self.mouse, self.mouse_encoding].into_iter().filter(|mode| *mode != 0).for_each(|mode| private(mode, true));
        self.others.iter().for_each(|(mode, on)| private(*mode, *on));
        if self.cursor_hidden {
            private(25, false);
        }
        if let Some(style) = self.cursor_style {
            out.extend_from_slice(format!("\x1b[{style} q").as_bytes());
        }
        if let Some(level) = self.modify_other_keys {
            out.extend_from_slice(format!("\x1b[>4;{level}m").as_bytes());
        }
        for flags in &self.kitty[usize::from(alternate)] {
            out.extend_from_slice(format!("\x1b[>{flags}u").as_bytes());
        }
        for (index, spec) in &self.colors {
            let text = match index {
                0..=255 => format!("\x1b]4;{index};{spec}\x07"),
                special => format!("\x1b]{};{spec}\x07", special - 246),
            };
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// Appends the kitty stack of the buffer that is not shown, which must be set while that one is.
    pub fn write_kitty_of_primary(&self, out: &mut Vec<u8>) {
        for flags in &self.kitty[0] {
            out.extend_from_slice(format!("\x1b[>{flags}u").as_bytes());
        }
    }
}
