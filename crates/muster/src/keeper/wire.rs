//! The conversation over a keeper's socket, as bytes: shared by the keeper and the runner.
//!
//! ```text
//! message = length:u32 (big-endian, of what follows it)  kind:u8 ('J' | 'B')  body
//! ```
//!
//! A `J` body is a control message as on the hub's wire (`RunnerCommand` to the keeper, `RunnerMessage` from it); a `B`
//! body is one binary frame as on the hub's wire, which either side passes on as it came.
//!
//! The keeper begins with `opened` (its report, fresh) on every connection that it accepts. One that comes while a runner
//! is connected only looks (`muster runner status`) and disturbs nobody, until its first message makes it the runner's:
//! from then on it, and it alone, gets statuses, prompts and frames, and the runner's connection before it is closed. A
//! runner's first message is `unwatch`, so that a new runner never waits for a stuck one. When the runner's connection
//! closes, its live stream ends. To `open` a keeper that runs answers `opened`; to
//! `forget` it ends its program and itself, and closes the connection once it is gone.
//! Invariant: the decoder holds at
//! most one message beyond what it was just given, and refuses a length that no message may have. It knows no socket.

use protocol::limits::{CONTROL_BYTES_MAX, FRAME_BYTES_MAX};

/// Bytes before a message's body.
pub const HEAD_BYTES: usize = 5;
/// Largest message, its head included: the larger of a control message and a frame.
pub const MESSAGE_BYTES_MAX: usize = HEAD_BYTES + CONTROL_BYTES_MAX;

const _: () = assert!(FRAME_BYTES_MAX <= CONTROL_BYTES_MAX);

/// One message, borrowed from the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A control message's JSON.
    Json(&'a str),
    /// A binary frame.
    Frame(&'a [u8]),
}

/// Why bytes are not a message; the connection cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A length of nothing, or beyond what its kind may have.
    #[error("a message of {0} bytes, which none may have")]
    Length(usize),
    /// Neither `J` nor `B`.
    #[error("a message of unknown kind {0:#04x}")]
    Kind(u8),
    /// A `J` body that is not UTF-8.
    #[error("a control message that is not UTF-8")]
    Text,
}

/// Appends a control message.
pub fn push_json(out: &mut Vec<u8>, json: &str) {
    push(out, b'J', json.as_bytes());
}

/// Appends a binary frame.
pub fn push_frame(out: &mut Vec<u8>, frame: &[u8]) {
    push(out, b'B', frame);
}

/// Appends the head of a binary frame of `length` bytes, which the caller appends next.
pub fn push_frame_head(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u32 + 1).to_be_bytes());
    out.push(b'B');
}

fn push(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    debug_assert!(body.len() <= CONTROL_BYTES_MAX);
    out.extend_from_slice(&(body.len() as u32 + 1).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
}

/// Cuts a byte stream into messages.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
}

impl Decoder {
    /// Adds bytes as they came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.taken == self.buffer.len() {
            self.buffer.clear();
            self.taken = 0;
        } else if self.taken > MESSAGE_BYTES_MAX {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; `None` until more bytes come. Call until it is `None` before the next [`Self::feed`].
    #[allow(clippy::should_implement_trait)] // It borrows from itself, which `Iterator` cannot say.
    pub fn next(&mut self) -> Result<Option<Message<'_>>, WireError> {
        let rest = &self.buffer[self.taken..];
        let Some(head) = rest.first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let most = match head[4] {
            b'J' => CONTROL_BYTES_MAX,
            b'B' => FRAME_BYTES_MAX,
            kind => return Err(WireError::Kind(kind)),
        };
        let body = length.checked_sub(1).filter(|body| *body <= most).ok_or(WireError::Length(length))?;
        let kind = head[4];
        let Some(bytes) = rest.get(HEAD_BYTES..HEAD_BYTES + body) else { return Ok(None) };
        self.taken += HEAD_BYTES + body;
        if kind == b'B' {
            return Ok(Some(Message::Frame(bytes)));
        }
        std::str::from_utf8(bytes).map(|text| Some(Message::Json(text))).map_err(|_| WireError::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_no_message_may_be() {
        let mut decoder = Decoder::default();
        decoder.feed(&[0, 0, 0, 0, b'J']);
        assert_eq!(decoder.next(), Err(WireError::Length(0)));
        let mut decoder = Decoder::default();
        decoder.feed(&[0, 0, 0, 1, b'X']);
        assert_eq!(decoder.next(), Err(WireError::Kind(b'X')));
        let mut decoder = Decoder::default();
        decoder.feed(&[0, 1, 0, 2, b'B']);
        assert_eq!(decoder.next(), Err(WireError::Length(0x10002)));
    }

    proptest! {
        #[test]
        fn messages_survive_any_cut(bodies in prop::collection::vec((any::<bool>(), "[a-z]{0,40}"), 0..20), cut in 1usize..50) {
            let mut bytes = Vec::new();
            for (json, body) in &bodies {
                if *json { push_json(&mut bytes, body) } else { push_frame(&mut bytes, body.as_bytes()) }
            }
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for part in bytes.chunks(cut) {
                decoder.feed(part);
                while let Some(message) = decoder.next().unwrap() {
                    got.push(match message {
                        Message::Json(text) => (true, text.to_owned()),
                        Message::Frame(frame) => (false, String::from_utf8(frame.to_vec()).unwrap()),
                    });
                }
            }
            prop_assert_eq!(got, bodies);
        }
    }
}
