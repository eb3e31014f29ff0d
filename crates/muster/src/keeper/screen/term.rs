//! The terminal itself: two buffers, a pen, modes; what a printed character does.
//!
//! It behaves as xterm.js 6.0.0 does, oddities included, because its snapshots are judged by xterm.js. **Invariant: nothing
//! a program prints makes it panic or grow beyond its bounds.** It knows bytes only as what the parser made of them.

use super::cell::{Cell, Extended, Pen};
use super::charset::Charset;
use super::grid::Grid;
use super::history::History;
use super::modes::Modes;
use super::paint::Tables;
use super::row::Row;
use super::width::char_width;

/// Something that a program said beyond what is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new title, as it came.
    Title(String),
    /// BEL.
    Bell,
    /// An operating system command that this terminal does not act on itself.
    Osc {
        /// Its number.
        number: u32,
        /// What follows the number and its semicolon.
        text: String,
    },
    /// Bytes to write to the program, in answer to a question.
    Answer(Vec<u8>),
}

/// Marks that one character may carry; what follows is dropped.
const GLYPH_BYTES_MAX: usize = 64;

/// A terminal.
#[derive(Debug)]
pub struct Term {
    pub(super) primary: Grid,
    pub(super) alternate: Grid,
    pub(super) on_alternate: bool,
    pub(super) history: History,
    pub(super) tables: Tables,
    pub(super) pen: Pen,
    pub(super) ext: Extended,
    pub(super) modes: Modes,
    pub(super) charsets: [Option<Charset>; 4],
    pub(super) level: usize,
    pub(super) charset: Option<Charset>,
    /// Width of the character before, when a mark may still join it; otherwise 0.
    pub(super) joinable: u8,
    pub(super) title: String,
    pub(super) events: Vec<Event>,
}

impl Term {
    /// A reset terminal.
    pub fn new(cols: usize, rows: usize) -> Term {
        Term {
            primary: Grid::new(cols, rows),
            alternate: Grid::new(cols, rows),
            on_alternate: false,
            history: History::default(),
            tables: Tables::default(),
            pen: Pen::default(),
            ext: Extended::default(),
            modes: Modes::default(),
            charsets: [None; 4],
            level: 0,
            charset: None,
            joinable: 0,
            title: String::new(),
            events: Vec::new(),
        }
    }

    /// RIS.
    pub(super) fn reset(&mut self) {
        let (cols, rows) = (self.primary.cols, self.primary.rows.len());
        let mut modes = std::mem::take(&mut self.modes);
        modes.reset();
        let events = std::mem::take(&mut self.events);
        *self = Term { modes, events, ..Term::new(cols, rows) };
    }

    /// The buffer that is shown.
    pub fn grid(&self) -> &Grid {
        if self.on_alternate { &self.alternate } else { &self.primary }
    }

    pub(super) fn grid_mut(&mut self) -> &mut Grid {
        if self.on_alternate { &mut self.alternate } else { &mut self.primary }
    }

    /// The modes.
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// True while the alternate buffer is shown.
    pub fn is_alternate(&self) -> bool {
        self.on_alternate
    }

    /// True when erasing spares what is written now.
    pub fn writes_protected(&self) -> bool {
        self.pen.bg & super::cell::bg::PROTECTED != 0
    }

    /// Scrolls the region up by a row.
    pub(super) fn scroll(&mut self, wrapped: bool) {
        let fill = self.pen.erased();
        if self.on_alternate {
            self.alternate.scroll(fill, wrapped, None);
        } else {
            let (history, tables) = (&mut self.history, &self.tables);
            self.primary.scroll(fill, wrapped, Some(&mut |row: &Row, next: &Row| history.push(row, next, tables)));
        }
    }

    /// Gives the pen's rare attributes a number.
    pub(super) fn number_ext(&mut self) {
        if self.tables.exts.wants_sweep() {
            self.sweep();
        }
        self.pen.ext = if self.ext == Extended::default() { 0 } else { self.tables.exts.number(self.ext.clone()) };
    }

    fn sweep(&mut self) {
        let Term { primary, alternate, tables, pen, .. } = self;
        let cells = || primary.rows.iter().chain(&alternate.rows).flat_map(|row| row.used());
        tables.exts.sweep(cells().map(|cell| cell.ext).chain([pen.ext]));
        tables.glyphs.sweep(cells().filter_map(Cell::combined));
    }

