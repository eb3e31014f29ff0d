//! The conversation over a keeper's socket: any bytes in any pieces give the same messages or the same refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::keeper::wire::{Decoder, Message};

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    assert_eq!(messages(bytes, bytes.len().max(1)), messages(bytes, usize::from(step).max(1)));
});

fn messages(bytes: &[u8], step: usize) -> Vec<Vec<u8>> {
    let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(step) {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(Message::Json(text))) => seen.push(text.as_bytes().to_vec()),
                Ok(Some(Message::Frame(frame))) => seen.push(frame.to_vec()),
                Ok(None) => break,
                Err(_) => return seen,
            }
        }
    }
    seen
}
