//! The screen beside a PTY: a terminal emulator whose state can be painted onto another terminal at any moment.
//!
//! Written for this keeper after xterm.js' behaviour rather than taken from a crate, because "identical" is judged by
//! xterm.js: widths, wraps, erased cells and oddities are its own. Layers, each knowing only the ones before it:
//!
//! * [`width`], [`charset`], [`params`], [`cell`]: facts and small types;
//! * [`row`], [`grid`], [`sgr`], [`modes`]: cells, buffers, pens, switches;
//! * [`paint`], [`history`]: rows as bytes that print them;
//! * [`parser`]: bytes into prints and sequences;
//! * [`term`], `control`, `escape`, `resize`, `snapshot`: what sequences do, and the way back into bytes.

pub mod cell;
pub mod charset;
mod control;
mod escape;
pub mod grid;
pub mod history;
pub mod modes;
pub mod paint;
pub mod params;
pub mod parser;
mod resize;
pub mod row;
pub mod sgr;
mod snapshot;
pub mod term;
pub mod width;

pub use params::Params;
pub use term::{Event, Term};

pub(in crate::keeper) use control::ident as control_ident;
use protocol::control::Size;

/// A terminal with its parser.
#[derive(Debug)]
pub struct Screen {
    parser: parser::Parser,
    term: Term,
}

impl Screen {
    /// A reset terminal.
    pub fn new(size: Size) -> Screen {
        let size = size.clamped();
        Screen { parser: parser::Parser::default(), term: Term::new(usize::from(size.cols), usize::from(size.rows)) }
    }

    /// Takes bytes as the program wrote them.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.feed(bytes, &mut self.term);
    }

    /// What was said since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.term.events)
    }

    /// Its size.
    pub fn size(&self) -> Size {
        Size { cols: self.term.primary.cols as u16, rows: self.term.primary.rows.len() as u16 }
    }

    /// Changes its size.
    pub fn resize(&mut self, size: Size) {
        let size = size.clamped();
        self.term.resize(usize::from(size.cols), usize::from(size.rows));
    }

    /// The bytes that paint it on a reset terminal of its size, with up to `scrollback` lines above.
    pub fn snapshot(&self, scrollback: usize) -> Vec<u8> {
        self.term.snapshot(scrollback, self.parser.unfinished())
    }

    /// The terminal's state.
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// The rows that are shown, as text without blanks at their ends.
    pub fn text(&self) -> Vec<String> {
        let text = |row: &row::Row| {
            let cells = row.cells().iter().filter(|cell| cell.width() > 0 || cell.has_content());
            let glyph = |cell: &cell::Cell| match cell.combined().and_then(|number| self.term.tables.glyphs.get(number))
            {
                Some(glyph) => glyph.to_string(),
                None => char::from_u32(cell.code()).filter(|_| cell.has_content()).unwrap_or(' ').to_string(),
            };
            cells.map(glyph).collect::<String>().trim_end().to_owned()
        };
        self.term.grid().rows.iter().map(text).collect()
    }
}
