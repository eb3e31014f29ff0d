//! One row of cells, with the edits that xterm.js' `BufferLine` makes to it, halves of wide characters included.
//!
//! Invariant: every cell from `used` on is the default cell, so that short lines are cheap to scroll. Knows no screen.

use super::cell::{Cell, Pen};

/// A row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    cells: Vec<Cell>,
    used: usize,
    /// True when it continues the row above.
    pub wrapped: bool,
}

impl Row {
    /// A row of erased cells.
    pub fn new(cols: usize, fill: Cell) -> Row {
        let used = if fill == Cell::default() { 0 } else { cols };
        Row { cells: vec![fill; cols], used, wrapped: false }
    }

    /// Makes all of it new.
    pub fn reset(&mut self, fill: Cell) {
        if fill == Cell::default() {
            self.cells[..self.used].fill(fill);
            self.used = 0;
        } else {
            self.cells.fill(fill);
            self.used = self.cells.len();
        }
        self.wrapped = false;
    }

    /// Its cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cells that may differ from the default one.
    pub fn used(&self) -> &[Cell] {
        &self.cells[..self.used]
    }

    /// A cell; the default one outside.
    pub fn get(&self, at: usize) -> Cell {
        self.cells.get(at).copied().unwrap_or_default()
    }

    /// Sets a cell; outside of the row, nothing.
    pub fn set(&mut self, at: usize, cell: Cell) {
        if let Some(old) = self.cells.get_mut(at) {
            *old = cell;
            self.used = self.used.max(at + 1);
        }
    }

    /// Writes ASCII that fits.
    pub fn write_ascii(&mut self, at: usize, run: &[u8], pen: &Pen) {
        let model = Cell::new(0, 1, pen);
        for (cell, byte) in self.cells[at..at + run.len()].iter_mut().zip(run) {
            *cell = model;
            cell.hold(u32::from(*byte), false, 1);
        }
        self.used = self.used.max(at + run.len());
    }

    /// Changes its length; new cells are default ones.
    pub fn set_cols(&mut self, cols: usize) {
        self.cells.resize(cols, Cell::default());
        self.used = self.used.min(cols);
    }

    /// Shifts cells right from `at` on and fills the space.
    pub fn insert(&mut self, at: usize, count: usize, fill: Cell) {
        let cols = self.cells.len();
        let at = at % cols;
        if at > 0 && self.get(at - 1).width() == 2 {
            self.blank(at - 1, fill);
        }
        let count = count.min(cols - at);
        self.cells.copy_within(at..cols - count, at + count);
        self.cells[at..at + count].fill(fill);
        self.used = cols;
        if self.get(cols - 1).width() == 2 {
            self.blank(cols - 1, fill);
        }
        self.tighten();
    }

    /// Shifts cells left onto `at` and fills the space at the end.
    pub fn delete(&mut self, at: usize, count: usize, fill: Cell) {
        let cols = self.cells.len();
        let at = at % cols;
        let count = count.min(cols - at);
        self.cells.copy_within(at + count.., at);
        self.cells[cols - count..].fill(fill);
        self.used = cols;
        if at > 0 && self.get(at - 1).width() == 2 {
            self.blank(at - 1, fill);
        }
        self.heal(at, fill);
        self.tighten();
    }

    /// Erases `from..to`, and what it leaves of wide characters at its edges.
    pub fn replace(&mut self, from: usize, to: usize, fill: Cell, respect_protected: bool) {
        let cols = self.cells.len();
        let spares = |row: &Row, at: usize| respect_protected && row.get(at).is_protected();
        if from > 0 && self.get(from - 1).width() == 2 && !spares(self, from - 1) {
            self.blank(from - 1, fill);
        }
        if to > 0 && to < cols && self.get(to - 1).width() == 2 && !spares(self, to) {
            self.blank(to, fill);
        }
        for at in from..to.min(cols) {
            if !spares(self, at) {
                self.cells[at] = fill;
            }
        }
        if from < to {
            self.used = self.used.max(to.min(cols));
        }
        self.tighten();
    }

    /// Fills all of it, wrap mark untouched.
    pub fn fill(&mut self, fill: Cell, respect_protected: bool) {
        self.replace(0, self.cells.len(), fill, respect_protected);
    }

    /// Makes the second half of a wide character, left alone at `at`, a blank.
    pub fn heal(&mut self, at: usize, like: Cell) {
        if at < self.cells.len() && self.get(at).width() == 0 && !self.get(at).has_content() {
            self.blank(at, like);
        }
    }

    /// Makes a cell blank with the attributes of another.
    pub fn blank(&mut self, at: usize, like: Cell) {
        self.set(at, Cell::new(0, 1, &Pen::of(&like)));
    }

    /// Cells up to the last that holds something.
    pub fn trimmed(&self) -> usize {
        let last = self.used().iter().rposition(Cell::has_content);
        last.map_or(0, |last| last + usize::from(self.cells[last].width()))
    }

    fn tighten(&mut self) {
        let last = self.used().iter().rposition(|cell| *cell != Cell::default());
        self.used = last.map_or(0, |last| last + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(row: &Row) -> String {
        row.cells().iter().map(|cell| char::from_u32(cell.code()).filter(|c| *c != '\0').unwrap_or('.')).collect()
    }

    fn row(text: &str) -> Row {
        let mut row = Row::new(text.len(), Cell::default());
        row.write_ascii(0, text.as_bytes(), &Pen::default());
        row
    }

    #[test]
    fn inserts_deletes_and_erases() {
        let mut a = row("abcdef");
        a.insert(2, 2, Cell::default());
        assert_eq!(text(&a), "ab..cd");
        a.delete(1, 3, Cell::default());
        assert_eq!((text(&a).as_str(), a.used), ("acd...", 3));
        a.replace(1, 99, Cell::default(), false);
        assert_eq!((text(&a).as_str(), a.used, a.trimmed()), ("a.....", 1, 1));
        a.insert(0, 99, Cell::default());
        assert_eq!((text(&a).as_str(), a.used), ("......", 0));
    }

    #[test]
    fn no_half_of_a_wide_character_stays() {
        let mut a = row("a..d");
        a.set(1, Cell::new(0x6f22, 2, &Pen::default()));
        a.set(2, Cell::new(0, 0, &Pen::default()));
        let mut b = a.clone();
        b.replace(2, 3, Cell::default(), false);
        assert!(b.cells().iter().all(|cell| cell.width() == 1));
        let mut b = a.clone();
        b.delete(0, 2, Cell::default());
        assert!(b.cells().iter().all(|cell| cell.width() == 1));
        a.insert(2, 1, Cell::default());
        assert_eq!(a.get(1).width(), 1);
    }
}
