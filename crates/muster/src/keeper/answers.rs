//! Questions that programs ask of a terminal, and the keeper's answers.
//!
//! The keeper is the only one that answers, at the place in the stream where the question stands, so that a program gets
//! one answer however many people watch, and none when a log is replayed. Answers say what xterm.js can do, since that
//! is what viewers have. Invariant: an answer is a function of the question and the terminal's state.

use super::screen::control_ident as ident;
use super::screen::{Params, Term};

/// What a program may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// DA1: what kind of terminal.
    Device,
    /// DA2: which version.
    DeviceVersion,
    /// DA3: which unit.
    DeviceUnit,
    /// DSR 5: all well?
    Health,
    /// DSR 6, plain or DEC's: where is the cursor?
    Cursor {
        /// DEC's form.
        private: bool,
    },
    /// `CSI ? 996 n`: dark or light?
    Theme,
    /// `CSI ? u`: which kitty keyboard flags?
    KittyKeyboard,
    /// XTVERSION: which program?
    Version,
    /// `CSI 18 t`: how many cells?
    SizeInCells,
    /// DECRQM: how is this mode?
    Mode {
        /// DEC's private modes.
        private: bool,
        /// Its number.
        mode: u16,
    },
    /// DECRQSS: how is this setting?
    Setting(Vec<u8>),
    /// XTGETTCAP: what is this capability?
    Capability(Vec<u8>),
    /// OSC 4, 10, 11, 12 with `?`: 0..=255 the palette, 256 foreground, 257 background, 258 cursor.
    Color(u16),
    /// OSC 7501: may I report my status?
    ProgramStatus,
}

/// Foreground, background and cursor of the dark theme: what most viewers show, and what agents choose colours against.
const SPECIAL_COLORS: [(u8, u8, u8); 3] = [(0xd4, 0xd4, 0xd8), (0x16, 0x16, 0x1a), (0xd4, 0xd4, 0xd8)];
/// The 16 colours that xterm.js has by default.
const COLORS_16: [u32; 16] = [
    0x2e3436, 0xcc0000, 0x4e9a06, 0xc4a000, 0x3465a4, 0x75507b, 0x06989a, 0xd3d7cf, 0x555753, 0xef2929, 0x8ae234,
    0xfce94f, 0x729fcf, 0xad7fa8, 0x34e2e2, 0xeeeeec,
];

impl Query {
    /// The question that a control sequence asks.
    pub fn of_control(number: u32, params: &Params) -> Option<Query> {
        const DA2: u32 = ident(b">c");
        const DA3: u32 = ident(b"=c");
        const DECDSR: u32 = ident(b"?n");
        const KITTY: u32 = ident(b"?u");
        const XTVERSION: u32 = ident(b">q");
        const DECRQM: u32 = ident(b"?$p");
        const RQM: u32 = ident(b"$p");
        let first = params.get(0);
        Some(match number {
            0x63 if first == 0 => Query::Device,
            DA2 if first == 0 => Query::DeviceVersion,
            DA3 if first == 0 => Query::DeviceUnit,
            0x6e if first == 5 => Query::Health,
            0x6e if first == 6 => Query::Cursor { private: false },
            DECDSR if first == 6 => Query::Cursor { private: true },
            DECDSR if first == 996 => Query::Theme,
            KITTY if params.is_bare() => Query::KittyKeyboard,
            XTVERSION if first == 0 => Query::Version,
            0x74 if first == 18 => Query::SizeInCells,
            DECRQM | RQM => Query::Mode { private: number == DECRQM, mode: u16::try_from(first).ok()? },
            _ => return None,
        })
    }

