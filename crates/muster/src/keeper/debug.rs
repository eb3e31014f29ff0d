//! Snapshots of a recorded stream, to look at and to test with: `muster debug snapshot`.
//!
//! Invariant: it is the keeper's own screen that paints, so what a test proves of this holds for the product.

use std::io::{self, Read, Write};

use protocol::control::Size;

use super::screen::Screen;

/// How much a recording may hold.
const RECORDING_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a recording and writes its snapshot after each number of bytes in `cuts`, in rising order; the end, if there are
/// none. With more than one, a `u32` (big-endian) with its length comes before each.
pub fn snapshots(
    input: impl Read,
    out: &mut impl Write,
    size: Size,
    cuts: &[usize],
    scrollback: usize,
) -> io::Result<()> {
    let mut recording = Vec::new();
    input.take(RECORDING_BYTES_MAX).read_to_end(&mut recording)?;
    let (mut screen, mut at) = (Screen::new(size), 0);
    let all = [recording.len()];
    let cuts = if cuts.is_empty() { &all } else { cuts };
    for cut in cuts {
        let cut = (*cut).clamp(at, recording.len());
        screen.feed(&recording[at..cut]);
        screen.take_events();
        at = cut;
        let paint = screen.snapshot(scrollback);
        if cuts.len() > 1 {
            out.write_all(&(paint.len() as u32).to_be_bytes())?;
        }
        out.write_all(&paint)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_bare_and_several_are_counted() {
        let size = Size { cols: 20, rows: 3 };
        let (mut one, mut two) = (Vec::new(), Vec::new());
        snapshots(&b"ab"[..], &mut one, size, &[], 0).unwrap();
        snapshots(&b"ab"[..], &mut two, size, &[1, 2], 0).unwrap();
        assert!(two.ends_with(&one) && two[two.len() - one.len() - 4..][..4] == (one.len() as u32).to_be_bytes());
    }
}
