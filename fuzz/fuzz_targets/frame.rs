//! Binary frames: no bytes panic, nothing grows beyond its limit, and what decodes encodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::frame::{Frame, Kind};
use protocol::limits::FRAME_INFLATED_BYTES_MAX;

fuzz_target!(|bytes: &[u8]| {
    let Ok(frame) = Frame::decode(bytes) else { return };
    if let Ok(raw) = frame.raw_payload() {
        assert!(raw.len() <= FRAME_INFLATED_BYTES_MAX);
        assert_eq!(raw.len() as u64, frame.len());
    }
    assert!(frame.end() >= frame.header.offset);
    assert_eq!(frame.writer().is_some(), matches!(frame.header.kind, Kind::Input | Kind::InputAck));
    let again = frame.header.with_payload(frame.payload);
    assert_eq!(Frame::decode(&again), Ok(frame));
});
