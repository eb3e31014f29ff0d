//! The only source of chance: the runtime's `crypto.getRandomValues`, and a cheap generator seeded from it.

use crate::error::Error;

/// Unpredictable bytes, for secrets.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// Lower-case hexadecimal digits of `N` unpredictable bytes, for ids.
pub fn hex<const N: usize>() -> Result<String, Error> {
    Ok(to_hex(&bytes::<N>()?))
}

/// Lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}

/// SplitMix64: one number for each event of a hub, without a call into the runtime. It names things apart; it keeps no
/// secret.
pub struct Sequence(u64);

impl Sequence {
    /// Seeded from the runtime.
    pub fn seeded() -> Result<Sequence, Error> {
        Ok(Sequence(u64::from_le_bytes(bytes()?)))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_twice_as_long_and_pads() {
        assert_eq!(to_hex(&[0, 0x0f, 0xff]), "000fff");
        assert_eq!(hex::<8>().unwrap().len(), 16);
    }

    #[test]
    fn the_sequence_is_splitmix64() {
        // First outputs for seed 0, from the reference implementation by Sebastiano Vigna.
        let mut sequence = Sequence(0);
        assert_eq!(sequence.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(sequence.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }
}
