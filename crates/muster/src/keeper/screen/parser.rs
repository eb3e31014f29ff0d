//! Cuts a byte stream into prints, controls and sequences: the VT500 state machine, transition for transition as xterm.js
//! 6.0.0 has it, UTF-8 included.
//!
//! **Invariant: [`Parser::unfinished`] holds the very bytes that, fed to a parser at rest, bring it to the present state**
//! (up to [`UNFINISHED_BYTES_MAX`] of a long string), so that a snapshot may be cut inside a sequence or a character.
//! It knows nothing of what sequences mean.

use super::params::Params;

/// Bytes kept of an unfinished sequence. Strings of programs (titles, links, status) are far shorter; the rest of a longer
/// one, a clipboard or an image, is swallowed by the viewer as the string's continuation.
pub const UNFINISHED_BYTES_MAX: usize = 16 * 1024;
/// Longest OSC or DCS payload that is acted on.
pub const STRING_BYTES_MAX: usize = 16 * 1024;

/// What a parser finds, in order.
pub trait Perform {
    /// A run of printable ASCII.
    fn print_ascii(&mut self, run: &[u8]);
    /// A printable character beyond ASCII.
    fn print(&mut self, code: u32);
    /// A control, C0 or C1.
    fn execute(&mut self, code: u8);
    /// A control sequence; `ident` is its prefix, intermediates and final byte, eight bits each.
    fn csi(&mut self, ident: u32, params: &Params);
    /// An escape sequence; `ident` is its intermediates and final byte.
    fn esc(&mut self, ident: u32);
    /// An operating system command that ended well.
    fn osc(&mut self, payload: &[u8]);
    /// A device control string that ended well.
    fn dcs(&mut self, ident: u32, payload: &[u8]);
    /// Something else than a print ended: a combining character can no longer join.
    fn unjoin(&mut self);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    EscapeIntermediate,
    CsiEntry,
    CsiParam,
    CsiIntermediate,
    CsiIgnore,
    /// SOS, PM and APC.
    Ignored,
    Osc,
    DcsEntry,
    DcsParam,
    DcsIntermediate,
    DcsIgnore,
    Dcs,
}

/// The state machine.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    params: Params,
    collect: u32,
    string: Vec<u8>,
    too_long: bool,
    dcs_ident: u32,
    unfinished: Vec<u8>,
    utf8: [u8; 4],
    utf8_len: usize,
}

impl Parser {
    /// Feeds bytes; everything that they complete is performed.
    pub fn feed<P: Perform>(&mut self, bytes: &[u8], to: &mut P) {
        let mut at = 0;
        while at < bytes.len() {
            if self.state == State::Ground && self.utf8_len == 0 {
                let run = printable_run(&bytes[at..]);
                if run > 0 {
                    to.print_ascii(&bytes[at..at + run]);
                    at += run;
                    continue;
                }
            }
            self.byte(bytes[at], to);
            at += 1;
        }
    }

    /// What a parser at rest must be fed to be where this one is.
    pub fn unfinished(&self) -> impl Iterator<Item = &[u8]> {
        [&self.unfinished[..], &self.utf8[..self.utf8_len]].into_iter()
    }

    fn byte<P: Perform>(&mut self, byte: u8, to: &mut P) {
        if self.utf8_len == 0 {
            match byte {
                0..0x80 => self.code(u32::from(byte), &[byte], to),
                0xc0..0xf8 => {
                    self.utf8[0] = byte;
                    self.utf8_len = 1;
                }
                _ => {} // A continuation without a beginning is dropped.
            }
            return;
        }
        if byte & 0xc0 != 0x80 {
            self.utf8_len = 0;
            return self.byte(byte, to);
        }
        self.utf8[self.utf8_len] = byte;
        self.utf8_len += 1;
        let [b0, b1, b2, b3] = self.utf8.map(u32::from);
        let (wanted, code, least) = match b0 {
            0xc0..0xe0 => (2, (b0 & 0x1f) << 6 | (b1 & 0x3f), 0x80),
            0xe0..0xf0 => (3, (b0 & 0x0f) << 12 | (b1 & 0x3f) << 6 | (b2 & 0x3f), 0x800),
            _ => (4, (b0 & 0x07) << 18 | (b1 & 0x3f) << 12 | (b2 & 0x3f) << 6 | (b3 & 0x3f), 0x1_0000),
        };
        if self.utf8_len < wanted {
            return;
        }
        let raw = self.utf8;
        self.utf8_len = 0;
        let byte_order_mark = code == 0xfeff;
        if code >= least && char::from_u32(code).is_some() && !byte_order_mark {
            self.code(code, &raw[..wanted], to);
        }
    }