    /// The answer; `None` where silence is one.
    pub fn answer(&self, term: &Term) -> Option<Vec<u8>> {
        let grid = term.grid();
        Some(match self {
            Query::Device => b"\x1b[?1;2c".to_vec(),
            Query::DeviceVersion => b"\x1b[>0;276;0c".to_vec(),
            Query::DeviceUnit => b"\x1bP!|00000000\x1b\\".to_vec(),
            Query::Health => b"\x1b[0n".to_vec(),
            Query::Cursor { private } => {
                let mark = if *private { "?" } else { "" };
                format!("\x1b[{mark}{};{}R", grid.y + 1, (grid.x + 1).min(grid.cols)).into_bytes()
            }
            Query::Theme => b"\x1b[?997;1n".to_vec(),
            Query::KittyKeyboard => b"\x1b[?0u".to_vec(), // xterm.js has none.
            Query::Version => format!("\x1bP>|muster({})\x1b\\", env!("CARGO_PKG_VERSION")).into_bytes(),
            Query::SizeInCells => format!("\x1b[8;{};{}t", grid.rows.len(), grid.cols).into_bytes(),
            Query::Mode { private, mode } => {
                let mark = if *private { "?" } else { "" };
                let value = if *private { private_mode(term, *mode) } else { ansi_mode(term, *mode) };
                format!("\x1b[{mark}{mode};{value}$y").into_bytes()
            }
            Query::Setting(name) => setting(term, name),
            Query::Capability(names) => capability(names),
            Query::Color(index) => color(term, *index),
            Query::ProgramStatus => {
                b"\x1b]7501;?:states=idle,working,done,blocked,error:kinds=permission,question,auth\x1b\\".to_vec()
            }
        })
    }
}

const UNKNOWN: u8 = 0;
const ALWAYS_SET: u8 = 3;
const ALWAYS_RESET: u8 = 4;

fn switch(on: bool) -> u8 {
    if on { 1 } else { 2 }
}

fn ansi_mode(term: &Term, mode: u16) -> u8 {
    match mode {
        2 => ALWAYS_RESET,
        4 => switch(term.modes().insert),
        12 => ALWAYS_SET,
        20 => switch(term.modes().newline),
        _ => UNKNOWN,
    }
}

fn private_mode(term: &Term, mode: u16) -> u8 {
    let modes = term.modes();
    match mode {
        1 => switch(modes.application_cursor),
        6 => switch(modes.origin),
        7 => switch(modes.autowrap),
        8 => ALWAYS_SET,
        12 => switch(modes.other(12) == Some(true)),
        25 => switch(!modes.cursor_hidden),
        45 => switch(modes.reverse_wrap),
        66 => switch(modes.application_keypad),
        67 | 1005 | 1015 => ALWAYS_RESET,
        9 | 1000 | 1002 | 1003 => switch(modes.mouse == mode),
        1004 => switch(modes.focus),
        1006 | 1016 => switch(modes.mouse_encoding == mode),
        1048 => switch(true),
        47 | 1047 | 1049 => switch(term.is_alternate()),
        2004 => switch(modes.bracketed_paste),
        2026 => switch(modes.synchronized),
        _ => UNKNOWN,
    }
}

fn setting(term: &Term, name: &[u8]) -> Vec<u8> {
    let grid = term.grid();
    let text = match name {
        b"\"q" => format!("1$r{}\"q", u8::from(term.writes_protected())),
        b"\"p" => "1$r61;1\"p".to_owned(),
        b"r" => format!("1$r{};{}r", grid.top + 1, grid.bottom + 1),
        b"m" => "1$r0m".to_owned(),
        b" q" => format!("1$r{} q", term.modes().cursor_style.unwrap_or(1)),
        _ => "0$r".to_owned(),
    };
    format!("\x1bP{text}\x1b\\").into_bytes()
}

/// Names are hexadecimal, between semicolons; the first one unknown makes the answer a refusal, as xterm does it.
fn capability(names: &[u8]) -> Vec<u8> {
    let known: [(&str, &str); 4] =
        [("544E", "xterm-256color"), ("436F", "256"), ("636F6C6F7273", "256"), ("524742", "8")];
    let names = String::from_utf8_lossy(names).to_uppercase();
    let mut answers = Vec::new();
    for name in names.split(';') {
        let Some((_, value)) = known.iter().find(|(known, _)| *known == name) else {
            return b"\x1bP0+r\x1b\\".to_vec();
        };
        let hex: String = value.bytes().map(|byte| format!("{byte:02X}")).collect();
        answers.push(format!("{name}={hex}"));
    }
    format!("\x1bP1+r{}\x1b\\", answers.join(";")).into_bytes()
}

