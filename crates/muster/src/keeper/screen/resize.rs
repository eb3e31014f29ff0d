//! A new size: rows come back from history or go there, long lines are folded again.
//!
//! Follows xterm.js: the primary buffer reflows lines that wrapped, the alternate one is cut, the cursor's own line is left
//! alone since its program redraws it. Invariant: no text is lost but what the new size cuts off.

use super::cell::Cell;
use super::grid::Grid;
use super::parser::Parser;
use super::row::Row;
use super::term::Term;

impl Term {
    /// Gives both buffers a new size.
    pub fn resize(&mut self, cols: usize, rows: usize) {
        if (self.primary.cols, self.primary.rows.len()) == (cols, rows) {
            return;
        }
        if cols != self.primary.cols {
            self.reflow(cols);
        }
        self.set_rows_of_primary(rows);
        set_cols(&mut self.alternate, cols);
        while self.alternate.rows.len() > rows {
            if self.alternate.rows.len() > self.alternate.y + 1 {
                self.alternate.rows.pop_back();
            } else {
                self.alternate.rows.pop_front();
                self.alternate.y = self.alternate.y.saturating_sub(1);
            }
        }
        while self.alternate.rows.len() < rows {
            self.alternate.rows.push_back(Row::new(cols, Cell::default()));
        }
        for grid in [&mut self.primary, &mut self.alternate] {
            (grid.top, grid.bottom) = (0, rows - 1);
            (grid.x, grid.y) = (grid.x.min(cols - 1), grid.y.min(rows - 1));
            grid.saved.x = grid.saved.x.min(cols - 1);
            grid.resize_tabs(cols);
        }
    }

    fn set_rows_of_primary(&mut self, rows: usize) {
        while self.primary.rows.len() > rows {
            if self.primary.rows.len() > self.primary.y + 1 {
                self.primary.rows.pop_back();
            } else {
                self.push_top();
            }
        }
        let missing = rows.saturating_sub(self.primary.rows.len());
        // xterm.js takes lines back from history only under a cursor on the last row.
        let back = if self.primary.y + 1 == self.primary.rows.len() { missing.min(self.history.len()) } else { 0 };
        for row in self.take_back(back) {
            self.primary.rows.push_front(row);
            self.primary.y += 1;
            self.primary.scrolled = self.primary.scrolled.saturating_sub(1);
        }
        let cols = self.primary.cols;
        self.primary.rows.resize_with(rows, || Row::new(cols, Cell::default()));
    }

    fn push_top(&mut self) {
        let Some(row) = self.primary.rows.pop_front() else { return };
        let after = self.primary.rows.front().cloned().unwrap_or_default();
        self.history.push(&row, &after, &self.tables);
        self.primary.scrolled += 1;
        self.primary.y = self.primary.y.saturating_sub(1);
    }

    /// The newest `count` lines of history as rows, newest first. They are printed onto a buffer of their own, which is how
    /// they are kept.
    fn take_back(&mut self, count: usize) -> Vec<Row> {
        let cols = self.primary.cols;
        let mut taken = Vec::new();
        while taken.len() < count {
            let mut line = Vec::new();
            if !self.history.pop(&mut line) {
                break;
            }
            let mut scratch = Term::new(cols, 2);
            std::mem::swap(&mut scratch.tables, &mut self.tables);
            Parser::default().feed(&line, &mut scratch);
            std::mem::swap(&mut scratch.tables, &mut self.tables);
            taken.extend(scratch.primary.rows.pop_front());
        }
        taken
    }

