//! What controls, escape sequences and strings do: line feeds, tabs, character sets, titles, links, colours.
//!
//! Follows xterm.js 6.0.0's `InputHandler`. What is said to people or to a hub leaves as an event.

use std::rc::Rc;

use super::cell::Link;
use super::charset::Charset;
use super::control::ident;
use super::params::Params;
use super::parser::Perform;
use super::sgr::mark_extended;
use super::term::{Event, Term};
use crate::keeper::answers::Query;

/// Longest title kept, in bytes.
const TITLE_BYTES_MAX: usize = 1024;
/// Longest address of a link, as browsers and terminals bound it.
const LINK_BYTES_MAX: usize = 2083;

impl Perform for Term {
    fn print_ascii(&mut self, run: &[u8]) {
        self.print_run(run);
    }

    fn print(&mut self, code: u32) {
        self.print_code(code);
    }

    fn execute(&mut self, code: u8) {
        match code {
            0x07 => self.events.push(Event::Bell),
            0x08 => self.backspace(),
            0x09 => {
                let grid = self.grid_mut();
                if grid.x < grid.cols {
                    grid.x = grid.next_tab(grid.x);
                }
            }
            0x0a..=0x0c => self.line_feed(),
            0x0d => self.grid_mut().x = 0,
            0x0e => self.set_level(1),
            0x0f => self.set_level(0),
            0x84 => self.index(),
            0x85 => self.next_line(),
            0x88 => self.set_tab(),
            _ => {}
        }
    }

    fn csi(&mut self, ident: u32, params: &Params) {
        self.control(ident, params);
    }

    fn esc(&mut self, sequence: u32) {
        let [_, _, between, end] = sequence.to_be_bytes();
        match (between, end) {
            _ if sequence > 0xffff => {}
            (0, b'7') => self.save_cursor(),
            (0, b'8') => self.restore_cursor(),
            (0, b'D') => self.index(),
            (0, b'E') => self.next_line(),
            (0, b'H') => self.set_tab(),
            (0, b'M') => self.reverse_index(),
            (0, b'=') => self.modes.application_keypad = true,
            (0, b'>') => self.modes.application_keypad = false,
            (0, b'c') => self.reset(),
            (0, b'n' | b'}') => self.set_level(2),
            (0, b'o' | b'|') => self.set_level(3),
            (0, b'~') => self.set_level(1),
            (b'%', b'@' | b'G') => {
                self.set_level(0);
                self.designate(0, b'B');
            }
            (b'(', name) => self.designate(0, name),
            (b')' | b'-', name) => self.designate(1, name),
            (b'*' | b'.', name) => self.designate(2, name),
            (b'+', name) => self.designate(3, name),
            (b'#', b'8') => self.align(),
            _ => {}
        }
    }

    fn osc(&mut self, payload: &[u8]) {
        let text = String::from_utf8_lossy(payload);
        let (number, rest) = text.split_once(';').unwrap_or((&text, ""));
        let Ok(number) = number.parse::<u32>() else { return };
        match number {
            0 | 2 => self.set_title(rest),
            1 => {}
            4 => self.palette(rest),
            8 => self.link(rest),
            10..=12 => self.special_colors(number as u16, rest),
            104 if rest.is_empty() => self.modes.reset_palette(),
            104 => rest.split(';').filter_map(|n| n.parse().ok()).for_each(|n| {
                if n < 256 {
                    self.modes.set_color(n, None);
                }
            }),
            110..=112 => self.modes.set_color(number as u16 + 146, None),
            7501 if rest.trim() == "?" => self.ask(Some(Query::ProgramStatus)),
            _ => self.events.push(Event::Osc { number, text: rest.to_owned() }),
        }
    }

    fn dcs(&mut self, sequence: u32, payload: &[u8]) {
        const DECRQSS: u32 = ident(b"$q");
        const XTGETTCAP: u32 = ident(b"+q");
        match sequence {
            DECRQSS => self.ask(Some(Query::Setting(payload.to_vec()))),
            XTGETTCAP => self.ask(Some(Query::Capability(payload.to_vec()))),
            _ => {}
        }
    }

    fn unjoin(&mut self) {
        self.joinable = 0;
    }
}

