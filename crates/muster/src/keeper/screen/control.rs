//! What control sequences do: cursor, erasing, inserting, scrolling, modes.
//!
//! Follows xterm.js 6.0.0's `InputHandler`. Knows nothing of answers but that questions are handed on.

use super::params::Params;
use super::sgr;
use super::term::Term;
use crate::keeper::answers::Query;

/// A sequence's number: prefix or intermediates, then the final byte.
pub(in crate::keeper) const fn ident(bytes: &[u8]) -> u32 {
    let (mut at, mut number) = (0, 0);
    while at < bytes.len() {
        number = number << 8 | bytes[at] as u32;
        at += 1;
    }
    number
}

macro_rules! idents {
    ($($name:ident = $bytes:literal;)*) => { $(const $name: u32 = ident($bytes);)* };
}

idents! {
    SL = b" @"; SR = b" A"; DECSED = b"?J"; DECSEL = b"?K"; DECSET = b"?h"; DECRST = b"?l";
    DECSTR = b"!p"; DECSCUSR = b" q"; DECIC = b"'}"; DECDC = b"'~"; DECSCA = b"\"q";
    KITTY_PUSH = b">u"; KITTY_POP = b"<u"; KITTY_SET = b"=u"; MODIFY_KEYS = b">m"; UNMODIFY_KEYS = b">n";
}

impl Term {
    pub(super) fn control(&mut self, ident: u32, params: &Params) {
        let (cols, rows) = (self.grid().cols, self.grid().rows.len());
        let far = params.count(0, i32::MAX as usize) as i64;
        match ident {
            0x40..=0x7e => self.plain_control(ident as u8, params),
            SL | SR | DECIC | DECDC => self.shift_columns(ident, far.min(cols as i64) as usize),
            DECSED => self.erase_display(params.get(0), true),
            DECSEL => self.erase_line(params.get(0), true),
            DECSET => (0..params.count_given()).for_each(|at| self.set_private(params.get(at), true)),
            DECRST => (0..params.count_given()).for_each(|at| self.set_private(params.get(at), false)),
            DECSTR => self.soft_reset(rows),
            DECSCUSR => {
                self.modes.cursor_style = u8::try_from(params.get(0)).ok().filter(|style| (1..=6).contains(style))
            }
            DECSCA => match params.get(0) {
                1 => self.pen.bg |= super::cell::bg::PROTECTED,
                0 | 2 => self.pen.bg &= !super::cell::bg::PROTECTED,
                _ => {}
            },
            KITTY_PUSH => self.modes.kitty_push(self.on_alternate, params.get(0) as u8),
            KITTY_POP => self.modes.kitty_pop(self.on_alternate, params.count(0, 255)),
            KITTY_SET => self.modes.kitty_set(self.on_alternate, params.get(0) as u8, params.get(1)),
            MODIFY_KEYS if matches!(params.get(0), 0 | 4) => {
                self.modes.set_modify_other_keys((params.count_given() > 1).then(|| params.get(1) as u8));
            }
            UNMODIFY_KEYS if params.get(0) == 4 => self.modes.set_modify_other_keys(None),
            _ => self.ask(Query::of_control(ident, params)),
        }
    }

    fn plain_control(&mut self, end: u8, params: &Params) {
        let (cols, rows) = (self.grid().cols, self.grid().rows.len());
        let n = params.count(0, i32::MAX as usize) as i64;
        let (x, y) = (self.grid().x as i64, self.grid().y as i64);
        match end {
            b'@' => self.edit_row(|row, x, fill| row.insert(x, (n as usize).min(cols), fill)),
            b'P' => self.edit_row(|row, x, fill| row.delete(x, (n as usize).min(cols), fill)),
            b'X' => self.edit_row(|row, x, fill| row.replace(x, x.saturating_add(n as usize).min(cols), fill, false)),
            b'A' => self.move_up(n),
            b'B' => self.move_down(n),
            b'C' | b'a' => self.move_by(n, 0),
            b'D' => self.move_by(-n, 0),
            b'E' => {
                self.move_down(n);
                self.grid_mut().x = 0;
            }
            b'F' => {
                self.move_up(n);
                self.grid_mut().x = 0;
            }
            // These add the region's top again in origin mode, as xterm.js does.
            b'G' | b'`' => self.move_to(n - 1, y),
            b'H' | b'f' => self.move_to(i64::from(params.get(1).max(1)) - 1, n - 1),
            b'd' => self.move_to(x, n - 1),
            b'e' => self.move_by(0, n),
            b'I' | b'Z' => self.tab_by(end == b'I', (n as usize).min(cols)),
            b'J' => self.erase_display(params.get(0), false),
            b'K' => self.erase_line(params.get(0), false),
            b'L' | b'M' => self.shift_lines(end == b'L', (n as usize).min(rows)),
            b'S' | b'T' => self.scroll_lines(end == b'S', (n as usize).min(rows)),
            b'b' => self.repeat(n as usize),
            b'g' => self.clear_tabs(params.get(0)),
            b'h' | b'l' => (0..params.count_given()).for_each(|at| match params.get(at) {
                4 => self.modes.insert = end == b'h',
                20 => self.modes.newline = end == b'h',
                _ => {}
            }),
            b'm' => {
                sgr::apply(params, &mut self.pen, &mut self.ext);
                self.number_ext();
            }
            b'r' => self.set_region(params, rows),
            b's' => self.save_cursor(),
            b'u' => self.restore_cursor(),
            _ => self.ask(Query::of_control(u32::from(end), params)),
        }
    }

