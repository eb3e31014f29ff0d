//! Addresses of things in hubs: `7` is the visitor's own, `3-7` is number 7 in the hub of person 3.

use std::str::FromStr;

/// Where a number of an address points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<N> {
    /// Whose hub; `None`: the visitor's own.
    pub owner: Option<u64>,
    /// Which there.
    pub number: N,
}

impl<N: FromStr> Place<N> {
    /// The place that a text names, for a visitor with this id; `None` when it names none.
    pub fn parse(text: &str, visitor: &str) -> Option<Place<N>> {
        let (owner, number) = match text.split_once('-') {
            Some((owner, _)) if owner == visitor => (None, text.split_once('-')?.1),
            Some((owner, number)) => (Some(digits(owner)?), number),
            None => (None, text),
        };
        Some(Place { owner, number: digits(number)? })
    }
}

/// A number as it is written in addresses: digits and nothing else, so that a thing has one address.
pub fn digits<N: FromStr>(text: &str) -> Option<N> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_ones_own_or_anothers() {
        let place = |text| Place::<u64>::parse(text, "3");
        assert_eq!(place("7"), Some(Place { owner: None, number: 7 }));
        assert_eq!(place("5-7"), Some(Place { owner: Some(5), number: 7 }));
        assert_eq!(place("3-7"), Some(Place { owner: None, number: 7 }), "one's own hub by its number");
        for wrong in ["", "-", "-7", "7-", "5-7-9", "+7", "07", "5-+7", "05-7", "x", "5-x", "99999999999999999999"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
        assert_eq!(Place::<u32>::parse("4294967296", "3"), None);
    }
}
