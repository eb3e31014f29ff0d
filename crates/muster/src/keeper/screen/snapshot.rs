//! A snapshot: the bytes that bring a reset terminal to the state of this one.
//!
//! **Invariant: a reset xterm.js of the same size that is fed the snapshot at N and then the stream from N looks and behaves
//! like one that was fed the whole stream**, wherever N falls: inside a sequence, a character, between a character and its
//! mark. `tests/snapshot` proves it against xterm.js itself.

use super::cell::{Extended, Pen};
use super::charset::Charset;
use super::grid::{Grid, Saved};
use super::paint::{Painter, runs_on, wraps_in_colour};
use super::term::Term;

impl Term {
    /// Paints the terminal, with up to `scrollback` lines above the screen. `unfinished` is what the parser has begun.
    pub(super) fn snapshot<'a>(&self, scrollback: usize, unfinished: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut out = Vec::with_capacity(4096);
        // A viewer's reset leaves this mode as it was.
        out.extend_from_slice(b"\x1b[20l");
        if !self.title.is_empty() {
            out.extend_from_slice(format!("\x1b]2;{}\x07", self.title).as_bytes());
        }
        if !self.on_alternate && self.alternate.saved != Saved::default() {
            // The alternate buffer forgets all but this when it is left.
            let mut painter = Painter::new(&self.tables, out);
            painter.out.extend_from_slice(b"\x1b[?47h");
            self.paint_saved(&mut painter, &self.alternate);
            painter.out.extend_from_slice(b"\x1b[?47l\x1b[H");
            out = painter.out;
        }
        let lines = scrollback.min(self.history.len());
        self.history.write(&mut out, lines, runs_on(self.primary.rows.front()).is_some());
        let mut painter = Painter::new(&self.tables, out);
        self.paint_rows(&mut painter, &self.primary, lines);
        if self.on_alternate {
            self.paint_frame(&mut painter, &self.primary);
            self.modes.write_kitty_of_primary(&mut painter.out);
            painter.plain();
            // Other terminals save the cursor here, which must not disturb what was saved before.
            painter.out.extend_from_slice(if self.primary.saved == Saved::default() {
                b"\x1b[H\x1b[?1049h"
            } else {
                b"\x1b8\x1b[?1049h"
            });
            painter.out.extend_from_slice(b"\x0f\x1b(B\x1b[m\x1b[H");
            self.paint_rows(&mut painter, &self.alternate, 0);
        }
        self.paint_frame(&mut painter, self.grid());
        self.paint_state(painter, unfinished)
    }

    fn paint_rows(&self, painter: &mut Painter<'_>, grid: &Grid, lines_above: usize) {
        let last = grid.rows.iter().rposition(|row| !row.used().is_empty()).map_or(0, |last| last + 1);
        let wanted = if lines_above > 0 { grid.rows.len() } else { last };
        for (y, row) in grid.rows.iter().enumerate().take(wanted) {
            let next = runs_on(grid.rows.get(y + 1)).filter(|_| y + 1 < wanted);
            painter.row(row, next, wraps_in_colour(row));
            if next.is_none() && y + 1 < wanted {
                painter.new_line();
            }
        }
        painter.plain();
    }

    /// Tab stops, saved cursor and margins of a buffer that is shown.
    fn paint_frame(&self, painter: &mut Painter<'_>, grid: &Grid) {
        if !grid.has_default_tabs() {
            painter.out.extend_from_slice(b"\x1b[3g");
            for col in (0..grid.cols).filter(|col| grid.tabs[*col]) {
                painter.out.extend_from_slice(format!("\x1b[{}G\x1bH", col + 1).as_bytes());
            }
        }
        self.paint_saved(painter, grid);
        if (grid.top, grid.bottom) != (0, grid.rows.len() - 1) {
            painter.out.extend_from_slice(format!("\x1b[{};{}r", grid.top + 1, grid.bottom + 1).as_bytes());
        }
    }

    fn paint_saved(&self, painter: &mut Painter<'_>, grid: &Grid) {
        let saved = grid.saved;
        if saved == Saved::default() {
            return;
        }
        let underline = u8::from(saved.fg & super::cell::fg::UNDERLINE != 0);
        painter.use_full(&Pen { fg: saved.fg, bg: saved.bg, ext: 0 }, Extended { underline, ..Extended::default() });
        designate(&mut painter.out, 0, saved.charset);
        let x = saved.x.min(grid.cols - 1);
        painter.out.extend_from_slice(format!("\x1b[{};{}H\x1b7", grid.saved_y() + 1, x + 1).as_bytes());
        if saved.charset.is_some() {
            designate(&mut painter.out, 0, None);
        }
        painter.plain();
    }

    /// Cursor, modes, character sets and pen, in an order in which none undoes another.
    fn paint_state<'a>(&self, mut painter: Painter<'_>, unfinished: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let grid = self.grid();
        let row = &grid.rows[grid.y];
        if self.modes.origin {
            painter.out.extend_from_slice(b"\x1b[?6h");
        }
        let beyond = grid.x >= grid.cols;
        if !beyond {
            self.go_to(&mut painter.out, grid.x);
        }
        // A mark or REP may follow the last character, and a wrap may be pending: print that character again.
        let width = usize::from(self.joinable.max(1));
        let joins = self.joinable != 0 && grid.x >= width && (!self.modes.insert || beyond);
        let last = (0..grid.cols.min(grid.x)).rev().find(|x| row.get(*x).width() > 0);
        let again = last.filter(|x| joins && row.get(*x).has_content() && *x + width == grid.x);
        if beyond && again.is_none() {
            // In the last column may also stand a mark alone.
            let edge = row.get(grid.cols - 1);
            let is_mark = edge.width() == 0 && edge.has_content();
            let at = last.filter(|_| !is_mark).unwrap_or(grid.cols - 1);
            self.go_to(&mut painter.out, at);
            painter.cell(&row.get(at));
        }
        if again.is_some_and(|x| Pen::of(&row.get(x)) == self.visible_pen()) {
            let at = again.unwrap_or_default();
            self.paint_modes(&mut painter);
            self.go_to(&mut painter.out, at);
            self.take_pen(&mut painter);
            painter.cell(&row.get(at));
        } else {
            if let Some(at) = again.filter(|_| beyond) {
                self.go_to(&mut painter.out, at);
                painter.cell(&row.get(at));
            }
            self.paint_modes(&mut painter);
            self.take_pen(&mut painter);
        }
        unfinished.for_each(|part| painter.out.extend_from_slice(part));
        painter.out
    }

    fn visible_pen(&self) -> Pen {
        let ext = if self.pen.bg & super::cell::bg::EXTENDED != 0 { self.pen.ext } else { 0 };
        Pen { ext, ..self.pen }
    }

    fn take_pen(&self, painter: &mut Painter<'_>) {
        painter.use_full(&self.pen, self.ext.clone());
    }

    fn go_to(&self, out: &mut Vec<u8>, x: usize) {
        let grid = self.grid();
        let y = if self.modes.origin { grid.y.saturating_sub(grid.top) } else { grid.y };
        let x = x.min(grid.cols - 1);
        let text = if (x, y) == (0, 0) { "\x1b[H".to_owned() } else { format!("\x1b[{};{}H", y + 1, x + 1) };
        out.extend_from_slice(text.as_bytes());
    }

    fn paint_modes(&self, painter: &mut Painter<'_>) {
        let out = &mut painter.out;
        self.modes.write(out, self.on_alternate);
        for (slot, set) in self.charsets.iter().enumerate().filter(|(_, set)| set.is_some()) {
            designate(out, slot, *set);
        }
        match self.level {
            1 => out.push(0x0e),
            2 => out.extend_from_slice(b"\x1bn"),
            3 => out.extend_from_slice(b"\x1bo"),
            _ => {}
        }
        if self.charset != self.charsets[self.level] && self.charset == self.grid().saved.charset {
            // A restored cursor brought its set without designating it. The cursor is put right after this.
            out.extend_from_slice(b"\x1b8");
            painter.forget_pen(Pen { fg: self.grid().saved.fg, bg: self.grid().saved.bg, ext: 0 });
            if self.grid().x < self.grid().cols {
                self.go_to(&mut painter.out, self.grid().x);
            }
        }
        let out = &mut painter.out;
        if !self.modes.autowrap {
            out.extend_from_slice(b"\x1b[?7l");
        }
        if self.modes.insert {
            out.extend_from_slice(b"\x1b[4h");
        }
        if self.modes.newline {
            out.extend_from_slice(b"\x1b[20h");
        }
    }
}

fn designate(out: &mut Vec<u8>, slot: usize, set: Option<Charset>) {
    out.extend_from_slice(&[0x1b, b"()*+"[slot], set.map_or(b'B', |set| set.name)]);
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
