//! Stories of streams.

use super::*;
use proptest::prelude::*;

fn at(end: u64, screen: u64) -> Position {
    Position { oldest: 0, end, screen }
}

/// Takes every step that can be taken; returns what was sent live.
fn run(stream: &mut Stream, now: Position) -> Vec<(u64, u64)> {
    let mut sent = Vec::new();
    while let Some(step) = stream.next(now) {
        match step {
            Step::Output { from, to, live } => {
                assert!(from < to && to - from <= OUTPUT_BYTES_MAX);
                stream.sent(to, live);
                if live {
                    sent.push((from, to));
                }
            }
            Step::Snapshot { jump, .. } => stream.painted(now.screen, jump),
            Step::CatchUp(_) => break,
        }
    }
    sent
}

#[test]
fn the_window_bounds_what_is_under_way() {
    let mut stream = Stream::default();
    stream.stream(100, 10_000_000);
    assert_eq!(run(&mut stream, at(10_000_000, 0)).last().unwrap().1, 100 + WINDOW_BYTES);
    assert_eq!((stream.takes(100 + WINDOW_BYTES), stream.live_at()), (0, Some(100 + WINDOW_BYTES)));
    stream.credit(50_100, 10_000_000);
    assert_eq!(run(&mut stream, at(10_000_000, 0)).last().unwrap().1, 50_100 + WINDOW_BYTES);
    stream.credit(u64::MAX, 3_000_000);
    assert_eq!(
        run(&mut stream, at(10_000_000, 0)).last().unwrap().1,
        3_000_000 + WINDOW_BYTES,
        "no more than there was to take"
    );
}

#[test]
fn a_snapshot_begins_the_stream_where_the_screen_is() {
    let mut stream = Stream::default();
    stream.snapshot(7, 1000);
    assert_eq!(stream.next(at(1000, 400)), Some(Step::CatchUp(1000)));
    assert_eq!(stream.next(at(1200, 1100)), Some(Step::Snapshot { scrollback: 7, jump: false }));
    stream.painted(1100, false);
    assert_eq!(run(&mut stream, at(1200, 1100)), [(1100, 1200)]);
    // Another one, while live, leaves the stream where it is and is no older than it.
    stream.snapshot(0, 5000);
    assert_eq!(stream.next(at(5000, 1150)), Some(Step::CatchUp(1200)));
    assert_eq!(stream.takes(1200), 0, "nothing overtakes it");
    stream.painted(1300, false);
    assert_eq!(run(&mut stream, at(5000, 1300)), [(1200, 5000)]);
}

#[test]
fn a_viewer_ahead_of_the_stream_does_not_hold_it_up() {
    let mut stream = Stream::default();
    stream.stream(0, 5_000_000);
    run(&mut stream, at(5_000_000, 5_000_000));
    // Another viewer comes, gets the screen as it is now, and says that it has taken it. The hub passes the highest credit on,
    // so the first viewer's own will not be heard before the stream is there.
    stream.snapshot(0, 5_000_000);
    assert_eq!(stream.next(at(5_000_000, 5_000_000)), Some(Step::Snapshot { scrollback: 0, jump: false }));
    stream.painted(5_000_000, false);
    stream.credit(5_000_000, 5_000_000);
    assert_eq!(run(&mut stream, at(5_000_000, 5_000_000)).last().unwrap().1, 5_000_000);
}

#[test]
fn far_behind_with_nobody_who_needs_every_byte_it_jumps() {
    let mut stream = Stream::default();
    stream.stream(0, 0);
    stream.pace(Some(1_000_000));
    assert_eq!(stream.next(at(1_000_001, 5)), Some(Step::CatchUp(1_000_001)));
    assert_eq!(stream.next(at(2_000_000, 5)), Some(Step::CatchUp(1_000_001)), "its aim stands still");
    assert_eq!(stream.next(at(2_000_000, 1_500_000)), Some(Step::Snapshot { scrollback: 0, jump: true }));
    stream.painted(1_500_000, true);
    assert_eq!(run(&mut stream, at(2_000_000, 1_500_000)).first().unwrap().0, 1_500_000);
    // Without credit there is no second jump.
    assert_eq!(run(&mut stream, at(9_000_000, 9_000_000)).last().unwrap().1, 1_500_000 + WINDOW_BYTES);
    assert_eq!((stream.next(at(99_000_000, 99_000_000)), stream.wants_screen()), (None, false));
    stream.credit(1_900_000, 9_000_000);
    assert!(matches!(stream.next(at(99_000_000, 99_000_000)), Some(Step::Snapshot { jump: true, .. })));
    stream.pace(None);
    assert!(matches!(stream.next(at(99_000_000, 99_000_000)), Some(Step::Output { .. })));
}

#[test]
fn reads_are_served_beside_the_stream() {
    let mut stream = Stream::default();
    stream.read(0, 100_000, 70_000);
    stream.read(5, 5, 70_000);
    let mut at_offset = 0;
    while let Some(Step::Output { from, to, live: false }) = stream.next(at(70_000, 0)) {
        assert_eq!(from, at_offset);
        at_offset = to;
        stream.sent(to, false);
    }
    assert_eq!(at_offset, 70_000);
}

#[test]
fn checkpoints_are_few() {
    let mut stream = Stream::default();
    stream.begin(1000);
    assert_eq!(stream.checkpoint_due_ms(0, true, false), None);
    assert_eq!(stream.checkpoint_due_ms(10, false, false), Some(61_000));
    assert_eq!(stream.checkpoint_due_ms(10, true, false), Some(31_000));
    stream.checkpointed(31_000, 10);
    assert_eq!(stream.checkpoint_due_ms(10, true, false), Some(91_000), "once more, unless it is acknowledged");
    assert_eq!(stream.checkpoint_due_ms(11, true, true), Some(31_000));
    stream.stream(10, 10);
    assert_eq!(stream.checkpoint_due_ms(99, true, true), None, "who watches needs none");
    stream.disconnect();
    assert_eq!(stream.checkpoint_due_ms(10, false, false), Some(91_000), "it was sent, but never saved");
    stream.checkpointed(91_000, 10);
    stream.checkpoint_saved(10);
    stream.disconnect();
    assert_eq!(stream.checkpoint_due_ms(10, false, false), None);
}

proptest! {
    #[test]
    fn what_is_sent_live_has_no_hole(steps in prop::collection::vec((0u64..200_000, 0u64..300_000), 1..50)) {
        let (mut stream, mut end, mut next) = (Stream::default(), 0, 0);
        stream.stream(0, 0);
        for (grown, credit) in steps {
            end += grown;
            for (from, to) in run(&mut stream, at(end, 0)) {
                prop_assert_eq!(from, next);
                next = to;
            }
            prop_assert!(next <= end);
            stream.credit(next.saturating_sub(credit), end);
        }
    }
}
