//! What viewers type, applied exactly once: by writer and offset, with acknowledgements that come together.
//!
//! **Invariant: the bytes of a writer reach the PTY in order, each once, however often frames are repeated, cut or lost.** A
//! program that does not read makes the queue full; then nothing is taken, nothing acknowledged, and the writer is asked to
//! send again once there is room. Pure: time comes in, frames go out.

use std::collections::VecDeque;

use protocol::frame::{self, Flags};

/// Bytes that may wait for a program to read them. A kernel's own queue is 4 KiB; a large paste is some 100 KiB.
pub const QUEUE_BYTES_MAX: usize = 256 * 1024;
/// Writers remembered; the one that has not typed for longest is forgotten. A terminal has a handful.
const WRITERS_MAX: usize = 256;
/// How long an acknowledgement waits for more to acknowledge.
const ACK_AFTER_MS: u64 = 100;
/// How much it waits for.
const ACK_AFTER_BYTES: u64 = 4 * 1024;
/// How long one request to send again stands before it is repeated.
const RESEND_AGAIN_MS: u64 = 500;

#[derive(Debug)]
struct Writer {
    id: u64,
    applied: u64,
    acked: u64,
    ack_at_ms: Option<u64>,
    /// When, and from where, it was last asked to send again.
    resend: Option<(u64, u64)>,
    /// Its bytes did not fit into the queue.
    starved: bool,
}

/// The input of a terminal.
#[derive(Debug, Default)]
pub struct Input {
    terminal: u32,
    /// Least recently used first.
    writers: VecDeque<Writer>,
    queue: VecDeque<u8>,
}

impl Input {
    /// The input of a terminal that nobody has typed into.
    pub fn new(terminal: u32) -> Input {
        Input { terminal, ..Input::default() }
    }

    /// Takes an input frame's bytes. Returns an acknowledgement that must go out at once, if one must.
    pub fn take(&mut self, now_ms: u64, id: u64, offset: u64, bytes: &[u8]) -> Option<Vec<u8>> {
        let has_room = self.queue.len() + bytes.len() <= QUEUE_BYTES_MAX;
        let (terminal, at) = (self.terminal, self.recall(id));
        let writer = &mut self.writers[at];
        let end = offset.saturating_add(bytes.len() as u64);
        if offset > writer.applied {
            let asked =
                writer.resend.is_some_and(|(when, from)| from == writer.applied && now_ms < when + RESEND_AGAIN_MS);
            if asked || writer.starved {
                return None;
            }
            writer.resend = Some((now_ms, writer.applied));
            return Some(frame::input_ack(terminal, id, writer.applied, Flags::RESEND));
        }
        if end <= writer.applied {
            // Sent again, so the acknowledgement was lost.
            writer.ack_at_ms.get_or_insert(now_ms + ACK_AFTER_MS);
            return None;
        }
        if !has_room {
            writer.starved = true;
            return None;
        }
        let fresh = (writer.applied - offset) as usize;
        self.queue.extend(&bytes[fresh..]);
        writer.applied = end;
        writer.resend = None;
        writer.ack_at_ms.get_or_insert(now_ms + ACK_AFTER_MS);
        (writer.applied - writer.acked >= ACK_AFTER_BYTES).then(|| writer.ack(terminal))
    }

    /// Queues bytes of the keeper's own: answers, prompts. They are few and bounded by whoever makes them.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.queue.len() + bytes.len() <= 2 * QUEUE_BYTES_MAX {
            self.queue.extend(bytes);
        }
    }

    /// What is to be written to the PTY next.
    pub fn next(&self) -> &[u8] {
        let (front, back) = self.queue.as_slices();
        if front.is_empty() { back } else { front }
    }

    /// Says that the PTY took this much.
    pub fn written(&mut self, count: usize) {
        self.queue.drain(..count);
        if self.queue.is_empty() && self.queue.capacity() > QUEUE_BYTES_MAX / 4 {
            self.queue = VecDeque::new();
        }
    }

    /// Forgets what waits, when the program has ended.
    pub fn clear(&mut self) {
        self.queue = VecDeque::new();
    }

    /// Acknowledgements that are due, and requests to send again what did not fit.
    pub fn due(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let (terminal, has_room) = (self.terminal, self.queue.len() <= QUEUE_BYTES_MAX / 2);
        let mut frames = Vec::new();
        for writer in &mut self.writers {
            if writer.starved && has_room {
                writer.starved = false;
                writer.resend = Some((now_ms, writer.applied));
                frames.push(frame::input_ack(terminal, writer.id, writer.applied, Flags::RESEND));
            } else if writer.ack_at_ms.is_some_and(|at| at <= now_ms) {
                frames.push(writer.ack(terminal));
            }
        }
        frames
    }

    /// When [`Self::due`] has something at the latest, if nothing else happens.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.writers.iter().filter_map(|writer| writer.ack_at_ms).min()
    }

    fn recall(&mut self, id: u64) -> usize {
        let known = self.writers.iter().position(|writer| writer.id == id).and_then(|at| self.writers.remove(at));
        let fresh = Writer { id, applied: 0, acked: 0, ack_at_ms: None, resend: None, starved: false };
        if known.is_none() && self.writers.len() == WRITERS_MAX {
            self.writers.pop_front();
        }
        self.writers.push_back(known.unwrap_or(fresh));
        self.writers.len() - 1
    }
}

