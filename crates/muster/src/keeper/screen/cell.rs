//! A cell, the pen that writes cells, and the tables for what does not fit into one.
//!
//! Attributes lie in the same bits as in xterm.js' `AttributeData`, quirks included (`EXTENDED` decides whether a cell's
//! underline style and link are looked at), because equality with a viewer is judged there. Invariant: a [`Cell`] of all
//! zeros is an empty cell of default colours, so that blank rows cost nothing to make. Knows no row.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// Low 24 bits of a colour: palette index, or red, green and blue.
pub const RGB_MASK: u32 = 0x00ff_ffff;
/// How a colour is given.
pub const COLOR_MODE: u32 = 0x0300_0000;
/// One of the 16 colours of the palette.
pub const COLOR_P16: u32 = 0x0100_0000;
/// One of the 256.
pub const COLOR_P256: u32 = 0x0200_0000;
/// Red, green and blue.
pub const COLOR_RGB: u32 = 0x0300_0000;

/// Attributes in the bits of `fg` beyond its colour.
pub mod fg {
    #![allow(missing_docs)]
    pub const INVERSE: u32 = 0x0400_0000;
    pub const BOLD: u32 = 0x0800_0000;
    pub const UNDERLINE: u32 = 0x1000_0000;
    pub const BLINK: u32 = 0x2000_0000;
    pub const INVISIBLE: u32 = 0x4000_0000;
    pub const STRIKETHROUGH: u32 = 0x8000_0000;
}

/// Attributes in the bits of `bg` beyond its colour.
pub mod bg {
    #![allow(missing_docs)]
    pub const ITALIC: u32 = 0x0400_0000;
    pub const DIM: u32 = 0x0800_0000;
    pub const EXTENDED: u32 = 0x1000_0000;
    pub const PROTECTED: u32 = 0x2000_0000;
    pub const OVERLINE: u32 = 0x4000_0000;
}

const CODE_MASK: u32 = 0x1f_ffff;
const COMBINED: u32 = 0x20_0000;
const WIDTH_SHIFT: u32 = 22;

/// One cell: 16 bytes, 77 KB for 120 x 40.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    content: u32,
    /// Foreground and attributes.
    pub fg: u32,
    /// Background and attributes.
    pub bg: u32,
    /// Entry in the table of [`Extended`]; 0 is none.
    pub ext: u32,
}

impl Cell {
    /// A cell that holds a character of this width; character 0 is none.
    pub fn new(code: u32, width: u8, pen: &Pen) -> Cell {
        let ext = if pen.bg & bg::EXTENDED != 0 { pen.ext } else { 0 };
        Cell { content: code | width_bits(width), fg: pen.fg, bg: pen.bg, ext }
    }

    /// Cells that its character takes: 0 for the second half of a wide one.
    pub fn width(&self) -> u8 {
        match self.content >> WIDTH_SHIFT {
            0 => 1,
            1 => 0,
            _ => 2,
        }
    }

    /// True when it holds a character.
    pub fn has_content(&self) -> bool {
        self.content & (CODE_MASK | COMBINED) != 0
    }

    /// Its single character; 0 is none.
    pub fn code(&self) -> u32 {
        if self.content & COMBINED == 0 { self.content & CODE_MASK } else { 0 }
    }

    /// Its character, when that is a single printable one of ASCII.
    pub fn ascii(&self) -> Option<u8> {
        (0x20..0x7f).contains(&self.content).then_some(self.content as u8)
    }

    /// True when this pen wrote it.
    pub fn is_of(&self, pen: &Pen) -> bool {
        (self.fg, self.bg, self.ext) == (pen.fg, pen.bg, pen.ext)
    }

    /// Its entry in the table of combined characters.
    pub fn combined(&self) -> Option<u32> {
        (self.content & COMBINED != 0).then_some(self.content & CODE_MASK)
    }

    /// Its character, if it is ASCII in a plain pen.
    pub fn plain_ascii(&self) -> Option<u8> {
        let plain = self.fg | self.bg | self.ext == 0 && (0x20..0x7f).contains(&self.content);
        plain.then_some(self.content as u8)
    }

    /// Replaces what it holds, not how.
    pub fn hold(&mut self, code: u32, combined: bool, width: u8) {
        self.content = code | if combined { COMBINED } else { 0 } | width_bits(width);
    }

    /// True when erasing may not touch it.
    pub fn is_protected(&self) -> bool {
        self.bg & bg::PROTECTED != 0
    }

    /// True when nothing but a background colour is to be seen.
    pub fn is_blank(&self) -> bool {
        !self.has_content() && self.width() == 1 && self.fg == 0 && self.bg & !(COLOR_MODE | RGB_MASK) == 0
    }
}

