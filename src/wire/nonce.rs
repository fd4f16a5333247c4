//! The Nonce payload
//! ([RFC 7296, section 3.9](https://www.rfc-editor.org/rfc/rfc7296#section-3.9)).

use super::error::ParseError;

/// A nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce<'a> {
    /// Nonce Data.
    pub data: &'a [u8],
}

impl<'a> Nonce<'a> {
    /// Reads the body of a Nonce payload.
    ///
    /// # Errors
    /// None: the whole body is the nonce, whatever its size.
    pub fn parse(body: &'a [u8], _body_offset: u32) -> Result<Self, ParseError> {
        Ok(Self { data: body })
    }

    /// Whether the nonce has between 16 and 256 bytes, as it must have.
    pub fn length_is_valid(&self) -> bool {
        (16..=256).contains(&self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_the_length_at_both_ends() {
        let bytes = [0; 257];
        for (length, valid) in [(0, false), (15, false), (16, true), (256, true), (257, false)] {
            let nonce = Nonce::parse(&bytes[..length], 32).unwrap();
            assert_eq!(nonce.length_is_valid(), valid, "{length} bytes");
        }
    }
}
