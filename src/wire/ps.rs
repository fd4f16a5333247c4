//! The Puzzle Solution payload
//! ([RFC 8019, section 8.2](https://www.rfc-editor.org/rfc/rfc8019#section-8.2)).

use super::error::ParseError;

/// An initiator's answer to a PUZZLE notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PuzzleSolution<'a> {
    /// The Puzzle Solution Data field: the whole body.
    pub data: &'a [u8],
}

impl<'a> PuzzleSolution<'a> {
    /// Parses the body of a PS payload.
    ///
    /// # Errors
    /// None. The whole body is the solution.
    pub fn parse(body: &'a [u8], _body_offset: u32) -> Result<Self, ParseError> {
        Ok(Self { data: body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_byte() {
        assert_eq!(PuzzleSolution::parse(&[1, 2], 32).unwrap().data, [1, 2]);
    }
}