    /// Prints ASCII.
    pub(super) fn print_run(&mut self, mut run: &[u8]) {
        if self.charset.is_some() || self.modes.insert || !self.modes.autowrap {
            run.iter().for_each(|byte| self.print_code(u32::from(*byte)));
            return;
        }
        let pen = self.pen;
        while !run.is_empty() {
            if self.grid().x >= self.grid().cols {
                self.wrap(self.grid().cols);
            }
            let grid = self.grid_mut();
            let (x, count) = (grid.x, run.len().min(grid.cols - grid.x));
            let (now, later) = run.split_at(count);
            grid.x += count;
            let row = grid.row();
            if x > 0 && row.get(x - 1).width() == 2 {
                row.set(x - 1, Cell::new(0, 1, &pen));
            }
            row.write_ascii(x, now, &pen);
            row.heal(x + count, Cell::new(0, 1, &pen));
            run = later;
        }
        self.joinable = 1;
    }

    /// Goes on in the next row; the cells from `from` on stay empty.
    fn wrap(&mut self, from: usize) {
        let empty = Cell::new(0, 1, &self.pen);
        let grid = self.grid_mut();
        let cols = grid.cols;
        (from..cols).for_each(|at| grid.row().set(at, empty));
        grid.x = 0;
        if grid.y == grid.bottom {
            self.scroll(true);
        } else {
            grid.y = (grid.y + 1).min(grid.rows.len() - 1);
            grid.row().wrapped = true;
        }
    }

    /// Prints a character.
    pub(super) fn print_code(&mut self, code: u32) {
        let code = self.charset.filter(|_| code < 127).map_or(code, |set| set.map(code));
        let mut width = char_width(code);
        let joins = width == 0 && self.joinable != 0;
        if joins {
            width = self.joinable;
        }
        self.joinable = width;
        let cols = self.grid().cols;
        if joins {
            if self.grid().x > 0 {
                self.join(code);
                return;
            }
        } else if self.grid().x + usize::from(width) > cols {
            if self.modes.autowrap {
                self.wrap(self.grid().x);
            } else {
                self.grid_mut().x = cols - 1;
                if width == 2 {
                    return;
                }
            }
        }
        self.put(code, width);
    }

    fn put(&mut self, code: u32, width: u8) {
        let (pen, insert) = (self.pen, self.modes.insert);
        let empty = Cell::new(0, 1, &pen);
        let grid = self.grid_mut();
        let (x, cols) = (grid.x, grid.cols);
        grid.x = x + usize::from(width.max(1));
        let row = grid.row();
        if x > 0 && row.get(x - 1).width() == 2 {
            row.set(x - 1, empty);
        }
        if insert && width > 0 && x < cols {
            row.insert(x, usize::from(width), empty);
            if row.get(cols - 1).width() == 2 {
                row.set(cols - 1, empty);
            }
        }
        row.set(x, Cell::new(code, width, &pen));
        if width == 2 {
            row.set(x + 1, Cell::new(0, 0, &pen));
        }
        row.heal(x + usize::from(width.max(1)), empty);
    }

    /// Adds a mark to the character before the cursor.
    fn join(&mut self, code: u32) {
        if self.tables.glyphs.wants_sweep() {
            self.sweep();
        }
        let (grid, tables) = if self.on_alternate {
            (&mut self.alternate, &mut self.tables)
        } else {
            (&mut self.primary, &mut self.tables)
        };
        let x = grid.x;
        let back = if grid.row().get(x - 1).width() == 0 { 2 } else { 1 };
        let Some(at) = x.checked_sub(back).filter(|at| *at < grid.cols) else { return };
        let mut cell = grid.row().get(at);
        let width = cell.width();
        let mark = char::from_u32(code).unwrap_or(' ');
        let mut text = match cell.combined().and_then(|number| tables.glyphs.get(number)) {
            Some(text) => text.to_string(),
            None => match char::from_u32(cell.code()).filter(|_| cell.has_content()) {
                Some(base) => base.to_string(),
                None => {
                    cell.hold(code, false, 1);
                    return grid.row().set(at, cell);
                }
            },
        };
        if text.len() >= GLYPH_BYTES_MAX {
            return;
        }
        text.push(mark);
        let number = tables.glyphs.number(text.into());
        if number != 0 {
            cell.hold(number, true, width);
            grid.row().set(at, cell);
        }
    }

    /// REP: prints the character before the cursor again.
    pub(super) fn repeat(&mut self, count: usize) {
        if self.joinable == 0 {
            return;
        }
        let grid = self.grid();
        let cell = grid.rows[grid.y].get(grid.x.saturating_sub(usize::from(self.joinable)));
        let glyph = cell.combined().and_then(|number| self.tables.glyphs.get(number));
        let codes: Vec<u32> = match glyph {
            Some(text) => text.chars().map(u32::from).collect(),
            None if cell.has_content() => vec![cell.code()],
            None => return,
        };
        let most = grid.cols * grid.rows.len();
        for _ in 0..count.min(most) {
            codes.iter().for_each(|code| self.print_code(*code));
        }
    }
}
