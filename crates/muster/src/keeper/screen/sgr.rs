//! SGR: what `CSI ... m` does to a pen, and the shortest `CSI ... m` from one pen to another.
//!
//! Invariant: writing the way from `a` to `b` and reading it with pen `a` gives `b`. Knows neither cells nor rows.

use super::cell::{COLOR_MODE, COLOR_P16, COLOR_P256, COLOR_RGB, Extended, Pen, RGB_MASK, bg, fg};
use super::params::Params;

const COLOR: u32 = COLOR_MODE | RGB_MASK;
/// What SGR 59 leaves in [`Extended::underline_color`].
const UNDERLINE_COLOR_DEFAULT: u32 = COLOR;

/// Applies `CSI ... m`.
pub fn apply(params: &Params, pen: &mut Pen, ext: &mut Extended) {
    let mut at = 0;
    while at < params.count_given() {
        let code = params.get(at);
        match code {
            0 => {
                (pen.fg, pen.bg) = (0, 0);
                (ext.underline, ext.underline_color) = (0, 0);
                mark_extended(pen, ext);
            }
            1 => pen.fg |= fg::BOLD,
            2 => pen.bg |= bg::DIM,
            3 => pen.bg |= bg::ITALIC,
            4 => underline(params.subs(at).first().copied().unwrap_or(1), pen, ext),
            5 => pen.fg |= fg::BLINK,
            7 => pen.fg |= fg::INVERSE,
            8 => pen.fg |= fg::INVISIBLE,
            9 => pen.fg |= fg::STRIKETHROUGH,
            21 => underline(2, pen, ext),
            22 => {
                pen.fg &= !fg::BOLD;
                pen.bg &= !bg::DIM;
            }
            23 => pen.bg &= !bg::ITALIC,
            24 => underline(0, pen, ext),
            25 => pen.fg &= !fg::BLINK,
            27 => pen.fg &= !fg::INVERSE,
            28 => pen.fg &= !fg::INVISIBLE,
            29 => pen.fg &= !fg::STRIKETHROUGH,
            30..=37 => paint(&mut pen.fg, COLOR_P16 | (code as u32 - 30)),
            39 => paint(&mut pen.fg, 0),
            40..=47 => paint(&mut pen.bg, COLOR_P16 | (code as u32 - 40)),
            49 => paint(&mut pen.bg, 0),
            90..=97 => paint(&mut pen.fg, COLOR_P16 | 8 | (code as u32 - 90)),
            100..=107 => paint(&mut pen.bg, COLOR_P16 | 8 | (code as u32 - 100)),
            38 | 48 | 58 => {
                let (color, used) = extended_color(params, at);
                let target = match code {
                    38 => &mut pen.fg,
                    48 => &mut pen.bg,
                    _ => &mut ext.underline_color,
                };
                color.into_iter().for_each(|color| paint(target, color));
                at += used;
            }
            53 => pen.bg |= bg::OVERLINE,
            55 => pen.bg &= !bg::OVERLINE,
            59 => {
                ext.underline_color = UNDERLINE_COLOR_DEFAULT;
                mark_extended(pen, ext);
            }
            _ => {}
        }
        at += 1;
    }
}

/// Keeps the pen's mark in step with its rare attributes.
pub fn mark_extended(pen: &mut Pen, ext: &Extended) {
    if ext.is_empty() { pen.bg &= !bg::EXTENDED } else { pen.bg |= bg::EXTENDED }
}

fn paint(target: &mut u32, color: u32) {
    *target = *target & !COLOR | color;
}

fn underline(style: i32, pen: &mut Pen, ext: &mut Extended) {
    ext.underline = if (0..=5).contains(&style) { style as u8 } else { 1 };
    if ext.underline == 0 {
        pen.fg &= !fg::UNDERLINE
    } else {
        pen.fg |= fg::UNDERLINE
    }
    mark_extended(pen, ext);
}

/// The colour after 38, 48 or 58, given by parameters, by sub-parameters, or by a mixture, and how many parameters more
/// than one it took. This follows xterm.js' `_extractColor` step for step.
fn extended_color(params: &Params, at: usize) -> (Option<u32>, usize) {
    let mut got = [0, 0, -1, 0, 0, 0];
    let (mut space, mut advance) = (0, 0);
    loop {
        got[advance + space] = params.get(at + advance);
        let subs = params.subs(at + advance);
        if !subs.is_empty() {
            for (index, sub) in subs.iter().enumerate() {
                if got[1] == 5 {
                    space = 1;
                }
                if index + advance + 1 + space >= got.len() {
                    break;
                }
                got[advance + index + 1 + space] = *sub;
            }
            break;
        }
        if (got[1] == 5 && advance + space >= 2) || (got[1] == 2 && advance + space >= 5) {
            break;
        }
        if got[1] != 0 {
            space = 1;
        }
        advance += 1;
        if advance + at >= params.count_given() || advance + space >= got.len() {
            break;
        }
    }
    let byte = |at: usize| got[at].max(0) as u32 & 0xff;
    let color = match got[1] {
        2 => Some(COLOR_RGB | byte(3) << 16 | byte(4) << 8 | byte(5)),
        5 => Some(COLOR_P256 | byte(3)),
        _ => None,
    };
    (color, advance)
}