    pub(super) fn ask(&mut self, query: Option<Query>) {
        if let Some(answer) = query.and_then(|query| query.answer(self)) {
            self.events.push(super::term::Event::Answer(answer));
        }
    }

    /// Brings the cursor back to where it may be; `beyond` allows the column after the last.
    pub(super) fn restrict(&mut self, beyond: bool) {
        let origin = self.modes.origin;
        let grid = self.grid_mut();
        grid.x = grid.x.min(grid.cols - usize::from(!beyond));
        grid.y = if origin { grid.y.clamp(grid.top, grid.bottom) } else { grid.y.min(grid.rows.len() - 1) };
    }

    pub(super) fn move_to(&mut self, x: i64, y: i64) {
        let origin = self.modes.origin;
        let grid = self.grid_mut();
        let y = if origin { y.saturating_add(grid.top as i64) } else { y };
        grid.x = x.clamp(0, grid.cols as i64 - 1) as usize;
        grid.y = y.clamp(0, grid.rows.len() as i64 - 1) as usize;
        self.restrict(false);
    }

    fn move_by(&mut self, x: i64, y: i64) {
        self.restrict(false);
        let grid = self.grid();
        self.move_to(grid.x as i64 + x, grid.y as i64 + y);
    }

    fn move_up(&mut self, n: i64) {
        let room = self.grid().y as i64 - self.grid().top as i64;
        self.move_by(0, -if room >= 0 { n.min(room) } else { n });
    }

    fn move_down(&mut self, n: i64) {
        let room = self.grid().bottom as i64 - self.grid().y as i64;
        self.move_by(0, if room >= 0 { n.min(room) } else { n });
    }

    fn tab_by(&mut self, forward: bool, count: usize) {
        let grid = self.grid_mut();
        if grid.x >= grid.cols {
            return;
        }
        for _ in 0..count {
            grid.x = if forward { grid.next_tab(grid.x) } else { grid.previous_tab(grid.x) };
        }
    }

    fn clear_tabs(&mut self, which: i32) {
        let grid = self.grid_mut();
        match which {
            0 => {
                let x = grid.x;
                grid.tabs.get_mut(x).into_iter().for_each(|stop| *stop = false);
            }
            3 => grid.tabs.fill(false),
            _ => {}
        }
    }

    fn edit_row(&mut self, edit: impl FnOnce(&mut super::row::Row, usize, super::cell::Cell)) {
        self.restrict(false);
        let fill = self.pen.erased();
        let grid = self.grid_mut();
        let x = grid.x;
        edit(grid.row(), x, fill);
    }

    fn erase_display(&mut self, what: i32, respect: bool) {
        self.restrict(true);
        let fill = self.pen.erased();
        let wipe = |row: &mut super::row::Row| {
            if respect {
                row.fill(fill, true)
            } else {
                row.reset(fill)
            }
            row.wrapped = false;
        };
        if what == 3 {
            if !self.on_alternate {
                self.history.clear();
            }
            return;
        }
        let grid = self.grid_mut();
        let (x, y, cols) = (grid.x, grid.y, grid.cols);
        match what {
            0 => {
                grid.row().replace(x, cols, fill, respect);
                grid.row().wrapped &= x != 0;
                grid.rows.iter_mut().skip(y + 1).for_each(wipe);
            }
            1 => {
                grid.row().replace(0, x + 1, fill, respect);
                grid.row().wrapped = false;
                if x + 1 >= cols {
                    grid.rows.get_mut(y + 1).into_iter().for_each(|row| row.wrapped = false);
                }
                grid.rows.iter_mut().take(y).for_each(wipe);
            }
            2 => grid.rows.iter_mut().for_each(wipe),
            _ => {}
        }
    }

