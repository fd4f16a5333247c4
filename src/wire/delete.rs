//! The Delete payload
//! ([RFC 7296, section 3.11](https://www.rfc-editor.org/rfc/rfc7296#section-3.11)).

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::Protocol;

/// The SAs that a peer has deleted.
///
/// To delete the IKE SA no SPI is needed, because the header contains the SPIs. The body
/// then has four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The Protocol ID field.
    pub protocol: Protocol,
    /// The SPI Size field in bytes: 0 for IKE, 4 for AH and ESP.
    pub spi_size: u8,
    /// The Num of SPIs field.
    pub spi_count: u16,
    spis: &'a [u8],
}

impl<'a> Delete<'a> {
    /// Parses the body of a Delete payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if a field is missing, or if size and number of the
    /// SPIs do not match the length of the body.
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let delete = Self::parse_lenient(body, body_offset)?;
        let length = usize::from(delete.spi_size) * usize::from(delete.spi_count);
        if delete.spis.len() != length {
            let offset = body_offset.saturating_add(COUNT_OFFSET);
            let (kind, field) = (ErrorKind::MalformedPayload, "Num of SPIs");
            return Err(ParseError { kind, field, offset });
        }
        Ok(delete)
    }

    /// Parses the body without checking size and number of the SPIs. The result is only for
    /// display: a receiver rejects such a payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if a fixed field is missing.
    pub fn parse_lenient(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let protocol = Protocol(r.u8("Protocol ID")?);
        let spi_size = r.u8("SPI Size")?;
        let spi_count = r.u16("Num of SPIs")?;
        Ok(Self { protocol, spi_size, spi_count, spis: r.rest() })
    }

    /// The SPIs. Empty if SPI Size is 0.
    pub fn spis(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let spis = if self.spi_size == 0 { &[] } else { self.spis };
        spis.chunks_exact(usize::from(self.spi_size).max(1))
    }
}

/// The offset of Num of SPIs in the body.
const COUNT_OFFSET: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_of_the_ike_sa_has_four_bytes() {
        let delete = Delete::parse(&[1, 0, 0, 0], 32).unwrap();
        assert_eq!(delete.protocol, Protocol::IKE);
        assert_eq!(delete.spis().count(), 0);
    }

    #[test]
    fn lists_the_spis() {
        let body = [3, 4, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        let delete = Delete::parse(&body, 32).unwrap();
        assert!(delete.spis().eq([[1, 2, 3, 4], [5, 6, 7, 8]]));
    }

    #[test]
    fn size_and_number_must_match_the_body() {
        let body = [3, 4, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8];
        for cut in 0..body.len() {
            assert!(Delete::parse(&body[..cut], 32).is_err(), "{cut} bytes");
        }
        let error = Delete::parse(&[3, 0, 0, 0, 9], 32).unwrap_err();
        assert_eq!((error.field, error.offset), ("Num of SPIs", 34));
    }
}