/// Appends what turns pen `from` into pen `to`; nothing when they are equal. Links are not SGR's.
pub fn write(out: &mut Vec<u8>, from: (&Pen, &Extended), to: (&Pen, &Extended)) {
    let mut codes = Codes { begin: out.len(), out };
    let ((mut a, mut a_ext), (b, b_ext)) = ((*from.0, from.1.clone()), to);
    if b_ext.underline_color == 0 && a_ext.underline_color != 0 {
        codes.push("0"); // Nothing else takes it away.
        (a.fg, a.bg, a_ext.underline, a_ext.underline_color) = (0, 0, 0, 0);
    }
    if (a.fg & fg::BOLD, a.bg & bg::DIM) != (b.fg & fg::BOLD, b.bg & bg::DIM) {
        let off = a.fg & !b.fg & fg::BOLD | a.bg & !b.bg & bg::DIM != 0;
        if off {
            codes.push("22");
        }
        codes.push_if(b.fg & fg::BOLD != 0 && (off || a.fg & fg::BOLD == 0), "1");
        codes.push_if(b.bg & bg::DIM != 0 && (off || a.bg & bg::DIM == 0), "2");
    }
    codes.toggle(a.bg, b.bg, bg::ITALIC, "3", "23");
    if (a.fg & fg::UNDERLINE, a_ext.underline) != (b.fg & fg::UNDERLINE, b_ext.underline) {
        match (b.fg & fg::UNDERLINE != 0, b_ext.underline) {
            (false, _) => codes.push("24"),
            (true, 0 | 1) => codes.push("4"),
            (true, style) => codes.push(&format!("4:{style}")),
        }
    }
    codes.toggle(a.fg, b.fg, fg::BLINK, "5", "25");
    codes.toggle(a.fg, b.fg, fg::INVERSE, "7", "27");
    codes.toggle(a.fg, b.fg, fg::INVISIBLE, "8", "28");
    codes.toggle(a.fg, b.fg, fg::STRIKETHROUGH, "9", "29");
    codes.toggle(a.bg, b.bg, bg::OVERLINE, "53", "55");
    codes.color(a.fg, b.fg, 30);
    codes.color(a.bg, b.bg, 40);
    if a_ext.underline_color != b_ext.underline_color {
        codes.underline_color(b_ext.underline_color);
    }
    let plain = b.fg == 0
        && b.bg & !(bg::EXTENDED | bg::PROTECTED) == 0
        && *b_ext == Extended { link: b_ext.link.clone(), ..Extended::default() };
    codes.end(plain);
}

/// The codes of one sequence, written where they go: a line's worth of colours must not cost an allocation each.
struct Codes<'a> {
    out: &'a mut Vec<u8>,
    begin: usize,
}

impl Codes<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        let lead: &[u8] = if self.out.len() == self.begin { b"\x1b[" } else { b";" };
        self.out.extend_from_slice(lead);
        self.out
    }

    fn end(self, plain: bool) {
        if self.out.len() == self.begin {
            return;
        }
        if plain {
            self.out.truncate(self.begin);
            self.out.extend_from_slice(b"\x1b[");
        }
        self.out.push(b'm');
    }

    fn push(&mut self, code: &str) {
        self.next().extend_from_slice(code.as_bytes());
    }

    /// Numbers, each but the first after the separator.
    fn numbers(&mut self, separator: u8, numbers: &[u32]) {
        let out = self.next();
        for (index, number) in numbers.iter().enumerate() {
            if index > 0 {
                out.push(separator);
            }
            push_number(out, *number);
        }
    }

    fn push_if(&mut self, wanted: bool, code: &str) {
        if wanted {
            self.push(code);
        }
    }

    fn toggle(&mut self, a: u32, b: u32, bit: u32, on: &str, off: &str) {
        match (a & bit != 0, b & bit != 0) {
            (false, true) => self.push(on),
            (true, false) => self.push(off),
            _ => {}
        }
    }

    fn color(&mut self, a: u32, b: u32, base: u32) {
        if a & COLOR == b & COLOR {
            return;
        }
        let [_, red, green, blue] = (b & RGB_MASK).to_be_bytes().map(u32::from);
        match b & COLOR_MODE {
            COLOR_P16 if b & 0xff < 8 => self.numbers(b';', &[base + (b & 0xff)]),
            COLOR_P16 => self.numbers(b';', &[base + 60 + (b & 7)]),
            COLOR_P256 => self.numbers(b';', &[base + 8, 5, b & 0xff]),
            COLOR_RGB => self.numbers(b';', &[base + 8, 2, red, green, blue]),
            _ => self.numbers(b';', &[base + 9]),
        }
    }

    fn underline_color(&mut self, color: u32) {
        let [_, red, green, blue] = (color & RGB_MASK).to_be_bytes();
        match color & COLOR_MODE {
            COLOR_P256 => self.push(&format!("58:5:{}", color & 0xff)),
            COLOR_RGB if color == UNDERLINE_COLOR_DEFAULT => self.push("59"),
            COLOR_RGB => self.push(&format!("58:2::{red}:{green}:{blue}")),
            _ => {}
        }
    }
}

/// A number in decimal; colours and codes have at most three digits.
fn push_number(out: &mut Vec<u8>, number: u32) {
    for place in [100, 10] {
        if number >= place {
            out.push(b'0' + (number / place % 10) as u8);
        }
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
#[path = "sgr_tests.rs"]
mod tests;
