//! Binary data frames: a fixed 16-byte header and a payload. All integers are big-endian.
//!
//! ```text
//!  0        1       2       3       4              8                    16
//!  +--------+-------+-------+-------+--------------+---------------------+---------
//!  | version| kind  | flags | zero  | terminal u32 | offset u64          | payload
//!  +--------+-------+-------+-------+--------------+---------------------+---------
//! ```
//!
//! The hub reads headers only and forwards frames as they came. Offsets are absolute, so a frame that comes twice is
//! recognised by its offset, and a receiver drops the part that it already has.

use crate::deflate::{self, InflateError};
use crate::limits::{FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, INPUT_BYTES_MAX, OFFSET_MAX};

/// Version byte of the header.
pub const FRAME_VERSION: u8 = 1;

/// What a frame carries. Numbers are appended, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Runner to viewers. Bytes that the program wrote; `offset` is the absolute offset of the first.
    Output = 1,
    /// Runner to viewers. A screen at `offset`: `u16` columns, `u16` rows, then bytes that paint it on a reset terminal.
    Snapshot = 2,
    /// Viewer to runner. `u64` writer, then bytes as typed; `offset` counts this writer's bytes from 0.
    Input = 3,
    /// Runner to one viewer. `u64` writer; everything of that writer below `offset` was written to the PTY.
    InputAck = 4,
    /// Reader to sender, no payload: everything below `offset` was taken; the window begins there.
    Credit = 5,
    /// Runner to hub. A screen at `offset` for when the runner is away; the payload is that of a snapshot.
    Checkpoint = 6,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        Some(match byte {
            1 => Kind::Output,
            2 => Kind::Snapshot,
            3 => Kind::Input,
            4 => Kind::InputAck,
            5 => Kind::Credit,
            6 => Kind::Checkpoint,
            _ => return None,
        })
    }
}

/// Flags of the header. Unknown bits are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// The payload is encoded as [`crate::deflate`] says. Never on input, its acknowledgement or credit.
    pub const DEFLATE: Flags = Flags(1);
    /// More parts of this snapshot or checkpoint follow, with the same offset.
    pub const MORE: Flags = Flags(2);
    /// The snapshot holds scrollback lines before the screen, as a viewer asked.
    pub const SCROLLBACK: Flags = Flags(4);
    /// The live stream jumps to this snapshot: nobody could take the bytes between.
    pub const JUMP: Flags = Flags(8);
    /// On an acknowledgement: frames are missing; send again from `offset`.
    pub const RESEND: Flags = Flags(16);
    /// Not the first part of this snapshot or checkpoint: who has not seen the first cannot use it.
    pub const REST: Flags = Flags(32);

    /// True when every bit of `other` is set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// The fixed header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub kind: Kind,
    /// How the payload is encoded.
    pub flags: Flags,
    /// The terminal's number in its hub.
    pub terminal: u32,
    /// Meaning depends on `kind`; always below [`OFFSET_MAX`].
    pub offset: u64,
}

/// A decoded frame that borrows its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header.
    pub header: Header,
    /// The payload as it came, perhaps deflated.
    pub payload: &'a [u8],
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Longer than [`FRAME_BYTES_MAX`], or an input longer than [`INPUT_BYTES_MAX`].
    TooLarge,
    /// Shorter than its header or than its kind needs.
    Truncated,
    /// A version that this side does not speak.
    Version(u8),
    /// A kind that this side does not know.
    Kind(u8),
    /// An offset of [`OFFSET_MAX`] or more.
    Offset,
    /// A payload where none may be, or one that cannot be inflated.
    Payload,
}

impl From<InflateError> for FrameError {
    fn from(error: InflateError) -> FrameError {
        match error {
            InflateError::TooLarge => FrameError::TooLarge,
            InflateError::Truncated | InflateError::Corrupt => FrameError::Payload,
        }
    }
}

