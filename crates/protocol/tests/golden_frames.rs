//! The bytes of every kind of frame and the number of every close code, pinned; and the bounds at which frames are refused.
#![allow(missing_docs)]

use muster_protocol::close::{CloseCode, Reconnect, reconnect_after};
use muster_protocol::deflate;
use muster_protocol::frame::{self, FRAME_VERSION, Flags, Frame, FrameError, Header, Kind};
use muster_protocol::limits::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn each_kind_has_its_bytes() {
    // version, kind, flags, zero | terminal | offset | payload
    assert_eq!(hex(&frame::output(7, 0x0102, b"hi")), "01010000 00000007 0000000000000102 6869".replace(' ', ""));
    assert_eq!(
        hex(&frame::input(7, 0xfe, 3, b"x")),
        "01030000 00000007 0000000000000003 00000000000000fe 78".replace(' ', "")
    );
    assert_eq!(
        hex(&frame::input_ack(7, 0xfe, 4, Flags::RESEND)),
        "01041000 00000007 0000000000000004 00000000000000fe".replace(' ', "")
    );
    assert_eq!(hex(&frame::credit(u32::MAX, 5)), "01050000 ffffffff 0000000000000005".replace(' ', ""));
    let snapshot = frame::screen(Kind::Snapshot, Flags::JUMP, 7, 9, 120, 40, b"ab");
    assert_eq!(snapshot.len(), 1);
    assert_eq!(hex(&snapshot[0]), "01020800 00000007 0000000000000009 00780028 6162".replace(' ', ""));
    let checkpoint = frame::screen(Kind::Checkpoint, Flags::NONE, 7, 9, 80, 24, b"");
    assert_eq!(hex(&checkpoint[0]), "01060000 00000007 0000000000000009 00500018".replace(' ', ""));
}

#[test]
fn flags_have_their_bits() {
    let bits = [Flags::NONE, Flags::DEFLATE, Flags::MORE, Flags::SCROLLBACK, Flags::JUMP, Flags::RESEND, Flags::REST];
    assert_eq!(bits.map(|flags| flags.0), [0, 1, 2, 4, 8, 16, 32]);
    assert_eq!(FRAME_VERSION, 1);
}

#[test]
fn a_deflated_payload_has_its_length_first() {
    let packed = deflate::deflate(&[b'a'; 1_000]).expect("smaller");
    assert_eq!(hex(&packed[..4]), "000003e8");
    // A stream that another deflate made: stored block, final, "abc".
    let foreign = [&[0, 0, 0, 3, 1, 3, 0, 0xfc, 0xff][..], b"abc"].concat();
    assert_eq!(deflate::inflate(&foreign).expect("inflates"), b"abc");
}

#[test]
fn long_screens_come_in_parts_that_make_a_whole() {
    // Bytes that do not deflate, so that the parts are full.
    let mut seed = 1u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let paint: Vec<u8> = (0..150_000).map(|_| noise()).collect();
    let parts = frame::screen(Kind::Snapshot, Flags::SCROLLBACK, 7, 9, 120, 40, &paint);
    assert_eq!(parts.len(), 3);
    let mut whole = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        assert!(part.len() <= FRAME_BYTES_MAX);
        let frame = Frame::decode(part).expect("decodes");
        assert_eq!(frame.header.flags.has(Flags::MORE), index < 2);
        assert_eq!(frame.header.flags.has(Flags::REST), index > 0);
        assert!(frame.header.flags.has(Flags::SCROLLBACK) && frame.header.offset == 9);
        whole.extend_from_slice(&frame.raw_payload().expect("inflates"));
    }
    assert_eq!(whole[..4], [0, 120, 0, 40]);
    assert_eq!(whole[4..], paint);
}

fn refused(bytes: &[u8]) -> FrameError {
    Frame::decode(bytes).expect_err("refused")
}

