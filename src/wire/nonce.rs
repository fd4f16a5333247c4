//! The Nonce payload
//! ([RFC 7296, section 3.9](https://www.rfc-editor.org/rfc/rfc7296#section-3.9)).

use super::error::ParseError;

/// A nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a> {
    /// The Nonce Data field.
    pub data: &'a [u8],
}

impl<'a> Nonce<'a> {
    /// Parses the body of a Nonce payload.
    ///
    /// # Errors
    /// None. The whole body is the nonce, and every length is accepted.
    pub fn parse(body: &'a [u8], _body_offset: u32) -> Result<Self, ParseError> {
        Ok(Self { data: body })
    }

    /// Whether the nonce has between 16 and 256 bytes, as RFC 7296 requires.
    pub fn length_is_valid(&self) -> bool {
        (16..=256).contains(&self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_of_the_length_are_checked() {
        let bytes = [0; 257];
        for (length, valid) in [(0, false), (15, false), (16, true), (256, true), (257, false)] {
            let nonce = Nonce::parse(&bytes[..length], 32).unwrap();
            assert_eq!(nonce.length_is_valid(), valid, "{length} bytes");
        }
    }
}