    fn erase_line(&mut self, what: i32, respect: bool) {
        self.restrict(true);
        let fill = self.pen.erased();
        let grid = self.grid_mut();
        let (x, cols) = (grid.x, grid.cols);
        let row = grid.row();
        match what {
            0 => {
                row.replace(x, cols, fill, respect);
                row.wrapped &= x != 0;
            }
            1 => row.replace(0, x + 1, fill, respect),
            2 => {
                row.replace(0, cols, fill, respect);
                row.wrapped = false;
            }
            _ => {}
        }
    }

    fn shift_lines(&mut self, down: bool, count: usize) {
        self.restrict(false);
        let fill = self.pen.erased();
        let grid = self.grid_mut();
        if grid.y < grid.top || grid.y > grid.bottom {
            return;
        }
        for _ in 0..count {
            let (y, bottom) = (grid.y, grid.bottom);
            if down { grid.shift_down(bottom, y, fill) } else { grid.shift_up(y, bottom, fill) }
        }
        grid.x = 0;
    }

    fn scroll_lines(&mut self, up: bool, count: usize) {
        let fill = if up { self.pen.erased() } else { super::cell::Cell::default() };
        let grid = self.grid_mut();
        for _ in 0..count {
            let (top, bottom) = (grid.top, grid.bottom);
            if up { grid.shift_up(top, bottom, fill) } else { grid.shift_down(bottom, top, fill) }
        }
    }

    fn shift_columns(&mut self, ident: u32, count: usize) {
        let fill = self.pen.erased();
        let grid = self.grid_mut();
        if grid.y < grid.top || grid.y > grid.bottom {
            return;
        }
        let (x, top, bottom) = (grid.x, grid.top, grid.bottom);
        for row in grid.rows.range_mut(top..=bottom) {
            match ident {
                SL => row.delete(0, count, fill),
                SR => row.insert(0, count, fill),
                DECIC => row.insert(x, count, fill),
                _ => row.delete(x, count, fill),
            }
            row.wrapped = false;
        }
    }

    fn set_region(&mut self, params: &Params, rows: usize) {
        let top = params.count(0, usize::MAX);
        let bottom = match params.get(1) {
            bottom if bottom > 0 && bottom as usize <= rows => bottom as usize,
            _ => rows,
        };
        if bottom > top {
            let grid = self.grid_mut();
            (grid.top, grid.bottom) = (top - 1, bottom - 1);
            self.move_to(0, 0);
        }
    }

    pub(super) fn save_cursor(&mut self) {
        let (pen, charset) = (self.pen, self.charset);
        self.grid_mut().save(&pen, charset);
    }

    pub(super) fn restore_cursor(&mut self) {
        let grid = self.grid_mut();
        let saved = grid.saved;
        (grid.x, grid.y) = (saved.x, grid.saved_y());
        (self.pen.fg, self.pen.bg, self.charset) = (saved.fg, saved.bg, saved.charset);
        self.restrict(false);
    }

    fn soft_reset(&mut self, rows: usize) {
        self.modes.soft_reset();
        (self.pen, self.ext) = Default::default();
        (self.charsets, self.level, self.charset) = ([None; 4], 0, None);
        let grid = self.grid_mut();
        (grid.top, grid.bottom) = (0, rows - 1);
        grid.saved = super::grid::Saved { line: grid.scrolled, ..Default::default() };
    }

    fn set_private(&mut self, mode: i32, on: bool) {
        match mode {
            2 if on => {
                (self.charsets, self.charset) = ([None; 4], None);
            }
            6 => {
                self.modes.origin = on;
                self.move_to(0, 0);
            }
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            47 | 1047 | 1049 if on => {
                if mode == 1049 {
                    self.save_cursor();
                }
                self.show_alternate();
            }
            47 | 1047 | 1049 => {
                self.show_primary();
                if mode == 1049 {
                    self.restore_cursor();
                }
            }
            _ => {
                u16::try_from(mode).into_iter().for_each(|mode| self.modes.set_private(mode, on));
            }
        }
    }

    fn show_alternate(&mut self) {
        if !self.on_alternate {
            self.alternate.fill(self.pen.erased());
            (self.alternate.x, self.alternate.y) = (self.primary.x, self.primary.y);
            self.on_alternate = true;
        }
    }

    fn show_primary(&mut self) {
        if self.on_alternate {
            (self.primary.x, self.primary.y) = (self.alternate.x, self.alternate.y);
            self.alternate.clear();
            self.on_alternate = false;
        }
    }
}