    /// Folds the rows of the primary buffer to another width.
    fn reflow(&mut self, cols: usize) {
        let old = std::mem::take(&mut self.primary.rows);
        let (old_cols, cursor, mut cursor_now) = (self.primary.cols, self.primary.y, 0);
        let blank_below = old.iter().rposition(|row| !row.used().is_empty()).map_or(0, |last| last + 1).max(cursor + 1);
        let rows = old.len();
        let mut new: Vec<Row> = Vec::new();
        let mut at = 0;
        while at < blank_below {
            let parts = 1 + old.range(at + 1..blank_below).take_while(|row| row.wrapped).count();
            let line: Vec<&Row> = old.range(at..at + parts).collect();
            let holds_cursor = (at..at + parts).contains(&cursor);
            if holds_cursor {
                cursor_now = new.len() + cursor - at;
                new.extend(line.into_iter().cloned().map(|mut row| {
                    row.set_cols(cols);
                    row
                }));
            } else {
                fold(&line, old_cols, cols, &mut new);
            }
            at += parts;
        }
        self.primary.rows = new.into();
        self.primary.cols = cols;
        self.primary.y = cursor_now;
        while self.primary.rows.len() > rows && self.primary.y > 0 {
            self.push_top();
        }
        self.primary.rows.resize_with(rows, || Row::new(cols, Cell::default()));
    }
}

fn set_cols(grid: &mut Grid, cols: usize) {
    grid.rows.iter_mut().for_each(|row| row.set_cols(cols));
    grid.cols = cols;
}

/// Joins the parts of a line and cuts it again, never through a wide character.
fn fold(parts: &[&Row], old_cols: usize, cols: usize, new: &mut Vec<Row>) {
    let mut cells: Vec<Cell> = Vec::new();
    for (index, row) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        let next_is_wide = parts.get(index + 1).is_some_and(|next| next.get(0).width() == 2);
        let end = match last {
            true => row.used().len(),
            false if next_is_wide && !row.get(old_cols - 1).has_content() && row.get(old_cols - 1).width() == 1 => {
                old_cols - 1
            }
            false => old_cols,
        };
        cells.extend(&row.cells()[..end]);
    }
    let first = new.len();
    let mut at = 0;
    while at < cells.len() || new.len() == first {
        let mut end = (at + cols).min(cells.len());
        if end < cells.len() && cells[end].width() == 0 && !cells[end].has_content() && end > at + 1 {
            end -= 1;
        }
        let mut row = Row::new(cols, Cell::default());
        cells[at..end].iter().enumerate().for_each(|(col, cell)| row.set(col, *cell));
        row.wrapped = if at == 0 { parts[0].wrapped } else { true };
        new.push(row);
        at = end.max(at + 1);
    }
}

#[cfg(test)]
mod tests {
    use crate::keeper::screen::Screen;
    use protocol::control::Size;

    fn screen(cols: u16, rows: u16, text: &str) -> Screen {
        let mut screen = Screen::new(Size { cols, rows });
        screen.feed(text.as_bytes());
        screen
    }

    #[test]
    fn a_long_line_folds_and_unfolds() {
        let mut screen = screen(10, 4, "abcdefghijklmno\r\nx");
        screen.resize(Size { cols: 5, rows: 4 });
        assert_eq!(screen.text(), ["abcde", "fghij", "klmno", "x"]);
        screen.resize(Size { cols: 20, rows: 4 });
        assert_eq!(screen.text(), ["abcdefghijklmno", "x", "", ""]);
    }

    #[test]
    fn rows_go_to_history_and_come_back() {
        let mut screen = screen(10, 4, "1\r\n2\r\n3\r\n\x1b[31m4");
        screen.resize(Size { cols: 10, rows: 2 });
        assert_eq!(screen.text(), ["3", "4"]);
        screen.resize(Size { cols: 10, rows: 5 });
        assert_eq!(screen.text(), ["1", "2", "3", "4", ""]);
    }

    #[test]
    fn any_size_is_survived() {
        let mut screen = screen(30, 10, "漢字漢字漢字漢字漢字漢字漢字漢字 long\r\n\x1b[5;10Hx\x1b[?1049h\x1b[9;28Hyz");
        for (cols, rows) in [(2, 2), (3, 500), (1000, 2), (7, 9), (80, 24), (2, 30)] {
            screen.resize(Size { cols, rows });
            screen.feed("\x1b[999;999Hab漢\r\n\x1b[?1049l漢b\x1b[?1049h".as_bytes());
            assert_eq!(screen.size(), Size { cols, rows });
            assert!(!screen.snapshot(100).is_empty());
        }
    }
}
