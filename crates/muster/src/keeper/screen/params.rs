//! Parameters of a control sequence: numbers between semicolons, each with sub-parameters between colons.
//!
//! Missing parameters are 0 and missing sub-parameters -1, as xterm.js has it. Invariant: never more than `PARAMS_MAX` of
//! either, and no value overflows, whatever a program sends.

/// Parameters, and sub-parameters, that one sequence may have; what follows is ignored.
const PARAMS_MAX: usize = 32;

/// The parameters of one sequence.
#[derive(Clone, Copy, Debug)]
pub struct Params {
    values: [i32; PARAMS_MAX],
    subs: [i32; PARAMS_MAX],
    /// Where the sub-parameters of each parameter end; they begin where those of the one before end.
    sub_ends: [u8; PARAMS_MAX],
    len: usize,
    sub_len: usize,
    full: bool,
    subs_full: bool,
    in_sub: bool,
    given: bool,
}

impl Default for Params {
    fn default() -> Params {
        let mut params = Params {
            values: [0; PARAMS_MAX],
            subs: [0; PARAMS_MAX],
            sub_ends: [0; PARAMS_MAX],
            len: 0,
            sub_len: 0,
            full: false,
            subs_full: false,
            in_sub: false,
            given: false,
        };
        params.next();
        params
    }
}

impl Params {
    /// How many parameters there are; at least one.
    pub fn count_given(&self) -> usize {
        self.len
    }

    /// True when the sequence has no parameter at all, which is not the same as one of 0.
    pub fn is_bare(&self) -> bool {
        !self.given
    }

    /// A parameter; 0 where there is none.
    pub fn get(&self, at: usize) -> i32 {
        if at < self.len { self.values[at] } else { 0 }
    }

    /// A count or a position: at least 1, at most `most`.
    pub fn count(&self, at: usize, most: usize) -> usize {
        (self.get(at).max(1) as usize).min(most)
    }

    /// The sub-parameters of a parameter.
    pub fn subs(&self, at: usize) -> &[i32] {
        if at >= self.len {
            return &[];
        }
        let begin = if at == 0 { 0 } else { self.sub_ends[at - 1] };
        &self.subs[usize::from(begin)..usize::from(self.sub_ends[at])]
    }

    /// Takes a byte of a sequence: a digit, `;` or `:`.
    pub fn push(&mut self, byte: u8) {
        self.given = true;
        match byte {
            b';' => self.next(),
            b':' => self.next_sub(),
            digit => self.digit(i32::from(digit.wrapping_sub(b'0'))),
        }
    }

    fn next(&mut self) {
        self.in_sub = false;
        if self.len == PARAMS_MAX {
            self.full = true;
            return;
        }
        self.values[self.len] = 0;
        self.sub_ends[self.len] = self.sub_len as u8;
        self.len += 1;
    }

    fn next_sub(&mut self) {
        self.in_sub = true;
        if self.full || self.sub_len == PARAMS_MAX {
            self.subs_full = true;
            return;
        }
        self.subs[self.sub_len] = -1;
        self.sub_len += 1;
        self.sub_ends[self.len - 1] = self.sub_len as u8;
    }

    fn digit(&mut self, digit: i32) {
        if self.full || (self.in_sub && (self.subs_full || self.sub_len == 0)) {
            return;
        }
        let value = if self.in_sub { &mut self.subs[self.sub_len - 1] } else { &mut self.values[self.len - 1] };
        *value = if *value == -1 { digit } else { value.saturating_mul(10).saturating_add(digit) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Params {
        let mut params = Params::default();
        text.bytes().for_each(|byte| params.push(byte));
        params
    }

    #[test]
    fn numbers_and_their_subs() {
        let params = of("38:2::1:22;4:3;;99999999999");
        assert_eq!((params.count_given(), params.get(0), params.subs(0)), (4, 38, &[2, -1, 1, 22][..]));
        assert_eq!((params.get(1), params.subs(1), params.get(2), params.get(3)), (4, &[3][..], 0, i32::MAX));
        assert_eq!((params.get(9), params.subs(9)), (0, &[][..]));
    }

    #[test]
    fn more_than_fit_are_ignored() {
        let params = of(&"7;".repeat(100));
        assert_eq!((params.count_given(), params.get(31)), (32, 7));
        let params = of(&"1:".repeat(100));
        assert_eq!((params.count_given(), params.subs(0).len()), (1, 32));
    }
}
