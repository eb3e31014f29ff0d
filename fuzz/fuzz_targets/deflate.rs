//! Deflated payloads: hostile ones stay within their limit, honest ones come back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::deflate;
use protocol::limits::FRAME_INFLATED_BYTES_MAX;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(raw) = deflate::inflate(bytes) {
        assert!(raw.len() <= FRAME_INFLATED_BYTES_MAX);
        assert_eq!(deflate::inflated_len(bytes), Ok(raw.len()));
    }
    if let Some(packed) = deflate::deflate(bytes) {
        assert!(packed.len() < bytes.len());
        assert_eq!(deflate::inflate(&packed).as_deref(), Ok(bytes));
    }
});