impl Term {
    fn backspace(&mut self) {
        if !self.modes.reverse_wrap {
            self.restrict(false);
            self.grid_mut().x = self.grid().x.saturating_sub(1);
            return;
        }
        self.restrict(true);
        let grid = self.grid_mut();
        if grid.x > 0 {
            grid.x -= 1;
        } else if grid.y > grid.top && grid.y <= grid.bottom && grid.row().wrapped {
            grid.row().wrapped = false;
            grid.y -= 1;
            grid.x = grid.cols - 1;
            let x = grid.x;
            let cell = grid.row().get(x);
            if cell.width() > 0 && !cell.has_content() {
                grid.x -= 1;
            }
        }
        self.restrict(false);
    }

    pub(super) fn line_feed(&mut self) {
        let newline = self.modes.newline;
        let grid = self.grid_mut();
        if newline {
            grid.x = 0;
        }
        if grid.y == grid.bottom {
            self.scroll(false);
        } else if grid.y + 1 < grid.rows.len() {
            grid.y += 1;
            grid.row().wrapped = false;
        }
        let grid = self.grid_mut();
        if grid.x >= grid.cols {
            grid.x -= 1;
        }
    }

    fn index(&mut self) {
        self.restrict(false);
        let grid = self.grid_mut();
        if grid.y == grid.bottom {
            self.scroll(false);
        } else {
            grid.y = (grid.y + 1).min(grid.rows.len() - 1);
        }
        self.restrict(false);
    }

    fn next_line(&mut self) {
        self.grid_mut().x = 0;
        self.index();
    }

    fn reverse_index(&mut self) {
        self.restrict(false);
        let fill = self.pen.erased();
        let grid = self.grid_mut();
        let (y, top, bottom) = (grid.y, grid.top, grid.bottom);
        if y == top {
            grid.shift_down(bottom, top, fill);
        } else {
            grid.y = y.saturating_sub(1);
            self.restrict(false);
        }
    }

    fn set_tab(&mut self) {
        let grid = self.grid_mut();
        let x = grid.x;
        grid.tabs.get_mut(x).into_iter().for_each(|stop| *stop = true);
    }

    fn set_level(&mut self, level: usize) {
        self.level = level;
        self.charset = self.charsets[level];
    }

    fn designate(&mut self, slot: usize, name: u8) {
        self.charsets[slot] = Charset::named(name);
        if slot == self.level {
            self.charset = self.charsets[slot];
        }
    }

    /// DECALN.
    fn align(&mut self) {
        let pen = super::cell::Pen { ext: 0, ..self.pen };
        let cell = super::cell::Cell::new(u32::from(b'E'), 1, &pen);
        self.move_to(0, 0);
        let grid = self.grid_mut();
        let y = grid.y;
        for row in grid.rows.iter_mut().skip(y) {
            row.reset(cell);
        }
        self.move_to(0, 0);
    }

    fn set_title(&mut self, title: &str) {
        let end = title.floor_char_boundary(TITLE_BYTES_MAX);
        self.title = title[..end].to_owned();
        self.events.push(Event::Title(self.title.clone()));
    }

    fn link(&mut self, text: &str) {
        let Some((params, uri)) = text.split_once(';') else { return };
        if uri.is_empty() && !params.trim().is_empty() {
            return;
        }
        let id = params.trim().split(':').find_map(|param| param.strip_prefix("id=")).filter(|id| !id.is_empty());
        let fits = !uri.is_empty() && text.len() <= LINK_BYTES_MAX;
        self.ext.link = fits.then(|| Rc::new(Link { id: id.map(str::to_owned), uri: uri.to_owned() }));
        mark_extended(&mut self.pen, &self.ext);
        self.number_ext();
    }

    fn palette(&mut self, text: &str) {
        let mut slots = text.split(';');
        while let (Some(index), Some(spec)) = (slots.next(), slots.next()) {
            let Some(index) = index.parse::<u16>().ok().filter(|index| *index < 256) else { continue };
            if spec == "?" { self.ask(Some(Query::Color(index))) } else { self.modes.set_color(index, Some(spec)) }
        }
    }

    fn special_colors(&mut self, first: u16, text: &str) {
        for (index, spec) in (first..=12).zip(text.split(';')) {
            let index = index + 246;
            if spec == "?" { self.ask(Some(Query::Color(index))) } else { self.modes.set_color(index, Some(spec)) }
        }
    }
}