impl Writer {
    fn ack(&mut self, terminal: u32) -> Vec<u8> {
        self.ack_at_ms = None;
        self.acked = self.applied;
        frame::input_ack(terminal, self.id, self.applied, Flags::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::frame::Frame;

    fn drained(input: &mut Input) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !input.next().is_empty() {
            bytes.extend_from_slice(input.next());
            input.written(input.next().len());
        }
        bytes
    }

    fn offset(ack: &[u8]) -> (u64, bool) {
        let header = Frame::decode(ack).unwrap().header;
        (header.offset, header.flags.has(Flags::RESEND))
    }

    #[test]
    fn a_gap_is_asked_for_once_until_it_is_filled() {
        let mut input = Input::new(1);
        assert_eq!(input.take(0, 7, 0, b"ab"), None);
        assert_eq!(offset(&input.take(1, 7, 5, b"fg").unwrap()), (2, true));
        assert_eq!(input.take(2, 7, 7, b"hi"), None);
        assert_eq!(offset(&input.take(600, 7, 9, b"jk").unwrap()), (2, true));
        assert_eq!(input.take(601, 7, 0, b"abcde"), None);
        assert_eq!(drained(&mut input), b"abcde");
        assert_eq!(input.due(601).iter().map(|ack| offset(ack)).collect::<Vec<_>>(), [(5, false)]);
        assert_eq!(input.next_due_ms(), None);
    }

    #[test]
    fn acknowledgements_come_together() {
        let mut input = Input::new(1);
        for n in 0..40 {
            assert_eq!(input.take(n, 7, n * 100, &[b'x'; 100]), None);
        }
        assert_eq!(offset(&input.take(40, 7, 4000, &[b'x'; 100]).unwrap()), (4100, false));
        assert!(input.due(99).is_empty() && input.next_due_ms().is_none());
        input.take(50, 7, 4100, b"y");
        assert_eq!((input.next_due_ms(), input.due(149).len(), input.due(150).len()), (Some(150), 0, 1));
    }

    #[test]
    fn a_program_that_does_not_read_fills_the_queue_and_no_more() {
        let mut input = Input::new(1);
        let (mut sent, part) = (0, [b'x'; 16 * 1024 - 24]);
        while input.writers.iter().all(|writer| !writer.starved) {
            input.take(0, 7, sent, &part);
            sent += part.len() as u64;
        }
        assert!(input.queue.len() <= QUEUE_BYTES_MAX && input.take(1, 7, sent, &part).is_none());
        let taken = drained(&mut input).len() as u64;
        let asked: Vec<_> = input.due(2).iter().map(|ack| offset(ack)).collect();
        assert_eq!(asked, [(taken, true)]);
        input.take(3, 7, taken, b"rest");
        assert_eq!(drained(&mut input), b"rest");
    }

    #[test]
    fn writers_are_bounded_and_the_idle_go_first() {
        let mut input = Input::new(1);
        for id in 0..WRITERS_MAX as u64 + 10 {
            input.take(0, id, 0, b"a");
            input.take(0, 0, 0, b"a");
        }
        assert_eq!(input.writers.len(), WRITERS_MAX);
        drained(&mut input);
        input.take(0, 0, 0, b"a");
        assert!(input.next().is_empty(), "writer 0 typed all the time and is remembered");
    }

    proptest! {
        #[test]
        fn every_byte_arrives_once_whatever_is_lost_or_repeated(
            text in "[a-z]{1,200}", steps in prop::collection::vec((any::<prop::sample::Index>(), 1usize..30, any::<bool>()), 0..60)
        ) {
            let (bytes, mut input, mut got) = (text.as_bytes(), Input::new(1), Vec::new());
            for (from, length, drain) in steps {
                let from = from.index(bytes.len());
                let to = (from + length).min(bytes.len());
                input.take(0, 7, from as u64, &bytes[from..to]);
                if drain { got.extend(drained(&mut input)); }
            }
            got.extend(drained(&mut input));
            prop_assert_eq!(&bytes[..got.len()], &got[..]);
            let applied = got.len();
            input.take(0, 7, 0, bytes);
            prop_assert_eq!(drained(&mut input), &bytes[applied..]);
        }
    }
}
