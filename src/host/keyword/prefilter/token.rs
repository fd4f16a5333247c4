//! Tokens: the bytes that stand for a condition in the hidden buffer.
//!
//! Only the first byte of a token has its highest bit set, and the first byte tells the length. So
//! a token is found only where it begins, and never as a part of another one.

/// The length of the token of a condition that seldom holds. Suricata searches for the longest
/// content of a rule. So it searches for this token, or for a longer content of the rule's writer.
/// The buffers of such contents may be texts, which then are made only if the condition holds.
const RARE: usize = 8;

/// The length of the token of a condition that often holds, such as an exchange type.
const COMMON: usize = 2;

/// The first bytes of both kinds. Both have 64 of them.
const FIRST_OF_COMMON: u8 = 0x80;
const FIRST_OF_RARE: u8 = 0xc0;

/// How many common tokens there can be. Further ones are as long as rare ones.
const MAX_COMMON: u32 = 64 << 7;

/// The bytes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TokenBytes {
    bytes: [u8; RARE],
    length: u8,
}

impl TokenBytes {
    /// The token with this number. Tokens with different numbers differ.
    pub(super) fn new(number: u32, is_common: bool) -> Self {
        let [.., three, two, one, zero] =
            [28, 21, 14, 7, 0].map(|bits: u32| (number >> bits & 0x7f) as u8);
        if is_common && number < MAX_COMMON {
            let mut bytes = [0; RARE];
            bytes[..COMMON].copy_from_slice(&[FIRST_OF_COMMON | one, zero]);
            return Self { bytes, length: COMMON as u8 };
        }
        // The number is at the end, where a pattern matcher looks first.
        let four = (number >> 28) as u8;
        let bytes = [FIRST_OF_RARE, 0x49, 0x4b, four, three, two, one, zero];
        Self { bytes, length: RARE as u8 }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The token as the argument of `content`.
    pub(super) fn content(&self) -> String {
        let hex: Vec<_> = self.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("|{}|", hex.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_only_where_they_begin() {
        let numbers = [0, 1, 127, 128, MAX_COMMON - 1, MAX_COMMON, 1 << 21, 1 << 28, u32::MAX];
        let tokens: Vec<_> = numbers
            .iter()
            .flat_map(|number| [true, false].map(|is_common| TokenBytes::new(*number, is_common)))
            .collect();
        for (place, token) in tokens.iter().enumerate() {
            let token = token.as_slice();
            assert!(token[0] & 0x80 != 0 && token[1..].iter().all(|byte| byte & 0x80 == 0));
            for (other_place, other) in tokens.iter().enumerate() {
                let begins = other.as_slice().starts_with(token);
                // Above the limit, a common token is a rare one.
                assert_eq!(begins, *other == tokens[place], "{place} {other_place}");
            }
        }
    }

    #[test]
    fn a_token_is_an_argument_of_content() {
        assert_eq!(TokenBytes::new(129, true).content(), "|81 01|");
        assert_eq!(TokenBytes::new(129, false).content(), "|c0 49 4b 00 00 00 01 01|");
    }
}
