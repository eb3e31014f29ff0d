//! Raw-deflate payloads: a `u32` big-endian length of the inflated bytes, then the raw deflate stream.

use crate::limits::FRAME_INFLATED_BYTES_MAX;

/// Level 3 takes 3 ms for the richest 120x40 screen where level 5 takes 5 ms, for 3 % more bytes; ordinary screens come out equal.
const LEVEL: u8 = 3;

/// Why a payload did not inflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// Shorter than its length field.
    Truncated,
    /// Says that it inflates to more than [`FRAME_INFLATED_BYTES_MAX`].
    TooLarge,
    /// Not a deflate stream, or one of another length than stated.
    Corrupt,
}

/// Deflates `raw` when that makes it smaller; `None` means: send it as it is.
pub fn deflate(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() > FRAME_INFLATED_BYTES_MAX {
        return None;
    }
    let packed = miniz_oxide::deflate::compress_to_vec(raw, LEVEL);
    if packed.len() + 4 >= raw.len() {
        return None;
    }
    let length = u32::try_from(raw.len()).ok()?;
    let mut payload = Vec::with_capacity(packed.len() + 4);
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(&packed);
    Some(payload)
}

/// The inflated length that a deflated payload states, checked against the limit.
pub fn inflated_len(payload: &[u8]) -> Result<usize, InflateError> {
    let head = payload.first_chunk::<4>().ok_or(InflateError::Truncated)?;
    let length = u32::from_be_bytes(*head) as usize;
    if length > FRAME_INFLATED_BYTES_MAX {
        return Err(InflateError::TooLarge);
    }
    Ok(length)
}

/// Inflates a deflated payload; never allocates more than [`FRAME_INFLATED_BYTES_MAX`].
pub fn inflate(payload: &[u8]) -> Result<Vec<u8>, InflateError> {
    let length = inflated_len(payload)?;
    let raw =
        miniz_oxide::inflate::decompress_to_vec_with_limit(&payload[4..], length).map_err(|_| InflateError::Corrupt)?;
    if raw.len() == length { Ok(raw) } else { Err(InflateError::Corrupt) }
}