impl<'a> Frame<'a> {
    /// Decodes a frame and checks every bound that the header alone decides; never panics.
    pub fn decode(bytes: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLarge);
        }
        let (head, payload) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>().ok_or(FrameError::Truncated)?;
        let [version, kind, flags, _zero, t0, t1, t2, t3, offset @ ..] = *head;
        if version != FRAME_VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let offset = u64::from_be_bytes(offset);
        if offset >= OFFSET_MAX {
            return Err(FrameError::Offset);
        }
        let header = Header { kind, flags: Flags(flags), terminal: u32::from_be_bytes([t0, t1, t2, t3]), offset };
        let frame = Frame { header, payload };
        frame.check()?;
        Ok(frame)
    }

    fn check(&self) -> Result<(), FrameError> {
        match self.header.kind {
            Kind::Input if self.payload.len() > INPUT_BYTES_MAX => Err(FrameError::TooLarge),
            Kind::Input | Kind::InputAck if self.payload.len() < 8 => Err(FrameError::Truncated),
            Kind::Credit if !self.payload.is_empty() => Err(FrameError::Payload),
            // What is typed and its bookkeeping are small, and their payload begins with a writer, not with a length.
            Kind::Input | Kind::InputAck | Kind::Credit if self.header.flags.has(Flags::DEFLATE) => {
                Err(FrameError::Payload)
            }
            _ if self.header.flags.has(Flags::DEFLATE) => {
                deflate::inflated_len(self.payload)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Bytes that the payload holds once inflated.
    pub fn len(&self) -> u64 {
        let inflated = self.header.flags.has(Flags::DEFLATE).then(|| deflate::inflated_len(self.payload).ok());
        inflated.flatten().unwrap_or(self.payload.len()) as u64
    }

    /// True when the payload holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The offset after the last byte of an [`Kind::Output`] frame.
    pub fn end(&self) -> u64 {
        self.header.offset.saturating_add(self.len())
    }

    /// The payload, inflated if it was deflated.
    pub fn raw_payload(&self) -> Result<std::borrow::Cow<'a, [u8]>, FrameError> {
        if self.header.flags.has(Flags::DEFLATE) {
            return Ok(deflate::inflate(self.payload)?.into());
        }
        Ok(self.payload.into())
    }

    /// The writer of an [`Kind::Input`] or [`Kind::InputAck`] frame, and the bytes after it.
    pub fn writer(&self) -> Option<(u64, &'a [u8])> {
        if !matches!(self.header.kind, Kind::Input | Kind::InputAck) {
            return None;
        }
        let (writer, rest) = self.payload.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*writer), rest))
    }
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[0] = FRAME_VERSION;
        bytes[1] = self.kind as u8;
        bytes[2] = self.flags.0;
        bytes[4..8].copy_from_slice(&self.terminal.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_be_bytes());
        bytes
    }

    /// A whole frame. The caller keeps `payload` within [`FRAME_PAYLOAD_BYTES_MAX`].
    pub fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        debug_assert!(payload.len() <= FRAME_PAYLOAD_BYTES_MAX);
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES + payload.len());
        bytes.extend_from_slice(&self.encode());
        bytes.extend_from_slice(payload);
        bytes
    }
}

/// An [`Kind::Output`] frame, uncompressed.
pub fn output(terminal: u32, offset: u64, payload: &[u8]) -> Vec<u8> {
    Header { kind: Kind::Output, flags: Flags::NONE, terminal, offset }.with_payload(payload)
}

/// An [`Kind::Input`] frame.
pub fn input(terminal: u32, writer: u64, offset: u64, typed: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(8 + typed.len());
    payload.extend_from_slice(&writer.to_be_bytes());
    payload.extend_from_slice(typed);
    Header { kind: Kind::Input, flags: Flags::NONE, terminal, offset }.with_payload(&payload)
}

/// An [`Kind::InputAck`] frame; `flags` may hold [`Flags::RESEND`].
pub fn input_ack(terminal: u32, writer: u64, offset: u64, flags: Flags) -> Vec<u8> {
    Header { kind: Kind::InputAck, flags, terminal, offset }.with_payload(&writer.to_be_bytes())
}

/// An [`Kind::Credit`] frame.
pub fn credit(terminal: u32, offset: u64) -> Vec<u8> {
    Header { kind: Kind::Credit, flags: Flags::NONE, terminal, offset }.with_payload(&[])
}

/// The frames of a snapshot or checkpoint, in order, each part deflated when that is smaller.
pub fn screen(
    kind: Kind,
    flags: Flags,
    terminal: u32,
    offset: u64,
    cols: u16,
    rows: u16,
    paint: &[u8],
) -> Vec<Vec<u8>> {
    let mut raw = Vec::with_capacity(4 + paint.len());
    raw.extend_from_slice(&cols.to_be_bytes());
    raw.extend_from_slice(&rows.to_be_bytes());
    raw.extend_from_slice(paint);
    let parts: Vec<&[u8]> = raw.chunks(FRAME_PAYLOAD_BYTES_MAX).collect();
    let last = parts.len() - 1;
    let encode = |(index, part): (usize, &&[u8])| {
        let mut flags = if index < last { flags.with(Flags::MORE) } else { flags };
        if index > 0 {
            flags = flags.with(Flags::REST);
        }
        let packed = deflate::deflate(part);
        if packed.is_some() {
            flags = flags.with(Flags::DEFLATE);
        }
        let header = Header { kind, flags, terminal, offset };
        header.with_payload(packed.as_deref().unwrap_or(part))
    };
    parts.iter().enumerate().map(encode).collect()
}