#[test]
fn every_bound_refuses_with_its_own_error() {
    let header = |kind, flags, offset| Header { kind, flags, terminal: 1, offset };
    let output = header(Kind::Output, Flags::NONE, 0);
    assert!(Frame::decode(&output.with_payload(&vec![0; FRAME_PAYLOAD_BYTES_MAX])).is_ok());
    assert_eq!(refused(&vec![1; FRAME_BYTES_MAX + 1]), FrameError::TooLarge);
    assert_eq!(refused(&output.encode()[..15]), FrameError::Truncated);
    assert_eq!(refused(&[]), FrameError::Truncated);
    let with = |index: usize, value: u8| {
        let mut bytes = output.encode();
        bytes[index] = value;
        refused(&bytes)
    };
    assert_eq!(
        (with(0, 2), with(1, 0), with(1, 7)),
        (FrameError::Version(2), FrameError::Kind(0), FrameError::Kind(7))
    );
    assert!(Frame::decode(&header(Kind::Credit, Flags::NONE, OFFSET_MAX - 1).encode()).is_ok());
    assert_eq!(refused(&header(Kind::Credit, Flags::NONE, OFFSET_MAX).encode()), FrameError::Offset);
    let input = |bytes| frame::input(1, 1, 0, &vec![0; bytes]);
    assert!(Frame::decode(&input(INPUT_BYTES_MAX - 8)).is_ok());
    assert_eq!(refused(&input(INPUT_BYTES_MAX - 7)), FrameError::TooLarge);
    for kind in [Kind::Input, Kind::InputAck] {
        assert_eq!(refused(&header(kind, Flags::NONE, 0).with_payload(&[0; 7])), FrameError::Truncated);
        assert_eq!(refused(&header(kind, Flags::DEFLATE, 0).with_payload(&[0; 8])), FrameError::Payload);
    }
    assert_eq!(refused(&header(Kind::Credit, Flags::NONE, 0).with_payload(b"x")), FrameError::Payload);
    assert_eq!(refused(&header(Kind::Credit, Flags::DEFLATE, 0).encode()), FrameError::Payload);
    let deflated = |payload: &[u8]| refused(&header(Kind::Output, Flags::DEFLATE, 0).with_payload(payload));
    assert_eq!(deflated(&[0, 0, 0]), FrameError::Payload);
    let too_long = u32::try_from(FRAME_INFLATED_BYTES_MAX + 1).expect("fits").to_be_bytes();
    assert_eq!(deflated(&too_long), FrameError::TooLarge);
    // What only inflating tells: garbage, and a stream of another length than stated.
    for payload in [&[0, 0, 0, 9, 0xff, 0xff][..], &[0, 0, 0, 4, 1, 3, 0, 0xfc, 0xff, b'a', b'b', b'c']] {
        let bytes = header(Kind::Output, Flags::DEFLATE, 0).with_payload(payload);
        assert_eq!(Frame::decode(&bytes).expect("header").raw_payload(), Err(FrameError::Payload));
    }
    let mut unknown_bits = output.encode();
    (unknown_bits[2], unknown_bits[3]) = (0xc0, 0xff);
    assert!(Frame::decode(&unknown_bits).is_ok(), "bits and the zero byte of a newer version are ignored");
}

#[test]
fn close_codes_have_their_numbers_and_verdicts() {
    let table = CloseCode::ALL.map(|close| (close.code(), close.name(), close.reconnect()));
    use Reconnect::*;
    let expected = [
        (4000, "protocol", Backoff),
        (4001, "unauthorized", Reauthenticate),
        (4002, "version", Never),
        (4003, "replaced", Never),
        (4004, "too_large", Backoff),
        (4005, "malformed", Backoff),
        (4006, "rate_limited", Backoff),
        (4007, "revoked", Never),
        (4008, "going_away", Backoff),
        (4009, "hello_timeout", Backoff),
        (4010, "overloaded", Backoff),
        (4011, "disconnected", Never),
    ];
    assert_eq!(table, expected);
    for code in [0, 1000, 1006, 3999, 4012, 4999, u16::MAX] {
        assert_eq!((CloseCode::from_code(code), reconnect_after(code)), (None, Backoff));
    }
    for (code, _, verdict) in expected {
        assert_eq!(reconnect_after(code), verdict);
    }
}
