//! What the parser finds, and that a cut anywhere changes nothing.

use super::*;

#[derive(Default, Debug, PartialEq)]
struct Seen(Vec<String>);

impl Perform for Seen {
    fn print_ascii(&mut self, run: &[u8]) {
        self.0.extend(run.iter().map(|byte| format!("p{}", *byte as char)));
    }
    fn print(&mut self, code: u32) {
        self.0.push(format!("p{}", char::from_u32(code).unwrap()));
    }
    fn execute(&mut self, code: u8) {
        self.0.push(format!("x{code:02x}"));
    }
    fn csi(&mut self, ident: u32, params: &Params) {
        let values: Vec<i32> = (0..params.count_given()).map(|at| params.get(at)).collect();
        self.0.push(format!("csi {:x} {values:?}", ident));
    }
    fn esc(&mut self, ident: u32) {
        self.0.push(format!("esc {ident:x}"));
    }
    fn osc(&mut self, payload: &[u8]) {
        self.0.push(format!("osc {}", String::from_utf8_lossy(payload)));
    }
    fn dcs(&mut self, ident: u32, payload: &[u8]) {
        self.0.push(format!("dcs {ident:x} {}", String::from_utf8_lossy(payload)));
    }
    fn unjoin(&mut self) {}
}

const STREAM: &[u8] = b"a\x1b[1;31mb\xe2\x94\x80\x1b]2;t\xc3\xa9\x07c\x1b]0;x\x1b\\\x1bP$qm\x1b\\\x1b[?1\n049h\x1b(0\
    \xc2\x9b5C\x1b_ignored\x1b\\d\xf0\x9f\x98\x80\x1b[>1u\x1b[1 q\x9bz\xe2\x28e\x1b[1<2mf";

fn all(bytes: &[u8]) -> Seen {
    let mut seen = Seen::default();
    Parser::default().feed(bytes, &mut seen);
    seen
}

#[test]
fn finds_what_is_there() {
    let found = all(STREAM).0.join(" ");
    for part in ["csi 6d [1, 31] pb p─ osc 2;té pc osc 0;x esc 5c dcs 2471 m", "x0a csi 3f68 [1049]", "esc 2830"] {
        assert!(found.contains(part), "{part} in {found}");
    }
    assert!(found.contains("csi 43 [5] esc 5c pd p😀 csi 3e75 [1] csi 2071 [1] pz p( pe pf"), "{found}");
}

#[test]
fn runs_of_any_length_are_measured() {
    for length in 0..70 {
        for end in [0x1f, 0x7f, 0x80, b'\n'] {
            let mut bytes = vec![b'~'; length];
            assert_eq!(printable_run(&bytes), length);
            bytes.extend([end, b'a', b'a']);
            assert_eq!(printable_run(&bytes), length);
        }
    }
}

#[test]
fn a_cut_anywhere_changes_nothing() {
    for cut in 0..STREAM.len() {
        let (mut seen, mut first) = (Seen::default(), Parser::default());
        first.feed(&STREAM[..cut], &mut seen);
        // A second parser that is fed what the first has not finished goes on as the first would.
        let mut second = Parser::default();
        let before = seen.0.len();
        first.unfinished().for_each(|part| second.feed(part, &mut seen));
        assert_eq!(seen.0.len(), before, "what is unfinished does nothing by itself");
        second.feed(&STREAM[cut..], &mut seen);
        assert_eq!(seen, all(STREAM), "cut at {cut}");
    }
}

#[test]
fn an_endless_string_is_bounded() {
    let (mut seen, mut parser) = (Seen::default(), Parser::default());
    parser.feed(b"\x1b]52;c;", &mut seen);
    for _ in 0..100 {
        parser.feed(&[b'A'; 1000], &mut seen);
    }
    assert!(parser.unfinished().map(<[u8]>::len).sum::<usize>() <= UNFINISHED_BYTES_MAX);
    parser.feed(b"\x07x", &mut seen);
    assert_eq!(seen.0, ["px"]);
}
