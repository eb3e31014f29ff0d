//! A snapshot restored, cut anywhere.

use crate::keeper::screen::Screen;
use proptest::prelude::*;
use protocol::control::Size;

const SIZE: Size = Size { cols: 20, rows: 6 };

fn of(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(SIZE);
    screen.feed(bytes);
    screen
}

/// What a snapshot restores must be restored by its own snapshot: painting twice changes nothing.
fn check(stream: &[u8], cut: usize) {
    let original = of(stream);
    let mut restored = of(&of(&stream[..cut]).snapshot(1000));
    restored.feed(&stream[cut..]);
    assert_eq!(restored.text(), original.text(), "cut at {cut} of {:?}", String::from_utf8_lossy(stream));
    let (a, b) = (restored.snapshot(0), original.snapshot(0));
    assert_eq!(
        String::from_utf8_lossy(&a),
        String::from_utf8_lossy(&b),
        "cut at {cut} of {:?}",
        String::from_utf8_lossy(stream)
    );
}

#[test]
fn a_cut_anywhere_restores_everything() {
    let streams: [&str; 13] = [
        "plain\r\ntext\r\n\r\nmore",
        "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\nseven\r\neight",
        "\x1b[1;31mred\x1b[44mblue\x1b[K\r\n\x1b[0mx\x1b[3;4H\x1b[38;2;1;2;3mrgb\x1b[4:3;58:5:9mcurly\x1b[m",
        "漢字漢字漢字漢字漢字漢字漢字 wide\r\ne\u{301}a\u{308}\u{301} marks 😀😀",
        "a line that is longer than the screen is wide, and wraps, and wraps\r\nnext",
        "primary\x1b7\x1b[2;2H\x1b[?1049h\x1b[Halternate\x1b[3;3H\x1b[7mx\x1b[?1049lback",
        "\x1b[2;4r\x1b[?6hin the region\n\n\n\nscrolled\x1b[?6l\x1b[r",
        "\x1b(0lqqk\x0e\x1b)0xx\x0f\x1b(Bplain\x1b[4hins\x1b[1;1Hert\x1b[4l",
        "\x1b[?25l\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?1h\x1b=\x1b[5 q\x1b[>1u\x1b[>4;2m\x1b]2;title\x07\x1b]8;;http://a/b\x07link\x1b]8;;\x07",
        "\x1b[3g\x1b[1;5H\x1bH\x1b[1;11H\x1bH\r\tx\ty\r\n\x1b[2 q\x1b[?7lno wrap here, it stays in the last column",
        "\x1b[19C\x0f\u{6e4}next line",
        "exactly twenty chars\r\nexactly twenty char\u{301}s\x1b[6nx\x1b[5Cyy\x1b[3bz\x1b[2b",
        "\x1b[1\"qprotected\x1b[0\"q not\x1b[?2J\x1b[5;1H\x1b[41m\x1b[2L\x1b[1P\x1b[1@\x1b[3X",
    ];
    for stream in streams {
        (0..=stream.len()).for_each(|cut| check(stream.as_bytes(), cut));
    }
}

fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "hello ",
        "漢",
        "😀",
        "e\u{301}",
        "\u{301}",
        "\r\n",
        "\n",
        "\r",
        "\t",
        "\x08",
        "\x1b[A",
        "\x1b[3B",
        "\x1b[7C",
        "\x1b[2D",
        "\x1b[H",
        "\x1b[4;9H",
        "\x1b[J",
        "\x1b[1J",
        "\x1b[2J",
        "\x1b[K",
        "\x1b[1K",
        "\x1b[2K",
        "\x1b[L",
        "\x1b[2M",
        "\x1b[3P",
        "\x1b[2@",
        "\x1b[4X",
        "\x1b[S",
        "\x1b[2T",
        "\x1b[2;5r",
        "\x1b[r",
        "\x1b[?6h",
        "\x1b[?6l",
        "\x1b[?7l",
        "\x1b[?7h",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[?47h",
        "\x1b[?47l",
        "\x1b(0",
        "\x1b(B",
        "\x0e",
        "\x0f",
        "\x1b)0",
        "\x1b[m",
        "\x1b[1;7m",
        "\x1b[31;44m",
        "\x1b[48;5;99m",
        "\x1b[4:3m",
        "\x1b]8;;u\x07",
        "\x1b]8;;\x07",
        "\x1b[3b",
        "\x1b#8",
        "\x1bH",
        "\x1b[g",
        "\x1b[!p",
        "\x1bc",
        "aaaaaaaaaaaaaaaaaaaaaaaaa",
        "\x1b[5G",
        "\x1b[3d",
        "\x1b[1\"q",
        "\x1b[?1J",
        "\x1b[20h",
        "\x1b[20l",
    ]);
    fixed.prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn any_stream_is_taken_and_painted(pieces in prop::collection::vec(piece(), 0..40), cols in 2u16..30, rows in 2u16..9) {
        let mut screen = Screen::new(Size { cols, rows });
        screen.feed(pieces.concat().as_bytes());
        let mut restored = Screen::new(Size { cols, rows });
        restored.feed(&screen.snapshot(100));
        prop_assert_eq!(restored.text(), screen.text());
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        of(&bytes).snapshot(10);
    }
}
