//! A reader that cannot leave its bounds.
//!
//! Every payload parser reads its fields through a [`Reader`], in the order of the RFC's
//! diagrams. If a field is missing, the reader returns a [`ParseError`] that names it. So
//! no parser has to compute offsets.
//!
//! Single numbers are read by nom's `complete` combinators. They never ask for more input,
//! because a datagram is always complete. Where speed matters, [`Reader::array`] reads
//! several fields at once.

use nom::number::complete::{be_u16, be_u32, be_u8};
use nom::IResult;

use super::error::{ErrorKind, ParseError};

/// The error type of nom's combinators here. It is empty, because the reader knows the
/// field and the offset.
type Incomplete = ();

/// Reads big-endian fields from the start of a slice.
///
/// The reader stores the offset of its end. The end never changes, so reading only has to
/// shorten the slice.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    end: u32,
    kind: ErrorKind,
}

impl<'a> Reader<'a> {
    /// A reader over `input`. The first byte of `input` is `offset` bytes after the start
    /// of the IKE header. A missing field is reported as `kind`.
    #[inline]
    pub fn new(input: &'a [u8], offset: u32, kind: ErrorKind) -> Self {
        Self { input, end: offset.wrapping_add(byte_count(input)), kind }
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// The kind of this reader, if `field` is missing. This holds for all methods that
    /// read.
    #[inline]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, ParseError> {
        let parsed = be_u8(self.input);
        self.advance(parsed, field)
    }

    /// Reads a 16-bit number.
    ///
    /// # Errors
    /// As [`u8`](Self::u8).
    #[inline]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, ParseError> {
        let parsed = be_u16(self.input);
        self.advance(parsed, field)
    }

    /// Reads a 32-bit number.
    ///
    /// # Errors
    /// As [`u8`](Self::u8).
    #[inline]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, ParseError> {
        let parsed = be_u32(self.input);
        self.advance(parsed, field)
    }

    /// Reads `length` bytes without copying them.
    ///
    /// # Errors
    /// As [`u8`](Self::u8).
    #[inline]
    pub fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], ParseError> {
        match self.input.split_at_checked(length) {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(taken)
            }
            None => Err(self.error(field)),
        }
    }

    /// Reads one or more fields with a fixed total size. This is fast, because it needs
    /// only one comparison.
    ///
    /// # Errors
    /// As [`u8`](Self::u8).
    #[inline]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], ParseError> {
        match self.input.split_first_chunk() {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(*taken)
            }
            None => Err(self.error(field)),
        }
    }

    /// Reads the next `length` bytes and returns a reader over them.
    ///
    /// # Errors
    /// As [`u8`](Self::u8).
    #[inline]
    pub fn sub(&mut self, length: usize, field: &'static str) -> Result<Self, ParseError> {
        let offset = self.offset();
        let input = self.take(length, field)?;
        Ok(Self::new(input, offset, self.kind))
    }

    /// Reads all remaining bytes. There may be none.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.input)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// If bytes remain. `field` names the field that contains their number.
    #[inline]
    pub fn finish(self, field: &'static str) -> Result<(), ParseError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.error(field))
        }
    }

    /// The offset of the next field, in bytes from the start of the IKE header.
    #[inline]
    pub fn offset(&self) -> u32 {
        self.end.wrapping_sub(byte_count(self.input))
    }

    /// The number of remaining bytes.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.input.len()
    }

    /// Whether no bytes remain.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    #[inline]
    fn advance<T>(
        &mut self,
        parsed: IResult<&'a [u8], T, Incomplete>,
        field: &'static str,
    ) -> Result<T, ParseError> {
        match parsed {
            Ok((rest, value)) => {
                self.input = rest;
                Ok(value)
            }
            Err(_) => Err(self.error(field)),
        }
    }

    /// An error of this reader's kind at the current offset.
    #[cold]
    pub fn error(&self, field: &'static str) -> ParseError {
        self.error_of(self.kind, field)
    }

    /// An error of another kind at the current offset.
    #[cold]
    pub fn error_of(&self, kind: ErrorKind, field: &'static str) -> ParseError {
        ParseError { kind, field, offset: self.offset() }
    }
}

/// The length of a slice as an offset. A datagram and a TCP frame of IKE have at most
/// 65,535 bytes. Only an input of 4 GiB would give wrong offsets, with no other harm.
#[inline]
pub(crate) const fn byte_count(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(input: &[u8]) -> Reader<'_> {
        Reader::new(input, 28, ErrorKind::MalformedPayload)
    }

    #[test]
    fn reads_fields_in_order() {
        let mut r = reader(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(r.u8("a"), Ok(1));
        assert_eq!(r.u16("b"), Ok(0x0203));
        assert_eq!(r.u32("c"), Ok(0x0405_0607));
        assert_eq!(r.array("d"), Ok([8, 9]));
        assert_eq!(r.offset(), 37);
        assert_eq!(r.rest(), [10]);
        assert!(r.finish("e").is_ok());
    }

    #[test]
    fn names_the_missing_field_and_its_offset() {
        let mut r = reader(&[1, 2, 3]);
        r.u16("first").unwrap();
        let expected =
            ParseError { kind: ErrorKind::MalformedPayload, field: "second", offset: 30 };
        assert_eq!(r.u16("second"), Err(expected));
        assert_eq!(r.remaining(), 1, "a failed read consumes nothing");
    }

    #[test]
    fn a_sub_reader_has_its_own_offset_and_bounds() {
        let mut r = reader(&[1, 2, 3, 4, 5]);
        r.u8("x").unwrap();
        let mut part = r.sub(2, "part").unwrap();
        assert_eq!(part.offset(), 29);
        assert_eq!(part.take(2, "y"), Ok(&[2, 3][..]));
        assert_eq!(part.u8("z").unwrap_err().offset, 31);
        assert_eq!(r.offset(), 31);
    }

    #[test]
    fn finish_reports_what_is_left() {
        let r = reader(&[0; 3]);
        assert_eq!(r.finish("Length").unwrap_err().offset, 28);
    }
}