fn width_bits(width: u8) -> u32 {
    match width {
        1 => 0,
        0 => 1 << WIDTH_SHIFT,
        _ => 2 << WIDTH_SHIFT,
    }
}

/// What characters are written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pen {
    /// Foreground and attributes.
    pub fg: u32,
    /// Background and attributes.
    pub bg: u32,
    /// Entry in the table of [`Extended`]; 0 is none.
    pub ext: u32,
}

impl Pen {
    /// The pen that wrote this cell.
    pub fn of(cell: &Cell) -> Pen {
        Pen { fg: cell.fg, bg: cell.bg, ext: cell.ext }
    }

    /// What an erased cell looks like: the background colour alone.
    pub fn erased(&self) -> Cell {
        Cell { bg: self.bg & (COLOR_MODE | RGB_MASK), ..Cell::default() }
    }
}

/// A link that a program opened with OSC 8.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Its `id`, which ties parts of one link together.
    pub id: Option<String>,
    /// Where it leads.
    pub uri: String,
}

/// Rare attributes, shared by cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extended {
    /// 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    pub underline: u8,
    /// Colour of the underline, in the bits of a foreground; all set by SGR 59.
    pub underline_color: u32,
    /// The link.
    pub link: Option<Rc<Link>>,
}

impl Extended {
    /// xterm.js keeps a cell's entry only if this is false; a colour alone does not count.
    pub fn is_empty(&self) -> bool {
        self.underline == 0 && self.link.is_none()
    }
}

/// Entries that cells name by number; entry 0 stands for nothing.
#[derive(Debug)]
pub struct Table<T> {
    entries: Vec<Option<T>>,
    numbers: HashMap<T, u32>,
    free: Vec<u32>,
    sweep_at: usize,
}

/// Entries after which a table must be swept the first time.
const SWEEP_ENTRIES: usize = 1024;
/// Entries that a table may have: 64 Ki of some 64 bytes is 4 MiB, for a screen of nothing but odd characters.
const TABLE_ENTRIES_MAX: usize = 64 * 1024;

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { entries: vec![None], numbers: HashMap::new(), free: Vec::new(), sweep_at: SWEEP_ENTRIES }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// The entry of a number.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)?.as_ref()
    }

    /// True when [`Self::sweep`] is due before the next [`Self::number`].
    pub fn wants_sweep(&self) -> bool {
        self.numbers.len() >= self.sweep_at
    }

    /// The number of an entry, made if there is none; 0 when the table is full of living entries.
    pub fn number(&mut self, entry: T) -> u32 {
        if let Some(number) = self.numbers.get(&entry) {
            return *number;
        }
        let number = match self.free.pop() {
            Some(number) => number,
            None if self.entries.len() >= TABLE_ENTRIES_MAX => return 0,
            None => {
                self.entries.push(None);
                (self.entries.len() - 1) as u32
            }
        };
        self.entries[number as usize] = Some(entry.clone());
        self.numbers.insert(entry, number);
        number
    }

    /// Frees every entry that is not among `living`.
    pub fn sweep(&mut self, living: impl Iterator<Item = u32>) {
        let mut keep = vec![false; self.entries.len()];
        living.for_each(|number| keep[number as usize] = true);
        for (number, entry) in self.entries.iter_mut().enumerate().skip(1) {
            if let Some(gone) = entry.take_if(|_| !keep[number]) {
                self.numbers.remove(&gone);
                self.free.push(number as u32);
            }
        }
        self.sweep_at = (self.numbers.len() * 2).max(SWEEP_ENTRIES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_zeros_is_blank() {
        let cell = Cell::default();
        assert!(cell.is_blank() && cell.width() == 1 && !cell.has_content());
        assert_eq!(Cell::new(0, 1, &Pen::default()), cell);
        assert_eq!([0, 1, 2].map(|width| Cell::new(65, width, &Pen::default()).width()), [0, 1, 2]);
    }

    #[test]
    fn a_swept_table_gives_numbers_again() {
        let mut table = Table::default();
        let numbers: Vec<u32> = (0..SWEEP_ENTRIES).map(|n| table.number(n)).collect();
        assert!(table.wants_sweep() && numbers[0] != 0);
        table.sweep([numbers[7]].into_iter());
        assert!(!table.wants_sweep());
        assert_eq!((table.get(numbers[7]), table.get(numbers[8])), (Some(&7), None));
        assert_eq!(table.number(7), numbers[7]);
        let entries = table.entries.len();
        table.number(5000);
        assert_eq!(table.entries.len(), entries);
    }
}
