//! Rows as bytes that print them: the brush of snapshots and of history.
//!
//! Invariant: painted from the first column of an empty row, with a plain pen and automatic wrap, a row comes out cell for
//! cell (an empty cell that carries more than a background becomes a space, which looks the same). It knows rows, not
//! screens.

use super::cell::{COLOR_MODE, Cell, Extended, Link, Pen, RGB_MASK, Table, bg};
use super::row::Row;
use super::sgr;
use std::rc::Rc;

/// What cells refer to.
#[derive(Debug, Default)]
pub struct Tables {
    /// Characters with their combining marks.
    pub glyphs: Table<Box<str>>,
    /// Rare attributes.
    pub exts: Table<Extended>,
}

/// Writes cells, changing the pen as seldom as possible.
#[derive(Debug)]
pub struct Painter<'a> {
    /// What was painted.
    pub out: Vec<u8>,
    tables: &'a Tables,
    pen: Pen,
    ext: Extended,
}

impl<'a> Painter<'a> {
    /// A painter with a plain pen that appends to `out`.
    pub fn new(tables: &'a Tables, out: Vec<u8>) -> Painter<'a> {
        Painter { out, tables, pen: Pen::default(), ext: Extended::default() }
    }

    /// Paints a row; `runs_on` says that the next one continues it, `foreign` that blanks may not be what they should.
    pub fn row(&mut self, row: &Row, runs_on: Option<&Row>, foreign: bool) {
        let cols = row.cells().len();
        let end = match runs_on {
            // A wide character that did not fit wraps by itself and leaves this cell.
            Some(next) if next.get(0).width() == 2 && row.get(cols - 1).is_blank() => cols - 1,
            Some(_) => cols,
            None if foreign => cols,
            None => row.used().len(),
        };
        let mut at = 0;
        while at < end {
            let cell = row.get(at);
            if cell.ascii().is_some() {
                at += self.ascii_run(&row.cells()[at..end]);
            } else if cell.is_blank() {
                let same = row.cells()[at..end].iter().take_while(|other| **other == cell).count();
                let fill = runs_on.is_some() && at + same == cols;
                self.blanks(&cell, same, at + same == cols, fill, foreign);
                at += same;
            } else if cell.width() == 2 && at + 1 == cols {
                // A smaller size cut it in half. Printed here it would wrap, so its place is taken by a space.
                self.use_pen(&Pen::of(&cell));
                self.out.push(b' ');
                at += 1;
            } else {
                self.cell(&cell);
                at += usize::from(cell.width().max(1));
            }
        }
    }

    /// Paints ASCII up to the next change of pen: nearly all of what programs print, and each line of it once as it leaves.
    fn ascii_run(&mut self, cells: &[Cell]) -> usize {
        let Some(pen) = cells.first().map(Pen::of) else { return 0 };
        self.use_pen(&pen);
        let count = cells.iter().take_while(|cell| cell.ascii().is_some() && cell.is_of(&pen)).count();
        self.out.extend(cells[..count].iter().map(|cell| cell.code() as u8));
        count
    }

    fn blanks(&mut self, cell: &Cell, count: usize, to_end: bool, fill: bool, foreign: bool) {
        let bare = cell.bg == 0 && !foreign;
        if fill {
            self.use_pen(&Pen::of(cell));
            self.out.resize(self.out.len() + count, b' ');
        } else if to_end {
            if !bare {
                self.use_pen(&Pen::of(cell));
                self.out.extend_from_slice(b"\x1b[K");
            }
        } else {
            if !bare {
                self.use_pen(&Pen::of(cell));
                self.sequence(count, 'X');
            }
            self.sequence(count, 'C');
        }
    }

    fn sequence(&mut self, count: usize, end: char) {
        let text = if count == 1 { format!("\x1b[{end}") } else { format!("\x1b[{count}{end}") };
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Paints one cell at the cursor. The second half of a wide character, when it is all that is left, is a space.
    pub fn cell(&mut self, cell: &Cell) {
        self.use_pen(&Pen::of(cell));
        if cell.width() == 0 && cell.has_content() {
            self.out.push(0x0f); // A mark that stands alone: SI keeps it from joining the character before.
        }
        if let Some(glyph) = cell.combined().and_then(|number| self.tables.glyphs.get(number)) {
            self.out.extend_from_slice(glyph.as_bytes());
        } else {
            let character = char::from_u32(cell.code()).filter(|c| *c != '\0').unwrap_or(' ');
            self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// Takes a pen as a cell carries it.
    pub fn use_pen(&mut self, pen: &Pen) {
        if *pen == self.pen {
            return;
        }
        let ext = if pen.bg & bg::EXTENDED != 0 { self.tables.exts.get(pen.ext).cloned() } else { None };
        self.use_full(pen, ext.unwrap_or_default());
    }

    /// Takes a pen with its rare attributes.
    pub fn use_full(&mut self, pen: &Pen, ext: Extended) {
        let before = self.out.len();
        sgr::write(&mut self.out, (&self.pen, &self.ext), (pen, &ext));
        // A reset takes protection away, too.
        let reset = self.out[before..].starts_with(b"\x1b[m") || self.out[before..].starts_with(b"\x1b[0");
        if (self.pen.bg ^ pen.bg) & bg::PROTECTED != 0 || (reset && pen.bg & bg::PROTECTED != 0) {
            self.out.extend_from_slice(if pen.bg & bg::PROTECTED != 0 { b"\x1b[1\"q" } else { b"\x1b[0\"q" });
        }
        if self.ext.link != ext.link {
            write_link(&mut self.out, ext.link.as_ref());
        }
        (self.pen, self.ext) = (*pen, ext);
    }

    /// Learns that the terminal has another pen than the one taken here.
    pub fn forget_pen(&mut self, pen: Pen) {
        let underline = u8::from(pen.fg & super::cell::fg::UNDERLINE != 0);
        (self.pen, self.ext) = (pen, Extended { underline, ..self.ext.clone() });
    }

    /// Takes a plain pen.
    pub fn plain(&mut self) {
        if self.pen == Pen::default() && self.ext == Extended::default() {
            return;
        }
        self.use_full(&Pen::default(), Extended::default());
    }

    /// Begins a new line; a coloured background would fill what scrolls in.
    pub fn new_line(&mut self) {
        if self.pen.bg & (COLOR_MODE | RGB_MASK) != 0 {
            self.plain();
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

fn write_link(out: &mut Vec<u8>, link: Option<&Rc<Link>>) {
    let text = match link.map(|link| (&link.id, &link.uri)) {
        Some((Some(id), uri)) => format!("\x1b]8;id={id};{uri}\x07"),
        Some((None, uri)) => format!("\x1b]8;;{uri}\x07"),
        None => "\x1b]8;;\x07".to_owned(),
    };
    out.extend_from_slice(text.as_bytes());
}

/// The row after this one, if it continues this one in a way that printing brings about.
pub fn runs_on(next: Option<&Row>) -> Option<&Row> {
    next.filter(|next| next.wrapped && next.get(0).width() > 0 && !next.get(0).is_blank())
}

/// True when wrapping onto this row filled it with a coloured background.
pub fn wraps_in_colour(row: &Row) -> bool {
    row.wrapped && row.get(0).bg & (COLOR_MODE | RGB_MASK) != 0
}