fn color(term: &Term, index: u16) -> Vec<u8> {
    let head = if index < 256 { format!("4;{index}") } else { (index - 246).to_string() };
    let spec = match term.modes().color(index).filter(|spec| spec.starts_with("rgb:")) {
        Some(spec) => spec.to_owned(),
        None => {
            let (red, green, blue) = default_color(index);
            format!("rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}")
        }
    };
    format!("\x1b]{head};{spec}\x1b\\").into_bytes()
}

fn default_color(index: u16) -> (u8, u8, u8) {
    let level = |n: u16| if n == 0 { 0 } else { 55 + 40 * n as u8 };
    match index {
        0..=15 => {
            let [_, red, green, blue] = COLORS_16[usize::from(index)].to_be_bytes();
            (red, green, blue)
        }
        16..=231 => {
            let n = index - 16;
            (level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232) as u8;
            (grey, grey, grey)
        }
        _ => SPECIAL_COLORS[usize::from(index - 256).min(2)],
    }
}

#[cfg(test)]
mod tests {
    use crate::keeper::screen::{Event, Screen};
    use protocol::control::Size;

    fn asked(text: &str) -> String {
        let mut screen = Screen::new(Size { cols: 20, rows: 5 });
        screen.feed(text.as_bytes());
        let answers = screen.take_events().into_iter().filter_map(|event| match event {
            Event::Answer(bytes) => Some(String::from_utf8(bytes).unwrap()),
            _ => None,
        });
        answers.collect::<String>().replace('\x1b', "^")
    }

    #[test]
    fn what_agents_ask_at_their_start() {
        assert_eq!(asked("\x1b[c\x1b[>c\x1b[5n\x1b[?u"), "^[?1;2c^[>0;276;0c^[0n^[?0u");
        assert_eq!(asked("\x1b[>0q"), format!("^P>|muster({})^\\", env!("CARGO_PKG_VERSION")));
        assert_eq!(asked("\x1b]11;?\x07"), "^]11;rgb:1616/1616/1a1a^\\");
        assert_eq!(asked("\x1b]10;?;?\x1b\\"), "^]10;rgb:d4d4/d4d4/d8d8^\\^]11;rgb:1616/1616/1a1a^\\");
        assert_eq!(asked("\x1b]4;1;?;196;?\x07"), "^]4;1;rgb:cccc/0000/0000^\\^]4;196;rgb:ffff/0000/0000^\\");
        assert_eq!(asked("\x1b[?2026$p\x1b[?2026h\x1b[?2026$p\x1b[4$p"), "^[?2026;2$y^[?2026;1$y^[4;2$y");
        assert_eq!(
            asked("\x1b]7501;?\x1b\\"),
            "^]7501;?:states=idle,working,done,blocked,error:kinds=permission,question,auth^\\"
        );
        assert_eq!(asked("\x1bP+q544e\x1b\\\x1bP+q6b31\x1b\\"), "^P1+r544E=787465726D2D323536636F6C6F72^\\^P0+r^\\");
        assert_eq!(asked("\x1bP$qr\x1b\\\x1b[18t"), "^P1$r1;5r^\\^[8;5;20t");
    }

    #[test]
    fn where_the_cursor_is_at_that_place_in_the_stream() {
        assert_eq!(asked("ab\x1b[6n\x1b[3;4H\x1b[6n\x1b[?6n"), "^[1;3R^[3;4R^[?3;4R");
        assert_eq!(asked(&format!("{}\x1b[6n", "x".repeat(20))), "^[1;20R");
    }

    #[test]
    fn an_answer_is_not_a_question() {
        assert_eq!(asked("\x1b[?1;2c\x1b[0n\x1b[3;4R\x1b[?0u\x1b]11;rgb:1/2/3\x07\x1b[?2026;2$y"), "");
    }
}
