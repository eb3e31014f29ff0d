//! The lines that have scrolled off the top, as bytes that print them: a plain line costs its text.
//!
//! Invariant: at most [`HISTORY_LINES_MAX`] lines and [`HISTORY_BYTES_MAX`] bytes, oldest gone first; each line begins and
//! ends with a plain pen. It knows no screen.

use std::collections::VecDeque;

use super::cell::Cell;
use super::paint::{Painter, Tables, runs_on, wraps_in_colour};
use super::row::Row;
use protocol::limits::SCROLLBACK_LINES_MAX;

/// Lines kept: as many as a viewer may ask for.
pub const HISTORY_LINES_MAX: usize = SCROLLBACK_LINES_MAX as usize;
/// Bytes kept. A keeper shall stay below 8 MiB whatever its terminal has seen, and a snapshot within 4 MiB.
pub const HISTORY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A line of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    bytes: u32,
    /// The next line continues it.
    runs_on: bool,
}

/// The history of a primary buffer.
#[derive(Debug, Default)]
pub struct History {
    bytes: VecDeque<u8>,
    lines: VecDeque<Line>,
    scratch: Vec<u8>,
}

impl History {
    /// Takes a row that leaves the screen, and sees whether the next one continues it.
    pub fn push(&mut self, row: &Row, next: &Row, tables: &Tables) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let next = runs_on(Some(next));
        let simple = next.is_none() && row.used().iter().all(|cell| cell.plain_ascii().is_some());
        if simple && !wraps_in_colour(row) {
            scratch.extend(row.used().iter().filter_map(Cell::plain_ascii)); // By far the most lines are like this.
            self.scratch = scratch;
        } else {
            let mut painter = Painter::new(tables, scratch);
            painter.row(row, next, wraps_in_colour(row));
            painter.plain();
            self.scratch = painter.out;
        }
        self.bytes.extend(&self.scratch);
        self.lines.push_back(Line { bytes: self.scratch.len() as u32, runs_on: next.is_some() });
        while self.lines.len() > HISTORY_LINES_MAX || self.bytes.len() > HISTORY_BYTES_MAX {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes.drain(..line.bytes as usize);
        }
    }

    /// Lines kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True when no line is kept.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = History::default();
    }

    /// Takes the newest line back, onto the end of `out`; false when there is none.
    pub fn pop(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(line) = self.lines.pop_back() else { return false };
        let from = self.bytes.len() - line.bytes as usize;
        out.extend(self.bytes.drain(from..));
        true
    }

    /// Appends the newest `count` lines, each with what leads to the next; `continued` tells whether the row after the
    /// newest still continues it.
    pub fn write(&self, out: &mut Vec<u8>, count: usize, continued: bool) {
        let skipped = self.lines.len().saturating_sub(count);
        let mut at: usize = self.lines.iter().take(skipped).map(|line| line.bytes as usize).sum();
        for (index, line) in self.lines.iter().enumerate().skip(skipped) {
            let end = at + line.bytes as usize;
            out.extend(self.bytes.range(at..end));
            at = end;
            let newest = index + 1 == self.lines.len();
            if !line.runs_on || (newest && !continued) {
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::screen::cell::Pen;

    #[test]
    fn history_is_bounded_and_gives_back_the_newest() {
        let (mut history, tables, blank) = (History::default(), Tables::default(), Row::new(10, Cell::default()));
        for number in 0..HISTORY_LINES_MAX + 5 {
            let mut row = blank.clone();
            row.write_ascii(0, number.to_string().as_bytes(), &Pen::default());
            history.push(&row, &blank, &tables);
        }
        assert_eq!(history.len(), HISTORY_LINES_MAX);
        let mut out = Vec::new();
        history.write(&mut out, 2, false);
        assert_eq!(out, format!("{}\r\n{}\r\n", HISTORY_LINES_MAX + 3, HISTORY_LINES_MAX + 4).as_bytes());
        out.clear();
        assert!(history.pop(&mut out));
        assert_eq!((out, history.len()), ((HISTORY_LINES_MAX + 4).to_string().into_bytes(), HISTORY_LINES_MAX - 1));
    }
}
