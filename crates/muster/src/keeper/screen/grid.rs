//! One of a terminal's two buffers: rows, cursor, margins, tab stops and the saved cursor.
//!
//! Invariant: `y` is a row, `top <= bottom`, both are rows; `x` may be beyond the last column by what was printed there
//! (a wrap that is pending). Rows that leave at the top are handed out, so that whoever keeps history can have them. It
//! knows neither modes nor sequences.

use std::collections::VecDeque;

use super::cell::{Cell, Pen};
use super::charset::Charset;
use super::row::Row;

/// Columns between tab stops.
const TAB: usize = 8;

/// What DECSC saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Column.
    pub x: usize,
    /// Row, counted from the first row ever, so that it moves with what it stood on.
    pub line: u64,
    /// Foreground and attributes.
    pub fg: u32,
    /// Background and attributes.
    pub bg: u32,
    /// The character set in use.
    pub charset: Option<Charset>,
}

/// Takes a row that leaves at the top, and sees the one after it.
pub type Leaving<'a> = &'a mut dyn FnMut(&Row, &Row);

/// A buffer.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Its rows, top first.
    pub rows: VecDeque<Row>,
    /// Columns.
    pub cols: usize,
    /// The cursor's column.
    pub x: usize,
    /// The cursor's row.
    pub y: usize,
    /// First row of the scrolling region.
    pub top: usize,
    /// Last row of the scrolling region.
    pub bottom: usize,
    /// Tab stops.
    pub tabs: Vec<bool>,
    /// The saved cursor.
    pub saved: Saved,
    /// Rows that have left at the top for good.
    pub scrolled: u64,
}

impl Grid {
    /// An empty buffer.
    pub fn new(cols: usize, rows: usize) -> Grid {
        Grid {
            rows: (0..rows).map(|_| Row::new(cols, Cell::default())).collect(),
            cols,
            x: 0,
            y: 0,
            top: 0,
            bottom: rows - 1,
            tabs: (0..cols).map(|col| col % TAB == 0).collect(),
            saved: Saved::default(),
            scrolled: 0,
        }
    }

    /// The cursor's row.
    pub fn row(&mut self) -> &mut Row {
        let y = self.y;
        &mut self.rows[y]
    }

    /// Makes it as new, but for the saved cursor, as leaving the alternate buffer does.
    pub fn clear(&mut self) {
        let (cols, rows) = (self.cols, self.rows.len());
        *self = Grid { saved: self.saved, ..Grid::new(cols, rows) };
    }

    /// Fills all rows.
    pub fn fill(&mut self, fill: Cell) {
        self.rows.iter_mut().for_each(|row| row.reset(fill));
    }

    /// Scrolls the region up by a row. A row that leaves the very top goes to `leaving` first; a buffer without history
    /// passes `None`.
    pub fn scroll(&mut self, fill: Cell, wrapped: bool, leaving: Option<Leaving<'_>>) {
        if let Some(leaving) = leaving.filter(|_| self.top == 0) {
            self.scrolled += 1;
            let next = self.rows.get(1).unwrap_or(&self.rows[0]);
            leaving(&self.rows[0], next);
        }
        self.shift_up(self.top, self.bottom, fill);
        self.rows[self.bottom].wrapped = wrapped;
    }

    /// Removes the row at `from` and puts a blank one at `to`, below it.
    pub fn shift_up(&mut self, from: usize, to: usize, fill: Cell) {
        let row = if from == 0 { self.rows.pop_front() } else { self.rows.remove(from) };
        self.put(to, row, fill);
    }

    /// Removes the row at `from` and puts a blank one at `to`, above it.
    pub fn shift_down(&mut self, from: usize, to: usize, fill: Cell) {
        let row = self.rows.remove(from);
        self.put(to, row, fill);
    }

    fn put(&mut self, at: usize, row: Option<Row>, fill: Cell) {
        let mut row = row.unwrap_or_else(|| Row::new(self.cols, fill));
        row.reset(fill);
        if at == self.rows.len() { self.rows.push_back(row) } else { self.rows.insert(at, row) }
    }

    /// The column of the next tab stop.
    pub fn next_tab(&self, x: usize) -> usize {
        let after = self.tabs.iter().skip(x + 1).position(|stop| *stop);
        after.map_or(self.cols - 1, |steps| x + 1 + steps)
    }

    /// The column of the tab stop before.
    pub fn previous_tab(&self, x: usize) -> usize {
        self.tabs[..x.min(self.cols)].iter().rposition(|stop| *stop).unwrap_or(0)
    }

    /// True when the tab stops are those of a new buffer.
    pub fn has_default_tabs(&self) -> bool {
        self.tabs.iter().enumerate().all(|(col, stop)| *stop == (col % TAB == 0))
    }

    /// Gives the tab stops another width, with stops every eight columns in what is new.
    pub fn resize_tabs(&mut self, cols: usize) {
        let last = self.tabs.iter().take(cols).rposition(|stop| *stop).unwrap_or(0);
        self.tabs.resize(cols, false);
        (last..cols).step_by(TAB).for_each(|col| self.tabs[col] = true);
    }

    /// Saves the cursor.
    pub fn save(&mut self, pen: &Pen, charset: Option<Charset>) {
        let line = self.scrolled + self.y as u64;
        self.saved = Saved { x: self.x, line, fg: pen.fg, bg: pen.bg, charset };
    }

    /// The row of the saved cursor, as it is now.
    pub fn saved_y(&self) -> usize {
        (self.saved.line.saturating_sub(self.scrolled) as usize).min(self.rows.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs() {
        let mut grid = Grid::new(20, 2);
        assert_eq!((grid.next_tab(0), grid.next_tab(8), grid.next_tab(16)), (8, 16, 19));
        assert_eq!((grid.previous_tab(20), grid.previous_tab(16), grid.previous_tab(0)), (16, 8, 0));
        grid.resize_tabs(40);
        assert!(grid.has_default_tabs());
    }

    #[test]
    fn rows_that_leave_are_handed_out() {
        let mut grid = Grid::new(4, 3);
        grid.rows[0].write_ascii(0, b"one", &Pen::default());
        let mut left = 0;
        grid.scroll(Cell::default(), false, Some(&mut |row, _| left += row.trimmed()));
        grid.top = 1;
        grid.scroll(Cell::default(), true, Some(&mut |row, _| left += 100 + row.trimmed()));
        assert_eq!((left, grid.scrolled, grid.rows.len(), grid.rows[2].wrapped), (3, 1, 3, true));
    }
}
