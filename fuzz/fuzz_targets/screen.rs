//! The emulator beside a PTY: no program's bytes panic it, and a snapshot taken anywhere continues like the original.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::keeper::screen::Screen;
use protocol::control::Size;

fuzz_target!(|input: (u8, u8, u8, &[u8], &[u8])| {
    let (cols, rows, other, before, after) = input;
    let mut screen = Screen::new(Size { cols: u16::from(cols), rows: u16::from(rows) });
    screen.feed(before);
    screen.take_events();
    if other > 0 {
        screen.resize(Size { cols: u16::from(other), rows: u16::from(rows) });
    }
    let mut restored = Screen::new(screen.size());
    restored.feed(&screen.snapshot(0));
    // A smaller size cuts wide characters in half, which nothing can print again.
    let is_whole = other == 0;
    if is_whole {
        assert_eq!(restored.text(), screen.text(), "the snapshot shows the same");
    }
    screen.feed(after);
    restored.feed(after);
    if is_whole {
        assert_eq!(restored.text(), screen.text(), "what follows has the same effect");
    }
});
