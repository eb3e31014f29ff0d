//! What model programs print: bytes that tell their terminal and offset, so that a misplaced one shows.

/// A prime, so that no frame or window length is a multiple of it.
const PERIOD: usize = 251;

/// The bytes `[from, to)` of a terminal's log.
pub fn bytes(terminal: u32, from: u64, to: u64) -> Vec<u8> {
    let start = (from % PERIOD as u64) as usize;
    let length = (to - from) as usize;
    let salt = terminal as u8;
    let table: Vec<u8> = (0..PERIOD).map(|i| (i as u8).wrapping_mul(7) ^ salt).collect();
    let mut out = Vec::with_capacity(length);
    let mut at = start;
    while out.len() < length {
        let take = (PERIOD - at).min(length - out.len());
        out.extend_from_slice(&table[at..at + take]);
        at = 0;
    }
    out
}