    fn code<P: Perform>(&mut self, code: u32, raw: &[u8], to: &mut P) {
        match code {
            0x1b => self.begin(State::Escape, raw, to),
            0x9b => self.begin(State::CsiEntry, raw, to),
            0x9d => self.begin(State::Osc, raw, to),
            0x90 => self.begin(State::DcsEntry, raw, to),
            0x98 | 0x9e | 0x9f => self.begin(State::Ignored, raw, to),
            0x9c => self.end(true, to),
            0x18 | 0x1a if matches!(self.state, State::Osc | State::Dcs) => self.end(false, to),
            0x07 if self.state == State::Osc => self.end(true, to),
            0x18 | 0x1a | 0x80..0xa0 => {
                self.rest();
                self.execute(code as u8, to);
            }
            0..0x20 => self.control(code as u8, raw, to),
            0x20..=0x7e => self.printable(code as u8, raw, to),
            _ => self.other(code, raw, to),
        }
    }

    /// A new sequence begins, whatever was before. ESC ends a string well; the other introducers drop it.
    fn begin<P: Perform>(&mut self, state: State, raw: &[u8], to: &mut P) {
        if raw == [0x1b] && matches!(self.state, State::Osc | State::Dcs) {
            self.end(true, to);
        }
        self.enter(state);
        self.unfinished.clear();
        self.unfinished.extend_from_slice(raw);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.params = Params::default();
        self.collect = 0;
        self.string.clear();
        self.too_long = false;
    }

    fn rest(&mut self) {
        self.state = State::Ground;
        self.unfinished.clear();
        self.utf8_len = 0;
        if self.string.capacity() > 1024 {
            self.string = Vec::new();
            self.unfinished = Vec::new();
        }
    }

    fn end<P: Perform>(&mut self, well: bool, to: &mut P) {
        if matches!(self.state, State::Osc | State::Dcs) {
            if well && !self.too_long {
                match self.state {
                    State::Osc => to.osc(&self.string),
                    _ => to.dcs(self.dcs_ident, &self.string),
                }
            }
            to.unjoin();
        }
        self.rest();
    }

    fn execute<P: Perform>(&mut self, code: u8, to: &mut P) {
        to.execute(code);
        to.unjoin();
    }

    /// A C0 control other than CAN, SUB and ESC: sequences go on around it, so it is no part of what is unfinished.
    fn control<P: Perform>(&mut self, code: u8, raw: &[u8], to: &mut P) {
        match self.state {
            State::Dcs => self.put(raw),
            State::Osc
            | State::Ignored
            | State::DcsEntry
            | State::DcsParam
            | State::DcsIntermediate
            | State::DcsIgnore => {}
            _ => self.execute(code, to),
        }
    }

    fn put(&mut self, raw: &[u8]) {
        if self.string.len() + raw.len() > STRING_BYTES_MAX {
            self.too_long = true;
        } else {
            self.string.extend_from_slice(raw);
        }
        self.keep(raw);
    }

    fn keep(&mut self, raw: &[u8]) {
        if self.unfinished.len() + raw.len() <= UNFINISHED_BYTES_MAX {
            self.unfinished.extend_from_slice(raw);
        }
    }

    fn collect(&mut self, byte: u8, raw: &[u8], next: State) {
        self.collect = self.collect << 8 | u32::from(byte);
        self.state = next;
        self.keep(raw);
    }

    fn go(&mut self, next: State, raw: &[u8]) {
        self.state = next;
        self.keep(raw);
    }

    fn printable<P: Perform>(&mut self, byte: u8, raw: &[u8], to: &mut P) {
        use State::*;
        match (self.state, byte) {
            (Ground, _) => to.print_ascii(&[byte]),
            (Osc | Dcs, _) => self.put(raw),
            (Ignored | DcsIgnore, _) | (CsiIgnore, 0x20..0x40) => self.keep(raw),
            (CsiIgnore, _) => self.rest(),
            (Escape, b'[') => self.deeper(CsiEntry, raw),
            (Escape, b']') => self.deeper(Osc, raw),
            (Escape, b'P') => self.deeper(DcsEntry, raw),
            (Escape, b'X' | b'^' | b'_') => self.deeper(Ignored, raw),
            (Escape | EscapeIntermediate, 0x20..0x30) => self.collect(byte, raw, EscapeIntermediate),
            (Escape | EscapeIntermediate, _) => {
                let ident = self.collect << 8 | u32::from(byte);
                self.rest();
                to.esc(ident);
                to.unjoin();
            }
            (CsiEntry | CsiParam | CsiIntermediate, 0x40..) => {
                let ident = self.collect << 8 | u32::from(byte);
                self.rest();
                to.csi(ident, &self.params);
                to.unjoin();
            }
            (CsiEntry | CsiParam | CsiIntermediate, 0x20..0x30) => self.collect(byte, raw, CsiIntermediate),
            (CsiEntry | CsiParam, 0x30..0x3c) => {
                self.params.push(byte);
                self.go(CsiParam, raw);
            }
            (CsiEntry, _) => self.collect(byte, raw, CsiParam),
            (CsiParam | CsiIntermediate, _) => self.go(CsiIgnore, raw),
            (DcsEntry | DcsParam | DcsIntermediate, 0x40..) => {
                self.dcs_ident = self.collect << 8 | u32::from(byte);
                self.go(Dcs, raw);
            }
            (DcsEntry | DcsParam | DcsIntermediate, 0x20..0x30) => self.collect(byte, raw, DcsIntermediate),
            (DcsEntry | DcsParam, 0x30..0x3c) => self.go(DcsParam, raw),
            (DcsEntry, _) => self.collect(byte, raw, DcsParam),
            (DcsParam | DcsIntermediate, _) => self.go(DcsIgnore, raw),
        }
    }

    fn deeper(&mut self, state: State, raw: &[u8]) {
        self.enter(state);
        self.keep(raw);
    }

    /// DEL, and everything beyond Latin-1's controls.
    fn other<P: Perform>(&mut self, code: u32, raw: &[u8], to: &mut P) {
        match self.state {
            State::Ground if code >= 0xa0 => to.print(code),
            State::Osc => self.put(raw),
            State::Dcs if code >= 0xa0 => self.put(raw),
            State::CsiIgnore | State::DcsIgnore => self.keep(raw),
            _ if code < 0xa0 => {} // DEL is nothing anywhere else.
            _ => self.rest(),      // xterm.js gives a sequence up on a character beyond ASCII.
        }
    }
}

/// How many bytes of printable ASCII come first. Looked at in blocks, which compilers turn into vector instructions: most of
/// what a program prints in bulk is one long run a line.
fn printable_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let printable = |byte: &u8| (0x20..0x7f).contains(byte);
    // Without short cuts, so that it is one comparison of all of them.
    let whole = |block: &&[u8]| block.iter().fold(true, |all, byte| all & printable(byte));
    let skipped = BLOCK * bytes.chunks_exact(BLOCK).take_while(whole).count();
    skipped + bytes[skipped..].iter().take_while(|byte| printable(byte)).count()
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
